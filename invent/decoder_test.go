package invent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

// frames are frames that are wrong in some way, or look as if they were.
var frames = []struct {
	name, body string
	flaws      []string
	unfaithful bool // the payload is a repaired copy
	noJSON     bool // there is no payload
}{
	{name: "the least there can be", body: `{"data":{"id":"c"}}`},
	{name: "spaces around", body: " \t\r\n{\"data\" : { \"id\" : \"c\" } }\n"},
	{name: "unknown fields", body: `{"v":2,"data":{"id":"c","new":{"id":1,"list":[1,"x",null,{"a":-0.5e-3}]},"ID":3},"data2":[]}`},
	{name: "an unknown type", body: `{"type":"chat.merged","data":{"id":"c","status":"PONDERING"}}`},
	{name: "empty", body: ``, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "spaces only", body: " \n", flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "half a frame", body: `{"data":{"id":"c"`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "trailing garbage", body: `{"data":{"id":"c"}}}`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "two values", body: `{"data":{"id":"c"}} {"data":{"id":"d"}}`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "a byte order mark", body: "\xef\xbb\xbf" + `{"data":{"id":"c"}}`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "a trailing comma", body: `{"data":{"id":"c",}}`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "NaN", body: `{"data":{"id":"c","x":NaN}}`, flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "a bare control character", body: "{\"data\":{\"id\":\"c\",\"title\":\"a\nb\"}}", flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "a bare NUL", body: "{\"data\":{\"id\":\"c\",\"title\":\"a\x00b\"}}", flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "UTF-16", body: "{\x00\"\x00d\x00", flaws: []string{"frame: not JSON"}, noJSON: true},
	{name: "null", body: `null`, flaws: []string{"frame: not an object"}},
	{name: "a number", body: `12`, flaws: []string{"frame: not an object"}},
	{name: "a list", body: `[{"data":{"id":"c"}}]`, flaws: []string{"frame: not an object"}},
	{name: "an empty object", body: `{}`, flaws: []string{"data: missing"}},
	{name: "data null", body: `{"data":null}`, flaws: []string{"data: missing"}},
	{name: "data a string", body: `{"data":"{\"id\":\"c\"}"}`, flaws: []string{"data: not an object"}},
	{name: "no id", body: `{"data":{"title":"t"}}`, flaws: []string{"id: missing"}},
	{name: "an id that is a number", body: `{"data":{"id":7}}`, flaws: []string{"id: not a string"}},
	{name: "NUL", body: `{"data":{"id":"c","title":"a\u0000b"}}`, flaws: []string{"title: NUL character"}, unfaithful: true},
	{name: "NUL in a name", body: `{"data":{"id":"c","a\u0000":1}}`, flaws: []string{"a\uFFFD: NUL character"}, unfaithful: true},
	{name: "NUL in an id", body: `{"data":{"id":"c\u0000"}}`, flaws: []string{"id: NUL character", "id: not a usable id"}, unfaithful: true},
	{name: "no NUL", body: `{"data":{"id":"c","title":"a\\u0000b"}}`},
	{name: "a lone surrogate", body: `{"data":{"id":"c","title":"a\ud83d"}}`, flaws: []string{"title: invalid UTF-8 or lone surrogate"}, unfaithful: true},
	{name: "surrogates the wrong way round", body: `{"data":{"id":"c","new":["\ude00\ud83d"]}}`, flaws: []string{"new[0]: invalid UTF-8 or lone surrogate"}, unfaithful: true},
	{name: "a pair of surrogates", body: `{"data":{"id":"c","title":"\ud83d\ude00\uffff"}}`},
	{name: "invalid UTF-8", body: "{\"data\":{\"id\":\"c\",\"title\":\"caf\xe9\"}}", flaws: []string{"title: invalid UTF-8 or lone surrogate"}, unfaithful: true},
	{name: "invalid UTF-8 in a name", body: "{\"data\":{\"id\":\"c\",\"\xff\":1}}", flaws: []string{"\uFFFD: invalid UTF-8 or lone surrogate"}, unfaithful: true},
	{name: "an id twice", body: `{"data":{"id":"c","id":"d"}}`, flaws: []string{"id: duplicate key"}, unfaithful: true},
	{name: "an id twice, once escaped", body: `{"data":{"id":"c","\u0069d":"d"}}`, flaws: []string{"id: duplicate key"}, unfaithful: true},
	{name: "names that become one", body: `{"data":{"id":"c","\ud800":1,"\ud801":2}}`, unfaithful: true, flaws: []string{
		"\uFFFD: invalid UTF-8 or lone surrogate", "\uFFFD: invalid UTF-8 or lone surrogate", "\uFFFD: duplicate key"}},
	{name: "data twice", body: `{"data":{"id":"c","title":"x","title":"y"},"type":"t","data":{"id":"d","link":"l"}}`,
		flaws: []string{"title: duplicate key", "data: duplicate key"}, unfaithful: true},
	{name: "twice in a list in an unknown field", body: `{"x":[0,{"a":1,"b":2,"a":{"c":[],"c":{}}}],"data":{"id":"c"}}`,
		flaws: []string{"x[1].a.c: duplicate key", "x[1].a: duplicate key"}, unfaithful: true},
	{name: "1e400", body: `{"data":{"id":"c","state":{"csat_score":1e400,"ai_enabled":true}}}`, flaws: []string{"state.csat_score: out of range"}},
	{name: "numbers written strangely", body: `{"data":{"id":"c","x":[-0,-0.0,1E+5,1.50,1.5e1,1.50e1,100e-2,1e-7,0e5,0.0e5,-12.34e-1,9007199254740993e0],
		"state":{"csat_score":0.5e1,"admin_unseen_count":9007199254740993e0,"user_unseen_count":9007199254740993.0},
		"referral":{"parts":[{"start_timestamp":-0.0,"end_timestamp":-1e-400},{"start_timestamp":1e-400,"end_timestamp":123456789.987654321e3}]}}}`},
	{name: "the largest numbers there are", body: `{"data":{"id":"c","x":[1e131071,1e-16383,-12e131070,1.5e-16382,` +
		strings.Repeat("9", 131072) + `,0.` + strings.Repeat("3", 16383) + `]}}`},
	{name: "numbers beyond", body: `{"data":{"id":"c","x":[1e131072,1,1e-16384,0e-16384,1e99999999999999999999,1e-99999999999999999999,` +
		strings.Repeat("9", 131073) + `,0.` + strings.Repeat("3", 16384) + `]}}`, unfaithful: true, flaws: []string{
		"x[0]: number out of range", "x[2]: number out of range", "x[3]: number out of range", "x[4]: number out of range",
		"x[5]: number out of range", "x[6]: number out of range", "x[7]: number out of range"}},
	{name: "a number beyond in a field", body: `{"data":{"id":"c","title":{"a":[1e200000]},"state":{"csat_score":1e200000}}}`, unfaithful: true,
		flaws: []string{"title.a[0]: number out of range", "state.csat_score: number out of range", "title: not a string"}},
	{name: "nested as deep as is kept", body: `{"data":{"id":"c","x":` + nested(maxDepth-2) + `}}`},
	{name: "nested deeper", body: `{"data":{"id":"c","x":` + nested(maxDepth-1) + `,"link":"l"}}`, unfaithful: true,
		flaws: []string{"x" + strings.Repeat("[0]", (maxPathBytes-1)/3) + "…: nested too deeply"}},
	{name: "nested as deep as can be read", body: `{"data":{"id":"c","x":` + nested(deepest-2) + `,"link":"l"}}`, unfaithful: true,
		flaws: []string{"x" + strings.Repeat("[0]", (maxPathBytes-1)/3) + "…: nested too deeply"}},
	{name: "nested beyond", body: `{"data":{"id":"c","x":` + nested(deepest-1) + `}}`, flaws: []string{"frame: nested too deeply to be read"}, noJSON: true},
	{name: "objects nested without end", body: strings.Repeat(`{"data":`, 1<<20), flaws: []string{"frame: nested too deeply to be read"}, noJSON: true},
	{name: "nested turns", body: `{"data":{"id":"c","last_message":{"id":"m","usage":` + strings.Repeat(`{"turns":[`, 2000) + strings.Repeat(`]}`, 2000) + `}}}`, unfaithful: true,
		flaws: []string{shorten("last_message.usage"+strings.Repeat(".turns[0]", 40)) + ": nested too deeply"}},
	{name: "escapes of every kind", body: `{"data":{"id":"c","title":"\"\\\/\b\f\n\r\t\u00e9\u001f\u007f<>&` + "\u2028" + `","\u0074ools":[{"\n":"\\u0000"}]}}`},
	{name: "names that try to look like others", body: `{"":{"a.b":1,"[0]":2,"~1/":3,"0":4},"data":{"id":"c","":1,"data":{"id":2}}}`},
}

