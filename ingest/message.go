package ingest

import (
	"strings"
	"time"

	"archiver/db"
	"archiver/invent"
)

// messageClock is the clock a message's versions go by: its own, updated_at else created_at; nil when it gives none.
func messageClock(m *invent.Message) *time.Time {
	if m.UpdatedAt.Given() {
		return &m.UpdatedAt.V
	}
	return m.CreatedAt.Ptr()
}

// isOlder reports whether a description of the message is of an older version than the row.
func (s *storedMessage) isOlder(m *invent.Message) bool {
	clock := messageClock(m)
	return clock != nil && s.row.VersionAt != nil && clock.Before(*s.row.VersionAt)
}

// ignores reports whether the description is one that says nothing: a message that has ended never runs again.
func (s *storedMessage) ignores(m *invent.Message) bool { return s.row.HasEnded && m.IsRunning() }

// foldMessage takes in a description of a message that is the newest of all so far.
func (c *chat) foldMessage(d *description, v *message) {
	c.hearing = v.hash
	s := c.messages[v.ID.V]
	if (s == nil || !s.changed) && c.repeats(v) || s != nil && s.ignores(v.Message) {
		return
	}
	c.foldBelieved(d, v)
}

// foldBelieved takes in what is believed, whatever came before.
func (c *chat) foldBelieved(d *description, v *message) {
	id := v.ID.V
	s := c.messages[id]
	changed := s == nil
	if changed {
		s = &storedMessage{row: db.InboxMessage{
			OrgID: c.key.orgID, ChatID: c.key.chatID, MessageID: id, FirstSeenAt: d.seen.time(),
		}}
		c.setMessage(s)
	}
	if d.seen.time().Before(s.row.FirstSeenAt) {
		s.row.FirstSeenAt = d.seen.time()
		s.changed = true
	}
	moved := false
	if clock := messageClock(v.Message); clock != nil {
		moved = borrowTime(true, &s.row.VersionAt, clock)
	}
	if s.fold(c, v) || changed {
		s.row.LastSeenAt = d.seen.time()
		changed = true
	}
	if s.foldFiles(d, v.Message) || changed || moved {
		s.changed = true
	}
}

// fold gives the row what the description says and reports whether that changed it.
func (s *storedMessage) fold(c *chat, v *message) (changed bool) {
	r, snapshot := &s.row, v.IsSnapshot()
	u := &v.Usage.V
	// Usage that is not named leaves nothing of an earlier one in a snapshot, and all of it in a patch.
	usage := snapshot || v.Usage.Named()
	for _, did := range [...]bool{
		borrow(snapshot || v.Role.Named(), &r.Role, v.Role.Ptr()),
		borrow(snapshot || v.Model.Named(), &r.Model, v.Model.Ptr()),
		borrow(snapshot || v.Status.Named(), &r.Status, v.Status.Ptr()),
		borrow(snapshot || v.Error.Named(), &r.Error, v.Error.Ptr()),
		borrow(snapshot || v.BroadcastID.Named(), &r.BroadcastID, v.BroadcastID.Ptr()),
		borrow(snapshot || v.IsBroadcastMessage.Named(), &r.IsBroadcastMessage, v.IsBroadcastMessage.Ptr()),
		borrowTime(snapshot || v.CreatedAt.Named(), &r.CreatedAt, v.CreatedAt.Ptr()),
		borrowTime(snapshot || v.UpdatedAt.Named(), &r.UpdatedAt, v.UpdatedAt.Ptr()),
		borrow(v.toolset.Named(), &r.ToolsetID, v.toolset.Ptr()),
		borrowJSON(v.Features.Named(), &r.Features, v.Features.V.JSON, v.Features.Given()),
		borrow(usage, &r.InputTokens, u.InputTokens.Ptr()),
		borrow(usage, &r.OutputTokens, u.OutputTokens.Ptr()),
		borrow(usage, &r.TotalTokens, u.TotalTokens.Ptr()),
		borrow(usage, &r.ReasoningTokens, u.ReasoningTokens.Ptr()),
		borrow(usage, &r.InputTokensCacheRead, u.InputTokensCacheRead.Ptr()),
		borrow(usage, &r.InputTokensCacheWrite, u.InputTokensCacheWrite.Ptr()),
		borrowJSON(usage, &r.UsageTurns, u.TurnsJSON, u.Turns.Given()),
	} {
		changed = changed || did
	}
	if snapshot || v.Contents.Named() {
		changed = borrowJSON(true, &r.Content, v.ContentsJSON, v.Contents.Given()) || changed
		changed = borrow(true, &r.Text, textOf(v.Contents.V)) || changed
	}
	if v.HasEnded() {
		changed = !r.HasEnded || changed
		r.HasEnded = true
	}
	return s.foldAuthor(c, v, snapshot) || changed
}

