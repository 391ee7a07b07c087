package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest/internal/reference"
	"archiver/spool"

	"pgregory.net/rapid"
)

// absent stands for a field that is not named.
type absent struct{}

// pick draws what an object says of a field: often nothing, now and then null, else one of a few values.
func pick(t *rapid.T, name string, values ...any) any {
	return rapid.SampledFrom(append(values, values...)).Draw(t, name)
}

func maybe(t *rapid.T, name string, values ...any) any {
	return pick(t, name, append(values, absent{}, nil)...)
}

// thing is an object without its absent fields.
func thing(fields map[string]any) map[string]any {
	for name, v := range fields {
		if v == (absent{}) {
			delete(fields, name)
		}
	}
	return fields
}

// clocks are few, so that many are equal.
func clock(t *rapid.T, name string) any {
	return fmt.Sprintf("2026-05-01T10:00:0%dZ", rapid.IntRange(0, 4).Draw(t, name))
}

func anyUser(t *rapid.T) any {
	return thing(map[string]any{
		"id": pick(t, "user", "u1", "u2"), "name": maybe(t, "user name", "Ann", "Bob", 5), "email": maybe(t, "email", "a@x", "b@x"),
		"seen_at": maybe(t, "seen_at", "2026-05-01T00:00:00Z", "soon"),
	})
}

func anyMember(t *rapid.T) map[string]any {
	m := map[string]any{"id": pick(t, "member", "m1", "m2", "m3")}
	if rapid.Bool().Draw(t, "bare member") {
		return m
	}
	m["role"] = maybe(t, "role", "ADMIN", "MEMBER")
	m["user"] = maybe(t, "member user", map[string]any{"id": "u1"}, anyUser(t))
	m["session"] = maybe(t, "session", map[string]any{"id": "s1"}, map[string]any{"id": "s2"})
	m["contact_channel"] = maybe(t, "channel", map[string]any{"id": "ch1"}, map[string]any{}, thing(map[string]any{
		"id": pick(t, "channel id", "ch1", "ch2"), "phone": maybe(t, "phone", "1", "2"),
		"contact": maybe(t, "contact", map[string]any{"id": "k1"},
			thing(map[string]any{"id": "k2", "name": maybe(t, "contact name", "C"), "blocked": maybe(t, "blocked", true, false)})),
	}))
	return thing(m)
}

func anyTools(t *rapid.T, name string) any {
	return maybe(t, name, []any{}, []any{map[string]any{"name": "t1"}}, []any{map[string]any{"name": "t2"}, 1})
}

func anyFeatures(t *rapid.T, name string) any {
	return maybe(t, name, map[string]any{"web_search": map[string]any{}}, map[string]any{"x": 1.5}, "bad")
}

func anyMessage(t *rapid.T) map[string]any {
	part := func(id string) any {
		return map[string]any{"type": "file", "file": map[string]any{"id": id, "file_size": rapid.IntRange(1, 2).Draw(t, "size")}}
	}
	return thing(map[string]any{
		"id": pick(t, "message", "x1", "x2"), "role": maybe(t, "message role", "user", "assistant", "note"),
		"status":     maybe(t, "status", "RUNNING", "RUNNING", "COMPLETED", "FAILED", "STRANGE"),
		"created_at": pick(t, "created", clock(t, "created"), clock(t, "created"), absent{}, nil, "bad"),
		"updated_at": pick(t, "updated", clock(t, "updated"), clock(t, "updated"), absent{}, nil),
		"messages": maybe(t, "content", []any{}, []any{map[string]any{"parts": []any{map[string]any{"text": "hi"}}}},
			[]any{map[string]any{"parts": []any{part("f1"), part("f2")}}}, []any{map[string]any{"parts": []any{part("f2")}}}),
		"member": maybe(t, "author", anyMember(t), anyMember(t)), "error": maybe(t, "error", "e"),
		"tools": anyTools(t, "message tools"), "features": anyFeatures(t, "message features"),
		"broadcast_id": maybe(t, "broadcast", "b1"), "is_broadcast_message": maybe(t, "is broadcast", false, true),
		"usage": maybe(t, "usage", map[string]any{"input_tokens": 1}, map[string]any{"output_tokens": 2, "turns": []any{}}),
	})
}

