package invent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// testdata/event.json has every field of the published schema and every enumerated one, each with a value of its own;
// testdata/event.want says where each of them goes.
func TestEveryFieldIsDecodedToItsPlace(t *testing.T) {
	var d Decoder
	body := testFile(t, "event.json")
	e, r := d.Frame(body)
	if len(r.Flaws) > 0 || !r.Faithful || !bytes.Equal(r.Payload, body) {
		t.Fatalf("the frame should be faithful and without flaws, got faithful %t, flaws %q", r.Faithful, r.Flaws)
	}
	got := said(&e)
	config, r := d.AssistantConfig(e.Data.V.State.V.AssistantConfig.V)
	if len(r.Flaws) > 0 {
		t.Errorf("the configuration should have no flaws, got %q", r.Flaws)
	}
	maps.Copy(got, under("AssistantConfig()", said(&config)))
	tools, r := d.Tools(e.Data.V.Tools.V)
	if len(r.Flaws) > 0 {
		t.Errorf("the tools should have no flaws, got %q", r.Flaws)
	}
	maps.Copy(got, under("Tools()", said(&tools)))

	want := map[string]string{}
	for line := range strings.Lines(string(testFile(t, "event.want"))) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		want[name] = value
	}
	for name, value := range got {
		if value == "absent" || value == "null" {
			t.Errorf("%s is %s: the file should have every field", name, value)
		}
	}
	for _, name := range differing(want, got) {
		t.Errorf("%s is %q, want %q", name, got[name], want[name])
	}
}

// Every node of the file is replaced with a value of every other JSON type: the field is Null, one flaw names it, and
// nothing else changes.
func TestAWrongTypeAnywhereCostsOneField(t *testing.T) {
	var d Decoder
	event := testFile(t, "event.json")
	e, _ := d.Frame(event)
	// What a block holds is its own decoder's business, and web_search may be anything.
	blocks := regexp.MustCompile(`^(tools|last_message\.tools|state\.assistant_config|state\.assistant\.config)[.[]` +
		`|features\.web_search[.[]`)
	checkWrongTypes(t, event, func(b []byte) (any, Reading) {
		e, r := d.Frame(b)
		return &e, r
	}, blocks)
	checkWrongTypes(t, e.Data.V.State.V.AssistantConfig.V, func(b []byte) (any, Reading) {
		c, r := d.AssistantConfig(b)
		return &c, r
	}, regexp.MustCompile(`suggested_messages`))
	checkWrongTypes(t, e.Data.V.Tools.V, func(b []byte) (any, Reading) {
		tools, r := d.Tools(b)
		return &tools, r
	}, regexp.MustCompile(`\.parameters\.`))
}

// ids that an object cannot do without.
var required = regexp.MustCompile(`(^|\bmembers\[\d\]\.|\b(last_message|member|user|assigned_user|contact_channel|contact|` +
	`assistant|assistant_integration|audio|file)\.)id$`)

