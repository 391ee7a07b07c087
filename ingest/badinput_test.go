package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest/internal/reference"
	"archiver/spool"
)

var morning = time.Date(2026, 4, 1, 8, 0, 0, 0, time.UTC)

// good is a small frame that nothing is wrong with.
func good(n int) string {
	return fmt.Sprintf(`{"type":"create","identifier":"i%d","data":{"id":"good-%d","title":"fine",`+
		`"created_at":"2026-04-01T07:00:00Z","updated_at":"2026-04-01T08:00:00Z",`+
		`"state":{"id":"s%d","state":"OPEN"},"last_message":{"id":"m%d","role":"user","created_at":"2026-04-01T08:00:00Z"}}}`,
		n, n%7, n, n)
}

// unreadable are bodies of which nothing can be said but that they came, with the flaw each is to get.
var unreadable = []struct {
	name, body, flaw string
	isJSON           bool // then the payload holds it, faithfully or not
	kind             string
}{
	{name: "nothing at all", body: "", flaw: "frame: not JSON"},
	{name: "only space", body: " \n", flaw: "frame: not JSON"},
	{name: "words", body: "hello", flaw: "frame: not JSON"},
	{name: "half an object", body: `{"data":{"id":"c-1"`, flaw: "frame: not JSON"},
	{name: "two objects", body: good(1) + good(2), flaw: "frame: not JSON"},
	{name: "a NUL byte", body: "\x00", flaw: "frame: not JSON"},
	{name: "an unescaped NUL in a string", body: "{\"data\":{\"id\":\"c\x001\"}}", flaw: "frame: not JSON"},
	{name: "invalid UTF-8 and no JSON", body: "\xff\xfe", flaw: "frame: not JSON"},
	{name: "a byte order mark", body: "\ufeff" + good(1), flaw: "frame: not JSON"},
	{name: "a string", body: `"data"`, flaw: "frame: not an object", isJSON: true},
	{name: "a number", body: `17`, flaw: "frame: not an object", isJSON: true},
	{name: "null", body: `null`, flaw: "frame: not an object", isJSON: true},
	{name: "an array", body: `[{"data":{"id":"c-1"}}]`, flaw: "frame: not an object", isJSON: true},
	{name: "an empty object", body: `{}`, flaw: "data: missing", isJSON: true},
	{name: "no data", body: `{"type":"create","identifier":"x"}`, flaw: "data: missing", isJSON: true},
	{name: "data in the wrong case", body: `{"Data":{"id":"c-1"}}`, flaw: "data: missing", isJSON: true},
	{name: "data is null", body: `{"data":null}`, flaw: "data: missing", isJSON: true},
	{name: "data is a string", body: `{"data":"c-1"}`, flaw: "data: not an object", isJSON: true},
	{name: "data is an array", body: `{"data":[]}`, flaw: "data: not an object", isJSON: true},
	{name: "no id", body: `{"data":{"title":"t"}}`, flaw: "id: missing", isJSON: true},
	{name: "an id of another case", body: `{"data":{"ID":"c-1"}}`, flaw: "id: missing", isJSON: true},
	{name: "id is null", body: `{"data":{"id":null}}`, flaw: "id: missing", isJSON: true},
	{name: "id is a number", body: `{"data":{"id":7}}`, flaw: "id: not a string", isJSON: true},
	{name: "id is empty", body: `{"data":{"id":""}}`, flaw: "id: missing", isJSON: true},
	{name: "id is 10,000 bytes long", body: `{"data":{"id":"` + strings.Repeat("x", 10_000) + `"}}`, flaw: "id: longer than 512 bytes", isJSON: true},
	{name: "id is a NUL", body: `{"data":{"id":"\u0000"}}`, flaw: "id: NUL character; id: not a usable id", isJSON: true},
	{name: "nested 12,000 deep", body: strings.Repeat(`[`, 12_000) + strings.Repeat(`]`, 12_000), flaw: "frame: nested too deeply to be read"},
	{name: "a binary frame", body: "\x08\x96\x01", flaw: "frame: binary", kind: KindOther},
	{name: "a binary frame that is JSON", body: good(3), flaw: "frame: binary", kind: KindOther},
	{name: "a kind of later times", body: good(3), kind: "members_page", isJSON: true},
}

