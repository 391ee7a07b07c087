package ingest_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestAStandbyTakesOverWhenTheHolderStopsAndNothingIsStoredTwice(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	org := b.world.Orgs()[0].ID
	_, stopFirst := b.start(b.config(org))
	b.connected(org)
	b.play(2)
	b.archived(org)

	standby := b.config(org)
	standby.SpoolDir, standby.Instance = filepath.Join(t.TempDir(), "spool"), "standby"
	second, _ := b.start(standby)
	b.wait("the standby to see that the org is held", func() bool { return len(second.Status().Reasons) == 0 })
	if n := b.server.Clients(org); n != 1 {
		t.Fatalf("%d processes listen to one org, want 1", n)
	}
	if err := stopFirst(); err != nil {
		t.Fatal(err)
	}
	b.connected(org)
	b.play(2)
	b.archived(org)
	b.wait("the gap of the takeover, closed by the standby", func() bool {
		g := b.gaps(org)
		return len(g) == 1 && g[0].isOver && g[0].cause == "stopped by the archiver"
	})
	if n := b.count(`select count(*) from ops.leases where org_id = $1 and instance = 'standby'`, org); n != 1 {
		t.Error("the standby's lease is not on record")
	}
	if n := b.count(`select count(*) from ops.leases where org_id = $1 and late_until > now() + interval '10 minutes'`, org); n != 1 {
		t.Error("the standby does not expect what the holder's spool may hold yet")
	}
}

func TestWhoTakesOverFromItselfExpectsNothingLate(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	org := b.world.Orgs()[0].ID
	for range 2 {
		_, stop := b.start(b.config(org))
		b.connected(org)
		b.play(2)
		b.archived(org)
		if n := b.count(`select count(*) from ops.leases where org_id = $1 and late_until is null`, org); n != 1 {
			t.Error("a process that goes on with its own spool expects older events of another one")
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAHolderThatWasOvertakenStopsListening(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	org := b.world.Orgs()[0].ID
	i, _ := b.start(b.config(org))
	b.connected(org)
	b.play(1)
	b.archived(org)
	// As if this process had slept for longer than its lease lasts, and another one had taken it.
	if _, err := b.pool.Exec(context.Background(), `
		update ops.leases set stream_id = gen_random_uuid(), instance = 'other', term = term + 1,
			expires_at = now() + interval '1 hour'
		where org_id = $1`, org); err != nil {
		t.Fatal(err)
	}
	b.wait("it to hang up", func() bool { return b.server.Clients(org) == 0 })
	time.Sleep(500 * time.Millisecond)
	if n := b.server.Clients(org); n != 0 {
		t.Error("it listens again although another process holds the org")
	}
	if reasons := i.Status().Reasons; len(reasons) > 0 {
		t.Errorf("a standby is not ready: %v", reasons)
	}
	if g := b.gaps(org); len(g) != 0 {
		t.Errorf("that another process listens is recorded as a gap: %v", g)
	}
}
