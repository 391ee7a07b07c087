package invent

func (d *Decoder) assistant(a *Assistant) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&a.ID)
		case "name":
			d.text(&a.Name)
		case "enabled":
			d.bool(&a.Enabled)
		case "avatar_url":
			d.text(&a.AvatarURL)
		case "deleted":
			d.bool(&a.Deleted)
		case "config":
			d.repeatedJSON(&a.Config, '{')
		default:
			d.pass()
		}
	}
	if a.Name.Given() || a.Enabled.Given() || a.AvatarURL.Given() || a.Deleted.Given() || a.Config.Given() {
		d.require(&a.ID)
	}
}

func (d *Decoder) assistantIntegration(a *AssistantIntegration) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&a.ID)
		case "enabled":
			d.bool(&a.Enabled)
		case "has_connection":
			d.bool(&a.HasConnection)
		default:
			d.pass()
		}
	}
	if a.Enabled.Given() || a.HasConnection.Given() {
		d.require(&a.ID)
	}
}

func (d *Decoder) assistantConfig(c *AssistantConfig) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "model":
			d.text(&c.Model)
		case "stt":
			var p Presence
			if d.object(&p) {
				for d.open(); d.next(); {
					switch string(d.name) {
					case "model":
						d.text(&c.STTModel)
					default:
						d.pass()
					}
				}
			}
		case "tts":
			var p Presence
			if d.object(&p) {
				for d.open(); d.next(); {
					switch string(d.name) {
					case "model":
						d.text(&c.TTSModel)
					case "voice_id":
						d.text(&c.TTSVoiceID)
					default:
						d.pass()
					}
				}
			}
		case "conversation":
			var p Presence
			if d.object(&p) {
				d.conversation(&c.Conversation)
			}
		case "timezone":
			d.text(&c.Timezone)
		case "instructions":
			d.text(&c.Instructions)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) conversation(c *Conversation) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "welcome_banner":
			d.text(&c.WelcomeBanner)
		case "suggested_messages":
			var p Presence
			if d.array(&p) {
				for d.open(); d.nextElement(); {
					var s Field[string]
					if d.text(&s); s.Given() {
						c.SuggestedMessages = append(c.SuggestedMessages, s.V)
					}
				}
			}
		case "auto_intro_message":
			d.text(&c.AutoIntroMessage)
		case "enable_memories":
			d.bool(&c.EnableMemories)
		case "enable_transfer_to_human_tool":
			d.bool(&c.EnableTransferToHumanTool)
		case "enable_end_conversation_tool":
			d.bool(&c.EnableEndConversationTool)
		case "enable_block_contact_tool":
			d.bool(&c.EnableBlockContactTool)
		case "enable_ai_replies":
			d.bool(&c.EnableAIReplies)
		case "enable_auto_resolve":
			d.bool(&c.EnableAutoResolve)
		case "enable_auto_follow_ups":
			d.bool(&c.EnableAutoFollowUps)
		case "enable_auto_csat":
			d.bool(&c.EnableAutoCSAT)
		case "enable_private_chats":
			d.bool(&c.EnablePrivateChats)
		case "enable_update_contact_tool":
			d.bool(&c.EnableUpdateContactTool)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) tool(t *Tool) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "name":
			d.text(&t.Name)
		case "display_name":
			d.text(&t.DisplayName)
		case "action_name":
			d.text(&t.ActionName)
		case "description":
			d.text(&t.Description)
		case "icon":
			d.text(&t.Icon)
		case "icon_url":
			d.text(&t.IconURL)
		case "connection_id":
			d.text(&t.ConnectionID)
		case "parameters":
			d.json(&t.Parameters, '{')
		case "enabled_by_default":
			d.bool(&t.EnabledByDefault)
		case "callback":
			d.text(&t.Callback)
		case "validation":
			d.text(&t.Validation)
		default:
			d.pass()
		}
	}
}