func TestWhatCannotBeReadIsKeptWithAFlawAndTouchesNothingElse(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	var all []spool.Record
	for i, bad := range unreadable {
		all = append(all, frame("org", morning.Add(time.Duration(2*i)*time.Second), good(i)))
		r := frame("org", morning.Add(time.Duration(2*i+1)*time.Second), bad.body)
		if bad.kind != "" {
			r.Kind = bad.kind
		}
		all = append(all, r)
	}
	all = append(all, frame("org", morning.Add(time.Hour), good(len(unreadable))))
	a.append(all...)
	a.write()
	a.likeReference(false)

	// The reference, too, has to have nothing of them.
	onlyGood := slices.DeleteFunc(slices.Clone(a.records), func(r reference.Record) bool {
		return r.Seq%2 == 0
	})
	a.sameTables(reference.Inbox(onlyGood), a.tables(), false)

	for i, bad := range unreadable {
		e := a.event(int64(2*i + 2))
		e.wantBytes(t, bad.name, bad.body)
		if want := flawsOf(bad.flaw); !slices.Equal(e.flaws, want) {
			t.Errorf("%s: its flaws are %q, want %q", bad.name, e.flaws, want)
		}
		if (e.payload != nil) != bad.isJSON {
			t.Errorf("%s: payload is there: %v, want %v", bad.name, e.payload != nil, bad.isJSON)
		}
		if e.chatID != nil {
			t.Errorf("%s: its chat_id is set, want NULL", bad.name)
		}
	}
	for i := range len(unreadable) + 1 {
		if e := a.event(int64(2*i + 1)); e.flaws != nil || e.raw != nil || e.payload == nil {
			t.Errorf("the good event at seq %d has flaws %q, bytes %v; want neither", 2*i+1, e.flaws, e.raw != nil)
		}
	}
	if lines := a.log.lines(); len(lines) > 0 {
		t.Errorf("the log has %d lines, want none: bad input is in the table\n%s", len(lines), a.log)
	}
}

func flawsOf(listed string) []string {
	if listed == "" {
		return nil
	}
	return strings.Split(listed, "; ")
}

type keptEvent struct {
	payload any
	raw     []byte
	flaws   []string
	sha256  []byte
	chatID  *string
}

func (a *archive) event(seq int64) (e keptEvent) {
	a.t.Helper()
	row := a.rows("select payload, raw, flaws, sha256, chat_id, kind from raw.events where seq = $1", seq)
	if len(row) != 1 {
		a.t.Fatalf("raw.events has %d rows of seq %d, want 1", len(row), seq)
	}
	e.payload, e.raw = row[0]["payload"], asBytes(row[0]["raw"])
	e.sha256 = asBytes(row[0]["sha256"])
	if flaws, ok := row[0]["flaws"].([]string); ok {
		e.flaws = flaws
	}
	if id, ok := row[0]["chat_id"].(string); ok {
		e.chatID = &id
	}
	return e
}

func asBytes(v any) []byte {
	b, _ := v.([]byte)
	return b
}

// wantBytes checks that the original can be had again: from raw, or else from the payload, whose content it then is.
func (e *keptEvent) wantBytes(t *testing.T, name, body string) {
	t.Helper()
	if sum := sha256.Sum256([]byte(body)); !bytes.Equal(e.sha256, sum[:]) {
		t.Errorf("%s: sha256 is not that of the bytes as they came", name)
	}
	if e.raw != nil {
		if string(e.raw) != body {
			t.Errorf("%s: raw is not the bytes as they came (%d bytes, want %d)", name, len(e.raw), len(body))
		}
		return
	}
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Errorf("%s: raw is NULL though the bytes are no JSON", name)
	} else if want := reference.Canonical(v); e.payload != want {
		t.Errorf("%s: raw is NULL though the payload is not the same content", name)
	}
}

