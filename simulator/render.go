package simulator

import "strconv"

// rendering writes one chat or message as of a moment. The zero switches are the whole object.
type rendering struct {
	writer
	w      *World
	asOf   moment
	sparse bool  // nested users, channels and sessions are bare
	omit   parts // what is left out
	extra  bool  // has fields nobody documented
	buf    []byte
}

// parts is a set of the parts of a chat that an event may lack.
type parts uint8

const (
	partTools parts = 1 << iota
	partFeatures
	partState
	partMembers
	partReferral
	partLastMessage
	partCount = iota
)

// begin readies the rendering for one object; coin seeds the choices of NullsMixed.
func (r *rendering) begin(w *World, asOf moment, coin uint64) {
	r.w, r.asOf = w, asOf
	r.b = r.b[:0]
	r.nulls, r.omitFalse, r.seconds = w.cfg.Quirks.Nulls, w.cfg.Quirks.OmitFalse, w.cfg.Quirks.EqualTimestamps
	r.coin = mix(coin)
	r.sparse, r.omit, r.extra = false, 0, false
}

// block picks a cached block in the current way of writing unset fields.
func (r *rendering) block(k string, variants *[2][]byte) {
	switch r.nulls {
	case NullsAbsent:
		r.raw(k, variants[0])
	case NullsNull:
		r.raw(k, variants[1])
	case NullsMixed:
		r.coin = mix(r.coin)
		r.raw(k, variants[r.coin&1])
	}
}

// chat writes a Chat object.
func (r *rendering) chat(c *chat) {
	seed := r.w.cfg.Seed
	v := c.assistant.asOf(r.asOf)
	r.item()
	r.str("id", c.id)
	r.opt("title", r.title(c))
	r.str("model", v.model)
	r.str("status", runStatuses[c.status])
	if r.omit&partMembers == 0 {
		r.list("members")
		for i := range c.members {
			if !c.members[i].left {
				r.item()
				r.member(&c.members[i])
				r.end()
			}
		}
		r.endList()
	}
	r.bool("temporary", c.temporary)
	r.bool("pinned", c.pinned)
	r.str("visibility", visibilities[c.visibility])
	if c.visibility == 1 {
		r.str("shared_url", "https://share.example.com/"+c.id)
	} else {
		r.unset("shared_url")
	}
	r.time("created_at", c.created)
	r.time("updated_at", c.updated)
	if r.omit&partTools == 0 {
		r.block("tools", &v.toolset)
	}
	if r.omit&partFeatures == 0 {
		if c.assistant.number == 2 {
			r.unset("features")
		} else {
			r.block("features", &v.features)
		}
	}
	r.str("org_id", c.org.id)
	if r.omit&partState == 0 {
		r.open("state")
		r.state(c, v)
		r.end()
	}
	r.key("link")
	r.b = append(r.b, `"https://app.example.com/o/`...)
	r.b = append(r.b, c.org.id...)
	r.b = append(r.b, "/inbox/"...)
	r.b = append(r.b, c.id...)
	r.b = append(r.b, '"')
	if r.omit&partLastMessage == 0 {
		if m := c.last(); m != nil {
			r.open("last_message")
			r.message(c, m)
			r.end()
		} else {
			r.unset("last_message")
		}
	}
	if r.omit&partReferral == 0 {
		if c.referral != 0 {
			r.open("referral")
			r.referral(c.referral, c.created)
			r.end()
		} else {
			r.unset("referral")
		}
	}
	if r.extra {
		r.open("sla")
		r.str("tier", "gold")
		r.int("breach_in", int64(mix(c.n+seed)%3600))
		r.end()
	}
	r.end()
}

func (r *rendering) title(c *chat) string {
	if c.title == 0 {
		return ""
	}
	return titles[c.title%uint32(len(titles))]
}

var titles = []string{
	"Where is my order?", "Refund", "Change of address", "¿Dónde está mi pedido?", "Größe & Farbe", "\"Blue\" one in stock?",
	"استفسار عن الطلب", "訂單問題", "Appointment on Friday", "Résumé / CV 📎", "Wholesale <b>inquiry</b>", "Lost parcel",
}

func (r *rendering) state(c *chat, v *assistantVersion) {
	seed := r.w.cfg.Seed
	i := c.assistant.integrations[c.via]
	iv := i.asOf(r.asOf)
	r.id("id", seed, idState, c.n)
	r.str("state", chatStates[c.state])
	r.str("integration_id", c.kind.id)
	r.str("assistant_id", c.assistant.id)
	r.str("assistant_integration_id", i.id)
	r.id("conversation_id", seed, idConversation, c.n<<16|uint64(c.conversation))
	r.bool("ai_enabled", c.aiEnabled)
	r.int("admin_unseen_count", int64(c.adminUnseen))
	r.int("user_unseen_count", int64(c.userUnseen))
	r.block("assistant", &v.description)
	r.open("assistant_integration")
	r.str("id", i.id)
	r.bool("enabled", iv.enabled)
	r.bool("has_connection", iv.connected)
	r.end()
	if a := c.assigned; a != nil {
		d := a.asOf(r.asOf)
		r.open("assigned_user")
		r.str("id", a.id)
		if !r.sparse {
			r.str("name", d.name)
			r.str("email", a.email)
			r.opt("avatar", d.avatar)
			r.time("seen_at", a.seenAt(r.asOf))
		}
		r.end()
	} else {
		r.unset("assigned_user")
	}
	r.time("assigned_at", c.assignedAt)
	r.block("assistant_config", &v.config)
	r.time("follow_up_at", c.followUp)
	r.time("muted_until", c.mutedUntil)
	if c.csat > 0 {
		r.int("csat_score", int64(c.csat))
	} else {
		r.unset("csat_score")
	}
	r.time("last_contact_message_at", c.lastContact)
}

