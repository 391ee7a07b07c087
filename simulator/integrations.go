package simulator

// integrationKind is one way into the inbox: an integration of the vendor and the type its contact channels have.
type integrationKind struct {
	id, channel string
	weight      int // of 100 chats that come this way, roughly
	phone       bool
	email       bool
	username    bool
	web         bool // a visitor with a browser: session, agent, ip
	imports     bool // can bring old history along
}

// integrationKinds are the values of state.integration_id with the matching contact_channel.type.
var integrationKinds = []integrationKind{
	{id: "whatsapp_bot", channel: "whatsapp", weight: 30, phone: true, imports: true},
	{id: "custom", channel: "web", weight: 16, web: true, email: true},
	{id: "messenger_bot", channel: "messenger", weight: 9, username: true},
	{id: "instagram_dm", channel: "instagram", weight: 12, username: true},
	{id: "tiktok_dm", channel: "tiktok", weight: 4, username: true},
	{id: "telegram_bot", channel: "telegram", weight: 7, username: true},
	{id: "gmail", channel: "gmail", weight: 4, email: true},
	{id: "email", channel: "email", weight: 5, email: true},
	{id: "slack_bot", channel: "slack", weight: 2, username: true, email: true},
	{id: "twilio", channel: "sms", weight: 4, phone: true},
	{id: "telnyx", channel: "voice", weight: 3, phone: true},
	{id: "internal", channel: "internal", weight: 3, email: true},
	{id: "google_calendar", channel: "google_calendar", weight: 1, email: true},
}