// checkWrongTypes replaces the values in body one by one. Blocks are values that are kept as they stand, by a pattern of
// the paths within them.
func checkWrongTypes(t *testing.T, body []byte, decode func([]byte) (any, Reading), blocks *regexp.Regexp) {
	t.Helper()
	var root any
	if err := json.Unmarshal(body, &root); err != nil {
		t.Fatal(err)
	}
	nodes := slices.DeleteFunc(nodesOf(root), func(n node) bool { return blocks.MatchString(n.path) })
	with := func(n node, value any) (fields map[string]string, flaws []string) {
		n.set(value)
		defer n.set(n.value)
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		v, r := decode(b)
		fields = map[string]string{}
		say(fields, "", reflect.ValueOf(v), false)
		return fields, r.Flaws
	}
	plain, flaws := with(nodes[0], nodes[0].value)
	if len(flaws) > 0 {
		t.Fatalf("as it stands it should have no flaws, got %q", flaws)
	}

	// First null everywhere, to learn which field is whose.
	field := map[string]string{} // by path in the JSON
	for _, n := range nodes {
		if n.isContainer() && !blocks.MatchString(n.path+".") && !blocks.MatchString(n.path+"[") {
			continue
		}
		got, flaws := with(n, nil)
		changed := differing(plain, got)
		if len(changed) != 1 || got[changed[0]] != "null" {
			t.Errorf("null at %s should make one field null, changed %q", n.path, changed)
			continue
		}
		field[n.path] = changed[0]
		var want []string
		if required.MatchString(n.path) {
			want = []string{n.path + ": missing"}
		}
		if !slices.Equal(flaws, want) {
			t.Errorf("null at %s should be flawed as %q, got %q", n.path, want, flaws)
		}
	}
	owners := slices.Sorted(maps.Values(field))
	if len(owners) < 10 || len(slices.Compact(owners)) != len(field) {
		t.Errorf("two places in the JSON fill the same field")
	}

	for _, n := range nodes {
		if strings.HasSuffix(n.path, "]") {
			continue // elements have a test of their own
		}
		for _, wrong := range n.wrong() {
			got, flaws := with(n, wrong)
			var want []string
			if wrong != nil {
				want = []string{n.path + ": " + n.reason()}
			}
			if !slices.Equal(flaws, want) {
				t.Errorf("%v at %s should be flawed as %q, got %q", wrong, n.path, want, flaws)
			}
			for path, name := range field {
				value, still := got[name]
				switch {
				case !n.holds(path):
					if value != plain[name] {
						t.Errorf("%v at %s should not change %s, which is now %q", wrong, n.path, name, value)
					}
				case path == n.path && value != "null":
					t.Errorf("%v at %s should make %s null, it is %q", wrong, n.path, name, value)
				case still && value != "null" && value != "absent":
					t.Errorf("%v at %s should leave nothing at %s, which is %q", wrong, n.path, name, value)
				}
			}
		}
	}
}

func TestABadElementIsLeftOutOfItsList(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte(`{"data":{"id":"c","members":["x",{"id":"m1"},null,{"role":"ADMIN"},{"id":"m2"}],
		"last_message":{"id":"l","messages":[{"parts":[7,{"text":"a"},[],{"text":"b"}]},false],
			"usage":{"turns":[null,{"input_tokens":1}]}},
		"referral":{"parts":[{"url":"u"},"v"]}}}`))
	want := []string{
		"members[0]: not an object", "members[2]: not an object", "members[3].id: missing",
		"last_message.messages[0].parts[0]: not an object", "last_message.messages[0].parts[2]: not an object",
		"last_message.messages[1]: not an object", "last_message.usage.turns[0]: not an object",
		"referral.parts[1]: not an object",
	}
	if !slices.Equal(r.Flaws, want) {
		t.Errorf("flaws are\n%q, want\n%q", r.Flaws, want)
	}
	c := e.Data.V
	if len(c.Members.V) != 3 || c.Members.V[0].ID.V != "m1" || c.Members.V[2].ID.V != "m2" {
		t.Errorf("the three members that are objects should be there, got %+v", c.Members.V)
	}
	parts := c.LastMessage.V.Contents.V[0].Parts
	if len(parts) != 2 || parts[0].Text.V != "a" || parts[1].Text.V != "b" {
		t.Errorf("both text parts should be there, got %+v", parts)
	}
	if turns := c.LastMessage.V.Usage.V.Turns.V; len(turns) != 1 || turns[0].InputTokens.V != 1 {
		t.Errorf("the turn that is an object should be there, got %+v", turns)
	}
	if got := string(c.LastMessage.V.Usage.V.TurnsJSON); got != `[null,{"input_tokens":1}]` {
		t.Errorf("the turns as they stand should be kept, got %s", got)
	}

	config, r := d.AssistantConfig(JSON(`{"conversation":{"suggested_messages":["a",1,null,"b"]}}`))
	if !slices.Equal(config.Conversation.SuggestedMessages, []string{"a", "b"}) ||
		!slices.Equal(r.Flaws, []string{"conversation.suggested_messages[1]: not a string"}) {
		t.Errorf("suggestions that are texts should be there, got %q with flaws %q", config.Conversation.SuggestedMessages, r.Flaws)
	}
	tools, r := d.Tools(JSON(`["x",{"name":"a"},null]`))
	if len(tools) != 1 || tools[0].Name.V != "a" ||
		!slices.Equal(r.Flaws, []string{"[0]: not an object", "[2]: not an object"}) {
		t.Errorf("the tool that is an object should be there, got %+v with flaws %q", tools, r.Flaws)
	}
}

