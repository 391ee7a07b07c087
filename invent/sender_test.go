package invent

import "testing"

// All combinations of what is known about a message's author.
func TestTheFirstRuleThatMatchesNamesTheSender(t *testing.T) {
	for _, role := range []string{"user", "assistant", "system", "tool", "event", "note", "", "USER", "function"} {
		for _, broadcast := range []bool{false, true} {
			for _, team := range []bool{false, true} {
				for _, contact := range []bool{false, true} {
					var want Sender
					if broadcast {
						want = SenderBroadcast
					} else {
						want = withoutBroadcast[role][b2i(team)][b2i(contact)]
					}
					a := Authorship{Role: role, IsBroadcast: broadcast, IsTeamUser: team, IsFromContact: contact}
					if got := SenderOf(a); got != want {
						t.Errorf("%+v was written by %s, want %s", a, got, want)
					}
				}
			}
		}
	}
}

// By role, then whether a user of the team is named, then whether a contact is.
var withoutBroadcast = map[string][2][2]Sender{
	"user":      {{SenderUnknown, SenderCustomer}, {SenderHuman, SenderHuman}},
	"assistant": {{SenderAI, SenderAI}, {SenderHuman, SenderHuman}},
	"system":    {{SenderNone, SenderNone}, {SenderNone, SenderNone}},
	"tool":      {{SenderNone, SenderNone}, {SenderNone, SenderNone}},
	"event":     {{SenderNone, SenderNone}, {SenderNone, SenderNone}},
	"note":      {{SenderNone, SenderNone}, {SenderNone, SenderNone}},
	"":          {{SenderUnknown, SenderUnknown}, {SenderUnknown, SenderUnknown}},
	"USER":      {{SenderUnknown, SenderUnknown}, {SenderUnknown, SenderUnknown}},
	"function":  {{SenderUnknown, SenderUnknown}, {SenderUnknown, SenderUnknown}},
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
