//go:build linux

package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What an event may cost, with room for other batch sizes: they depend on how busy the machine is. Times are not looked at.
const (
	mostRowsWritten  = 4.0 // of all tables
	mostInserted     = 2.0 // of inbox
	mostUpdated      = 0.6 // of inbox; a flood is folded
	leastHOT         = 70  // %
	mostAllocations  = 56
	mostLogToPayload = 0.92
)

func TestAnEventCostsNoMoreRowsAndAllocationsThanItDid(t *testing.T) {
	program := build(t)
	report, err := Run(t.Context(), Config{
		Archiver: program, Quick: true, Only: []string{"work"}, Progress: func(step string) { t.Log(step) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []struct {
		name  string
		least float64
		most  float64
	}{
		{"rows written, all tables", 1, mostRowsWritten},
		{"inbox rows inserted", 0.1, mostInserted},
		{"inbox rows updated", 0.01, mostUpdated},
		{"inbox rows updated, share of HOT", leastHOT, 100},
		{"one org, one lane: allocations", 1, mostAllocations},
		{"four orgs, two lanes: allocations", 1, mostAllocations},
		{"raw with its indexes ÷ JSON bytes", 0.1, mostLogToPayload},
	} {
		row, ok := report.Row(limit.name)
		if !ok {
			t.Errorf("the report has no row %q", limit.name)
			continue
		}
		t.Logf("%s: %.3f %s", row.Name, row.Value, row.Unit)
		if !(row.Value >= limit.least && row.Value <= limit.most) {
			t.Errorf("%s is %.3f %s, want from %v to %v", row.Name, row.Value, row.Unit, limit.least, limit.most)
		}
	}
}

func TestRefreshingChatsThatHaveNotChangedWritesNoFacts(t *testing.T) {
	report, err := Run(t.Context(), Config{
		Archiver: build(t), Quick: true, Only: []string{"facts"}, Progress: func(step string) { t.Log(step) },
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, wanted := range map[string]func(float64) bool{
		"500 chats unchanged: rows of facts written":          func(n float64) bool { return n == 0 },
		"500 chats with a new message: rows of facts written": func(n float64) bool { return n >= dirtyChats },
	} {
		row, ok := report.Row(name)
		if !ok || !wanted(row.Value) {
			t.Errorf("%s: %v, should be none for chats that have not changed, and one or more for each that has", name, row.Value)
		}
	}
}

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "archiver")
	if out, err := exec.Command("go", "build", "-o", path, "archiver/cmd/archiver").CombinedOutput(); err != nil {
		t.Fatalf("building the archiver: %v\n%s", err, out)
	}
	return path
}

func TestARunNamesTheSectionsItKnows(t *testing.T) {
	t.Parallel()
	if _, err := Run(t.Context(), Config{Archiver: os.Args[0], Only: []string{"speed"}}); err == nil {
		t.Error("a section that there is not should be refused")
	}
}
