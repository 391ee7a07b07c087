package invent

import (
	"strings"
	"time"
)

// The vendor's objects as the archive reads them: every field of the published schema, and the enumerated fields that
// the published example leaves out (docs/invent-api.md names the sources). Enumerated values are plain text, since the
// vendor may add to them. Fields that are not here are not lost: they stay in the raw event.

// JSON is one value of the vendor's JSON as it stands in the bytes that were decoded. It shares their memory.
type JSON []byte

// Event is one frame of the inbox socket.
type Event struct {
	Type       Field[string] // create, …
	Identifier Field[string]
	Data       Field[*Chat]
}

// SaysDeleted reports whether the event's type says that the chat was deleted. The vendor documents only create; every
// type but these, known or not, is an ordinary description.
func (e *Event) SaysDeleted() bool {
	switch strings.ToLower(e.Type.V) {
	case "delete", "deleted", "remove", "removed":
		return true
	}
	return false
}

// Chat is one conversation, in an event (data) and in the list of the inbox.
type Chat struct {
	ID          Field[string]
	OrgID       Field[string]
	Title       Field[string]
	Model       Field[string]
	Status      Field[string] // RUNNING, COMPLETED, FAILED, CANCELED
	Visibility  Field[string] // PRIVATE, …
	Temporary   Field[bool]
	Pinned      Field[bool]
	SharedURL   Field[string]
	Link        Field[string]
	CreatedAt   Field[time.Time]
	UpdatedAt   Field[time.Time]
	Members     Field[[]Member] // when given, all members of the chat
	Tools       Field[JSON]     // array; DecodeTools reads it
	Features    Field[Features]
	State       Field[*State]
	LastMessage Field[*Message]
	Referral    Field[*Referral]
}

// IsSnapshot reports whether the chat carries its anchors: a field that a snapshot does not name is unset. Without
// them it is a patch, and fields it does not name keep their value. An anchor with a bad value is still an anchor.
func (c *Chat) IsSnapshot() bool { return c.CreatedAt.Named() && c.UpdatedAt.Named() }

// State is how a chat stands: open or closed, who is in charge, its rating.
type State struct {
	ID                     Field[string]
	State                  Field[string] // OPEN, SNOOZED, CLOSED
	IntegrationID          Field[string] // internal, whatsapp_bot, …
	AssistantID            Field[string]
	AssistantIntegrationID Field[string]
	ConversationID         Field[string]
	AIEnabled              Field[bool]
	AdminUnseenCount       Field[int64]
	UserUnseenCount        Field[int64]
	Assistant              Field[Assistant]
	AssistantIntegration   Field[AssistantIntegration]
	AssignedUser           Field[User]
	AssignedAt             Field[time.Time]
	AssistantConfig        Field[JSON] // object; DecodeAssistantConfig reads it
	FollowUpAt             Field[time.Time]
	MutedUntil             Field[time.Time]
	CSATScore              Field[int32] // 1–5 stars
	LastContactMessageAt   Field[time.Time]
}

// IsSnapshot reports whether the state carries its anchor; see Chat.IsSnapshot.
func (s *State) IsSnapshot() bool { return s.ID.Named() }

// Member is one participant of a chat.
type Member struct {
	ID             Field[string]
	Role           Field[string] // ADMIN, …
	User           Field[User]
	Session        Field[Session]
	ContactChannel Field[ContactChannel]
}

// User is one person of the org's team. Members name fewer of its fields than assigned_user does.
type User struct {
	ID     Field[string]
	Name   Field[string]
	Email  Field[string]
	Avatar Field[string]
	SeenAt Field[time.Time]
}

// Session is one anonymous web visitor.
type Session struct {
	ID Field[string]
}

// ContactChannel is one address a contact writes from.
type ContactChannel struct {
	ID       Field[string]
	Type     Field[string] // internal, …
	UserID   Field[string]
	Avatar   Field[string]
	Name     Field[string]
	Username Field[string]
	Email    Field[string]
	Phone    Field[string]
	Country  Field[string]
	Agent    Field[string]
	IP       Field[string]
	Language Field[string]
	Contact  Field[Contact]
	Link     Field[string]
}

// Contact is one person who writes to the org.
type Contact struct {
	ID      Field[string]
	Name    Field[string]
	Blocked Field[bool]
	IsAdmin Field[bool]
}

// Assistant is one AI assistant.
type Assistant struct {
	ID        Field[string]
	Name      Field[string]
	Enabled   Field[bool]
	AvatarURL Field[string]
	Deleted   Field[bool]
	Config    Field[JSON] // the short form of AssistantConfig
}

