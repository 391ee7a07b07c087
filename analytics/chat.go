package analytics

import (
	"strings"
	"time"
)

// Chat is what inbox holds of one chat, as far as its facts depend on it.
type Chat struct {
	OrgID, ChatID string
	DeletedAt     *time.Time
	// CompleteFrom and CompleteThrough are for which time its messages are known to be all there; nil: for none.
	CompleteFrom, CompleteThrough *time.Time
	LastContactMessageAt          *time.Time // as its state has it
	Messages                      []Message  // those with a time, by At and ID
	Timeless                      int        // messages without a time
	Changes                       []Change   // of its state, by At, then as they were stored
	Referrals                     []Referral // by SeenAt
}

// Message is one message of a chat.
type Message struct {
	ID          string
	At          time.Time // created_at
	Sender      string    // as in inbox.messages.sender
	Status      string    // empty: none
	IsDeleted   bool
	UserID      *string
	Model       *string
	ChannelType *string
	ContactID   *string
	Usage       *Usage // nil: none was told
}

// The senders a fact can be made of.
const (
	senderCustomer  = "customer"
	senderHuman     = "human"
	senderAI        = "ai"
	senderBroadcast = "broadcast"
)

// counts reports whether a message is part of a conversation: it was sent, is still there, and is from somebody.
func (m *Message) counts() bool {
	switch strings.ToUpper(m.Status) {
	case "RUNNING", "FAILED", "CANCELED":
		return false
	}
	switch m.Sender {
	case senderCustomer, senderHuman, senderAI, senderBroadcast:
		return !m.IsDeleted
	}
	return false
}

func (m *Message) isReply() bool { return m.Sender == senderAI || m.Sender == senderHuman }

// Change is a version of a chat's state that differs from the one before, or with which several messages came.
type Change struct {
	At             time.Time  // of the version that showed it, by Invent's clock: it happened then or before
	UnchangedUntil *time.Time // of the last version before it; nil for the first that was seen
	UnseenRise     *int64     // so many messages of the customer came with it, where that is more than one
	State
}

// State is how a chat stands.
type State struct {
	State             *string
	AIEnabled         *bool
	AssignedUserID    *string
	AssignedAt        *time.Time
	CSATScore         *int32
	AssistantID       *string
	AssistantConfigID *string
	IntegrationID     *string
	HasAutoCSAT       *bool // as the configuration says
}

func (s *State) is(state string) bool {
	return s != nil && s.State != nil && strings.EqualFold(*s.State, state)
}

func (s *State) isClosed() bool { return s.is("CLOSED") }

// Referral is an ad or link that brought a chat.
type Referral struct {
	ID     string
	AdID   *string
	SeenAt time.Time // of the version that first showed it, by Invent's clock where it gave one
}

// Org is what the facts of all of an org's chats depend on.
type Org struct {
	Settings *Settings
	// FirstHeardAt is since when its inbox is listened to; nil: never.
	FirstHeardAt *time.Time
	Gaps         []Gap // by BeganAt
}

// Gap is a time in which it was not listened to.
type Gap struct {
	BeganAt    time.Time
	EndedAt    *time.Time // nil while it lasts
	IsRepaired bool       // the messages of that time were fetched; the states were not
}

// overlaps reports whether a gap has a moment in common with (from, to].
func (g *Gap) overlaps(from, to time.Time) bool {
	return !g.BeganAt.After(to) && (g.EndedAt == nil || g.EndedAt.After(from))
}
