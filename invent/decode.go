package invent

// The vendor's objects, field by field: here those of a chat, in decode_*.go the others. Names are matched exactly; names
// that are not here are passed over, and so shown as unmapped by the drift report. A chat, a message, a member and a file
// without an id are flawed. The other nested objects may be empty, which says nothing, but not describe something without
// naming it.

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