// AssistantIntegration is one connection of an assistant to a channel provider.
type AssistantIntegration struct {
	ID            Field[string]
	Enabled       Field[bool]
	HasConnection Field[bool]
}

// AssistantConfig is one version of an assistant's configuration.
type AssistantConfig struct {
	Model        Field[string]
	STTModel     Field[string]
	TTSModel     Field[string]
	TTSVoiceID   Field[string]
	Conversation Conversation
	Timezone     Field[string]
	Instructions Field[string]
}

// Conversation is the part of a configuration that rules how the assistant converses.
type Conversation struct {
	WelcomeBanner             Field[string]
	SuggestedMessages         []string
	AutoIntroMessage          Field[string]
	EnableMemories            Field[bool]
	EnableTransferToHumanTool Field[bool]
	EnableEndConversationTool Field[bool]
	EnableBlockContactTool    Field[bool]
	EnableAIReplies           Field[bool]
	EnableAutoResolve         Field[bool]
	EnableAutoFollowUps       Field[bool]
	EnableAutoCSAT            Field[bool]
	EnablePrivateChats        Field[bool]
	EnableUpdateContactTool   Field[bool]
}

// Tool is one tool the AI may use.
type Tool struct {
	Name             Field[string]
	DisplayName      Field[string]
	ActionName       Field[string]
	Description      Field[string]
	Icon             Field[string]
	IconURL          Field[string]
	ConnectionID     Field[string]
	Parameters       Field[JSON]
	EnabledByDefault Field[bool]
	Callback         Field[string]
	Validation       Field[string]
}

// Features are the AI features switched on.
type Features struct {
	JSON            JSON // the whole object
	WebSearch       Field[JSON]
	ReasoningEffort Field[string] // low, …
}

// Message is one message, in an event (last_message) and in the list of a chat's messages.
type Message struct {
	ID                 Field[string]
	Role               Field[string] // user, assistant, system, tool, event, note
	Model              Field[string]
	Status             Field[string] // RUNNING, COMPLETED, FAILED, CANCELED
	CreatedAt          Field[time.Time]
	UpdatedAt          Field[time.Time]
	Contents           Field[[]Content] // the messages array
	ContentsJSON       JSON             // the same, as it stands
	Tools              Field[JSON]
	Features           Field[Features]
	Member             Field[*Member]
	Error              Field[string]
	BroadcastID        Field[string]
	IsBroadcastMessage Field[bool]
	Usage              Field[Usage]
	JSON               JSON // the whole message, as it stands
}

// IsSnapshot reports whether the message carries its anchor; see Chat.IsSnapshot.
func (m *Message) IsSnapshot() bool { return m.CreatedAt.Named() }

// HasEnded reports whether the description says that the message will not be written any further.
func (m *Message) HasEnded() bool {
	return m.Status.Given() && (m.Status.V == "COMPLETED" || m.Status.V == "FAILED" || m.Status.V == "CANCELED")
}

// Running is the status of a message that is still being written.
const Running = "RUNNING"

// IsRunning reports whether the description says that the message is still being written.
func (m *Message) IsRunning() bool { return m.Status.Given() && m.Status.V == Running }

// Content is one element of a message's messages array.
type Content struct {
	Role  Field[string] // system, user, assistant, …
	Parts []Part
}

// Part is one part of a message's or a referral's content.
type Part struct {
	Type           Field[string] // text, …
	Text           Field[string]
	Audio          Field[File]
	File           Field[File]
	URL            Field[string]
	AutoConsume    Field[bool]
	StartTimestamp Field[float64]
	EndTimestamp   Field[float64]
}

// File is one file of a part. Its URL may expire.
type File struct {
	ID        Field[string]
	Path      Field[string]
	Filename  Field[string]
	Size      Field[int64] // bytes
	Mimetype  Field[string]
	URL       Field[string]
	CreatedAt Field[time.Time]
}

// Usage counts the tokens a message cost. Turns are parts of it, never to be added to it.
type Usage struct {
	InputTokens           Field[int64]
	OutputTokens          Field[int64]
	TotalTokens           Field[int64]
	ReasoningTokens       Field[int64]
	InputTokensCacheRead  Field[int64]
	InputTokensCacheWrite Field[int64]
	Turns                 Field[[]Usage]
	TurnsJSON             JSON
}

// Referral is the ad or link that brought a chat.
type Referral struct {
	JSON       JSON // the whole object
	Ref        Field[string]
	AdID       Field[string]
	Source     Field[string]
	RefererURI Field[string]
	AdTitle    Field[string]
	PhotoURL   Field[string]
	VideoURL   Field[string]
	PostID     Field[string]
	ProductID  Field[string]
	Parts      Field[[]Part]
	PartsJSON  JSON
}