// repaired are frames of which something is bad, and all the rest is read.
var repaired = []struct {
	name, body string
	flaws      []string // all of them
	keepsBytes bool     // jsonb would not be the same
}{
	{"NUL in a title", chatWith(`"title":"a\u0000b"`), []string{"title: NUL character"}, true},
	{"NUL in an unknown field", chatWith(`"new":["\u0000"]`), []string{"new[0]: NUL character"}, true},
	{"NUL in a name", chatWith(`"a\u0000":1`), []string{"a\uFFFD: NUL character"}, true},
	{"an escaped backslash before u0000", chatWith(`"title":"C:\\u0000"`), nil, false},
	{"a lone surrogate", chatWith(`"title":"\ud800!"`), []string{"title: invalid UTF-8 or lone surrogate"}, true},
	{"a lone low surrogate", chatWith(`"title":"\udc00"`), []string{"title: invalid UTF-8 or lone surrogate"}, true},
	{"a true pair", chatWith(`"title":"\ud83d\ude00"`), nil, false},
	{"invalid UTF-8", chatWith("\"title\":\"\xff\""), []string{"title: invalid UTF-8 or lone surrogate"}, true},
	{"invalid UTF-8 in an id", chatWith("\"members\":[{\"id\":\"m\xff\"}]"),
		[]string{"members[0].id: invalid UTF-8 or lone surrogate", "members[0].id: not a usable id"}, true},
	{"a duplicate key", chatWith(`"title":"one","title":"two"`), []string{"title: duplicate key"}, true},
	{"a duplicate state", chatWith(`"state":{"id":"s","state":"OPEN"},"state":{"id":"s","state":"CLOSED"}`),
		[]string{"state: duplicate key"}, true},
	{"1e400", chatWith(`"state":{"id":"s","csat_score":1e400}`), []string{"state.csat_score: out of range"}, false},
	{"1e400 in features", chatWith(`"features":{"n":1e400}`), nil, false},
	{"1e999999", chatWith(`"state":{"id":"s","csat_score":1e999999,"state":"OPEN"}`),
		[]string{"state.csat_score: number out of range"}, true},
	{"1e999999 in an unknown field", chatWith(`"new":{"n":1e999999}`), []string{"new.n: number out of range"}, true},
	{"1e-999999 in features", chatWith(`"features":{"n":1e-999999}`), []string{"features.n: number out of range"}, true},
	{"impossible dates", chatWith(`"state":{"id":"s","assigned_at":"2026-02-30T00:00:00Z","follow_up_at":"now",` +
		`"muted_until":"2026-01-01T24:00:00Z","last_contact_message_at":"infinity"}`),
		[]string{"state.assigned_at: not a time", "state.follow_up_at: not a time", "state.muted_until: not a time",
			"state.last_contact_message_at: not a time"}, false},
	{"a date before Christ", chatWith(`"state":{"id":"s","assigned_at":"0000-01-01T00:00:00Z"}`),
		[]string{"state.assigned_at: not a time"}, false},
	{"years at both ends", chatWith(`"state":{"id":"s","assigned_at":"0001-01-01T00:00:00Z","follow_up_at":"9999-12-31T23:59:59.999999Z"}`), nil, false},
	{"created_at is no time: still a snapshot", `{"data":{"id":"chat","created_at":"yesterday","updated_at":"2026-04-01T08:00:01Z"}}`,
		[]string{"created_at: not a time"}, false},
	{"numbers as text", chatWith(`"title":1,"pinned":"true","state":{"id":"s","csat_score":"5","admin_unseen_count":1.5,"ai_enabled":1}`),
		[]string{"title: not a string", "pinned: not true or false", "state.csat_score: not a number",
			"state.admin_unseen_count: not a whole number", "state.ai_enabled: not true or false"}, false},
	{"whole numbers in every spelling", chatWith(`"state":{"id":"s","csat_score":5.0,"admin_unseen_count":1e2,"user_unseen_count":-0}`), nil, false},
	{"a number larger than its column", chatWith(`"state":{"id":"s","csat_score":3000000000,"admin_unseen_count":9223372036854775808}`),
		[]string{"state.csat_score: out of range", "state.admin_unseen_count: out of range"}, false},
	{"objects of the wrong type", chatWith(`"members":{},"tools":"x","features":[],"state":3,"last_message":"m","referral":[]`),
		[]string{"members: not an array", "tools: not an array", "features: not an object", "state: not an object",
			"last_message: not an object", "referral: not an object"}, false},
	{"nested objects of the wrong type", chatWith(`"state":{"id":"s","assistant":1,"assistant_integration":[],"assigned_user":"u","assistant_config":[]},` +
		`"members":[1,null,"m",{"id":"m-1","user":"u","session":[],"contact_channel":true}]`),
		[]string{"state.assistant: not an object", "state.assistant_integration: not an object",
			"state.assigned_user: not an object", "state.assistant_config: not an object", "members[0]: not an object",
			"members[1]: not an object", "members[2]: not an object", "members[3].user: not an object",
			"members[3].session: not an object", "members[3].contact_channel: not an object"}, false},
	{"nested objects without an id", chatWith(`"members":[{"id":"m-1","user":{"name":"N"},"contact_channel":{"phone":"1","contact":{"name":"C"}}}],` +
		`"state":{"id":"s","assigned_user":{"email":"e"},"assistant":{"name":"A"},"assistant_integration":{"enabled":true}},"last_message":{"role":"user"}`),
		[]string{"members[0].user.id: missing", "members[0].contact_channel.contact.id: missing",
			"members[0].contact_channel.id: missing", "state.assigned_user.id: missing", "state.assistant.id: missing",
			"state.assistant_integration.id: missing", "last_message.id: missing"}, false},
	{"ids of 10,000 bytes everywhere", chatWith(strings.ReplaceAll(`"members":[{"id":"LONG"},{"id":"m-1","user":{"id":"LONG"}}],`+
		`"state":{"id":"LONG","assistant_id":"LONG","assigned_user":{"id":"LONG"}},"last_message":{"id":"LONG"}`, "LONG", strings.Repeat("x", 10_000))),
		[]string{"members[0].id: longer than 512 bytes", "members[1].user.id: longer than 512 bytes",
			"state.id: longer than 512 bytes", "state.assistant_id: longer than 512 bytes",
			"state.assigned_user.id: longer than 512 bytes", "last_message.id: longer than 512 bytes"}, false},
	{"ids of 512 incompressible bytes everywhere", chatWith(`"last_message":{"id":"` + noise(512, 1) + `","created_at":"2026-04-01T08:00:00Z",` +
		`"member":{"id":"` + noise(512, 2) + `"},"messages":[{"parts":[{"file":{"id":"` + noise(512, 3) + `"}}]}]}`), nil, false},
	{"a message of wrong types", chatWith(`"last_message":{"id":"m-2","created_at":1,"updated_at":"","messages":[1,{"parts":{}},{"parts":[2,{"text":3,"file":{"file_size":"big"}}]}],` +
		`"usage":{"input_tokens":"7","turns":{}},"member":"x","is_broadcast_message":"no","error":{}}`),
		[]string{"last_message.created_at: not a time", "last_message.updated_at: not a time",
			"last_message.messages[0]: not an object", "last_message.messages[1].parts: not an array",
			"last_message.messages[2].parts[0]: not an object", "last_message.messages[2].parts[1].text: not a string",
			"last_message.messages[2].parts[1].file.file_size: not a number",
			"last_message.messages[2].parts[1].file.id: missing", "last_message.usage.input_tokens: not a number",
			"last_message.usage.turns: not an array", "last_message.member: not an object",
			"last_message.is_broadcast_message: not true or false", "last_message.error: not a string"}, false},
	{"tools and configuration of wrong types", chatWith(`"tools":[1,{"name":2},{"name":"t"}],"state":{"id":"s","assistant_config":{"model":1,"conversation":{"enable_memories":"yes"}}}`),
		[]string{"tools[0]: not an object", "tools[1].name: not a string", "state.assistant_config.model: not a string",
			"state.assistant_config.conversation.enable_memories: not true or false"}, false},
	{"a referral of wrong types", chatWith(`"referral":{"ref":1,"ads_context_data":"x","parts":{}}`),
		[]string{"referral.ref: not a string", "referral.ads_context_data: not an object", "referral.parts: not an array"}, false},
	{"5,000 levels in an unknown field", chatWith(`"new":` + strings.Repeat(`[`, 5_000) + strings.Repeat(`]`, 5_000)),
		[]string{"new" + strings.Repeat("[0]", 84) + "[…: nested too deeply"}, true},
	{"type and identifier of wrong types", `{"type":1,"identifier":[],` + chatWith(`"title":"t"`)[1:],
		[]string{"type: not a string", "identifier: not a string"}, false},
}