func (r *rendering) member(m *member) {
	seed := r.w.cfg.Seed
	r.id("id", seed, idMember, m.n)
	switch {
	case m.unknown:
		r.str("role", "OBSERVER")
	case m.agent != nil:
		r.str("role", "ADMIN")
	default:
		r.str("role", "MEMBER")
	}
	if a := m.agent; a != nil {
		d := a.asOf(r.asOf)
		r.open("user")
		r.str("id", a.id)
		if !r.sparse {
			r.str("name", d.name)
			r.opt("avatar", d.avatar)
		}
		r.end()
	} else {
		r.unset("user")
	}
	if m.session != 0 {
		r.open("session")
		r.id("id", seed, idSession, m.session)
		r.end()
	} else {
		r.unset("session")
	}
	if m.channel != nil {
		r.open("contact_channel")
		r.channel(m.channel)
		r.end()
	} else {
		r.unset("contact_channel")
	}
}

var (
	browsers = []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
	}
	addresses = []string{"192.0.2.", "198.51.100.", "203.0.113."}
)

func (r *rendering) channel(ch *channel) {
	seed, k := r.w.cfg.Seed, ch.kind
	v := ch.contact.asOf(r.asOf)
	l := &languages[ch.contact.language]
	d := dice(ch.n)
	r.id("id", seed, idChannel, ch.n)
	if r.sparse {
		return
	}
	r.str("type", k.channel)
	if k.id == "internal" {
		r.id("user_id", seed, idChannelUser, ch.n)
	} else {
		r.unset("user_id")
	}
	r.avatar(v)
	r.contactName(ch.contact, v)
	number := strconv.FormatUint(ch.n, 10)
	if k.username {
		r.str("username", "user_"+number)
	} else {
		r.unset("username")
	}
	if k.email {
		r.str("email", "person"+strconv.FormatUint(ch.contact.n, 10)+"@example.com")
	} else {
		r.unset("email")
	}
	if k.phone {
		line := strconv.FormatUint(1_000_000+d.next()%9_000_000, 10)
		r.str("phone", l.dial+line)
	} else {
		r.unset("phone")
	}
	r.str("country", l.country)
	if k.web {
		r.str("agent", pick(&d, browsers))
		if d.chance(0.2) {
			r.str("ip", "2001:db8::"+strconv.FormatUint(d.next()%65536, 16))
		} else {
			r.str("ip", pick(&d, addresses)+strconv.Itoa(1+d.below(250)))
		}
	} else {
		r.unset("agent")
		r.unset("ip")
	}
	r.str("language", l.tag)
	r.open("contact")
	r.id("id", seed, idContact, ch.contact.n)
	r.contactName(ch.contact, v)
	r.bool("blocked", v.blocked)
	r.bool("is_admin", ch.contact.admin)
	r.end()
	r.str("link", "https://app.example.com/contacts/"+number)
}

func (r *rendering) avatar(v contactVersion) {
	if v.avatar == 0 {
		r.unset("avatar")
		return
	}
	r.str("avatar", avatarURL(mix(uint64(v.avatar)))+"?expires="+strconv.FormatUint(uint64(v.avatar), 10))
}

func (r *rendering) contactName(c *contact, v contactVersion) {
	if v.name == 0 {
		r.unset("name")
		return
	}
	r.str("name", personName(c.language, uint64(v.name)))
}

var adSources = []string{"facebook_ad", "instagram_ad", "tiktok_ad", "google_ad", "web"}

// referral writes what brought a contact here: an ad or a link, the same for the life of the chat.
func (r *rendering) referral(n uint32, created int64) {
	d := dice(n)
	ad := strconv.Itoa(1 + d.below(12))
	r.list("parts")
	r.item()
	r.str("type", "url")
	r.str("url", "https://shop.example.com/landing?utm_campaign=ad"+ad)
	r.bool("auto_consume", true)
	r.end()
	if d.chance(0.5) {
		r.item()
		r.str("type", "file")
		r.open("file")
		r.file(d.next(), attachImage, created)
		r.end()
		r.bool("auto_consume", false)
		r.float("start_timestamp", 0)
		r.float("end_timestamp", float64(d.below(30000))/1000)
		r.end()
	}
	r.endList()
	r.str("ref", "campaign-"+ad)
	r.str("ad_id", "12020"+ad+"7700")
	r.str("source", pick(&d, adSources))
	r.str("referer_uri", "https://social.example.com/ads/"+ad)
	r.open("ads_context_data")
	r.str("ad_title", "Spring sale №"+ad+" – \"everything must go\"")
	r.str("photo_url", "https://cdn.example.com/ads/"+ad+".jpg")
	if d.chance(0.5) {
		r.str("video_url", "https://cdn.example.com/ads/"+ad+".mp4")
	} else {
		r.unset("video_url")
	}
	r.str("post_id", "post_"+ad)
	r.str("product_id", "sku-"+ad)
	r.end()
}
