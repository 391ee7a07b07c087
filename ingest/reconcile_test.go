package ingest_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"archiver/postgres/dbtest"
	"archiver/simulator"
)

// newLiveInbox is an inbox with a history, in which things go on happening now until the returned function is called.
func newLiveInbox(t *testing.T, quirks simulator.Quirks) (*inbox, func()) {
	t.Helper()
	world := simulator.NewWorld(simulator.Config{
		Seed: 11, Orgs: 1, Chats: 150, Quirks: quirks, Start: time.Now().Add(-10 * 24 * time.Hour),
	})
	server := simulator.NewServer(world, simulator.ServerOptions{Live: true, Rate: 300})
	listening := httptest.NewServer(server)
	t.Cleanup(func() { server.Close(); listening.Close() })
	server.FastForward(time.Now().Add(-24 * time.Hour))
	ctx, cancel := context.WithCancel(context.Background())
	played := make(chan error, 1)
	go func() { played <- server.Play(ctx) }()
	stop := func() { cancel(); <-played }
	t.Cleanup(cancel)
	return &inbox{t, world, server, listening.URL, dbtest.New(t), filepath.Join(t.TempDir(), "spool")}, stop
}

// missing lists the messages of the world, written since a time, that the archive does not hold.
func (b *inbox) missing(orgID string, since time.Time) (missing map[string]bool) {
	b.t.Helper()
	missing = map[string]bool{}
	for _, chatID := range b.world.ChatIDs(orgID) {
		for _, raw := range b.world.Messages(chatID) {
			var m struct {
				ID        string    `json:"id"`
				CreatedAt time.Time `json:"created_at"`
			}
			if err := json.Unmarshal(raw, &m); err != nil {
				b.t.Fatal(err)
			}
			if !m.CreatedAt.Before(since) && b.count(`
				select count(*) from inbox.messages where org_id = $1 and chat_id = $2 and message_id = $3`,
				orgID, chatID, m.ID) == 0 {
				missing[m.ID] = true
			}
		}
	}
	return missing
}

func TestMessagesMissedDuringAGapAreFetchedAgain(t *testing.T) {
	t.Parallel()
	for name, quirks := range map[string]simulator.Quirks{
		"plain": {}, "unsorted": {UnsortedLists: true}, "shifting": {ShiftingLists: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, end := newLiveInbox(t, quirks)
			org := b.world.Orgs()[0].ID
			c := b.config(org)
			c.ReconcileRPM = 60_000
			_, stop := b.start(c)
			b.connected(org)
			since := time.Now()
			b.wait("some live frames", func() bool { return len(b.server.Ledger(org)) > 300 })
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			stopped := len(b.server.Ledger(org))
			b.wait("frames to nobody", func() bool { return len(b.server.Ledger(org)) > stopped+300 })
			missed := b.missing(org, since)
			if len(missed) < 10 {
				t.Fatalf("only %d messages were missed; the test needs a busier world", len(missed))
			}
			// While the world goes on as fast as this one, a slow machine reads lists that never come to rest, and the next
			// repair is minutes away.
			end()
			b.server.RefuseLists(2, 429, time.Second)
			i, _ := b.start(c)
			b.wait("the repair", func() bool {
				return b.count(`select count(*) from ops.gaps where org_id = $1 and status = 'repaired' and repaired_at is not null`, org) == 1
			})
			// What came after missed was counted is not all of it: a socket shows last messages only.
			for id := range b.missing(org, since) {
				if missed[id] {
					t.Errorf("message %s was missed and is still missing after the repair", id)
				}
			}
			b.isAsRebuilt()
			recovered := b.count(`select messages_recovered from ops.gaps where org_id = $1`, org)
			if recovered < len(missed)/2 {
				t.Errorf("the gap says that %d messages were recovered; %d were missed", recovered, len(missed))
			}
			if reasons := i.Status().Reasons; len(reasons) > 0 {
				t.Errorf("after the repair it is not ready: %v", reasons)
			}
		})
	}
}

func TestWithoutReconcilingNoListIsRead(t *testing.T) {
	t.Parallel()
	b, end := newLiveInbox(t, simulator.Quirks{})
	end()
	org := b.world.Orgs()[0].ID
	for range 2 {
		_, stop := b.start(b.config(org))
		b.connected(org)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range b.server.Requests() {
		if r.Path != "/orgs/"+org+"/inbox/ws" {
			t.Errorf("%s %s was requested", r.Method, r.Path)
		}
	}
}