// chatWith is a frame with a snapshot of a chat that has these fields besides.
func chatWith(fields string) string {
	return `{"data":{"id":"chat","created_at":"2026-04-01T07:00:00Z","updated_at":"2026-04-01T08:00:00Z",` + fields + `}}`
}

// noise is n bytes of text that cannot be compressed much.
func noise(n int, seed byte) string {
	var b strings.Builder
	for sum := sha256.Sum256([]byte{seed}); b.Len() < n; sum = sha256.Sum256(sum[:]) {
		fmt.Fprintf(&b, "%x", sum)
	}
	return b.String()[:n]
}

func TestOneBadFieldLosesNothingButItself(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i, bad := range repaired {
		// Each is a chat of its own, but for the id the frames are as they stand above.
		body := strings.Replace(bad.body, `"id":"chat"`, fmt.Sprintf(`"id":"chat-%d"`, i), 1)
		a.append(
			frame("org", morning.Add(time.Duration(2*i)*time.Second), good(i)),
			frame("org", morning.Add(time.Duration(2*i+1)*time.Second), body),
		)
	}
	a.write()
	a.likeReference(false)
	for i, bad := range repaired {
		e := a.event(int64(2*i + 2))
		e.wantBytes(t, bad.name, string(a.records[2*i+1].Body))
		slices.Sort(e.flaws)
		want := slices.Sorted(slices.Values(bad.flaws))
		if !slices.Equal(e.flaws, want) && len(e.flaws)+len(want) > 0 {
			t.Errorf("%s: its flaws are\n  %s\nwant\n  %s", bad.name, strings.Join(e.flaws, "\n  "), strings.Join(want, "\n  "))
		}
		if (e.raw != nil) != bad.keepsBytes {
			t.Errorf("%s: the bytes are kept beside the payload: %v, want %v", bad.name, e.raw != nil, bad.keepsBytes)
		}
		if e.payload == nil || e.chatID == nil || *e.chatID != fmt.Sprintf("chat-%d", i) {
			t.Errorf("%s: payload and chat_id are to be there, and the chat's", bad.name)
		}
	}
	if n := a.count("select count(*) from inbox.chats where chat_id like 'chat-%'"); n != len(repaired) {
		t.Errorf("inbox.chats has %d of the chats with a bad field, want all %d", n, len(repaired))
	}
	if lines := a.log.lines(); len(lines) > 0 {
		t.Errorf("the log has %d lines, want none: Postgres has to take it all\n%s", len(lines), a.log)
	}
}

