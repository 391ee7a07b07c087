package invent

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
