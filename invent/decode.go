package invent

import "time"

// The vendor's objects, field by field. Names are matched exactly; names that are not here are passed over, and so shown as unmapped by the drift report. A chat, a
// message, a member and a file without an id are flawed. The other nested objects may be empty, which says nothing, but
// not describe something without naming it.

func (d *Decoder) event(e *Event) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "type":
			d.text(&e.Type)
		case "identifier":
			d.text(&e.Identifier)
		case "data":
			if d.object(&e.Data.Presence) {
				e.Data.V = new(Chat)
				d.chat(e.Data.V)
			}
		default:
			d.pass()
		}
	}
}

func (d *Decoder) chat(c *Chat) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&c.ID)
		case "org_id":
			d.id(&c.OrgID)
		case "title":
			d.text(&c.Title)
		case "model":
			d.text(&c.Model)
		case "status":
			d.text(&c.Status)
		case "visibility":
			d.text(&c.Visibility)
		case "temporary":
			d.bool(&c.Temporary)
		case "pinned":
			d.bool(&c.Pinned)
		case "shared_url":
			d.text(&c.SharedURL)
		case "link":
			d.text(&c.Link)
		case "created_at":
			d.time(&c.CreatedAt)
		case "updated_at":
			d.time(&c.UpdatedAt)
		case "members":
			if d.array(&c.Members.Presence) {
				c.Members.V = list(d, (*Decoder).member)
			}
		case "tools":
			d.block(&c.Tools, '[', (*Decoder).readTools)
		case "features":
			d.features(&c.Features)
		case "state":
			if d.object(&c.State.Presence) {
				c.State.V = new(State)
				d.state(c.State.V)
			}
		case "last_message":
			if d.object(&c.LastMessage.Presence) {
				c.LastMessage.V = new(Message)
				d.message(c.LastMessage.V)
			}
		case "referral":
			if d.object(&c.Referral.Presence) {
				c.Referral.V = new(Referral)
				d.referral(c.Referral.V)
			}
		default:
			d.pass()
		}
	}
	d.require(&c.ID)
}

func (d *Decoder) state(s *State) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&s.ID)
		case "state":
			d.text(&s.State)
		case "integration_id":
			d.text(&s.IntegrationID)
		case "assistant_id":
			d.id(&s.AssistantID)
		case "assistant_integration_id":
			d.id(&s.AssistantIntegrationID)
		case "conversation_id":
			d.text(&s.ConversationID)
		case "ai_enabled":
			d.bool(&s.AIEnabled)
		case "admin_unseen_count":
			d.int(&s.AdminUnseenCount)
		case "user_unseen_count":
			d.int(&s.UserUnseenCount)
		case "assistant":
			if d.object(&s.Assistant.Presence) {
				d.assistant(&s.Assistant.V)
			}
		case "assistant_integration":
			if d.object(&s.AssistantIntegration.Presence) {
				d.assistantIntegration(&s.AssistantIntegration.V)
			}
		case "assigned_user":
			if d.object(&s.AssignedUser.Presence) {
				d.user(&s.AssignedUser.V)
			}
		case "assigned_at":
			d.time(&s.AssignedAt)
		case "assistant_config":
			d.block(&s.AssistantConfig, '{', (*Decoder).readConfig)
		case "follow_up_at":
			d.time(&s.FollowUpAt)
		case "muted_until":
			d.time(&s.MutedUntil)
		case "csat_score":
			d.int32(&s.CSATScore)
		case "last_contact_message_at":
			d.time(&s.LastContactMessageAt)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) member(m *Member) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&m.ID)
		case "role":
			d.text(&m.Role)
		case "user":
			if d.object(&m.User.Presence) {
				d.user(&m.User.V)
			}
		case "session":
			if d.object(&m.Session.Presence) {
				d.session(&m.Session.V)
			}
		case "contact_channel":
			if d.object(&m.ContactChannel.Presence) {
				d.contactChannel(&m.ContactChannel.V)
			}
		default:
			d.pass()
		}
	}
	d.require(&m.ID)
}

