package invent

// Sender says who wrote a message.
type Sender string

const (
	SenderCustomer  Sender = "customer"
	SenderHuman     Sender = "human" // an agent of the team
	SenderAI        Sender = "ai"
	SenderBroadcast Sender = "broadcast"
	SenderNone      Sender = "none"    // system, tool, event, note: never a reply
	SenderUnknown   Sender = "unknown" // counted in coverage, never in a metric
)

// Authorship is what a message says about who wrote it.
type Authorship struct {
	Role          string // the vendor's value; empty when unset
	IsBroadcast   bool   // is_broadcast_message is true, or broadcast_id is set
	IsTeamUser    bool   // the member is a user of the team
	IsFromContact bool   // the member is a contact's channel or a web visitor's session
}

// SenderOf is the one rule for who wrote a message. The vendor does not document how an agent's message differs from
// the assistant's; this is the safest reading of the schema, and the place to change it. First match wins.
func SenderOf(a Authorship) Sender {
	switch {
	case a.IsBroadcast:
		return SenderBroadcast
	case a.Role == "system" || a.Role == "tool" || a.Role == "event" || a.Role == "note":
		return SenderNone
	case a.IsTeamUser && (a.Role == "user" || a.Role == "assistant"):
		return SenderHuman
	case a.IsFromContact && a.Role == "user":
		return SenderCustomer
	case a.Role == "assistant":
		return SenderAI
	}
	return SenderUnknown
}
