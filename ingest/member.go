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
	if d.chat == nil || !d.chat.Members.Given() {
		return
	}
	assignTime(&c.row.MembersListedAt, &seen)
	isNamed := naming(d.chat.Members.V)
	for id, m := range c.members {
		left := &seen
		if isNamed(id) {
			left = nil
		}
		if !equalTime(m.LeftAt, left) {
			gone := *m
			assignTime(&gone.LeftAt, left)
			c.touchMember(d, gone)
		}
	}
}

// naming tells which members a list names.
func naming(list []invent.Member) func(id string) bool {
	if len(list) <= 8 {
		return func(id string) bool {
			for i := range list {
				if list[i].ID.V == id {
					return true
				}
			}
			return false
		}
	}
	named := make(map[string]bool, len(list))
	for i := range list {
		named[list[i].ID.V] = true
	}
	return func(id string) bool { return named[id] }
}

// foldMember takes in one member. Its fields keep what they are when it does not name them: members come in shapes of
// several sizes.
func (c *chat) foldMember(d *description, v *invent.Member) {
	known := c.members[v.ID.V]
	m := db.InboxMember{
		OrgID: c.key.orgID, ChatID: c.key.chatID, MemberID: v.ID.V, FirstSeenAt: d.seen.time(),
		// Not in the newest complete list, if there was one; if this one names it, that is put right below.
		LeftAt: c.row.MembersListedAt,
	}
	if known != nil {
		m = *known
	}
	changed, isEarlier := known == nil, d.seen.time().Before(m.FirstSeenAt)
	user, session, channel := userID(&v.User), sessionID(&v.Session), channelID(&v.ContactChannel)
	for _, did := range [...]bool{
		set(false, &m.Role, &v.Role),
		set(false, &m.UserID, &user),
		set(false, &m.SessionID, &session),
		set(false, &m.ContactChannelID, &channel),
	} {
		changed = changed || did
	}
	if isEarlier {
		m.FirstSeenAt = d.seen.time()
	}
	switch {
	case changed:
		c.touchMember(d, m)
	case isEarlier:
		c.setMember(m)
		c.changed.addMember(m.MemberID)
	}
}

// touchMember keeps a member's row that a description changed.
func (c *chat) touchMember(d *description, m db.InboxMember) {
	m.LastSeenAt = d.seen.time()
	shareTime(&m.VersionAt, c.row.VersionAt)
	c.setMember(m)
	c.changed.addMember(m.MemberID)
}
