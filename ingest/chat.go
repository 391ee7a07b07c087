package ingest

import (
	"hash/maphash"
	"slices"
	"time"

	"archiver/db"
	"archiver/invent"
)

// chatKey names a chat.
type chatKey struct{ orgID, chatID string }

// chat is what is known of one chat: the rows as they are, or will be, in Postgres, and which of them a batch changed.
//
// Descriptions are folded into it in the order their versions go by, which is practically always the order they come
// in. One that does not (isLate) cannot simply be folded in, since history, files and leaving members depend on what
// came before: the chat is then derived again from all of its events (derive.go).
type chat struct {
	key     chatKey
	row     db.InboxChat
	state   *db.InboxChatState
	members map[string]*db.InboxMember
	// isWhole says that the chat's messages are all in stored; those of other chats have to be looked for in Postgres. isLong says that
	// they are too many for that.
	isWhole, isLong bool
	stored          []uint32 // hashes of messages' ids, maxStored of them at most
	heard           uint64   // message.hash of the last message that was folded in; 0 for none. Most frames repeat it

	// Of this batch only, but for a message that is running:
	messages map[string]*storedMessage // remembered, loaded and new ones

	// Of this batch only:
	hearing   uint64 // what heard will be
	history   []db.InboxChatStateChange
	referrals map[string]*db.InboxReferral
	changed   changes
	rederived bool
}

// changes tells which rows of a chat are to be written, but for messages, which tell it themselves.
type changes struct {
	row, state bool
	members    map[string]bool
}

func (c *changes) addMember(id string) {
	if c.members == nil {
		c.members = map[string]bool{}
	}
	c.members[id] = true
}

// storedMessage is a message's row and its files' rows.
type storedMessage struct {
	row          db.InboxMessage
	files        map[string]*db.InboxMessageFile
	changed      bool // it is to be written
	changedFiles map[string]bool
}

func newChat(key chatKey) *chat {
	return &chat{
		key: key, row: db.InboxChat{OrgID: key.orgID, ChatID: key.chatID, IsStub: true},
		members: map[string]*db.InboxMember{},
	}
}

// maxStored is how many messages of a chat are remembered not to be new. Those of longer chats are looked for.
const maxStored = 256

// repeats reports whether a message is, to the byte, the last one that was folded in before the batch. To fold it in again would change
// nothing, unless the batch has something else to say of it.
func (c *chat) repeats(v *message) bool { return c.heard != 0 && v.hash == c.heard }

// mayHave reports whether the message may be in Postgres.
func (c *chat) mayHave(messageID string) bool {
	return c.isNew() || !c.isWhole || slices.Contains(c.stored, hashOf(messageID))
}

// remember keeps which messages the chat has.
func (c *chat) remember() {
	for id := range c.messages {
		if h := hashOf(id); c.isWhole && !slices.Contains(c.stored, h) {
			c.stored = append(c.stored, h)
			c.isLong = len(c.stored) > maxStored
			c.isWhole = !c.isLong
		}
	}
	if !c.isWhole {
		c.stored = nil
	}
}

var hashSeed = maphash.MakeSeed()

// keptRunning is how many bytes of text and JSON a message may have to be remembered. Its words are in both.
const keptRunning = 2 << 10

// running is the message that the chat showed last, while it is being written, if it is to be remembered: most likely the next frame has more
// of it. Files are not remembered, so neither is a message with files.
func (c *chat) running() *storedMessage {
	if c.row.LastMessageID == nil {
		return nil
	}
	m := c.messages[*c.row.LastMessageID]
	if m == nil || m.row.HasEnded || valueOf(m.row.Status) != invent.Running || len(m.files) > 0 || m.size() > keptRunning {
		return nil
	}
	return m
}

func (s *storedMessage) size() int {
	return len(valueOf(s.row.Text)) + len(s.row.Content) + len(s.row.Features) + len(s.row.UsageTurns)
}