// foldAuthor settles who wrote the message. A member that comes as a bare id is who the chat's members say it is.
func (s *storedMessage) foldAuthor(c *chat, v *message, snapshot bool) (changed bool) {
	r := &s.row
	if snapshot || v.Member.Named() {
		var member, user, session, channel *string
		if m := v.Member.V; v.Member.Given() && m.ID.Given() {
			known := c.members[m.ID.V]
			member = &m.ID.V
			user = link(m.User.Presence, &m.User.V.ID, known.UserID)
			session = link(m.Session.Presence, &m.Session.V.ID, known.SessionID)
			channel = link(m.ContactChannel.Presence, &m.ContactChannel.V.ID, known.ContactChannelID)
		}
		for _, did := range [...]bool{
			borrow(true, &r.MemberID, member), borrow(true, &r.UserID, user),
			borrow(true, &r.SessionID, session), borrow(true, &r.ContactChannelID, channel),
		} {
			changed = changed || did
		}
	}
	sender := string(invent.SenderOf(invent.Authorship{
		Role:          valueOf(r.Role),
		IsBroadcast:   valueOf(r.IsBroadcastMessage) || valueOf(r.BroadcastID) != "",
		IsTeamUser:    r.UserID != nil,
		IsFromContact: r.ContactChannelID != nil || r.SessionID != nil,
	}))
	changed = changed || r.Sender != sender
	r.Sender = sender
	return changed
}

// link is the id of an object that a member names, none where it is null or has no id; else the one that is known.
func link(p invent.Presence, id *invent.Field[string], known *string) *string {
	switch p {
	case invent.Absent:
		return known
	case invent.Given:
		return id.Ptr()
	}
	return nil
}

func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// textOf joins the text parts; nil when there is none. A part without a type is a text part when it has a text.
func textOf(contents []invent.Content) *string {
	var only *string
	var texts []string // when there are several
	for i := range contents {
		for j := range contents[i].Parts {
			p := &contents[i].Parts[j]
			switch {
			case !p.Text.Given() || p.Type.Given() && p.Type.V != "text":
			case only == nil:
				only = &p.Text.V
			case texts == nil:
				texts = []string{*only, p.Text.V}
			default:
				texts = append(texts, p.Text.V)
			}
		}
	}
	if texts == nil {
		return only
	}
	return new(strings.Join(texts, "\n"))
}

// foldFiles takes in the files of a description's parts. A file the newest version no longer has is marked as deleted; of one that it
// names twice the last word counts.
func (s *storedMessage) foldFiles(d *description, v *invent.Message) (changed bool) {
	if !v.Contents.Named() && !v.IsSnapshot() {
		return false
	}
	seen := d.seen.time()
	var named map[string]fileOfPart
	name := func(f *invent.Field[invent.File], p *invent.Part, key string) {
		if !f.Given() || !f.V.ID.Given() {
			return
		}
		if named == nil {
			named = map[string]fileOfPart{}
		}
		named[f.V.ID.V] = fileOfPart{&f.V, p.Type, key}
	}
	for i := range v.Contents.V {
		for j := range v.Contents.V[i].Parts {
			p := &v.Contents.V[i].Parts[j]
			name(&p.Audio, p, "audio")
			name(&p.File, p, "file")
		}
	}
	for _, f := range named {
		s.foldFile(seen, f)
	}
	for id, f := range s.files {
		if _, is := named[id]; !is && f.DeletedAt == nil {
			s.touchFile(seen, f, assignTime(&f.DeletedAt, &seen))
		}
	}
	return len(s.changedFiles) > 0
}

// fileOfPart is a file, and the type of its part, else the key it is under.
type fileOfPart struct {
	*invent.File
	partType invent.Field[string]
	key      string
}

func (s *storedMessage) foldFile(seen time.Time, v fileOfPart) {
	f, isNew := s.files[v.ID.V], false
	if f == nil {
		f, isNew = &db.InboxMessageFile{
			OrgID: s.row.OrgID, ChatID: s.row.ChatID, MessageID: s.row.MessageID, FileID: v.ID.V, FirstSeenAt: seen,
		}, true
		if s.files == nil {
			s.files = map[string]*db.InboxMessageFile{}
		}
		s.files[v.ID.V] = f
	}
	partType := v.partType
	if !partType.Given() {
		partType = invent.Field[string]{V: v.key, Presence: invent.Given}
	}
	changed := isNew
	for _, did := range [...]bool{
		assign(&f.PartType, partType.Ptr()),
		assign(&f.Path, v.Path.Ptr()),
		assign(&f.Filename, v.Filename.Ptr()),
		assign(&f.SizeBytes, v.Size.Ptr()),
		assign(&f.Mimetype, v.Mimetype.Ptr()),
		assign(&f.Url, v.URL.Ptr()),
		assignTime(&f.CreatedAt, v.CreatedAt.Ptr()),
		assignTime(&f.DeletedAt, nil),
	} {
		changed = changed || did
	}
	if seen.Before(f.FirstSeenAt) {
		f.FirstSeenAt = seen // only when the chat is derived again, and then all of it is written
	}
	s.touchFile(seen, f, changed)
}

func (s *storedMessage) touchFile(seen time.Time, f *db.InboxMessageFile, changed bool) {
	if !changed {
		return
	}
	f.LastSeenAt = seen
	assignTime(&f.VersionAt, s.row.VersionAt)
	if s.changedFiles == nil {
		s.changedFiles = map[string]bool{}
	}
	s.changedFiles[f.FileID] = true
}