func nested(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }

func TestWhatIsWrongWithAFrameIsSaidAndTheRestSurvives(t *testing.T) {
	var d Decoder
	for _, f := range frames {
		e, r := d.Frame([]byte(f.body))
		if !slices.Equal(r.Flaws, f.flaws) {
			t.Errorf("%s: flaws are\n%.900q, want\n%.900q", f.name, r.Flaws, f.flaws)
		}
		switch {
		case f.noJSON:
			if r.Payload != nil || r.Faithful || e != (Event{}) {
				t.Errorf("%s: there should be no payload and no event, got payload %.60q, faithful %t", f.name, r.Payload, r.Faithful)
			}
		case f.unfaithful:
			if r.Faithful || bytes.Equal(r.Payload, []byte(f.body)) || !json.Valid(r.Payload) {
				t.Errorf("%s: the payload should be a repaired copy, got %.60q, faithful %t", f.name, r.Payload, r.Faithful)
			}
		case !r.Faithful || string(r.Payload) != f.body:
			t.Errorf("%s: the payload should be the frame itself, got %.60q, faithful %t", f.name, r.Payload, r.Faithful)
		}
		decodesAgain(t, f.name, r, func(body []byte) (any, Reading) {
			e, r := d.Frame(body)
			return &e, r
		}, said(&e))
	}
}