// hashOf may be the same for two ids: one of them is then looked for in vain.
func hashOf(id string) uint32 { return uint32(maphash.String(hashSeed, id)) }

// end is the end of a batch that is committed: what is to be remembered of it.
func (c *chat) end() {
	c.remember()
	if c.hearing != 0 {
		c.heard = c.hearing
	}
}

// setMember puts a member's row in the place of the one before.
func (c *chat) setMember(m db.InboxMember) { c.members[m.MemberID] = &m }

func (c *chat) setMessage(s *storedMessage) {
	if c.messages == nil {
		c.messages = map[string]*storedMessage{}
	}
	c.messages[s.row.MessageID] = s
}

func (c *chat) isNew() bool { return c.row.FirstSeenAt.IsZero() }

func (c *chat) head() observation {
	return observed(c.row.ObservedAt, c.row.ObservedSeq)
}

// isLate reports whether a description is not the newest word on everything it speaks of: something observed later, or
// something newer by the source's clock, was folded in before it.
func (c *chat) isLate(d *description) bool {
	if d.repeatsMessage() {
		return true
	}
	if c.isNew() {
		return false
	}
	if d.seen.compare(c.head()) <= 0 {
		return true
	}
	if clock := d.clock(); !clock.IsZero() && c.row.VersionAt != nil && clock.Before(*c.row.VersionAt) {
		return true
	}
	for i := range d.messages {
		if m := c.messages[d.messages[i].ID.V]; m != nil && m.isOlder(d.messages[i].Message) {
			return true
		}
	}
	return c.relinksMember(d)
}

// repeatsMessage reports whether a page names a message twice (the list shifted while it was made): its second word need
// not be the newer one.
func (d *description) repeatsMessage() bool {
	if len(d.messages) < 2 {
		return false
	}
	named := make(map[string]bool, len(d.messages))
	for i := range d.messages {
		named[d.messages[i].ID.V] = true
	}
	return len(named) < len(d.messages)
}

// relinksMember reports whether a member that is known already turns out to be somebody else: the senders of the
// messages stored so far depend on that.
func (c *chat) relinksMember(d *description) bool {
	for m := range d.members() {
		known := c.members[m.ID.V]
		if known != nil && (relinks(known.UserID, userID(&m.User)) || relinks(known.SessionID, sessionID(&m.Session)) ||
			relinks(known.ContactChannelID, channelID(&m.ContactChannel))) {
			return true
		}
	}
	return false
}