// TestValuesTooLongForAnIndexAreStoredLikeAnyOther: whatever an index is over, it is no text of the vendor without a bound.
func TestValuesTooLongForAnIndexAreStoredLikeAnyOther(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	long := func(mark string) string { // that does not compress
		var b strings.Builder
		for i := range 400 {
			fmt.Fprintf(&b, "%s%x", mark, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
		}
		return b.String()
	}
	a.append(frame("o", morning, fmt.Sprintf(`{"type":%q,"data":{"id":"c","title":%q,"model":%q,"status":%q,`+
		`"created_at":"2026-04-01T07:00:00Z","updated_at":"2026-04-01T08:00:00Z","state":{"id":"s","state":%q,"integration_id":%q},`+
		`"members":[{"id":"m","role":%q,"contact_channel":{"id":"ch","type":%q,"email":%q}}],`+
		`"last_message":{"id":"x","role":%q,"status":%q,"model":%q,"usage":{"input_tokens":5},"created_at":"2026-04-01T08:00:00Z"}}}`,
		long("type"), long("title"), long("model"), long("status"), long("state"), long("integration"), long("role"), long("channel"),
		long("email"), long("sender"), long("ended"), long("message model"))))
	a.write()
	if n := a.count("select count(*) from raw.events where flaws is not null"); n != 0 {
		t.Errorf("the event has flaws, want none: %v", a.rows("select flaws from raw.events"))
	}
	if n := a.count("select count(*) from inbox.messages as m join inbox.chat_states as s using (org_id, chat_id) where length(m.model) > 20000 and length(s.state) > 20000"); n != 1 {
		t.Errorf("%d messages and states hold their long values, want 1", n)
	}
}

func TestAFrameOfTwentyMegabytesIsStoredLikeAnyOther(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(
		frame("org", morning, good(1)),
		frame("org", morning.Add(time.Second), chatWith(`"title":"large","last_message":{"id":"m","created_at":"2026-04-01T08:00:00Z",`+
			`"messages":[{"parts":[{"type":"text","text":"`+strings.Repeat("a long story. ", 20<<20/14)+`"}]}]}`)),
		frame("org", morning.Add(2*time.Second), good(2)),
		frame("org", morning.Add(3*time.Second), strings.Repeat("x", 20<<20)),
		frame("org", morning.Add(4*time.Second), good(3)),
	)
	a.write()
	a.likeReference(false)
	if e := a.event(4); len(e.raw) != 20<<20 || !slices.Equal(e.flaws, []string{"frame: not JSON"}) {
		t.Errorf("20 MB that are no JSON: %d bytes are kept, flaws %q; want all, and that it is not JSON", len(e.raw), e.flaws)
	}
}

func TestOnePoisonousEventAmongFiveHundredIsSetAsideAlone(t *testing.T) {
	t.Parallel()
	const secret = "Kunigunde"
	a := newArchive(t)
	// What Postgres will refuse tomorrow is not known; here it refuses a title.
	if _, err := a.check.Exec(t.Context(), `alter table inbox.chats add constraint no_poison check (title not like '%poison%')`); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		body := good(i)
		if i == 317 {
			body = chatWith(`"title":"poison for ` + secret + `","members":[{"id":"m","user":{"id":"u","name":"` + secret + `"}}]`)
		}
		a.append(frame("org", morning.Add(time.Duration(i)*time.Second), body))
	}
	a.write()
	if n := a.count("select count(*) from raw.events"); n != 500 {
		t.Errorf("raw.events has %d rows, want all 500", n)
	}
	poison := a.event(318)
	poison.wantBytes(t, "the poisonous event", string(a.records[317].Body))
	if want := []string{"frame: refused by Postgres (23514 no_poison)"}; !slices.Equal(poison.flaws, want) {
		t.Errorf("the refused event's flaws are %q, want %q", poison.flaws, want)
	}
	if poison.raw == nil {
		t.Error("the refused event's bytes are not in raw")
	}
	if n := a.count("select count(*) from raw.events where flaws is not null"); n != 1 {
		t.Errorf("%d events have flaws, want the one", n)
	}
	a.records = slices.Delete(a.records, 317, 318)
	a.sameTables(reference.Inbox(a.records), a.tables(), false)
	if lines := a.log.lines(); len(lines) != 1 || !strings.Contains(lines[0], "refuses an event") {
		t.Errorf("the log has %d lines, want one, on the refusal\n%s", len(lines), a.log)
	}
	for _, word := range []string{secret, "poison for"} {
		if strings.Contains(a.log.String(), word) {
			t.Errorf("the log holds %q, which is the event's content", word)
		}
	}
}