func TestAbsentNullAndGivenAreToldApart(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte(`{"data":{"id":"c","title":null,"link":"","pinned":false,"state":null,"members":[],
		"features":{},"created_at":"yesterday","updated_at":null}}`))
	if !slices.Equal(r.Flaws, []string{"created_at: not a time"}) {
		t.Errorf("only created_at should be flawed, got %q", r.Flaws)
	}
	c := e.Data.V
	for name, check := range map[string]struct{ got, want Presence }{
		"identifier":  {e.Identifier.Presence, Absent},
		"model":       {c.Model.Presence, Absent},
		"temporary":   {c.Temporary.Presence, Absent},
		"tools":       {c.Tools.Presence, Absent},
		"referral":    {c.Referral.Presence, Absent},
		"title":       {c.Title.Presence, Null},
		"state":       {c.State.Presence, Null},
		"created_at":  {c.CreatedAt.Presence, Null},
		"updated_at":  {c.UpdatedAt.Presence, Null},
		"link":        {c.Link.Presence, Given},
		"pinned":      {c.Pinned.Presence, Given},
		"members":     {c.Members.Presence, Given},
		"features":    {c.Features.Presence, Given},
		"web_search":  {c.Features.V.WebSearch.Presence, Absent},
		"data itself": {e.Data.Presence, Given},
	} {
		if check.got != check.want {
			t.Errorf("%s should be %d, is %d", name, check.want, check.got)
		}
	}
	if c.Title.Ptr() != nil || c.Title.Named() != true || c.Title.Given() || *c.Link.Ptr() != "" || c.Model.Named() {
		t.Error("Ptr, Named and Given should follow the presence")
	}
	if !c.IsSnapshot() {
		t.Error("a chat whose anchors are there, though bad, should be a snapshot")
	}
	if c.State.V != nil {
		t.Error("a state that is null should have no value")
	}
}

func TestAPatchIsNoSnapshot(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte(`{"data":{"id":"c","updated_at":"2024-03-01T00:00:00Z","state":{"csat_score":5},
		"last_message":{"id":"m","status":"FAILED"}}}`))
	if len(r.Flaws) > 0 {
		t.Errorf("a patch should have no flaws, got %q", r.Flaws)
	}
	if e.Data.V.IsSnapshot() || e.Data.V.State.V.IsSnapshot() || e.Data.V.LastMessage.V.IsSnapshot() {
		t.Error("nothing here has its anchors")
	}
	if !e.Data.V.LastMessage.V.HasEnded() || e.Data.V.LastMessage.V.IsRunning() {
		t.Error("a failed message should have ended")
	}
}

func TestOnlyADeletionSaysDeleted(t *testing.T) {
	for typ, want := range map[string]bool{
		"delete": true, "deleted": true, "DELETE": true, "removed": true, "create": false, "update": false, "": false, "undelete": false,
	} {
		e := Event{Type: Field[string]{V: typ, Presence: Given}}
		if e.SaysDeleted() != want {
			t.Errorf("type %q should say deleted: %t", typ, want)
		}
	}
}

func TestNamesMatchByExactCaseAndHoweverTheyAreEscaped(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte("{\"Data\":1,\"dat\\u0061\":{\"\\u0069d\":\"c\",\"ID\":\"other\",\"Title\":\"no\",\"t\\u0069tle\":\"y\\u0065s\",\"titlE\":5}}"))
	if len(r.Flaws) > 0 || e.Data.V.ID.V != "c" || e.Data.V.Title.V != "yes" {
		t.Errorf("id should be c and title yes, got %+v %+v with flaws %q", e.Data.V.ID, e.Data.V.Title, r.Flaws)
	}
}

