package simulator

// Quirks are the questions that the API's documentation leaves open, each as a switch; the zero value is the plain
// reading: unset fields are absent, every event is a full snapshot in order, lists are sorted by updated_at.
// Probabilities are in [0, 1] and are per event.
//
// Nulls, OmitFalse, EqualTimestamps and UnknownTypes also colour what the REST lists give; the others are about frames or
// about lists only, as named. Whatever the switches, what a frame says was true when it was made.
type Quirks struct {
	// Nulls says how an unset field is written.
	Nulls Nulls
	// OmitFalse leaves out booleans that are false and numbers that are 0. In such a world a flag of a nested
	// description (blocked, enabled, has_connection) never goes back to false, since nobody could see it.
	OmitFalse bool
	// EqualTimestamps gives the source's clock a granularity of one second, so that several versions of a chat share
	// one updated_at.
	EqualTimestamps bool
	// Coalesce is the probability that a change is not sent by itself but together with the chat's next one: the
	// snapshot in between, and its last message, never go over the socket. Only changes that are soon followed by
	// another are held back, so the last state of a chat is always sent.
	Coalesce float64
	// SparseMembers is the probability that the users, channels and sessions nested in an event are bare {"id": …}.
	SparseMembers float64
	// OmitParts is the probability that an event lacks some of tools, features, state, members, referral and last_message.
	OmitParts float64
	// Patches is the probability that a change of unseen counts or of pinned is sent as a bare patch: no created_at and
	// updated_at, the state without its id, only the fields that changed. Such a change does not move updated_at.
	Patches float64
	// Repeats is the probability that an event is sent again, verbatim, up to a few hundred events later. A repeated
	// event's nested descriptions (names, avatars) may then be older than others already sent.
	Repeats float64
	// Unordered is the probability that an event is overtaken by the next few events of its organization.
	Unordered float64
	// UnsortedLists gives both lists in an arbitrary but stable order instead of the documented-by-example one.
	UnsortedLists bool
	// ShiftingLists moves a chat to the top of the inbox while the list is being paged, so that a reader who only
	// walks forward does not see it. The move is a real change: the chat is read by an agent and its updated_at is new.
	// It happens a bounded number of times for each organization, so that reading again comes to an end.
	ShiftingLists bool
	// UnknownTypes is the probability of an unknown event type, message role, part type, enumerated value or extra field.
	UnknownTypes float64
	// NoLastMessage leaves last_message out of every event: messages are only to be had from the list.
	NoLastMessage bool
	// Deletions lets chats be deleted now and then: a last event of type "delete", and the lists no longer have it.
	Deletions bool
	// IdentifierPer says what the frame's identifier stands for.
	IdentifierPer IdentifierPer
}

// Nulls says how unset fields are written.
type Nulls uint8

const (
	NullsAbsent Nulls = iota // unset fields are left out
	NullsNull                // unset fields are written as null
	NullsMixed               // now one, now the other, field by field
)

// IdentifierPer says what a frame's identifier is unique to.
type IdentifierPer uint8

const (
	PerEvent        IdentifierPer = iota // every event has its own
	PerChat                              // all events of a chat share one
	PerSubscription                      // all events of an organization's socket share one
)

// NamedQuirks is one reading of the API, for tests that run under each.
type NamedQuirks struct {
	Name   string
	Quirks Quirks
	// Lossy says that not every state, message or part goes over the socket whole (or in order), so that what a reader
	// of the socket alone knows may lag behind the lists.
	Lossy bool
}

// AllQuirks lists the plain reading, every quirk by itself, and many of them together, always in the same order.
func AllQuirks() []NamedQuirks {
	return []NamedQuirks{
		{Name: "plain"},
		{Name: "nulls", Quirks: Quirks{Nulls: NullsNull}},
		{Name: "nulls and absent mixed", Quirks: Quirks{Nulls: NullsMixed}},
		{Name: "false omitted", Quirks: Quirks{OmitFalse: true}},
		{Name: "equal timestamps", Quirks: Quirks{EqualTimestamps: true}},
		{Name: "coalesced", Quirks: Quirks{Coalesce: 0.5}, Lossy: true},
		{Name: "sparse members", Quirks: Quirks{SparseMembers: 0.4}, Lossy: true},
		{Name: "parts omitted", Quirks: Quirks{OmitParts: 0.4}, Lossy: true},
		{Name: "patches", Quirks: Quirks{Patches: 0.7}, Lossy: true},
		{Name: "repeats", Quirks: Quirks{Repeats: 0.15}, Lossy: true},
		{Name: "unordered", Quirks: Quirks{Unordered: 0.2}, Lossy: true},
		{Name: "unsorted lists", Quirks: Quirks{UnsortedLists: true}},
		{Name: "shifting lists", Quirks: Quirks{ShiftingLists: true}},
		{Name: "unknown types", Quirks: Quirks{UnknownTypes: 0.1}, Lossy: true},
		{Name: "no last message", Quirks: Quirks{NoLastMessage: true}, Lossy: true},
		{Name: "deletions", Quirks: Quirks{Deletions: true}},
		{Name: "identifier per chat", Quirks: Quirks{IdentifierPer: PerChat}},
		{Name: "identifier per subscription", Quirks: Quirks{IdentifierPer: PerSubscription}},
		{Name: "many together", Lossy: true, Quirks: Quirks{
			Nulls: NullsMixed, EqualTimestamps: true, Coalesce: 0.3, SparseMembers: 0.2, OmitParts: 0.2, Repeats: 0.05,
			Unordered: 0.1, ShiftingLists: true, UnknownTypes: 0.05, Deletions: true, IdentifierPer: PerSubscription,
		}},
	}
}