func TestOfDuplicateKeysTheLastCounts(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte(`{"data":{"id":"a"},"x":{"b":1,"c":[{"d":1,"d":2}],"b":3,"b":{"e":1,"e":[]}},"data":{"id":"c","title":"x","id":"b"},"y":1}`))
	if e.Data.V.ID.V != "b" || e.Data.V.Title.V != "x" {
		t.Errorf("the last id should count, got %+v", e.Data.V.ID)
	}
	if want := `{"x":{"c":[{"d":2}],"b":{"e":[]}},"data":{"title":"x","id":"b"},"y":1}`; string(r.Payload) != want {
		t.Errorf("the payload is %s, want %s", r.Payload, want)
	}
}

// A repair that copied a value for each level, or for each duplicate, would take minutes here.
func TestRepairTakesTimeInProportionToTheFrame(t *testing.T) {
	var d Decoder
	var b strings.Builder
	b.WriteString(`{"data":{"id":"c","x":`)
	for range 900 {
		b.WriteString(`{"a":0,"a":`)
	}
	b.WriteString(`{`)
	for range 2 {
		for i := range 60_000 {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
	}
	b.WriteString(`"z":1}` + strings.Repeat("}", 900) + `}}`)
	_, r := d.Frame([]byte(b.String()))
	if r.Faithful || len(r.Flaws) != maxFlaws+1 || !json.Valid(r.Payload) {
		t.Errorf("should be repaired, with %d flaws, got %d", maxFlaws+1, len(r.Flaws))
	}
}

func TestFlawsAreBounded(t *testing.T) {
	var d Decoder
	long := strings.Repeat("ключ", 500)
	for name, body := range map[string]string{
		"a huge list of nulls":    `{"data":{"id":"c","members":[` + strings.Repeat(`null,`, 100_000) + `null]}}`,
		"a huge list of no ids":   `{"data":{"id":"c","members":[` + strings.Repeat(`{},`, 10_000) + `{}]}}`,
		"a huge list of repairs":  `{"data":{"id":"c","x":[` + strings.Repeat(`"\u0000",`, 100_000) + `1]}}`,
		"repairs and wrong types": `{"data":{"id":"c","x":[` + strings.Repeat(`"\u0000",`, 60) + `1],"members":[` + strings.Repeat(`1,`, 100) + `1]}}`,
		"long names":              `{"data":{"id":"c","` + long + `":[` + strings.Repeat(`"\ud800",`, 100) + `1]}}`,
	} {
		_, r := d.Frame([]byte(body))
		if len(r.Flaws) != maxFlaws+1 || r.Flaws[maxFlaws] != "frame: more flaws than are listed" {
			t.Errorf("%s: should have %d flaws, the last of which says that there are more, got %d", name, maxFlaws+1, len(r.Flaws))
		}
		checkFlaws(t, r)
	}
}

// Some 80 KB of such numbers make a text of more than 1 GB, which Postgres stores and cannot give back.
func TestNumbersThatTogetherAreTooLongAreLeftOut(t *testing.T) {
	var d Decoder
	fit := maxZeros / 131071
	e, r := d.Frame([]byte(`{"data":{"id":"c","x":[` + strings.Repeat(`1e131071,`, fit) + `-1e131071,1e-16383,2],"state":{"csat_score":5e0}}}`))
	want := []string{fmt.Sprintf("x[%d]: number out of range", fit), fmt.Sprintf("x[%d]: number out of range", fit+1)}
	if !slices.Equal(r.Flaws, want) || r.Faithful || !bytes.Contains(r.Payload, []byte(`1e131071,null,null,2]`)) {
		t.Errorf("flaws are %q, want %q", r.Flaws, want)
	}
	if e.Data.V.State.V.CSATScore.V != 5 {
		t.Error("the rest should survive")
	}
	if _, again := d.Frame(r.Payload); !again.Faithful || len(again.Flaws) > 0 {
		t.Errorf("the payload should need no repair, got flaws %q", again.Flaws)
	}
}

func TestAFrameWithMoreObjectsThanFitInMemoryIsKeptUnread(t *testing.T) {
	var d Decoder
	many := func(n int) string { return `[` + strings.Repeat(`{},`, n-1) + `{}]` }
	turns := func(n int) string { return `"last_message":{"id":"m","usage":{"turns":` + many(n) + `}}` }
	members := func(n int) string { return `"members":` + many(n) }
	_, r := d.Frame([]byte(`{"data":{"id":"c","unknown":` + many(maxObjects+1) + `,` + members(10) + `,` + turns(maxObjects-10) + `}}`))
	if len(r.Flaws) != 10 || !r.Faithful {
		t.Errorf("%d objects should be read, with a flaw for each of 10 members without an id, got %d flaws", maxObjects, len(r.Flaws))
	}
	for name, body := range map[string]string{
		"members and turns":           `{"data":{"id":"c",` + members(10) + `,` + turns(maxObjects-9) + `}}`,
		"turns and members, repaired": `{"data":{"id":"c","title":"\u0000",` + turns(maxObjects-9) + `,` + members(10) + `}}`,
	} {
		e, r := d.Frame([]byte(body))
		if e != (Event{}) || r.Payload == nil || r.Flaws[len(r.Flaws)-1] != "frame: too much to be read" {
			t.Errorf("%s: nothing should be read and the payload kept, got flaws %q", name, r.Flaws)
		}
		if repaired := strings.Contains(name, "repaired"); r.Faithful == repaired || len(r.Flaws) == 2 != repaired {
			t.Errorf("%s: faithful is %t with flaws %q", name, r.Faithful, r.Flaws)
		}
	}
}

func TestPagesLeaveOutWhatHasNoID(t *testing.T) {
	var d Decoder
	chats, r := d.Chats([]byte(`["x",{"id":"a"},{"title":"t"},null,{"id":7},{"id":"b","state":{"csat_score":"5"}},{"id":""},[],
		{"id":"c","last_message":{"role":"user"}}]`))
	want := []string{
		"[0]: not an object", "[2].id: missing", "[3]: not an object", "[4].id: not a string", "[5].state.csat_score: not a number",
		"[6].id: missing", "[7]: not an object", "[8].last_message.id: missing",
	}
	if !slices.Equal(r.Flaws, want) {
		t.Errorf("flaws are\n%q, want\n%q", r.Flaws, want)
	}
	var ids []string
	for i := range chats {
		ids = append(ids, chats[i].ID.V)
	}
	if !slices.Equal(ids, []string{"a", "b", "c"}) {
		t.Errorf("chats a, b and c should be there, got %q", ids)
	}

	messages, r := d.Messages([]byte(`[{"role":"user"},{"id":"m","role":1},{"id":"n","member":{"user":{"id":"u"}}}]`))
	if len(messages) != 2 || messages[0].ID.V != "m" || messages[1].ID.V != "n" || messages[1].Member.V.User.V.ID.V != "u" {
		t.Errorf("messages m and n should be there, got %+v", messages)
	}
	if want := []string{"[0].id: missing", "[1].role: not a string", "[2].member.id: missing"}; !slices.Equal(r.Flaws, want) {
		t.Errorf("flaws are %q, want %q", r.Flaws, want)
	}
}

func TestAPageThatIsNoListIsFlawed(t *testing.T) {
	var d Decoder
	for body, want := range map[string]string{
		`{"error":"no"}`: "frame: not an array", `"x"`: "frame: not an array", `null`: "", `[]`: "", ` [ ] `: "",
		`[{"id":"a"}`: "frame: not JSON", ``: "frame: not JSON", `<html>`: "frame: not JSON", `[][]`: "frame: not JSON",
	} {
		chats, r := d.Chats([]byte(body))
		if got := strings.Join(r.Flaws, "|"); got != want || len(chats) > 0 {
			t.Errorf("chats %s: flaws are %q, want %q; %d chats, want none", body, got, want, len(chats))
		}
		messages, r := d.Messages([]byte(body))
		if got := strings.Join(r.Flaws, "|"); got != want || len(messages) > 0 {
			t.Errorf("messages %s: flaws are %q, want %q; %d messages, want none", body, got, want, len(messages))
		}
	}
	for body, want := range map[string]string{`{"a":1}`: "", `7`: "", ``: "frame: not JSON", `{"a":"\u0000"}`: "a: NUL character"} {
		if r := d.Any([]byte(body)); strings.Join(r.Flaws, "|") != want {
			t.Errorf("%s should be flawed as %q, got %q", body, want, r.Flaws)
		}
	}
}

func TestADecoderKeepsNothingOfEarlierFrames(t *testing.T) {
	var bodies []string
	for _, f := range frames {
		if len(f.body) < 10_000 {
			bodies = append(bodies, f.body)
		}
	}
	bodies = append(bodies, string(testFile(t, "event.json")), string(testFile(t, "typical.json")))
	var used Decoder
	order := rand.New(rand.NewPCG(1, 2))
	var earlier []func() error
	for range 4 * len(bodies) {
		body := []byte(bodies[order.IntN(len(bodies))])
		var fresh Decoder
		e, r := used.Frame(body)
		want, wantReading := fresh.Frame(body)
		same := func() error {
			if names := differing(said(&want), said(&e)); len(names) > 0 {
				return fmt.Errorf("frame %.60q: %q differ from what a new decoder says", body, names)
			}
			if !slices.Equal(r.Flaws, wantReading.Flaws) || r.Faithful != wantReading.Faithful || !bytes.Equal(r.Payload, wantReading.Payload) {
				return fmt.Errorf("frame %.60q: the reading %q differs from a new decoder's %q", body, r.Flaws, wantReading.Flaws)
			}
			return nil
		}
		if err := same(); err != nil {
			t.Error(err)
		}
		if earlier = append(earlier, same); len(earlier) > 5 {
			if err := earlier[len(earlier)-5](); err != nil {
				t.Errorf("after later frames: %v", err)
			}
		}
	}
}

func TestPostgresTakesEveryPayloadAndGivesTheSameEventBack(t *testing.T) {
	pool := dbtest.New(t)
	var d Decoder
	check := func(name string, body []byte, decode func([]byte) (any, Reading)) {
		v, r := decode(body)
		if r.Payload == nil {
			return
		}
		var text string
		if err := pool.QueryRow(t.Context(), "SELECT $1::jsonb::text", string(r.Payload)).Scan(&text); err != nil {
			t.Errorf("%s: Postgres should take the payload: %v", name, err)
			return
		}
		if model := string(likeJSONB(r.Payload)); model != text {
			t.Errorf("%s: likeJSONB should write\n%.300s, it writes\n%.300s", name, text, model)
		}
		was := said(v)
		back, again := decode([]byte(text))
		for _, path := range differing(was, said(back)) {
			t.Errorf("%s: %s was %.80q and came back as %.80q", name, path, was[path], said(back)[path])
		}
		if !again.Faithful {
			t.Errorf("%s: what Postgres gives back should need no repair, got flaws %q", name, again.Flaws)
		}
	}
	asFrame := func(b []byte) (any, Reading) {
		e, r := d.Frame(b)
		return &e, r
	}
	asChats := func(b []byte) (any, Reading) {
		c, r := d.Chats(b)
		return &c, r
	}
	for _, f := range frames {
		check(f.name, []byte(f.body), asFrame)
		check(f.name+", in a page", []byte(`[`+f.body+`,{"id":"last"}]`), asChats)
	}
	event := testFile(t, "event.json")
	check("event.json", event, asFrame)
	mutate := rand.New(rand.NewPCG(3, 4))
	for i := range 400 {
		body := mutated(mutate, event)
		check("mutation "+strconv.Itoa(i)+" of event.json", body, asFrame)
	}
}

// mutated replaces a few values of a frame with strange ones.
func mutated(r *rand.Rand, body []byte) []byte {
	strange := []string{
		`null`, `true`, `-0.0`, `1e5`, `12e-1`, `1e400`, `1e131072`, `9223372036854775807.0`, `""`, `"\u0000"`, `"\ud83d"`, "\"\xff\"",
		`"2024-03-01T00:00:00\u005a"`, `"2024-03-01T24:00:00Z"`, `{}`, `[]`, `[{"id":"x"},null]`, `{"id":"y","id":"z"}`, `{"id":"\u0079"}`,
	}
	out := bytes.Clone(body)
	for range 1 + r.IntN(4) {
		// A value begins after a colon and a space; it is replaced when it is plain.
		at := r.IntN(len(out))
		i := bytes.Index(out[at:], []byte(`": `))
		if i < 0 {
			continue
		}
		begin := at + i + 3
		end := begin + bytes.IndexByte(out[begin:], '\n')
		if end < begin || bytes.ContainsAny(out[begin:begin+1], "{[") {
			continue
		}
		end = begin + len(bytes.TrimRight(out[begin:end], ","))
		out = slices.Concat(out[:begin], []byte(strange[r.IntN(len(strange))]), out[end:])
	}
	return out
}

// decodesAgain checks that the payload decodes to what its frame did, as it stands and as jsonb writes it.
func decodesAgain(t *testing.T, name string, first Reading, decode func([]byte) (any, Reading), was map[string]string) {
	t.Helper()
	checkFlaws(t, first)
	if first.Payload == nil {
		if first.Faithful || len(first.Flaws) != 1 {
			t.Errorf("%s: without a payload there should be one flaw, got %q", name, first.Flaws)
		}
		return
	}
	v, second := decode(first.Payload)
	for _, path := range differing(was, said(v)) {
		t.Errorf("%s: %s was %.80q and is %.80q in the payload", name, path, was[path], said(v)[path])
	}
	if !second.Faithful || !bytes.Equal(second.Payload, first.Payload) {
		t.Errorf("%s: the payload should need no repair, got flaws %q", name, second.Flaws)
	}
	if n := len(first.Flaws) - len(second.Flaws); len(first.Flaws) <= maxFlaws && (n < 0 || !slices.Equal(first.Flaws[n:], second.Flaws)) {
		t.Errorf("%s: the payload should have no flaws of its own, it has %q where the frame had %q", name, second.Flaws, first.Flaws)
	}

	stored := likeJSONB(first.Payload)
	v, third := decode(stored)
	for _, path := range differing(was, said(v)) {
		t.Errorf("%s: %s was %.80q and is %.80q once stored as jsonb", name, path, was[path], said(v)[path])
	}
	if !third.Faithful {
		t.Errorf("%s: what jsonb gives back should need no repair, got flaws %q", name, third.Flaws)
	}
	slices.Sort(second.Flaws)
	slices.Sort(third.Flaws)
	if len(second.Flaws) <= maxFlaws && !slices.Equal(second.Flaws, third.Flaws) {
		t.Errorf("%s: what jsonb gives back is flawed as %q, the payload as %q", name, third.Flaws, second.Flaws)
	}
}

// likeJSONB writes JSON as Postgres writes jsonb: members by the length of their names and then by bytes, numbers without
// an exponent.
func likeJSONB(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return b // encoding/json reads no deeper than ten thousand levels either; nothing that is stored gets here
	}
	room := 4 << 20
	return appendJSONB(nil, v, &room)
}