func TestTimesAreReadStrictlyAndCutToMicroseconds(t *testing.T) {
	for in, want := range map[string]string{
		`"2024-02-29T12:00:00Z"`:                "2024-02-29T12:00:00Z",
		`"2024-02-29T12:00:00.123456789+05:45"`: "2024-02-29T06:15:00.123456Z",
		`"2024-02-29T12:00:00\u002B01:00"`:      "2024-02-29T11:00:00Z",
		`"1969-12-31T23:59:59.9999999Z"`:        "1969-12-31T23:59:59.999999Z",
		`"0001-01-01T00:00:00Z"`:                "0001-01-01T00:00:00Z",
		`"2023-02-29T12:00:00Z"`:                "",
		`"2024-13-01T00:00:00Z"`:                "",
		`"2024-01-01T24:00:00Z"`:                "",
		`"2016-12-31T23:59:60Z"`:                "",
		`"2024-01-01T00:00:00"`:                 "",
		`"2024-01-01"`:                          "",
		`"0000-06-01T00:00:00Z"`:                "",
		`"9999-12-31T23:59:59-01:00"`:           "",
		`"12024-01-01T00:00:00Z"`:               "",
		`"now"`:                                 "",
		`"infinity"`:                            "",
		`""`:                                    "",
		`1709208000`:                            "",
		`" 2024-02-29T12:00:00Z"`:               "",
	} {
		var d Decoder
		e, r := d.Frame([]byte(`{"data":{"id":"c","created_at":` + in + `}}`))
		f := e.Data.V.CreatedAt
		if want == "" {
			if f.Presence != Null || !slices.Equal(r.Flaws, []string{"created_at: not a time"}) {
				t.Errorf("%s should be no time, got %v with flaws %q", in, f, r.Flaws)
			}
			continue
		}
		if got := f.V.Format(time.RFC3339Nano); !f.Given() || got != want || f.V.Location() != time.UTC || len(r.Flaws) > 0 {
			t.Errorf("%s should be %s, got %s with flaws %q", in, want, got, r.Flaws)
		}
	}
}

func TestNumbersAreReadExactly(t *testing.T) {
	for in, want := range map[string]string{
		`0`: "0", `-0`: "0", `7`: "7", `3.0`: "3", `3e0`: "3", `30e-1`: "3", `1.5e1`: "15", `0.0e9`: "0", `0e-5`: "0",
		`9223372036854775807`: "9223372036854775807", `-9223372036854775808`: "-9223372036854775808",
		`9007199254740993.0`: "9007199254740993", `9007199254740993e0`: "9007199254740993", `1e18`: "1000000000000000000",
		`9223372036854775808`: "out of range", `1e19`: "out of range", `1e400`: "out of range", `-1e400`: "out of range",
		`1.5`: "not a whole number", `1e-400`: "not a whole number", `0.99999999999999999999`: "not a whole number",
		`"5"`: "not a number", `true`: "not a number", `{}`: "not a number",
	} {
		var d Decoder
		e, r := d.Frame([]byte(`{"data":{"id":"c","state":{"admin_unseen_count":` + in + `}}}`))
		f := e.Data.V.State.V.AdminUnseenCount
		if f.Given() {
			if got := strconv.FormatInt(f.V, 10); got != want || len(r.Flaws) > 0 {
				t.Errorf("%s should be %s, got %s with flaws %q", in, want, got, r.Flaws)
			}
		} else if !slices.Equal(r.Flaws, []string{"state.admin_unseen_count: " + want}) {
			t.Errorf("%s should be %s, got flaws %q", in, want, r.Flaws)
		}
	}
	var d Decoder
	e, r := d.Frame([]byte(`{"data":{"id":"c","state":{"csat_score":2147483648},
		"last_message":{"id":"m","messages":[{"parts":[{"start_timestamp":1e400,"end_timestamp":-1.5e2}]}]}}}`))
	if want := []string{"state.csat_score: out of range", "last_message.messages[0].parts[0].start_timestamp: out of range"}; !slices.Equal(r.Flaws, want) {
		t.Errorf("flaws are %q, want %q", r.Flaws, want)
	}
	if part := e.Data.V.LastMessage.V.Contents.V[0].Parts[0]; part.StartTimestamp.Presence != Null || part.EndTimestamp.V != -150 {
		t.Errorf("the part's end should be -150, got %+v", part.EndTimestamp)
	}
}

