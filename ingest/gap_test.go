package ingest_test

import (
	"context"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// gapRow is a row of ops.gaps, with how long it lasted in seconds.
type gapRow struct {
	cause, status string
	isOver        bool
	began         time.Time
}

func (b *inbox) gaps(orgID string) (all []gapRow) {
	b.t.Helper()
	rows, err := b.pool.Query(context.Background(), `
		select cause, status, ended_at is not null and ended_at >= began_at, began_at
		from ops.gaps where org_id = $1 order by began_at`, orgID)
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var g gapRow
		if err := rows.Scan(&g.cause, &g.status, &g.isOver, &g.began); err != nil {
			b.t.Fatal(err)
		}
		all = append(all, g)
	}
	if rows.Err() != nil {
		b.t.Fatal(rows.Err())
	}
	return all
}

func TestEveryIntervalWithoutAConnectionIsAGap(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	org := b.world.Orgs()[0].ID
	_, stop := b.start(b.config(org))
	b.connected(org)
	b.play(1)
	b.archived(org)
	if g := b.gaps(org); len(g) != 0 {
		t.Errorf("the first start of all left gaps: %v", g)
	}

	b.server.RefuseUpgrades(3, 503, time.Second)
	b.server.Drop(org, websocket.StatusGoingAway, "restart")
	b.wait("an open gap, visible while it lasts", func() bool {
		g := b.gaps(org)
		return len(g) == 1 && g[0].status == "open" && !g[0].isOver && g[0].cause == "closed by Invent"
	})
	b.connected(org)
	b.wait("the end of the gap, one for all attempts", func() bool {
		g := b.gaps(org)
		return len(g) == 1 && g[0].isOver && g[0].status == "unrepaired"
	})

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if g := b.gaps(org); len(g) != 2 || g[1].isOver || g[1].cause != "stopped by the archiver" {
		t.Errorf("after a stop in good order the gaps are %v, want a second one, open", g)
	}
	_, stop = b.start(b.config(org))
	b.connected(org)
	b.wait("the end of the gap that the stop had opened", func() bool {
		g := b.gaps(org)
		return len(g) == 2 && g[1].isOver
	})
	b.play(1)
	b.archived(org)
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	// A process that is killed leaves no open gap, only what was last heard.
	var heard time.Time
	if err := b.pool.QueryRow(context.Background(), `
		with gone as (delete from ops.gaps where ended_at is null)
		select max(last_heard_at) from ops.connections where org_id = $1`, org).Scan(&heard); err != nil {
		t.Fatal(err)
	}
	b.start(b.config(org))
	b.connected(org)
	b.wait("the gap since the last mark of the killed process", func() bool {
		g := b.gaps(org)
		return len(g) == 3 && g[2].isOver && g[2].began.Sub(heard).Abs() < time.Second &&
			g[2].cause == "the process that listened ended without saying so"
	})
}