func (d *Decoder) user(u *User) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&u.ID)
		case "name":
			d.text(&u.Name)
		case "email":
			d.text(&u.Email)
		case "avatar":
			d.text(&u.Avatar)
		case "seen_at":
			d.time(&u.SeenAt)
		default:
			d.pass()
		}
	}
	if u.Name.Given() || u.Email.Given() || u.Avatar.Given() || u.SeenAt.Given() {
		d.require(&u.ID)
	}
}

func (d *Decoder) session(s *Session) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&s.ID)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) contactChannel(c *ContactChannel) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&c.ID)
		case "type":
			d.text(&c.Type)
		case "user_id":
			d.text(&c.UserID)
		case "avatar":
			d.text(&c.Avatar)
		case "name":
			d.text(&c.Name)
		case "username":
			d.text(&c.Username)
		case "email":
			d.text(&c.Email)
		case "phone":
			d.text(&c.Phone)
		case "country":
			d.text(&c.Country)
		case "agent":
			d.text(&c.Agent)
		case "ip":
			d.text(&c.IP)
		case "language":
			d.text(&c.Language)
		case "contact":
			if d.object(&c.Contact.Presence) {
				d.contact(&c.Contact.V)
			}
		case "link":
			d.text(&c.Link)
		default:
			d.pass()
		}
	}
	if c.Type.Given() || c.UserID.Given() || c.Avatar.Given() || c.Name.Given() || c.Username.Given() ||
		c.Email.Given() || c.Phone.Given() || c.Country.Given() || c.Agent.Given() || c.IP.Given() ||
		c.Language.Given() || c.Contact.V.ID.Given() || c.Link.Given() {
		d.require(&c.ID)
	}
}

func (d *Decoder) contact(c *Contact) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&c.ID)
		case "name":
			d.text(&c.Name)
		case "blocked":
			d.bool(&c.Blocked)
		case "is_admin":
			d.bool(&c.IsAdmin)
		default:
			d.pass()
		}
	}
	if c.Name.Given() || c.Blocked.Given() || c.IsAdmin.Given() {
		d.require(&c.ID)
	}
}

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
			d.json(&a.Config, '{')
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

func (d *Decoder) features(f *Field[Features]) {
	if !d.object(&f.Presence) {
		return
	}
	begin := d.offset()
	for d.open(); d.next(); {
		switch string(d.name) {
		case "web_search":
			d.json(&f.V.WebSearch, 0)
		case "reasoning":
			var p Presence
			if d.object(&p) {
				for d.open(); d.next(); {
					switch string(d.name) {
					case "effort":
						d.text(&f.V.ReasoningEffort)
					default:
						d.pass()
					}
				}
			}
		default:
			d.pass()
		}
	}
	f.V.JSON = d.since(begin)
}

func (d *Decoder) message(m *Message) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&m.ID)
		case "role":
			d.text(&m.Role)
		case "model":
			d.text(&m.Model)
		case "status":
			d.text(&m.Status)
		case "created_at":
			d.time(&m.CreatedAt)
		case "updated_at":
			d.time(&m.UpdatedAt)
		case "messages":
			if d.array(&m.Contents.Presence) {
				begin := d.offset()
				m.Contents.V = list(d, (*Decoder).content)
				m.ContentsJSON = d.since(begin)
			}
		case "tools":
			d.block(&m.Tools, '[', (*Decoder).readTools)
		case "features":
			d.features(&m.Features)
		case "member":
			if d.object(&m.Member.Presence) {
				m.Member.V = new(Member)
				d.member(m.Member.V)
			}
		case "error":
			d.text(&m.Error)
		case "broadcast_id":
			d.text(&m.BroadcastID)
		case "is_broadcast_message":
			d.bool(&m.IsBroadcastMessage)
		case "usage":
			if d.object(&m.Usage.Presence) {
				d.usage(&m.Usage.V)
			}
		default:
			d.pass()
		}
	}
	d.require(&m.ID)
}

