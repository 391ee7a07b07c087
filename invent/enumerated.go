package invent

import "slices"

// Bounds of the values that are kept of an enumerated path.
const (
	MaxValues     = 50
	MaxValueBytes = 64
)

// The enumerated paths of docs/invent-api.md with the values that stand there. Only of these are values kept beside the
// events: any other path may hold personal data. Those without values are open lists of names.
var (
	enumeratedOfFrame = map[string][]string{
		"type": {"create"},
	}
	enumeratedOfChat = map[string][]string{
		"visibility":                     {"PRIVATE"},
		"status":                         {"RUNNING", "COMPLETED", "FAILED", "CANCELED"},
		"members[].role":                 {"ADMIN"},
		"members[].contact_channel.type": {"internal"},
		"state.state":                    {"OPEN", "SNOOZED", "CLOSED"},
		"state.integration_id": {
			"internal", "custom", "whatsapp_bot", "messenger_bot", "instagram_dm", "tiktok_dm", "telegram_bot", "gmail",
			"slack_bot", "twilio", "telnyx", "email", "google_calendar",
		},
		"tools[].icon":              nil,
		"tools[].connection_id":     nil,
		"features.reasoning.effort": {"low"},
		"referral.parts[].type":     {"text"},
	}
	enumeratedOfMessage = map[string][]string{
		"role":                        {"user", "assistant", "system", "tool", "event", "note"},
		"status":                      {"RUNNING", "COMPLETED", "FAILED", "CANCELED"},
		"messages[].role":             {"system", "user", "assistant"},
		"messages[].parts[].type":     {"text"},
		"member.role":                 {"ADMIN"},
		"member.contact_channel.type": {"internal"},
		"tools[].icon":                nil,
		"tools[].connection_id":       nil,
		"features.reasoning.effort":   {"low"},
	}
	enumerated = enumeratedPaths()
)

func enumeratedPaths() map[string][]string {
	all := map[string][]string{}
	add := func(prefix string, paths map[string][]string) {
		for path, values := range paths {
			all[prefix+path] = values
		}
	}
	add("", enumeratedOfFrame)
	for _, chat := range []string{"data.", "chats_page[]."} {
		add(chat, enumeratedOfChat)
		add(chat+"last_message.", enumeratedOfMessage)
	}
	add("messages_page[].", enumeratedOfMessage)
	return all
}

// IsEnumerated reports whether a path's values come from a list that the vendor made.
func IsEnumerated(path string) bool {
	_, is := enumerated[path]
	return is
}

// IsUndocumented reports whether a value of an enumerated path is none of those that docs/invent-api.md knows.
func IsUndocumented(path, value string) bool {
	known := enumerated[path]
	return known != nil && !slices.Contains(known, value)
}
