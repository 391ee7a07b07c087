package ingest

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"archiver/db"
	"archiver/invent"

	"pgregory.net/rapid"
)

// Rows of every kind, with every column there or NULL: what is unpacked is what was packed.
func TestAChatIsUnpackedAsItWasPacked(t *testing.T) {
	key := chatKey{"org", "chat"}
	rapid.Check(t, func(t *rapid.T) {
		c := newChat(key)
		fill(t, &c.row)
		c.row.OrgID, c.row.ChatID = key.orgID, key.chatID
		c.isWhole, c.isLong = rapid.Bool().Draw(t, "whole"), rapid.Bool().Draw(t, "long")
		c.heard = rapid.Uint64().Draw(t, "heard")
		c.stored = rapid.SliceOfN(rapid.Uint32(), 0, 5).Draw(t, "stored")
		if rapid.Bool().Draw(t, "has a state") {
			c.state = &db.InboxChatState{}
			fill(t, c.state)
			c.state.OrgID, c.state.ChatID = key.orgID, key.chatID
		}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			var m db.InboxMember
			fill(t, &m)
			m.OrgID, m.ChatID = key.orgID, key.chatID
			c.setMember(m)
		}
		var m db.InboxMessage
		fill(t, &m)
		m.OrgID, m.ChatID, m.HasEnded = key.orgID, key.chatID, false
		if rapid.Bool().Draw(t, "shows a message") {
			c.row.LastMessageID = &m.MessageID
			c.setMessage(&storedMessage{row: m})
		}
		var p packer
		p.pack(newChat(key)) // what is left of one is not in the way of the next
		got := p.pack(c).unpack(key)
		if len(c.stored) == 0 {
			c.stored = nil
		}
		if shown := (&storedMessage{row: m}); valueOf(m.Status) != invent.Running || shown.size() > keptRunning { // one that is not being written any more is not remembered
			c.messages = nil
		}
		if !reflect.DeepEqual(c, got) {
			t.Fatalf("unpacked is\n%s\nwant\n%s", asJSON(got), asJSON(c))
		}
	})
}

func TestOnlyAMessageThatIsBeingWrittenAndShortIsRemembered(t *testing.T) {
	short, long := "Hello", strings.Repeat("a", keptRunning+1)
	for _, test := range []struct {
		what   string
		change func(*storedMessage)
		want   bool
	}{
		{"is being written", func(*storedMessage) {}, true},
		{"has ended", func(m *storedMessage) { m.row.HasEnded = true }, false},
		{"has no status", func(m *storedMessage) { m.row.Status = nil }, false},
		{"has a file", func(m *storedMessage) { m.files = map[string]*db.InboxMessageFile{"file": {}} }, false},
		{"is long", func(m *storedMessage) { m.row.Text = &long }, false},
		{"is not the last one", func(m *storedMessage) { m.row.MessageID = "other" }, false},
	} {
		key := chatKey{"org", "chat"}
		c := newChat(key)
		c.row.LastMessageID = new("last")
		m := &storedMessage{row: db.InboxMessage{MessageID: "last", Status: new(invent.Running), Text: &short}}
		test.change(m)
		c.setMessage(m)
		var p packer
		if got := p.pack(c).unpack(key); len(got.messages) > 0 != test.want {
			t.Errorf("a message that %s is remembered: %v, want %v", test.what, !test.want, test.want)
		}
	}
}

// fill gives every column of a row some value.
func fill(t *rapid.T, row any) {
	numbers := rapid.OneOf(rapid.Int64Range(-3, 70), rapid.Int64())
	texts := rapid.OneOf(rapid.SampledFrom([]string{"", "a", "id-1", invent.Running}), rapid.String())
	times := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMicro(rapid.OneOf(rapid.Int64Range(0, 2e15), rapid.Just(time.Time{}.UnixMicro())).Draw(t, "µs")).UTC()
	})
	v := reflect.ValueOf(row).Elem()
	for i := range v.NumField() {
		isNull := rapid.Bool().Draw(t, "null")
		switch f := v.Field(i).Addr().Interface().(type) {
		case *string:
			*f = texts.Draw(t, "text")
		case *bool:
			*f = isNull
		case *int64:
			*f = numbers.Draw(t, "number")
		case *time.Time:
			*f = times.Draw(t, "time")
		default:
			if isNull {
				continue
			}
			switch f := f.(type) {
			case **string:
				*f = new(texts.Draw(t, "text"))
			case *[]byte:
				*f = []byte(texts.Draw(t, "JSON"))
			case **bool:
				*f = new(rapid.Bool().Draw(t, "flag"))
			case **int64:
				*f = new(numbers.Draw(t, "number"))
			case **int32:
				*f = new(int32(numbers.Draw(t, "number")))
			case **time.Time:
				*f = new(times.Draw(t, "time"))
			default:
				t.Fatalf("%s is a column of %T", v.Type().Field(i).Name, f)
			}
		}
	}
}

func asJSON(c *chat) string {
	b, err := json.Marshal([]any{c.row, c.state, c.members, c.messages, c.stored, c.heard, c.isWhole, c.isLong})
	if err != nil {
		return err.Error()
	}
	return string(b)
}
