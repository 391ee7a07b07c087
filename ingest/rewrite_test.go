package ingest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest/internal/reference"
)

// TestRowsThatAnEventDoesNotChangeAreNotWritten looks at xmin, the transaction that last wrote a row.
func TestRowsThatAnEventDoesNotChangeAreNotWritten(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	a := newArchive(t)
	a.mayBeLate = false
	seen := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	event := func(n int) string {
		// Another message, a later version of the chat; all else, nested or not, as before.
		s := strings.Replace(string(body), `"updated_at": "2026-03-02T09:30:00.5+02:00"`, fmt.Sprintf(`"updated_at": "2026-03-02T10:30:%02d+02:00"`, n), 1)
		return strings.ReplaceAll(s, "message-88", fmt.Sprintf("message-%d", n))
	}
	a.append(frame("org", seen, event(1)))
	a.write()
	before := a.writers()
	if len(before) < 15 {
		t.Fatalf("there are %d rows that must not change, want at least 15: nothing is tested", len(before))
	}

	// One lane that does not know the rows yet, and for the second event does.
	lane := a.lane()
	ended := make(chan error, 1)
	go func() { ended <- lane.Run(t.Context()) }()
	for n := 2; n <= 3; n++ {
		a.append(frame("org", seen.Add(time.Duration(n)*time.Second), event(n)))
		a.waitUntil("the event is written", func() bool { return lane.Committed() == int64(n) })
		after := a.writers()
		for _, row := range slices.Sorted(maps.Keys(after)) {
			if was, ok := before[row]; !ok || was != after[row] {
				t.Errorf("event %d wrote %s, which it does not change", n, row)
			}
		}
	}
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := a.count("select count(*) from inbox.messages"); n != 3 {
		t.Errorf("inbox.messages has %d rows, want 3: the events are to do something", n)
	}
}

// writers tells who last wrote the rows of all tables but those that a new message of the chat changes.
func (a *archive) writers() map[string]string {
	all := map[string]string{}
	for table, key := range reference.Keys {
		if table == "chats" || table == "messages" || table == "message_files" {
			continue
		}
		for _, r := range a.rows("select xmin::text as xmin, " + strings.Join(key, ", ") + " from inbox." + table) {
			writer := r["xmin"].(string)
			delete(r, "xmin")
			all[fmt.Sprintf("%s %v", table, r)] = writer
		}
	}
	return all
}
