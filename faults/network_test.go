//go:build linux

package faults_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// wire is a network between the archiver and one of its peers, on which things can go wrong.
type wire struct {
	s     *stage
	proxy *toxiproxy.Proxy
}

// between puts a wire in front of upstream (host:port).
func (s *stage) between(upstream string) *wire {
	s.t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.New(io.Discard))
	proxy := toxiproxy.NewProxy(server, s.t.Name(), "127.0.0.1:0", upstream)
	if err := proxy.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(proxy.Stop)
	return &wire{s, proxy}
}

// toInvent lets later processes reach the simulator over a wire.
func (s *stage) toInvent() *wire {
	w := s.between(strings.TrimPrefix(s.url, "http://"))
	s.url = "http://" + w.proxy.Listen
	return w
}

// toPostgres lets later processes reach Postgres over a wire.
func (s *stage) toPostgres() *wire {
	s.t.Helper()
	u, err := url.Parse(s.databaseURL)
	if err != nil {
		s.t.Fatal(err)
	}
	w := s.between(u.Host)
	u.Host = w.proxy.Listen
	s.databaseURL = u.String()
	return w
}

// poison lets something go wrong on the wire, on the way to the archiver (downstream) or from it (upstream), until cure.
func (w *wire) poison(kind, direction, attributes string) (cure func()) {
	w.s.t.Helper()
	name := kind + " " + direction
	toxic := fmt.Sprintf(`{"name":%q,"type":%q,"stream":%q,"attributes":%s}`, name, kind, direction, attributes)
	if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		w.s.t.Fatal(err)
	}
	return func() {
		w.s.t.Helper()
		if err := w.proxy.Toxics.RemoveToxic(context.Background(), name); err != nil {
			w.s.t.Error(err)
		}
	}
}

// both poisons both directions.
func (w *wire) both(kind, attributes string) (cure func()) {
	w.s.t.Helper()
	down, up := w.poison(kind, "downstream", attributes), w.poison(kind, "upstream", attributes)
	return func() { down(); up() }
}

func TestSlowNetworksOnBothSidesCostNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	invent, postgres := s.toInvent(), s.toPostgres()
	invent.both("latency", `{"latency":40,"jitter":30}`)
	postgres.both("latency", `{"latency":15,"jitter":10}`)
	invent.poison("bandwidth", "downstream", `{"rate":3000}`) // KB/s
	postgres.poison("bandwidth", "upstream", `{"rate":3000}`)
	p := s.start()
	s.connected()
	s.flows(150)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestConnectionsThatAreResetOnBothSidesLoseOnlyWhatAGapTells(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	invent, postgres := s.toInvent(), s.toPostgres()
	p := s.start("ARCHIVER_FAILPOINTS=" + quickReconnects)
	for range 5 {
		s.connected()
		s.flows(20)
		cureInvent := invent.poison("reset_peer", "downstream", `{"timeout":0}`)
		s.wait("the reset", func() bool { return s.server.Clients(s.org) == 0 })
		cureInvent()
		curePostgres := postgres.poison("reset_peer", "downstream", `{"timeout":0}`)
		time.Sleep(50 * time.Millisecond) // some of the commits happen, and none is answered
		curePostgres()
	}
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps"); n < 5 {
		t.Errorf("there are %d gaps, want at least 5: the connection was reset as often", n)
	}
	s.verdict()
}

// quickReconnects makes the pauses between connections so short that a test can see many.
const quickReconnects = "reconnect-min=20ms,reconnect-max=100ms"

func TestAHalfOpenConnectionToInventIsFoundByTheWatchdog(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	invent := s.toInvent()
	p := s.start("ARCHIVER_FAILPOINTS=ping-every=200ms,idle=1s," + quickReconnects)
	s.connected()
	s.flows(50)
	cure := invent.both("timeout", `{"timeout":0}`)
	p.says("the connection is silent")
	cure()
	s.flows(50)

	s.server.StallMidFrame(s.org) // half a frame, and then nothing
	s.wait("a second silence", func() bool { return strings.Count(p.log.String(), "the connection is silent") >= 2 })
	s.flows(50)
	s.server.Drop(s.org, 0, "") // the dead connection among them, which the simulator never gives up
	s.wait("a connection that is new", func() bool { return strings.Count(p.log.String(), "connected to the inbox") >= 4 })
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where cause = 'nothing was heard any more'"); n < 2 {
		t.Errorf("%d gaps tell of silence, want 2", n)
	}
	s.verdict()
}

func TestAPostgresThatTakesEverythingAndAnswersNothingIsGivenUpOn(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	postgres := s.toPostgres()
	p := s.start("ARCHIVER_FAILPOINTS=answer-within=5s")
	s.connected()
	s.flows(50)
	cure := postgres.poison("timeout", "downstream", `{"timeout":0}`)
	p.says("deadline exceeded")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 100 })
	cure()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestALostReplyToCommitStoresNothingTwice(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	postgres := s.toPostgres()
	p := s.start("ARCHIVER_FAILPOINTS=before-commit=8:stop")
	s.connected()
	p.stopped()
	before := s.count("select max(committed_seq) from ops.streams")
	cure := postgres.poison("timeout", "downstream", `{"timeout":0}`)
	p.signal(syscall.SIGCONT)
	s.wait("the commit whose reply is lost", func() bool {
		return s.count("select max(committed_seq) from ops.streams") > before
	})
	cure() // ends the connections it had in its hands
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}
