package ingest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"archiver/db"
	"archiver/spool"
)

// said is a frame that shows a chat at a time, and its last message.
func said(chatID string, at time.Time, messageID, text string) spool.Record {
	const clock = "2006-01-02T15:04:05Z"
	return frame("org", at, fmt.Sprintf(`{"type":"chat.updated","data":{"id":%q,"created_at":"2026-03-02T08:00:00Z","updated_at":%q,
		"last_message":{"id":%q,"created_at":"2026-03-02T08:00:00Z","status":"RUNNING","messages":[{"parts":[{"type":"text","text":%q}]}]}}}`,
		chatID, at.Format(clock), messageID, text))
}

// started is a lane that writes what is appended until the test ends it.
func (a *archive) started() (lane *Lane, end func()) {
	a.t.Helper()
	lane = a.lane()
	lane.aheadFrom = maxBatch // COPY is not what is looked at
	ended := make(chan error, 1)
	go func() { ended <- lane.Run(a.t.Context()) }()
	return lane, func() {
		a.t.Helper()
		a.spool.Seal()
		if err := <-ended; err != nil {
			a.t.Fatalf("the lane ended with %v, want nil at the seal\n%s", err, a.log)
		}
	}
}

// puts appends a record and waits until it is written.
func (a *archive) puts(lane *Lane, r spool.Record) {
	a.t.Helper()
	a.append(r)
	a.waitUntil("the event is written", func() bool { return lane.Committed() == a.records[len(a.records)-1].Seq })
}

func TestAnEventOfWhichAllIsRememberedIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	between := &proxy{onCommit: func(int) fault { return noFault }}
	a := newArchiveBetween(t, between)
	a.mayBeLate = false
	lane, end := a.started()
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	say := func(chatID, messageID, text string) (roundTrips int64) {
		at = at.Add(time.Second)
		before := between.turns.Load()
		a.puts(lane, said(chatID, at, messageID, text))
		return between.turns.Load() - before
	}
	long := strings.Repeat("Hi there. ", keptRunning/10+1)
	sequence := []struct {
		message, text, what string
		want                int64
	}{
		{"1", "Hello", "of a chat that is new", 2},
		{"2", "Hi", "with a new message", 1},
		{"2", "Hi", "that repeats the message", 1},
		{"2", "Hi there", "with more of the message", 1},
		{"2", "Hi there", "that repeats that", 1},
		{"2", long, "with very much more of it", 1},
		{"2", "Hi there", "with less again", 2},
		{"1", "Hello?", "with an earlier message that was changed", 2},
	}
	for _, s := range sequence { // statements are prepared meanwhile
		say("first", "1"+s.message, s.text)
	}
	for _, s := range sequence {
		if got := say("second", "2"+s.message, s.text); got != s.want {
			t.Errorf("an event %s took %d round trips, want %d", s.what, got, s.want)
		}
	}

	// After a restart it is known which messages the chat has once it was spoken of twice.
	end()
	a.reopen()
	lane, end = a.started()
	for _, s := range sequence {
		say("first", "3"+s.message, s.text)
	}
	for n, want := range []int64{2, 2, 1, 1} {
		if got := say("second", fmt.Sprint("4", n), "New"); got != want {
			t.Errorf("event %d of a chat that was there before took %d round trips, want %d", n+1, got, want)
		}
	}
	end()
	a.likeReference(false)
	a.nothingIsFlawed()
}

// A lane remembers rows that another one has written since: a standby, or a process that writes what its spool still held.
func TestWhatAnotherWriterHasWrittenMeanwhileIsReadAnew(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	if _, err := db.New(a.pool).AddLeases(t.Context(), db.AddLeasesParams{Instance: "test", OrgIds: []string{"org"}}); err != nil {
		t.Fatal(err)
	}
	other := *a
	other.dir, other.records = t.TempDir(), nil
	other.open()
	t.Cleanup(func() { other.spool.Close() })

	one, endOne := a.started()
	two, endTwo := other.started()
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for n := range 10 {
		at = at.Add(time.Second)
		a.puts(one, said("chat", at, fmt.Sprint(n), "One"))
		a.puts(one, said("chat", at.Add(100*time.Millisecond), fmt.Sprint(n), "One more"))
		other.puts(two, said("chat", at.Add(200*time.Millisecond), fmt.Sprint(n), "Two"))
		other.puts(two, said("chat", at.Add(300*time.Millisecond), fmt.Sprint("two ", n), "Two"))
		a.puts(one, said("chat", at.Add(400*time.Millisecond), fmt.Sprint(n), "One more")) // to its lane that repeats what it heard last
	}
	endOne()
	endTwo()
	if log := a.log.String() + other.log.String(); strings.Contains(log, "does not take") {
		t.Errorf("a batch had to be tried again:\n%s", log)
	}
	a.records = append(a.records, other.records...)
	a.likeReference(false)
	a.nothingIsFlawed()
}

// Whether a message is folded again is a matter of what is remembered, so that it must change nothing, whatever the message says.
func TestAFileThatAMessageNamesTwiceIsTakenAtItsLastWord(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for range 2 {
		for range 2 {
			at = at.Add(time.Second)
			a.append(frame("org", at, fmt.Sprintf(`{"type":"chat.updated","data":{"id":"chat","created_at":"2026-03-02T08:00:00Z","updated_at":%q,
				"last_message":{"id":"1","created_at":"2026-03-02T08:00:00Z","messages":[{"parts":[
					{"type":"file","file":{"id":"file","file_url":"https://files.example/1"}},
					{"type":"file","file":{"id":"file","file_url":"https://files.example/2"}}]}]}}}`, at.Format(time.RFC3339))))
		}
		a.write()
	}
	a.likeReference(false)
	if n := a.count(`select count(*) from inbox.message_files where url = 'https://files.example/2' and last_seen_at = first_seen_at`); n != 1 {
		t.Errorf("%d files have the last word's URL and were last changed when they were first seen, want 1", n)
	}
}