func (d *Decoder) content(c *Content) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "role":
			d.text(&c.Role)
		case "parts":
			var p Presence
			if d.array(&p) {
				c.Parts = list(d, (*Decoder).part)
			}
		default:
			d.pass()
		}
	}
}

func (d *Decoder) part(p *Part) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "type":
			d.text(&p.Type)
		case "text":
			d.text(&p.Text)
		case "audio":
			if d.object(&p.Audio.Presence) {
				d.file(&p.Audio.V)
			}
		case "file":
			if d.object(&p.File.Presence) {
				d.file(&p.File.V)
			}
		case "url":
			d.text(&p.URL)
		case "auto_consume":
			d.bool(&p.AutoConsume)
		case "start_timestamp":
			d.float(&p.StartTimestamp)
		case "end_timestamp":
			d.float(&p.EndTimestamp)
		default:
			d.pass()
		}
	}
}

func (d *Decoder) file(f *File) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "id":
			d.id(&f.ID)
		case "file_path":
			d.text(&f.Path)
		case "file_filename":
			d.text(&f.Filename)
		case "file_size":
			d.int(&f.Size)
		case "file_mimetype":
			d.text(&f.Mimetype)
		case "file_url":
			d.text(&f.URL)
		case "created_at":
			d.time(&f.CreatedAt)
		default:
			d.pass()
		}
	}
	d.require(&f.ID)
}

func (d *Decoder) usage(u *Usage) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "input_tokens":
			d.int(&u.InputTokens)
		case "output_tokens":
			d.int(&u.OutputTokens)
		case "total_tokens":
			d.int(&u.TotalTokens)
		case "reasoning_tokens":
			d.int(&u.ReasoningTokens)
		case "input_tokens_cache_read":
			d.int(&u.InputTokensCacheRead)
		case "input_tokens_cache_write":
			d.int(&u.InputTokensCacheWrite)
		case "turns":
			if d.array(&u.Turns.Presence) {
				begin := d.offset()
				u.Turns.V = list(d, (*Decoder).usage)
				u.TurnsJSON = d.since(begin)
			}
		default:
			d.pass()
		}
	}
}

func (d *Decoder) referral(r *Referral) {
	begin := d.offset()
	for d.open(); d.next(); {
		switch string(d.name) {
		case "ref":
			d.text(&r.Ref)
		case "ad_id":
			d.text(&r.AdID)
		case "source":
			d.text(&r.Source)
		case "referer_uri":
			d.text(&r.RefererURI)
		case "ads_context_data":
			var p Presence
			if d.object(&p) {
				d.adsContext(r)
			}
		case "parts":
			if d.array(&r.Parts.Presence) {
				begin := d.offset()
				r.Parts.V = list(d, (*Decoder).part)
				r.PartsJSON = d.since(begin)
			}
		default:
			d.pass()
		}
	}
	r.JSON = d.since(begin)
}

func (d *Decoder) adsContext(r *Referral) {
	for d.open(); d.next(); {
		switch string(d.name) {
		case "ad_title":
			d.text(&r.AdTitle)
		case "photo_url":
			d.text(&r.PhotoURL)
		case "video_url":
			d.text(&r.VideoURL)
		case "post_id":
			d.text(&r.PostID)
		case "product_id":
			d.text(&r.ProductID)
		default:
			d.pass()
		}
	}
}

// parseTime reads an RFC 3339 time, cut to microseconds, which is what Postgres keeps. Years that UTC does not write
// with four digits are no times.
func parseTime(b []byte) (time.Time, bool) {
	var t time.Time
	if err := t.UnmarshalText(b); err != nil {
		return time.Time{}, false
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}
