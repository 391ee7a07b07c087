package ingest_test

import (
	"context"
	"testing"
	"time"

	"archiver/invent"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
)

func TestWhatIsNotedOfTheOwnOrgBeforeItsIDIsKnownIsNotedUnderItsID(t *testing.T) {
	t.Parallel()
	b := newInbox(t) // nothing has happened yet: the inbox is empty
	own := b.world.Orgs()[0].ID
	i, stop := b.start(b.config(invent.OwnOrg))
	b.connected(own)
	b.wait("readiness", func() bool { return len(i.Status().Reasons) == 0 })
	b.server.Drop(own, websocket.StatusGoingAway, "restart")
	b.wait("the end of the first connection", func() bool { return b.server.Clients(own) == 0 })
	b.connected(own)
	b.play(2)
	b.archived(own)
	b.wait("the connections and the gap between them, under the id", func() bool {
		g := b.gaps(own)
		return len(g) == 1 && g[0].isOver && g[0].cause == "closed by Invent" &&
			b.count(`select count(*) from ops.connections where org_id = $1`, own) == 2
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if n := b.count(`select count(*) from ops.connections where org_id = $1 and closed_at is not null`, own); n != 2 {
		t.Errorf("%d connections are closed after a stop, want both", n)
	}
	if n := b.count(`select count(*) from ops.connections where org_id = 'c'`) + b.count(`select count(*) from ops.gaps where org_id = 'c'`); n != 0 {
		t.Errorf("%d connections and gaps are of an org c, want none", n)
	}
}

func TestAConnectionThatTurnsOutToBeOfAnOrgThatIsHeldLeavesNoGap(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	own := b.world.Orgs()[0].ID
	_, stop := b.start(b.config(invent.OwnOrg, own))
	b.wait("two connections, as nothing tells yet that it is one org", func() bool { return b.server.Clients(own) == 2 })
	b.play(2)
	b.connected(own)
	b.wait("both connections under the id, one of them ended", func() bool {
		return b.count(`select count(*) from ops.connections where org_id = $1`, own) == 2 &&
			b.count(`select count(*) from ops.connections where org_id = $1 and closed_at is not null`, own) == 1
	})
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if g := b.gaps(own); len(g) != 1 || g[0].cause != "stopped by the archiver" {
		t.Errorf("the gaps are %v, want only the one since the stop", g)
	}
	if n := b.count(`select count(*) from ops.connections where org_id = 'c'`) + b.count(`select count(*) from ops.gaps where org_id = 'c'`); n != 0 {
		t.Errorf("%d connections and gaps are of an org c, want none", n)
	}
}

func TestTheOwnOrgsGapSinceAKillBeginsWhereTheKilledProcessWasLastHeardOf(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	own := b.world.Orgs()[0].ID
	b.server.FastForward(b.world.Now().Add(24 * time.Hour)) // the inbox list tells the id
	_, stop := b.start(b.config(invent.OwnOrg))
	b.connected(own)
	b.play(1)
	b.archived(own)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// A process that is killed leaves no open gap, only what was last heard.
	if _, err := b.pool.Exec(context.Background(), `delete from ops.gaps`); err != nil {
		t.Fatal(err)
	}
	var heard time.Time
	if err := b.pool.QueryRow(context.Background(), `
		select greatest((select max(last_heard_at) from ops.connections), (select max(received_at) from raw.events))`).Scan(&heard); err != nil {
		t.Fatal(err)
	}
	b.start(b.config(invent.OwnOrg))
	b.connected(own)
	b.wait("the gap", func() bool { return len(b.gaps(own)) > 0 })
	if g := b.gaps(own); len(g) != 1 || !g[0].isOver || !g[0].began.Equal(heard) {
		t.Errorf("the gaps are %v, want one since %v", g, heard)
	}
}

func TestMetricsNameTheOwnOrgByItsIDOnceThatIsKnown(t *testing.T) {
	t.Parallel()
	for name, orgs := range map[string]func(own string) []string{
		"named once":  func(string) []string { return []string{invent.OwnOrg} },
		"named twice": func(own string) []string { return []string{invent.OwnOrg, own} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newInbox(t) // nothing has happened yet: the inbox is empty
			own := b.world.Orgs()[0].ID
			c, registry := b.config(orgs(own)...), prometheus.NewPedanticRegistry()
			c.Registerer = registry
			b.start(c)
			b.wait("the sockets", func() bool { return b.server.Clients(own) == len(c.Orgs) })
			b.play(2)
			b.connected(own)
			b.wait("what is connected under the id", func() bool {
				connected := b.metric(registry, "archiver_connected")
				return connected[own] == 1 && len(connected) == 1
			})
			b.server.Drop(own, websocket.StatusGoingAway, "restart")
			b.wait("the reconnect under the id", func() bool {
				reconnects := b.metric(registry, "archiver_reconnects_total")
				return reconnects[own] >= 1 && len(reconnects) == 1
			})
		})
	}
}

// metric is what a gauge or counter says of each org.
func (b *inbox) metric(from prometheus.Gatherer, name string) map[string]float64 {
	b.t.Helper()
	families, err := from.Gather()
	if err != nil {
		b.t.Fatal(err)
	}
	byOrg := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			byOrg[m.GetLabel()[0].GetValue()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return byOrg
}