func anyState(t *rapid.T) map[string]any {
	return thing(map[string]any{
		"id": pick(t, "state id", "st1", "st1", absent{}, nil), "state": maybe(t, "state", "OPEN", "CLOSED"),
		"integration_id": maybe(t, "integration", "internal"), "assistant_id": maybe(t, "assistant id", "a1", "a2"),
		"assistant_integration_id": maybe(t, "integration id", "i1"),
		"ai_enabled":               maybe(t, "ai", true, false), "admin_unseen_count": maybe(t, "unseen", 0, 1, 3, -3, "many"),
		"assistant": maybe(t, "assistant", map[string]any{"id": "a1"},
			map[string]any{"id": "a1", "name": "Lumi", "config": map[string]any{"n": rapid.IntRange(1, 2).Draw(t, "n")}}),
		"assistant_integration": maybe(t, "assistant integration", map[string]any{"id": "i1", "enabled": true}, map[string]any{"id": "i2"}),
		"assigned_user":         maybe(t, "assigned", anyUser(t), map[string]any{}),
		"assistant_config":      maybe(t, "config", map[string]any{"model": "m1"}, map[string]any{"model": 2}),
		"csat_score":            maybe(t, "csat", 3, 4, 5.5),
	})
}

func anyChat(t *rapid.T, id string) map[string]any {
	c := map[string]any{
		"id": id, "title": maybe(t, "title", "A", "B", 7), "pinned": maybe(t, "pinned", true, false),
		"created_at": pick(t, "chat created", "2026-05-01T09:00:00Z", "2026-05-01T09:00:00Z", absent{}),
		"updated_at": pick(t, "chat updated", clock(t, "chat clock"), clock(t, "chat clock"), clock(t, "chat clock"), absent{}, nil, "bad"),
		"tools":      anyTools(t, "tools"), "features": anyFeatures(t, "features"),
		"referral": maybe(t, "referral", map[string]any{"ref": "r1"}, map[string]any{"ref": "r2", "parts": []any{}}),
	}
	if rapid.Bool().Draw(t, "names a state") {
		c["state"] = maybe(t, "state object", anyState(t), anyState(t), anyState(t))
	}
	if rapid.Bool().Draw(t, "names members") {
		var list any = []any{}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			list = append(list.([]any), anyMember(t))
		}
		c["members"] = maybe(t, "member list", list, list, list)
	}
	if rapid.Bool().Draw(t, "names a message") {
		c["last_message"] = maybe(t, "last message", anyMessage(t), anyMessage(t), anyMessage(t))
	}
	return thing(c)
}

// anyRecord is a frame, or now and then a page.
func anyRecord(t *rapid.T) spool.Record {
	chatID := pick(t, "chat", "c1", "c1", "c2").(string)
	r := spool.Record{Source: SourceSocket, Kind: KindFrame}
	var body any
	switch rapid.SampledFrom([]string{"frame", "frame", "frame", "frame", "frame", "chats", "messages", "gone", "failed", "orgs"}).Draw(t, "kind") {
	case "frame":
		body = thing(map[string]any{
			"type": pick(t, "type", "create", "create", "update", "create", "delete", absent{}), "data": anyChat(t, chatID),
		})
	case "chats":
		page := []any{anyChat(t, chatID)}
		for range rapid.IntRange(0, 2).Draw(t, "more chats") {
			page = append(page, anyChat(t, pick(t, "other chat", "c1", "c2", "c3").(string)))
		}
		r.Source, r.Kind, r.Request, body = SourceREST, KindChatsPage, request("/orgs/o/inbox", 200), page
		if rapid.Bool().Draw(t, "ends the list of chats") {
			r.Request = completing(t, "/orgs/o/inbox")
		}
	case "messages":
		page := []any{}
		for range rapid.IntRange(0, 2).Draw(t, "messages") {
			page = append(page, anyMessage(t))
		}
		r.Source, r.Kind, r.Request, body = SourceREST, KindMessagesPage, request("/chats/"+chatID+"/messages", 200), page
		if rapid.Bool().Draw(t, "ends the list") {
			r.Request = completing(t, "/chats/"+chatID+"/messages")
		}
	case "orgs":
		page := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "listed orgs") {
			page = append(page, thing(map[string]any{
				"id": pick(t, "listed org", "sub1", "sub2", "self", 5, absent{}), "name": maybe(t, "org name", "North", "South", 7),
				"created_at": maybe(t, "org created", "2026-05-01T09:00:00Z"),
			}))
		}
		r.Source, r.Kind, r.Request, body = SourceREST, KindOrgsPage, request("/orgs/o/orgs", 200), page
	case "gone":
		r.Source, r.Kind, body = SourceREST, KindMessagesPage, map[string]any{"error": "gone"}
		r.Request = request("/chats/"+chatID+"/messages", 404)
	case "failed":
		r.Source, r.Kind, body = SourceREST, KindMessagesPage, map[string]any{"error": "out of order"}
		r.Request = request("/chats/"+chatID+"-never-seen/messages", 500)
	}
	var err error
	if r.Body, err = json.Marshal(body); err != nil {
		t.Fatal(err)
	}
	return r
}

