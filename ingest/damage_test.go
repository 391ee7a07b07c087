package ingest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const causeDamage = "the spool was damaged: what it held is set aside or lost"

func TestWhatADamagedSpoolHasLostIsAGapOfItsOrgs(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	one, two := b.world.Orgs()[0].ID, b.world.Orgs()[1].ID
	c := b.config(one, two)
	c.Lanes, c.ReconcileRPM = 1, 60_000
	began := time.Now()
	away := c
	away.DrainTimeout = time.Millisecond
	away.Prepare = func(context.Context) error { return errors.New("Postgres is away") }
	i, stop := b.start(away)
	b.connected(one)
	b.connected(two)
	b.play(3)
	received := int64(len(b.server.Ledger(one)) + len(b.server.Ledger(two)))
	b.wait("the spool", func() bool { return i.Status().Pending >= received-int64(unseen(b, one, two)) })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.damage()
	damaged := time.Now()

	_, stop = b.start(c)
	for _, orgID := range []string{one, two} {
		b.wait("the repair of what was lost of "+orgID, func() bool {
			return b.count(`select count(*) from ops.gaps where org_id = $1 and cause = $2 and status = 'repaired'`, orgID, causeDamage) == 1
		})
		// What is left was received before what was lost.
		if b.count(`select count(*) from ops.gaps where org_id = $1 and cause = $2 and began_at > $3 and ended_at >= $4 and began_at <= $4
			and began_at = (select max(received_at) from raw.events where received_at < $4)`, orgID, causeDamage, began, damaged) != 1 {
			t.Errorf("the gap of %s does not begin with the last event before the damage: %+v", orgID, b.gaps(orgID))
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.start(c)
	b.connected(one)
	b.wait("the gap of the stop", func() bool {
		return b.count(`select count(*) from ops.gaps where org_id = $1 and ended_at is not null and cause like 'stopped%'`, one) > 0
	})
	if n := b.count(`select count(*) from ops.gaps where cause = $1`, causeDamage); n != 2 {
		t.Errorf("%d gaps are recorded for the damage after another start, want one for each of the two orgs", n)
	}
}

// damage changes a byte in the middle of the only lane's newest segment.
func (b *inbox) damage() {
	b.t.Helper()
	segments, err := filepath.Glob(filepath.Join(b.spool, "lane-1-of-1", "*.seg"))
	if err != nil || len(segments) == 0 {
		b.t.Fatalf("no segment to damage: %v", err)
	}
	name := segments[len(segments)-1]
	content, err := os.ReadFile(name)
	if err != nil {
		b.t.Fatal(err)
	}
	content[len(content)/2] ^= 0xff
	if err := os.WriteFile(name, content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}
