package simulator

// The vendor's enumerations, as small numbers with their names.
type (
	chatState   uint8
	runStatus   uint8
	messageRole uint8
	visibility  uint8
	attachment  uint8
)

const (
	stateOpen chatState = iota
	stateSnoozed
	stateClosed
	stateUnknown // a value nobody documented
)

var chatStates = [...]string{"OPEN", "SNOOZED", "CLOSED", "PARKED"}

const (
	statusCompleted runStatus = iota
	statusRunning
	statusFailed
	statusCanceled
)

var runStatuses = [...]string{"COMPLETED", "RUNNING", "FAILED", "CANCELED"}

const (
	roleUser messageRole = iota
	roleAssistant
	roleSystem
	roleTool
	roleEvent
	roleNote
	roleUnknown // a value nobody documented
)

var messageRoles = [...]string{"user", "assistant", "system", "tool", "event", "note", "supervisor"}

var visibilities = [...]string{"PRIVATE", "PUBLIC", "TEAM"}

const (
	attachNothing attachment = iota
	attachImage
	attachPDF
	attachAudio
	attachSeveral
	attachUnknown // a part of a type nobody documented
)

const (
	millisecond int64 = 1
	second            = 1000 * millisecond
	minute            = 60 * second
	hour              = 60 * minute
	day               = 24 * hour
)

// noMember is the member of messages nobody wrote.
const noMember = -1

// chat is one conversation. Times are milliseconds since 1970; 0 is unset.
type chat struct {
	n          uint64
	id         string
	org        *organization
	kind       *integrationKind
	via        uint8 // index of kind in integrationKinds
	assistant  *assistant
	created    int64
	updated    int64
	lifeEnds   int64
	pace       float64 // how often it has a conversation, around 1
	members    []member
	messages   []message // by created, then as written
	referral   uint32    // seed; 0: none
	title      uint32    // seed; 0: untitled
	status     runStatus
	visibility visibility
	pinned     bool
	temporary  bool
	deleted    bool
	sent       bool // an event went out
	dirty      bool // a change waits for the next event

	state        chatState
	aiEnabled    bool
	csat         int8
	adminUnseen  int32
	userUnseen   int32
	assigned     *agent
	assignedAt   int64
	followUp     int64
	mutedUntil   int64
	lastContact  int64
	conversation uint32 // counts conversations: a reopened chat has a new conversation_id now and then

	plan     []step // what happens next; plan[0] is the pending one
	turn     uint32 // counts plans: a pending step of an older plan is void
	lastSent moment
}

// member is somebody in a chat: an agent, or a contact's channel, or a web visitor (session), who may become a contact.
type member struct {
	n       uint64
	agent   *agent
	channel *channel
	session uint64
	unknown bool // has a role nobody documented
	left    bool
}

// message is a few numbers its text is made from again when it is needed.
type message struct {
	n         uint32
	seed      uint32
	created   int64
	updated   int64
	broadcast uint32 // number of the broadcast, 0: none
	member    int16  // index in the chat's members, or noMember
	version   int16  // of the assistant, for what an AI wrote; -1: none
	assistant uint8  // index in the organization's assistants
	lang      uint8
	says      textKind
	role      messageRole
	status    runStatus
	attach    attachment
	share     uint8 // percent of the text that is there while the assistant is writing; 0: all
	toolCalls bool
	deleted   bool
}

// last gives the newest message that was not deleted, or nil.
func (c *chat) last() *message {
	for i := len(c.messages) - 1; i >= 0; i-- {
		if !c.messages[i].deleted {
			return &c.messages[i]
		}
	}
	return nil
}

// customer is the index of the member that writes for the customer: one of those that are there.
func (c *chat) customer(d uint64) int16 {
	var at [8]int16
	n := 0
	for i := range c.members {
		m := &c.members[i]
		if m.agent == nil && !m.left && !m.unknown && n < len(at) {
			at[n] = int16(i)
			n++
		}
	}
	if n == 0 {
		return noMember
	}
	if n > 1 && d%4 != 0 { // the first does most of the talking
		return at[0]
	}
	return at[d%uint64(n)]
}

// blocked says whether the chat's contact is blocked.
func (c *chat) blocked() bool {
	for i := range c.members {
		if ch := c.members[i].channel; ch != nil && ch.contact.now().blocked {
			return true
		}
	}
	return false
}

// agentMember gives the index of an agent in the chat, who joins when not there.
func (w *World) agentMember(c *chat, a *agent) int16 {
	for i := range c.members {
		if c.members[i].agent == a {
			c.members[i].left = false
			return int16(i)
		}
	}
	w.members++
	c.members = append(c.members, member{n: w.members, agent: a})
	return int16(len(c.members) - 1)
}
