package ingest

import (
	"maps"
	"os"
	"slices"
	"testing"

	"archiver/ingest/internal/reference"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
)

// FuzzDescribe makes rows of any bytes, without Postgres: nothing panics, and the chats, members and messages are those
// that the reference finds.
func FuzzDescribe(f *testing.F) {
	body, err := os.ReadFile("testdata/event.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), body)
	f.Add(uint8(1), []byte(`[{"id":"c"},{"id":"c","last_message":{"id":"m"}},{"id":""}]`))
	f.Add(uint8(2), []byte(`[{"id":"m","member":{"id":"a"}},{"id":"m","status":"RUNNING"}]`))
	f.Add(uint8(3), []byte(`{}`))
	f.Add(uint8(4), []byte(`[]`))
	f.Add(uint8(5), []byte(`{}`))
	for _, bad := range unreadable {
		if len(bad.body) < 1_000 {
			f.Add(uint8(0), []byte(bad.body))
		}
	}
	for _, bad := range repaired {
		if len(bad.body) < 5_000 {
			f.Add(uint8(0), []byte(bad.body))
		}
	}
	as := []spool.Record{
		{Kind: KindFrame},
		{Kind: KindChatsPage, Request: request("/orgs/o/inbox", 200)},
		{Kind: KindMessagesPage, Request: request("/chats/c/messages", 200)},
		{Kind: KindMessagesPage, Request: request("/chats/c/messages", 404)},
		{Kind: KindMessagesPage, Request: request("/chats/%zz/messages", 200)},
		{Kind: KindOther},
	}
	f.Fuzz(func(t *testing.T, kind uint8, body []byte) {
		r := as[int(kind)%len(as)]
		r.OrgID, r.Seq, r.ObservedAt, r.Body = "o", 1, morning, body
		stream := uuid.New()
		e := describe(&invent.Decoder{}, stream, &r, newBlocks())
		if e.reading.Payload == nil && len(e.reading.Flaws) == 0 {
			t.Errorf("%q: has neither a payload nor a flaw", body)
		}
		again := describe(&invent.Decoder{}, stream, &r, newBlocks())

		found := map[string][]string{}
		for i := range e.chats {
			d := &e.chats[i]
			applyAll(newMentions(), d)
			derived := deriveFrom(chatKey{"o", d.chatID}, []description{again.chats[i]})
			c := newChat(chatKey{"o", d.chatID})
			if !c.isLate(d) {
				c.fold(d)
				if len(c.messages) != len(derived.messages) || len(c.members) != len(derived.members) {
					t.Errorf("%q: folding finds %d messages and %d members, deriving %d and %d", body,
						len(c.messages), len(c.members), len(derived.messages), len(derived.members))
				}
			}
			found["chats"] = append(found["chats"], d.chatID)
			for id := range derived.messages {
				found["messages"] = append(found["messages"], d.chatID+" "+id)
			}
			for id := range derived.members {
				found["members"] = append(found["members"], d.chatID+" "+id)
			}
		}
		tables := reference.Inbox([]reference.Record{{
			OrgID: "o", Stream: stream, Seq: 1, ObservedAt: morning, Kind: r.Kind, Request: r.Request, Body: body,
		}})
		for table, id := range map[string]string{"chats": "", "messages": "message_id", "members": "member_id"} {
			want := map[string]bool{}
			for _, row := range tables[table] {
				key := row["chat_id"].(string)
				if id != "" {
					key += " " + row[id].(string)
				}
				want[key] = true
			}
			slices.Sort(found[table])
			if got := slices.Compact(found[table]); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Errorf("%q: %s are %q, the reference finds %q", body, table, got, slices.Sorted(maps.Keys(want)))
			}
		}
	})
}

// applyAll takes in what a description says of things that are not of its chat alone.
func applyAll(m *mentions, d *description) {
	m.add(d)
	e := newEntities()
	applyTo(e.users, m.users)
	applyTo(e.contacts, m.contacts)
	applyTo(e.channels, m.channels)
	applyTo(e.assistants, m.assistants)
	applyTo(e.integrations, m.integrations)
}

func applyTo[R, D any](t *table[R, D], mentions []mention[D]) {
	for i := range mentions {
		row := &entity[R]{row: t.kind.fresh(mentions[i].key), fields: make([]observation, len(t.kind.fields))}
		t.apply(row, &mentions[i])
		t.fieldVersions(row)
	}
}
