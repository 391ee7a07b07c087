package invent

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// seen is what one frame after the other shows, by path and type.
func seen(t *testing.T, s *Sightings, frames ...string) map[string]Sighting {
	t.Helper()
	var d Decoder
	for i, frame := range frames {
		_, r := d.Frame([]byte(frame))
		s.Note(&d, OfFrame, r.Payload, noon.Add(time.Duration(i)*time.Second))
	}
	all := map[string]Sighting{}
	for _, one := range s.Take() {
		all[one.Path+" "+one.Type] = one
	}
	return all
}

func TestEveryPathIsCountedWithItsTypes(t *testing.T) {
	t.Parallel()
	got := seen(t, NewSightings(),
		`{"type":"create","data":{"id":"a","members":[{"id":"m","role":"ADMIN"},{"id":"n","role":null}]}}`,
		` { "type" : "cre\"ate" , "data" : { "id" : "b\\" , "members" : [ ] , "state" : { "csat_score" : -1.5e3 , "ai_enabled" : false } , "x.y" : [[1, true], "]"] } } `)
	want := map[string]int64{
		"$ object": 2, "type string": 2, "data object": 2, "data.id string": 2, "data.members array": 2,
		"data.members[] object": 2, "data.members[].id string": 2, "data.members[].role string": 1,
		"data.members[].role null": 1, "data.state object": 1, "data.state.csat_score number": 1,
		"data.state.ai_enabled boolean": 1, `data."x.y" array`: 1, `data."x.y"[] array`: 1, `data."x.y"[] string`: 1,
		`data."x.y"[][] number`: 1, `data."x.y"[][] boolean`: 1,
	}
	for key, count := range want {
		if got[key].Count != count {
			t.Errorf("%s was counted %d times, want %d", key, got[key].Count, count)
		}
	}
	for key := range got {
		if want[key] == 0 {
			t.Errorf("%s was seen and is not there", key)
		}
	}
	if one := got["data.id string"]; one.Parent != "data" || one.First != noon || one.Last != noon.Add(time.Second) {
		t.Errorf("data.id has parent %q and was seen from %s to %s, want data, and the times of both frames", one.Parent, one.First, one.Last)
	}
}

// TestWhatIsMappedIsWhatTheDecoderReads adds a name that nobody knows to every object of an event that has every field.
func TestWhatIsMappedIsWhatTheDecoderReads(t *testing.T) {
	t.Parallel()
	var event any
	if err := json.Unmarshal(testFile(t, "event.json"), &event); err != nil {
		t.Fatal(err)
	}
	strange := withName(event)
	b, err := json.Marshal(strange)
	if err != nil {
		t.Fatal(err)
	}
	// Values that are stored as they stand: everything in them is.
	whole := []string{".parameters", ".web_search", ".assistant.config", ".callback", ".validation"}
	got := seen(t, NewSightings(), string(b))
	if len(got) < 150 {
		t.Fatalf("the event shows %d paths: too few to compare", len(got))
	}
	for key, one := range got {
		want := !strings.Contains(one.Path, "nobody_knows")
		for _, path := range whole {
			want = want || strings.Contains(one.Path, path)
		}
		if one.Mapped != want {
			t.Errorf("%s: mapped is %t, want %t", key, one.Mapped, want)
		}
	}
}

func withName(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = withName(v[name])
		}
		v["nobody_knows"] = map[string]any{"at": []any{1}}
	case []any:
		for i := range v {
			v[i] = withName(v[i])
		}
	}
	return v
}

func TestAValueOfAKindThatIsNotReadIsNotMapped(t *testing.T) {
	t.Parallel()
	got := seen(t, NewSightings(), `{"data":{"id":"a","members":{"x":1},"title":["t"],"state":null,"features":"all"}}`)
	for key, want := range map[string]bool{
		"data.members object": false, "data.members.x number": false, "data.title array": false, "data.title[] string": false,
		"data.state null": true, "data.features string": false, "data.id string": true,
	} {
		if one, ok := got[key]; !ok || one.Mapped != want {
			t.Errorf("%s: seen %t, mapped %t; want it seen and mapped %t", key, ok, one.Mapped, want)
		}
	}
}

func TestNewPathsTypesAndValuesAreNoticedOnce(t *testing.T) {
	t.Parallel()
	s := NewSightings()
	var d Decoder
	for _, c := range []struct {
		frame string
		isNew bool
	}{
		{`{"type":"create","data":{"id":"a"}}`, true},
		{`{"type":"create","data":{"id":"b"}}`, false},
		{`{"type":"touch","data":{"id":"b"}}`, true},
		{`{"type":"touch","data":{"id":7}}`, true},
		{`{"type":"touch","data":{"id":8}}`, false},
		{`{"type":"touch","data":{"id":8,"x":{}}}`, true},
	} {
		_, r := d.Frame([]byte(c.frame))
		if got := s.Note(&d, OfFrame, r.Payload, noon); got != c.isNew {
			t.Errorf("%s: new is %t, want %t", c.frame, got, c.isNew)
		}
	}
}

