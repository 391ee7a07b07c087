package invent

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the bytes: no panic, and what is stored decodes to what was read. See decodesAgain.

func FuzzFrame(f *testing.F) {
	for _, frame := range frames {
		if len(frame.body) < 10_000 {
			f.Add([]byte(frame.body))
		}
	}
	f.Add(testFile(f, "event.json"))
	f.Add(testFile(f, "typical.json"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		e, r := d.Frame(body)
		decodesAgain(t, "frame", r, func(b []byte) (any, Reading) {
			e, r := d.Frame(b)
			return &e, r
		}, said(&e))
		if !e.Data.Given() {
			return
		}
		tools, r := d.Tools(e.Data.V.Tools.V)
		checkBlock(t, r, e.Data.V.Tools.Given())
		_ = said(&tools)
		if e.Data.V.State.Given() {
			config, r := d.AssistantConfig(e.Data.V.State.V.AssistantConfig.V)
			checkBlock(t, r, e.Data.V.State.V.AssistantConfig.Given())
			_ = said(&config)
		}
	})
}

func FuzzChats(f *testing.F) {
	for _, frame := range frames {
		if len(frame.body) < 10_000 {
			f.Add([]byte(`[` + frame.body + `,{"id":"c"}]`))
		}
	}
	f.Add([]byte(`[{"id":"a"},{"title":"t"},null,{"id":7},{"id":"b","state":{"csat_score":"5"}},[]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		chats, r := d.Chats(body)
		for i := range chats {
			if !chats[i].ID.Given() || chats[i].ID.V == "" || len(chats[i].ID.V) > MaxIDBytes {
				t.Errorf("chat %d should have a usable id", i)
			}
		}
		decodesAgain(t, "chats", r, func(b []byte) (any, Reading) {
			chats, r := d.Chats(b)
			return &chats, r
		}, said(&chats))
	})
}

func FuzzMessages(f *testing.F) {
	for _, frame := range frames {
		if len(frame.body) < 10_000 {
			f.Add([]byte(`[` + frame.body + `,{"id":"m"}]`))
		}
	}
	f.Add([]byte(`[{"id":"m","messages":[{"role":"user","parts":[{"type":"audio","audio":{"id":"f","file_size":1.0}},7]}],
		"usage":{"input_tokens":1e2,"turns":[{"turns":[{}]}]},"member":{"contact_channel":{"name":"x"}}}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		messages, r := d.Messages(body)
		for i := range messages {
			if !messages[i].ID.Given() || messages[i].ID.V == "" || len(messages[i].ID.V) > MaxIDBytes {
				t.Errorf("message %d should have a usable id", i)
			}
		}
		decodesAgain(t, "messages", r, func(b []byte) (any, Reading) {
			messages, r := d.Messages(b)
			return &messages, r
		}, said(&messages))
	})
}

// checkBlock checks a block that was part of a frame: it has been repaired with it.
func checkBlock(t *testing.T, r Reading, given bool) {
	t.Helper()
	if given && (!r.Faithful || r.Payload == nil) {
		t.Errorf("a block of a frame should need no repair, got flaws %q", r.Flaws)
	}
	if given {
		checkFlaws(t, r)
	}
}

var reasons = []string{
	"not JSON", "too much to be read", "nested too deeply", "nested too deeply to be read", "not an object", "not an array", "not a string", "not a number",
	"not a whole number", "not true or false", "not a time", "out of range", "number out of range", "missing", "duplicate key",
	"NUL character", "invalid UTF-8 or lone surrogate", "not a usable id", "longer than 512 bytes", "more flaws than are listed",
}

// checkFlaws checks that flaws are text that Postgres stores, bounded, and say nothing but where and why.
func checkFlaws(t *testing.T, r Reading) {
	t.Helper()
	if len(r.Flaws) > maxFlaws+1 {
		t.Errorf("there should be at most %d flaws, got %d", maxFlaws+1, len(r.Flaws))
	}
	for _, flaw := range r.Flaws {
		at := strings.LastIndex(flaw, ": ")
		if at <= 0 || at > maxPathBytes+len("…") || !slices.Contains(reasons, flaw[at+2:]) {
			t.Errorf("flaw %q should be a path and a reason", flaw)
		}
		if !utf8.ValidString(flaw) || strings.Contains(flaw, "\x00") {
			t.Errorf("flaw %q should be valid UTF-8 without NUL", flaw)
		}
	}
}
