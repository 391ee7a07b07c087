package ingest

import (
	"archiver/db"
	"archiver/invent"
)

// foldMembers takes in who takes part. A list that is there is complete: whoever it does not name has left, at the
// latest when it was observed.
func (c *chat) foldMembers(d *description) {
	seen := d.seen.time()
	for m := range d.members() {
		c.foldMember(d, m)
	}
	if d.chat != nil && d.chat.Members.Given() {
		assignTime(&c.row.MembersListedAt, &seen)
		named := make(map[string]bool, len(d.chat.Members.V))
		for i := range d.chat.Members.V {
			named[d.chat.Members.V[i].ID.V] = true
		}
		for id, m := range c.members {
			left := &seen
			if named[id] {
				left = nil
			}
			c.touchMember(d, m, assignTime(&m.LeftAt, left))
		}
	}
}

// foldMember takes in one member. Its fields keep what they are when it does not name them: members come in shapes of
// several sizes.
func (c *chat) foldMember(d *description, v *invent.Member) {
	m, changed := c.members[v.ID.V], false
	if m == nil {
		m = &db.InboxMember{
			OrgID: c.key.orgID, ChatID: c.key.chatID, MemberID: v.ID.V, FirstSeenAt: d.seen.time(),
			// Not in the newest complete list, if there was one; if this one names it, that is put right below.
			LeftAt: c.row.MembersListedAt,
		}
		c.members[v.ID.V], changed = m, true
	}
	if d.seen.time().Before(m.FirstSeenAt) {
		m.FirstSeenAt = d.seen.time()
		c.changed.addMember(v.ID.V)
	}
	user, session, channel := userID(&v.User), sessionID(&v.Session), channelID(&v.ContactChannel)
	for _, did := range [...]bool{
		set(false, &m.Role, &v.Role),
		set(false, &m.UserID, &user),
		set(false, &m.SessionID, &session),
		set(false, &m.ContactChannelID, &channel),
	} {
		changed = changed || did
	}
	c.touchMember(d, m, changed)
}

func (c *chat) touchMember(d *description, m *db.InboxMember, changed bool) {
	if changed {
		m.LastSeenAt = d.seen.time()
		assignTime(&m.VersionAt, c.row.VersionAt)
		c.changed.addMember(m.MemberID)
	}
}