func TestValuesAreKeptOfEnumeratedPathsOnly(t *testing.T) {
	t.Parallel()
	s := NewSightings()
	var frames []string
	for i := range 2 * MaxValues {
		frames = append(frames, fmt.Sprintf(`{"type":"t%03d","data":{"id":"secret","title":"secret","status":"RUNNING","last_message":{"role":"%s"}}}`, i, strings.Repeat("x", MaxValueBytes+1)))
	}
	for key, one := range seen(t, s, frames...) {
		switch one.Path {
		case "type":
			if len(one.Values) != MaxValues || one.Values[0] != "t000" {
				t.Errorf("%d values of type are kept, want %d", len(one.Values), MaxValues)
			}
		case "data.status":
			if !slices.Equal(one.Values, []string{"RUNNING"}) {
				t.Errorf("the values of data.status are %q, want RUNNING", one.Values)
			}
		default:
			if one.Values != nil {
				t.Errorf("values of %s are kept: %q", key, one.Values)
			}
		}
	}
}

func TestKeysThatAreDataDoNotBecomePaths(t *testing.T) {
	t.Parallel()
	s := NewSightings()
	var frames []string
	for i := range 10 * MaxPaths {
		frames = append(frames, fmt.Sprintf(`{"data":{"id":"a","f%d":{"g%d":{"h%d":1}},"%s":1},"k%d":{}}`, i%1000, i, i, strings.Repeat("n", maxNameBytes+1), i))
	}
	got := seen(t, s, frames...)
	if len(s.paths) > 3*MaxPaths {
		t.Errorf("%d paths are told apart, want not many more than %d", len(s.paths), MaxPaths)
	}
	if got["data.* number"].Count != int64(len(frames)) {
		t.Errorf("the long name was counted %d times under data.*, want %d", got["data.* number"].Count, len(frames))
	}
	if got["data.*.* object"].Count == 0 {
		t.Error("nothing is counted under data.*.*, want what is in objects past the bound")
	}
	deep := strings.Repeat(`{"a":`, 900) + "1" + strings.Repeat("}", 900)
	for key := range seen(t, NewSightings(), deep) {
		if strings.Count(key, ".") > maxSeenDepth {
			t.Errorf("%s is deeper than %d", key, maxSeenDepth)
		}
	}
}

func TestKeysThatMayBePersonalAreNoPaths(t *testing.T) {
	t.Parallel()
	got := seen(t, NewSightings(), `{"by":{"ada@example.com":1,"+4915":1,"4915":1,"":1,"8c5e2f08-4b1a":1,"ada\u0040example":1,"name":1}}`)
	if len(got) != 4 || got["by.* number"].Count != 6 || got["by.name number"].Count != 1 {
		t.Errorf("seen are %v, want $, by, by.name and the six others as by.*", slices.Sorted(maps.Keys(got)))
	}
}

func TestPagesHavePathsOfTheirOwn(t *testing.T) {
	t.Parallel()
	s, d := NewSightings(), Decoder{}
	_, r := d.Chats([]byte(`[{"id":"a","status":"NEW","sla":1}]`))
	s.Note(&d, OfChats, r.Payload, noon)
	_, r = d.Messages([]byte(`[{"id":"a","role":"user","mood":1}]`))
	s.Note(&d, OfMessages, r.Payload, noon)
	mapped := map[string]bool{}
	for _, one := range s.Take() {
		mapped[one.Path] = one.Mapped
	}
	for path, want := range map[string]bool{
		"chats_page": true, "chats_page[]": true, "chats_page[].status": true, "chats_page[].sla": false,
		"messages_page[].role": true, "messages_page[].mood": false,
	} {
		if is, ok := mapped[path]; !ok || is != want {
			t.Errorf("%s: seen %t, mapped %t; want it seen and mapped %t", path, ok, is, want)
		}
	}
	if !IsUndocumented("chats_page[].status", "NEW") || IsUndocumented("chats_page[].status", "RUNNING") || IsUndocumented("data.title", "x") {
		t.Error("NEW is to be undocumented as a status, RUNNING not, and of titles nothing is said")
	}
}

// FuzzWhateverIsReadCanBeWalked: the walk checks nothing, since the decoder did.
func FuzzWhateverIsReadCanBeWalked(f *testing.F) {
	for _, name := range []string{"event.json", "typical.json"} {
		f.Add(testFile(f, name))
	}
	for _, s := range []string{``, ` `, `[]`, `""`, `-0.1E+3`, ` {"a" :"\\\"" , "b":[ {} , [ ] ,null]}`, `{"\u0061\"":"\u0000"}`, `{"a":1,"a":{}}`, "{\"\xff\":1}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var d Decoder
		for origin, read := range [...]func([]byte) Reading{
			OfFrame:    func(b []byte) Reading { _, r := d.Frame(b); return r },
			OfChats:    func(b []byte) Reading { _, r := d.Chats(b); return r },
			OfMessages: func(b []byte) Reading { _, r := d.Messages(b); return r },
		} {
			origin, r := Origin(origin), read(body)
			if r.Payload == nil {
				continue
			}
			s := NewSightings()
			s.Note(&d, origin, r.Payload, noon)
			w := walk{s: s, body: r.Payload}
			if end := w.space(w.value(s.roots[origin], w.space(0), 0)); end != len(r.Payload) {
				t.Errorf("the walk through %q ends at %d of %d", r.Payload, end, len(r.Payload))
			}
			if s.Note(&d, origin, r.Payload, noon) {
				t.Errorf("the second walk through %q finds something new", r.Payload)
			}
		}
	})
}

func BenchmarkNote(b *testing.B) {
	body := testFile(b, "typical.json")
	var d Decoder
	s := NewSightings()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		s.Note(&d, OfFrame, body, noon)
	}
}
