package analytics

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"archiver/ingest"

	"github.com/google/uuid"
)

// chatID is the chat of every conversation; each run of one is an org of its own.
const chatID = "chat"

// shot is how Invent shows a chat after an event: what a frame, and a page of each list, hold then.
type shot struct {
	at       time.Time
	arrives  time.Time
	frame    []byte
	chat     []byte
	messages [][]byte
}

// vendor plays Invent for one conversation.
type vendor struct {
	c        *conversation
	orgID    string
	state    map[string]any
	messages []map[string]any
	deleted  map[string]bool
	team     map[string]bool
	unseen   int
	channel  bool // the visitor is known as a contact by now
	shots    []shot
}

// shoot plays a conversation as that of an org.
func shoot(t *testing.T, c *conversation, orgID string) *vendor {
	t.Helper()
	v := &vendor{c: c, orgID: orgID, deleted: map[string]bool{}, team: map[string]bool{}, state: map[string]any{
		"id": "state", "state": "OPEN", "integration_id": "whatsapp_bot", "assistant_id": "assistant", "ai_enabled": true,
		"admin_unseen_count": 0, "user_unseen_count": 0, "assigned_user": nil, "assigned_at": nil, "csat_score": nil,
		"follow_up_at": nil, "muted_until": nil, "last_contact_message_at": nil, "assistant_config": config("v1", true),
	}}
	for i := range c.events {
		v.play(t, &c.events[i])
	}
	return v
}