// anyWord is a description of one and the same message: what it says of its status and by which clock matters most.
func anyWord(t *rapid.T) spool.Record {
	body, err := json.Marshal([]any{thing(map[string]any{
		"id": "x1", "status": pick(t, "status", "RUNNING", "RUNNING", "COMPLETED", absent{}),
		"created_at": pick(t, "created", clock(t, "created"), absent{}),
		"updated_at": pick(t, "updated", clock(t, "updated"), clock(t, "updated"), absent{}),
		"role":       maybe(t, "role", "user", "assistant"), "error": maybe(t, "error", "e1", "e2"),
		"features": maybe(t, "features", map[string]any{"n": 1}, map[string]any{"n": 2}),
		"messages": maybe(t, "content", []any{map[string]any{"parts": []any{map[string]any{
			"file": map[string]any{"id": pick(t, "file", "f1", "f2")},
		}}}}),
	})})
	if err != nil {
		t.Fatal(err)
	}
	return spool.Record{
		Source: SourceREST, Kind: KindMessagesPage, Request: request("/chats/c1/messages", 200), Body: body,
	}
}

// completing is the request of a page that ends the reading of a list.
func completing(t *rapid.T, path string) []byte {
	through := rapid.IntRange(0, 9).Draw(t, "through")
	r := Request{Path: path, Status: 200, StartedAt: morning}
	from := morning.Add(time.Duration(rapid.IntRange(0, through).Draw(t, "from")) * time.Hour)
	if rapid.IntRange(0, 3).Draw(t, "all of it") == 0 {
		from = time.Time{}
	}
	r.completes(from, morning.Add(time.Duration(through)*time.Hour))
	b, _ := json.Marshal(r)
	return b
}

func request(path string, status int) []byte {
	b, _ := json.Marshal(Request{Path: path, Status: status, StartedAt: morning})
	return b
}

// TestAnyHistoryGivesTheSameTablesHoweverItComes makes small histories that are as tangled as can be, and brings each
// in five ways, as five orgs of one archive.
func TestAnyHistoryGivesTheSameTablesHoweverItComes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		records := rapid.OneOf(
			rapid.SliceOfN(rapid.Custom(anyRecord), 1, 12), rapid.SliceOfN(rapid.Custom(anyWord), 2, 6),
		).Draw(t, "history")
		at := func(i int, org string) spool.Record {
			r := records[i]
			r.OrgID = fmt.Sprintf("%s-%d", org, n)
			r.ObservedAt = morning.Add(time.Duration(i) * time.Second)
			if r.Kind == KindOrgsPage { // the five orgs list the same two, and themselves
				listed := strings.NewReplacer(`"sub1"`, fmt.Sprintf(`"sub1-%d"`, n), `"sub2"`, fmt.Sprintf(`"sub2-%d"`, n), `"self"`, `"`+r.OrgID+`"`)
				r.Body = []byte(listed.Replace(string(r.Body)))
			}
			return r
		}
		order := rapid.Permutation(upTo(len(records))).Draw(t, "order")
		restarts := rapid.IntRange(0, 3).Draw(t, "restarts")
		a.records = nil
		for part := range restarts + 1 {
			from, to := part*len(records)/(restarts+1), (part+1)*len(records)/(restarts+1)
			for i := from; i < to; i++ {
				a.append(at(i, "in-order"))
				a.append(at(order[i], "shuffled"))
				again := at(order[i], "again")
				a.append(again)
				again.ObservedAt = again.ObservedAt.Add(time.Duration(i) * 500 * time.Millisecond)
				a.append(again)
				tied := at(i, "tied")
				tied.ObservedAt = morning.Add(time.Duration(i/3) * time.Second)
				a.append(tied)
				if part == 0 {
					for j := range records {
						if j%(to-from) == i-from {
							a.append(at(order[j], "at-once"))
						}
					}
				}
			}
			a.write()
		}
		a.likeReferenceFor(t, n)
	})
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// likeReferenceFor compares what is there of the orgs of one history.
func (a *archive) likeReferenceFor(t *rapid.T, n int) {
	want := reference.Inbox(a.records)
	for table := range reference.Keys {
		got := a.rows("select * from inbox."+table+" where org_id like $1", fmt.Sprintf("%%-%d", n))
		ignored := slices.Clone(leftOut)
		if slices.Contains(namedOnly, table) {
			ignored = append(ignored, "last_seen_at")
		}
		if differences := compareRows(table, want[table], got, ignored); len(differences) > 0 {
			t.Errorf("inbox.%s differs from the reference:\n%s", table, strings.Join(differences, "\n"))
		}
	}
	if t.Failed() {
		for _, r := range a.records {
			if !strings.HasPrefix(r.OrgID, "in-order") {
				continue
			}
			t.Logf("%d %s observed %s %s %s", r.Seq, r.OrgID, r.ObservedAt.Format("15:04:05.0"), r.Request, r.Body)
		}
	}
}