func TestAnObjectThatIsDescribedButNotNamedIsFlawed(t *testing.T) {
	var d Decoder
	_, r := d.Frame([]byte(`{"data":{"id":"c","members":[{"id":"m","user":{"name":"A"},"session":{},
		"contact_channel":{"phone":"1","contact":{"blocked":true}}}],
		"state":{"assistant":{"enabled":true},"assistant_integration":{"enabled":false},"assigned_user":{"email":"a"}}}}`))
	want := []string{
		"members[0].user.id: missing", "members[0].contact_channel.contact.id: missing", "members[0].contact_channel.id: missing",
		"state.assistant.id: missing", "state.assistant_integration.id: missing", "state.assigned_user.id: missing",
	}
	if !slices.Equal(r.Flaws, want) {
		t.Errorf("flaws are\n%q, want\n%q", r.Flaws, want)
	}
	_, r = d.Frame([]byte(`{"data":{"id":"c","members":[{"id":"m","user":{},"session":{"id":null},
		"contact_channel":{"name":null,"contact":{}}}],
		"state":{"assistant":{},"assistant_integration":{"id":""},"assigned_user":{"id":null,"name":null}}}}`))
	if len(r.Flaws) > 0 {
		t.Errorf("objects that say nothing should have no flaws, got %q", r.Flaws)
	}
}

func TestAnIDThatCannotBeAKeyCountsAsMissing(t *testing.T) {
	longest := strings.Repeat("x", MaxIDBytes)
	for in, want := range map[string]string{
		`"` + longest + `"`:        "",
		`"` + longest + `x"`:       "id: longer than 512 bytes",
		`""`:                       "id: missing",
		`null`:                     "id: missing",
		`7`:                        "id: not a string",
		`"a` + "\uFFFD" + `"`:      "id: not a usable id",
		`" "`:                      "",
		`"\u00fc'; drop table --"`: "",
	} {
		var d Decoder
		e, r := d.Frame([]byte(`{"data":{"id":` + in + `,"title":"t"}}`))
		if got := strings.Join(r.Flaws, "|"); got != want || e.Data.V.ID.Given() != (want == "") {
			t.Errorf("id %.20s should be flawed as %q, got %q", in, want, got)
		}
		if e.Data.V.Title.V != "t" {
			t.Errorf("id %.20s: the title should be there all the same", in)
		}
	}
}

func TestBlocksAndListsAreKeptAsTheyStand(t *testing.T) {
	var d Decoder
	e, r := d.Frame([]byte(`{"data" : {"id":"c", "tools" : [ {"name": 1} ] , "features" :
		{ "web_search" : "on" },"state":{"assistant_config":{"b":1, "a":2}},"last_message":{"id":"m","messages":  [ {} ]},"referral":{"ref":"r"}}}`))
	if len(r.Flaws) > 0 {
		t.Errorf("what is in a block should not be flawed here, got %q", r.Flaws)
	}
	c := e.Data.V
	for want, got := range map[string]JSON{
		`[ {"name": 1} ]`:         c.Tools.V,
		`{ "web_search" : "on" }`: c.Features.V.JSON,
		`"on"`:                    c.Features.V.WebSearch.V,
		`{"b":1, "a":2}`:          c.State.V.AssistantConfig.V,
		`[ {} ]`:                  c.LastMessage.V.ContentsJSON,
		`{"ref":"r"}`:             c.Referral.V.JSON,
	} {
		if string(got) != want {
			t.Errorf("kept %s, want %s", got, want)
		}
	}
	for _, block := range []string{`7`, `"x"`, `[1]`, `null`, `{`, ``, `{}{}`} {
		if _, r := d.AssistantConfig(JSON(block)); block != "null" && len(r.Flaws) != 1 {
			t.Errorf("configuration %s should have one flaw, got %q", block, r.Flaws)
		}
	}
	for _, block := range []string{`7`, `"x"`, `{"a":1}`, `null`, `[`, ``, `[][]`} {
		if _, r := d.Tools(JSON(block)); block != "null" && len(r.Flaws) != 1 {
			t.Errorf("tools %s should have one flaw, got %q", block, r.Flaws)
		}
	}
}

