package invent

import (
	"slices"
	"testing"
)

func TestAPageOfOrgsIsReadTolerantly(t *testing.T) {
	t.Parallel()
	var d Decoder
	orgs, r := d.Orgs([]byte(`[
		{"id":"o1","name":"North","plan":{"seats":3}},
		{"id":"o2","name":null},
		{"id":"o3"},
		{"id":"o4","name":7},
		{"name":"nobody"},
		{"id":9,"name":"number"},
		"o5", null
	]`))
	want := []struct {
		id, name string
		presence Presence
	}{{"o1", "North", Given}, {"o2", "", Null}, {"o3", "", Absent}, {"o4", "", Null}}
	if len(orgs) != len(want) {
		t.Fatalf("%d orgs were read, want the %d that have an id", len(orgs), len(want))
	}
	for i, w := range want {
		if o := orgs[i]; o.ID.V != w.id || o.Name.V != w.name || o.Name.Presence != w.presence {
			t.Errorf("entry %d is %+v, want id %q and name %q (presence %d)", i, o, w.id, w.name, w.presence)
		}
	}
	flaws := []string{"[3].name: not a string", "[4].id: missing", "[5].id: not a string", "[6]: not an object", "[7]: not an object"}
	if !slices.Equal(r.Flaws, flaws) {
		t.Errorf("the flaws are %q, want %q", r.Flaws, flaws)
	}
	if !r.Faithful {
		t.Error("the page is said to be no faithful copy of its bytes")
	}
}

func TestWhatIsNoListOfOrgsGivesNone(t *testing.T) {
	t.Parallel()
	var d Decoder
	for body, flaw := range map[string]string{
		`{"error":"x"}`: "frame: not an array", `[{"id":"o1"`: "frame: not JSON", ``: "frame: not JSON",
	} {
		orgs, r := d.Orgs([]byte(body))
		if len(orgs) != 0 || !slices.Equal(r.Flaws, []string{flaw}) {
			t.Errorf("%s gives %d orgs and the flaws %q, want none and %q", body, len(orgs), r.Flaws, flaw)
		}
	}
}