func appendJSONB(b []byte, v any, room *int) []byte {
	switch v := v.(type) {
	case map[string]any:
		names := slices.SortedFunc(maps.Keys(v), func(a, b string) int {
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			return strings.Compare(a, b)
		})
		b = append(b, '{')
		for i, name := range names {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendJSONBString(b, name), ": "...)
			b = appendJSONB(b, v[name], room)
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendJSONB(b, v[i], room)
		}
		return append(b, ']')
	case string:
		return appendJSONBString(b, v)
	case json.Number:
		n := plainNumber(string(v), *room)
		*room -= len(n)
		return append(b, n...)
	}
	return fmt.Append(b, map[any]string{nil: "null", true: "true", false: "false"}[v])
}

func appendJSONBString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		c := s[i]
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			b = append(b, '\\', `"\bfnrt`[at])
		} else if c < ' ' {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// plainNumber writes a number without an exponent, unless that takes more than room.
func plainNumber(n string, room int) string {
	mantissa, e, _ := strings.Cut(strings.ToLower(n), "e")
	exponent, _ := strconv.Atoi(e)
	if exponent > room || -exponent > room {
		return n
	}
	sign := ""
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if exponent > 0 {
		fraction += strings.Repeat("0", max(exponent-len(fraction), 0))
		whole, fraction = whole+fraction[:exponent], fraction[exponent:]
	} else {
		whole = strings.Repeat("0", max(-exponent-len(whole), 0)) + whole
		at := len(whole) + exponent
		whole, fraction = whole[:at], whole[at:]+fraction
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		whole = "0"
	}
	if whole == "0" && strings.Trim(fraction, "0") == "" {
		sign = ""
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

func BenchmarkFrame(b *testing.B) {
	body := testFile(b, "typical.json")
	var d Decoder
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, r := d.Frame(body); len(r.Flaws) > 0 {
			b.Fatal(r.Flaws)
		}
	}
}