// node is one value in a JSON tree, with its path as flaws write it.
type node struct {
	path  string
	value any
	set   func(any)
}

func nodesOf(root any) []node {
	var all []node
	var walk func(path string, v any)
	add := func(path string, v any, set func(any)) {
		all = append(all, node{path, v, set})
		walk(path, v)
	}
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				p := path + "." + name
				if path == "" || path == "data" {
					p = name
				}
				add(p, v[name], func(x any) { v[name] = x })
			}
		case []any:
			for i := range v {
				add(path+"["+strconv.Itoa(i)+"]", v[i], func(x any) { v[i] = x })
			}
		}
	}
	walk("", root)
	return all
}

func (n node) isContainer() bool {
	switch n.value.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// holds reports whether the node at path is n or within it.
func (n node) holds(path string) bool {
	if n.path == "data" {
		return path != "type" && path != "identifier"
	}
	rest, within := strings.CutPrefix(path, n.path)
	return within && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

func (n node) isTime() bool {
	s, ok := n.value.(string)
	_, err := time.Parse(time.RFC3339, s)
	return ok && err == nil
}

// wrong lists values of the other JSON types.
func (n node) wrong() []any {
	if strings.HasSuffix(n.path, "web_search") {
		return nil // it may be anything
	}
	all := []any{nil, true, 7.0, "no", map[string]any{"id": "x", "role": 1.0}, []any{"x"}}
	wrong := slices.DeleteFunc(all, func(v any) bool { return v != nil && reflect.TypeOf(v) == reflect.TypeOf(n.value) })
	if n.isTime() {
		wrong = append(wrong, "no")
	}
	if required.MatchString(n.path) || n.path == "data" {
		wrong = wrong[1:] // null says missing
	}
	return wrong
}

func (n node) reason() string {
	switch n.value.(type) {
	case map[string]any:
		return "not an object"
	case []any:
		return "not an array"
	case bool:
		return "not true or false"
	case float64:
		return "not a number"
	}
	if n.isTime() {
		return "not a time"
	}
	return "not a string"
}

// said lists what a decoded value says, field by field: absent, null, or the value after an equals sign. JSON that is
// kept as it stands is written as jsonb would.
func said(v any) map[string]string {
	out := map[string]string{}
	say(out, "", reflect.ValueOf(v), true)
	return out
}

// say adds what v says to out; with the bytes of other fields, where there are such, when bytes is true.
func say(out map[string]string, path string, v reflect.Value, bytes bool) {
	switch x := v.Interface().(type) {
	case JSON:
		out[path] = "=" + string(likeJSONB(x))
		return
	case time.Time:
		out[path] = "=" + x.Format(time.RFC3339Nano)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		say(out, path, v.Elem(), bytes)
	case reflect.Slice:
		out[path+"#"] = "=" + strconv.Itoa(v.Len())
		for i := range v.Len() {
			say(out, path+"["+strconv.Itoa(i)+"]", v.Index(i), bytes)
		}
	case reflect.Struct:
		presence := v.FieldByName("Presence")
		if !presence.IsValid() {
			for i := range v.NumField() {
				name := v.Type().Field(i).Name
				if bytes || v.Field(i).Type() != reflect.TypeFor[JSON]() {
					say(out, strings.TrimPrefix(path+"."+name, "."), v.Field(i), bytes)
				}
			}
			return
		}
		value := v.FieldByName("V")
		switch presence.Interface().(Presence) {
		case Given:
			say(out, path, value, bytes)
			return
		case Null:
			out[path] = "null"
		case Absent:
			out[path] = "absent"
		}
		if !value.IsZero() {
			out[path] += ", but it has a value"
		}
	default:
		out[path] = fmt.Sprint("=", v.Interface())
	}
}

// differing lists the fields of which a and b say different things.
func differing(a, b map[string]string) []string {
	var names []string
	for name := range a {
		if v, ok := b[name]; !ok || v != a[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func under(name string, fields map[string]string) map[string]string {
	out := map[string]string{}
	for path, value := range fields {
		if !strings.HasPrefix(path, "[") && !strings.HasPrefix(path, "#") {
			path = "." + path
		}
		out[name+path] = value
	}
	return out
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
