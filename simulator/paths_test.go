package simulator

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// sight notes the paths below v that have a value, and the strings at each.
func sight(path string, v any, seen map[string]map[string]bool) {
	switch v := v.(type) {
	case nil:
		return
	case map[string]any:
		for k, x := range v {
			next := k
			if path != "" {
				next = path + "." + k
			}
			sight(next, x, seen)
		}
	case []any:
		for _, x := range v {
			sight(path+"[]", x, seen)
		}
	}
	values := seen[path]
	if values == nil {
		values = map[string]bool{}
		seen[path] = values
	}
	if s, ok := v.(string); ok && len(values) < 200 {
		values[s] = true
	}
}

func TestEveryPathAndEveryEnumeratedValueOccurs(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile("testdata/paths.txt")
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.Fields(string(file))
	enumerations := map[string][]string{
		"type":                                      {"create", "update"},
		"data.visibility":                           {"PRIVATE", "PUBLIC"},
		"data.status":                               runStatuses[:],
		"data.members[].role":                       {"ADMIN", "MEMBER"},
		"data.state.state":                          chatStates[:stateUnknown],
		"data.last_message.role":                    messageRoles[:roleUnknown],
		"data.last_message.status":                  runStatuses[:],
		"data.last_message.messages[].role":         {"system", "user", "assistant", "tool"},
		"data.last_message.messages[].parts[].type": {"text", "audio", "file", "image", "tool_call", "tool_result"},
		"data.features.reasoning.effort":            {"low"},
		"data.state.integration_id":                 nil,
		"data.members[].contact_channel.type":       nil,
		"data.last_message.messages[].parts[].file.file_mimetype": {"application/pdf", "image/jpeg"},
		"data.referral.parts[].type":                              {"url", "file"},
	}
	for _, k := range integrationKinds {
		enumerations["data.state.integration_id"] = append(enumerations["data.state.integration_id"], k.id)
		enumerations["data.members[].contact_channel.type"] = append(enumerations["data.members[].contact_channel.type"], k.channel)
	}
	missing := func(seen map[string]map[string]bool) (out []string) {
		for _, p := range paths {
			if seen[p] == nil {
				out = append(out, p)
			}
		}
		for p, values := range enumerations {
			for _, v := range values {
				if !seen[p][v] {
					out = append(out, p+" = "+v)
				}
			}
		}
		return out
	}
	w := NewWorld(Config{Seed: 44, Orgs: 3, Chats: 300})
	seen := map[string]map[string]bool{}
	for range 80 {
		for _, f := range take(w, 250) {
			var v any
			if err := json.Unmarshal(f.Bytes, &v); err != nil {
				t.Fatal(err)
			}
			sight("", v, seen)
		}
		if len(missing(seen)) == 0 {
			return
		}
	}
	t.Fatalf("expected every path and value within 20000 frames, never saw:\n%s", strings.Join(missing(seen), "\n"))
}