func relinks(known *string, f invent.Field[string]) bool {
	return f.Named() && !equal(known, f.Ptr())
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// members yields every member a description speaks of: authors of messages first, then the list, whose word is last.
func (d *description) members() func(yield func(*invent.Member) bool) {
	return func(yield func(*invent.Member) bool) {
		for i := range d.messages {
			if m := d.messages[i].Member.V; m != nil && m.ID.Given() && !yield(m) {
				return
			}
		}
		if d.chat == nil || !d.chat.Members.Given() {
			return
		}
		for i := range d.chat.Members.V {
			if m := &d.chat.Members.V[i]; m.ID.Given() && !yield(m) {
				return
			}
		}
	}
}

// fold takes in a description that is the newest of all so far.
func (c *chat) fold(d *description) {
	c.foldChat(d)
	for i := range d.messages {
		c.foldMessage(d, &d.messages[i])
	}
}

// foldChat takes in all but the messages, which have versions of their own.
func (c *chat) foldChat(d *description) {
	c.see(d)
	if d.chat != nil {
		c.foldRow(d)
		c.foldState(d)
	}
	c.foldMembers(d)
	if d.chat != nil && d.chat.Referral.Given() {
		c.foldReferral(d)
	}
	if d.complete != nil {
		c.foldSpan(d.complete)
	}
}

// see moves the chat's place in the order of things.
func (c *chat) see(d *description) {
	seen := d.seen.time()
	if c.isNew() || seen.Before(c.row.FirstSeenAt) {
		c.row.FirstSeenAt = seen
	}
	if d.seen.compare(c.head()) > 0 || c.row.ObservedAt.IsZero() {
		c.row.ObservedAt, c.row.ObservedSeq = seen, d.seen.seq
	}
	if c.row.LastSeenAt.IsZero() {
		c.row.LastSeenAt = seen
	}
	if clock := d.clock(); !clock.IsZero() {
		assignTime(&c.row.VersionAt, &clock)
	}
	c.changed.row = true
	if d.listed && (c.row.ListedAt == nil || seen.After(*c.row.ListedAt)) {
		c.row.ListedAt = new(seen)
	}
	if d.deleted && (c.row.DeletedAt == nil || seen.Before(*c.row.DeletedAt)) {
		c.row.DeletedAt, c.row.LastSeenAt = new(seen), seen
	}
}

func (c *chat) foldRow(d *description) {
	v, r, snapshot := d.chat, &c.row, d.chat.IsSnapshot()
	changed := r.IsStub
	r.IsStub = false
	for _, did := range [...]bool{
		set(snapshot, &r.Title, &v.Title),
		set(snapshot, &r.Model, &v.Model),
		set(snapshot, &r.Status, &v.Status),
		set(snapshot, &r.Visibility, &v.Visibility),
		set(snapshot, &r.Temporary, &v.Temporary),
		set(snapshot, &r.Pinned, &v.Pinned),
		set(snapshot, &r.SharedUrl, &v.SharedURL),
		set(snapshot, &r.Link, &v.Link),
		setTime(snapshot, &r.CreatedAt, &v.CreatedAt),
		c.setUpdatedAt(snapshot, &v.UpdatedAt),
		// Whole objects and lists are parts of their own: one that is absent says nothing, even in a snapshot.
		set(false, &r.ToolsetID, &d.toolset),
		setJSON(false, &r.Features, featuresJSON(&v.Features)),
	} {
		changed = changed || did
	}
	if v.LastMessage.Given() && v.LastMessage.V.ID.Given() {
		changed = assign(&r.LastMessageID, &v.LastMessage.V.ID.V) || changed
	}
	if changed {
		r.LastSeenAt = d.seen.time()
	}
}

// setUpdatedAt is setTime for the time that is practically always the version's too (see).
func (c *chat) setUpdatedAt(snapshot bool, f *invent.Field[time.Time]) bool {
	if f.Given() && equalTime(&f.V, c.row.VersionAt) {
		return shareTime(&c.row.UpdatedAt, c.row.VersionAt)
	}
	return setTime(snapshot, &c.row.UpdatedAt, f)
}

// firstMessages is before all messages: a chat whose message list was read without a limit is complete from then on.
var firstMessages = time.Unix(0, 0).UTC()

// foldSpan takes in over what time the chat's messages are known to be all there. A span that touches the one that is
// known makes it longer; of two that leave time between them the later one counts.
func (c *chat) foldSpan(s *Span) {
	from, through := firstMessages, s.Through
	if s.From != nil {
		from = *s.From
	}
	r := &c.row
	switch {
	case r.MessagesCompleteThrough == nil:
	case !from.After(*r.MessagesCompleteThrough) && !through.Before(*r.MessagesCompleteFrom):
		if r.MessagesCompleteFrom.Before(from) {
			from = *r.MessagesCompleteFrom
		}
		through = later(through, *r.MessagesCompleteThrough)
	case through.Before(*r.MessagesCompleteThrough):
		return
	}
	assignTime(&r.MessagesCompleteFrom, &from)
	assignTime(&r.MessagesCompleteThrough, &through)
}

func featuresJSON(f *invent.Field[invent.Features]) *invent.Field[invent.JSON] {
	return &invent.Field[invent.JSON]{V: f.V.JSON, Presence: f.Presence}
}

func (c *chat) foldState(d *description) {
	if !d.chat.State.Given() {
		return
	}
	v, clock := d.chat.State.V, c.clockOf(d)
	isNew := c.state == nil
	if isNew {
		c.state = &db.InboxChatState{OrgID: c.key.orgID, ChatID: c.key.chatID, FirstSeenAt: d.seen.time()}
	}
	s, snapshot := c.state, v.IsSnapshot()
	if seen := d.seen.time(); seen.Before(s.FirstSeenAt) {
		s.FirstSeenAt, c.changed.state = seen, true
	}
	before, unseen := historyOf(s), s.AdminUnseenCount
	changed := isNew
	assistant := orNested(v.AssistantID, v.Assistant.Given(), v.Assistant.V.ID)
	integration := orNested(v.AssistantIntegrationID, v.AssistantIntegration.Given(), v.AssistantIntegration.V.ID)
	assigned := userID(&v.AssignedUser)
	for _, did := range [...]bool{
		set(snapshot, &s.StateID, &v.ID),
		set(snapshot, &s.State, &v.State),
		set(snapshot, &s.IntegrationID, &v.IntegrationID),
		set(snapshot, &s.AssistantID, &assistant),
		set(snapshot, &s.AssistantIntegrationID, &integration),
		set(snapshot, &s.ConversationID, &v.ConversationID),
		set(snapshot, &s.AiEnabled, &v.AIEnabled),
		set(snapshot, &s.AdminUnseenCount, &v.AdminUnseenCount),
		set(snapshot, &s.UserUnseenCount, &v.UserUnseenCount),
		set(snapshot, &s.AssignedUserID, &assigned),
		setTime(snapshot, &s.AssignedAt, &v.AssignedAt),
		set(snapshot, &s.AssistantConfigID, &d.config),
		setTime(snapshot, &s.FollowUpAt, &v.FollowUpAt),
		setTime(snapshot, &s.MutedUntil, &v.MutedUntil),
		set(snapshot, &s.CsatScore, &v.CSATScore),
		setTime(snapshot, &s.LastContactMessageAt, &v.LastContactMessageAt),
	} {
		changed = changed || did
	}
	rise := riseOf(unseen, s.AdminUnseenCount)
	if now := historyOf(s); isNew || rise != nil || !now.equal(&before) {
		c.history = append(c.history, now.change(c, d, clock, rise))
	}
	if changed {
		s.LastSeenAt = d.seen.time()
		shareTime(&s.VersionAt, c.row.VersionAt)
		c.changed.state = true
	}
	shareTime(&c.row.StateVersionAt, clock)
}

// clockOf is the source's clock that a description's version goes by: its own, else that of the newest version before
// it, on which it comes; where none ever gave one, when it was observed.
func (c *chat) clockOf(d *description) *time.Time {
	if c.row.VersionAt != nil {
		return c.row.VersionAt
	}
	return new(d.seen.time())
}

// orNested is the id a state refers to: the plain field, else the id of the object that is nested beside it.
func orNested(plain invent.Field[string], hasNested bool, nested invent.Field[string]) invent.Field[string] {
	if !plain.Named() && hasNested {
		return nested
	}
	return plain
}

// The ids nested objects stand for. An object without a usable id stands for none.

func userID(f *invent.Field[invent.User]) invent.Field[string] {
	return refer(f.Presence, f.V.ID)
}

func sessionID(f *invent.Field[invent.Session]) invent.Field[string] {
	return refer(f.Presence, f.V.ID)
}

func channelID(f *invent.Field[invent.ContactChannel]) invent.Field[string] {
	return refer(f.Presence, f.V.ID)
}

func refer(p invent.Presence, id invent.Field[string]) invent.Field[string] {
	switch {
	case p != invent.Given:
		return invent.Field[string]{Presence: p}
	case !id.Given():
		return invent.Field[string]{Presence: invent.Null}
	}
	return id
}