func config(version string, autoCSAT bool) map[string]any {
	return map[string]any{
		"model": "model-" + version, "instructions": version, "conversation": map[string]any{"enable_auto_csat": autoCSAT},
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func (v *vendor) play(t *testing.T, e *happening) {
	t.Helper()
	switch {
	case e.does == "deleted":
		v.deleted[e.id] = true
		v.messages = slices.DeleteFunc(v.messages, func(m map[string]any) bool { return m["id"] == e.id })
	case e.id != "":
		v.write(e)
	}
	for _, c := range e.changes {
		v.change(t, e, c)
	}
	chat := v.render(e)
	s := shot{at: e.at, arrives: e.at.Add(e.arrives), chat: encode(chat)}
	for _, m := range v.messages {
		s.messages = append(s.messages, encode(m))
	}
	if e.noState {
		delete(chat, "state")
	}
	s.frame = encode(map[string]any{"type": "update", "identifier": "inbox", "data": chat})
	v.shots = append(v.shots, s)
}

// write makes or changes a message.
func (v *vendor) write(e *happening) {
	at := slices.IndexFunc(v.messages, func(m map[string]any) bool { return m["id"] == e.id })
	if at < 0 {
		v.messages = append(v.messages, v.author(e))
		at = len(v.messages) - 1
	}
	m := v.messages[at]
	m["updated_at"] = stamp(e.at)
	m["status"] = "COMPLETED"
	if e.status != "" {
		m["status"] = e.status
	}
	m["messages"] = []any{map[string]any{"role": m["role"], "parts": []any{map[string]any{"type": "text", "text": "version of " + stamp(e.at)}}}}
	if e.tokens != "" {
		total, turns, _ := strings.Cut(e.tokens, " of ")
		usage := map[string]any{"total_tokens": number(total)}
		var parts []any
		for _, n := range strings.Fields(turns) {
			parts = append(parts, map[string]any{"total_tokens": number(n)})
		}
		usage["turns"] = parts
		m["usage"] = usage
	}
}

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// author is a new message by who wrote it.
func (v *vendor) author(e *happening) map[string]any {
	m := map[string]any{"id": e.id, "created_at": stamp(e.at), "broadcast_id": nil, "is_broadcast_message": false, "member": nil}
	switch e.who {
	case "customer", "visitor":
		v.channel = v.channel || e.who == "customer"
		m["role"], m["member"] = "user", v.contact()
		v.state["last_contact_message_at"] = stamp(e.at)
		v.unseen++
	case "ai":
		m["role"], m["model"] = "assistant", "model-v1"
	case "broadcast":
		m["role"], m["broadcast_id"], m["is_broadcast_message"] = "assistant", "campaign", true
	case "system", "tool", "event", "note", "poll":
		m["role"] = e.who
	default: // somebody of the team
		v.team[e.who] = true
		m["role"], m["member"] = "assistant", agent(e.who)
		v.unseen = 0
	}
	v.state["admin_unseen_count"] = v.unseen
	return m
}

func (v *vendor) contact() map[string]any {
	if !v.channel {
		return map[string]any{"id": "member-customer", "session": map[string]any{"id": "session"}}
	}
	return map[string]any{"id": "member-customer", "session": nil, "contact_channel": map[string]any{
		"id": "channel", "type": "whatsapp", "contact": map[string]any{"id": "contact", "name": "Kim"},
	}}
}

func agent(name string) map[string]any {
	return map[string]any{"id": "member-" + name, "role": "ADMIN", "user": map[string]any{"id": "user-" + name, "name": name}}
}

func (v *vendor) change(t *testing.T, e *happening, change string) {
	t.Helper()
	word, rest, _ := strings.Cut(change, " ")
	switch word {
	case "ai":
		v.state["ai_enabled"] = rest == "on"
	case "assigned":
		v.state["assigned_user"], v.state["assigned_at"] = nil, nil
		if rest != "nobody" {
			v.state["assigned_user"] = map[string]any{"id": "user-" + rest, "name": rest}
			v.state["assigned_at"] = stamp(e.at)
		}
	case "csat":
		v.state["csat_score"] = nil
		if rest != "none" {
			v.state["csat_score"] = number(rest)
		}
	case "config":
		v.state["assistant_config"] = config(rest, true)
	case "gone": // a person who has left the team
		delete(v.team, rest)
		for _, m := range v.messages {
			if member, _ := m["member"].(map[string]any); member != nil && member["id"] == "member-"+rest {
				m["member"] = map[string]any{"id": "member-" + rest}
			}
		}
	case "nothing":
	default:
		if word != strings.ToUpper(word) {
			t.Fatalf("%s: unknown change %q", v.c.file, change)
		}
		v.state["state"] = word
	}
}

// render is the chat as it is now.
func (v *vendor) render(e *happening) map[string]any {
	members := []any{v.contact()}
	for _, name := range slices.Sorted(mapKeys(v.team)) {
		members = append(members, agent(name))
	}
	state := map[string]any{}
	for k, value := range v.state {
		if value != nil || !v.c.absent {
			state[k] = value
		}
	}
	chat := map[string]any{
		"id": chatID, "org_id": v.orgID, "created_at": stamp(v.c.events[0].at), "updated_at": stamp(e.at), "status": "COMPLETED",
		"members": members, "state": state,
	}
	if n := len(v.messages); n > 0 {
		last := n - 1
		if at := slices.IndexFunc(v.messages, func(m map[string]any) bool { return m["id"] == e.id }); e.id != "" && at >= 0 {
			last = at
		}
		chat["last_message"] = v.messages[last]
	}
	return chat
}

func mapKeys(m map[string]bool) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// at is the chat as Invent shows it at a time; nil before its first event.
func (v *vendor) at(t time.Time) *shot {
	var s *shot
	for i := range v.shots {
		if !v.shots[i].at.After(t) {
			s = &v.shots[i]
		}
	}
	return s
}

// frames are those that are heard.
func (v *vendor) frames(isHeard func(arrives time.Time) bool) (lines []line) {
	for i := range v.shots {
		s := &v.shots[i]
		if !s.arrives.Before(v.c.listening) && isHeard(s.arrives) {
			lines = append(lines, line{orgID: v.orgID, at: s.arrives, source: ingest.SourceSocket, kind: ingest.KindFrame, body: s.frame})
		}
	}
	return lines
}

// pages are the lists, read to their ends at a time: the inbox on one page, the messages in pages of four.
func (v *vendor) pages(at time.Time) (lines []line) {
	s := v.at(at)
	if s == nil {
		return nil
	}
	lines = append(lines, v.page(at, ingest.KindChatsPage, "/orgs/"+v.orgID+"/inbox", [][]byte{s.chat}, true))
	left := slices.Clone(s.messages)
	slices.Reverse(left)
	for {
		n := min(4, len(left))
		lines = append(lines, v.page(at, ingest.KindMessagesPage, "/chats/"+chatID+"/messages", left[:n], n == len(left)))
		if left = left[n:]; len(left) == 0 {
			return lines
		}
	}
}

// page is the answer to one request; with the last one a list is read to its end.
func (v *vendor) page(at time.Time, kind, path string, entries [][]byte, isLast bool) line {
	request := &ingest.Request{Path: path, Status: 200, StartedAt: at.UTC()}
	if isLast {
		request.Completes = &ingest.Span{Through: at.UTC()}
	}
	body := append(append([]byte("["), bytes.Join(entries, []byte(","))...), ']')
	return line{orgID: v.orgID, at: at, source: ingest.SourceREST, kind: kind, body: body, request: request}
}

// line is an event on its way into an import.
type line struct {
	orgID, source, kind string
	at                  time.Time
	body                []byte
	request             *ingest.Request
}

// envelopes are lines as the archive exports them. Of equal times the order given decides.
func envelopes(lines []line, random *rand.Rand) []byte {
	slices.SortStableFunc(lines, func(a, b line) int { return a.at.Compare(b.at) })
	texts := make([][]byte, len(lines))
	for i, l := range lines {
		sum := sha256.Sum256(l.body)
		e := map[string]any{
			"org_id": l.orgID, "received_at": l.at.UTC(), "observed_at": l.at.UTC(), "seq": i + 1, "source": l.source, "kind": l.kind,
			"stream_id": uuid.NewSHA1(uuid.NameSpaceOID, []byte(l.orgID)), "sha256": hex.EncodeToString(sum[:]), "payload": json.RawMessage(l.body),
		}
		if l.request != nil {
			e["request"] = l.request
		}
		texts[i] = encode(e)
	}
	if random != nil {
		random.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	}
	var b bytes.Buffer
	for _, text := range texts {
		fmt.Fprintf(&b, "%s\n", text)
	}
	return b.Bytes()
}
