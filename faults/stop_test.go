//go:build linux

package faults_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSIGTERMInMidStreamWritesWhatWasReceivedAndExits0(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	for range 3 {
		p := s.start()
		s.connected()
		s.flows(100)
		p.stop()
		if strings.Contains(p.log.String(), "stopped before Postgres had taken everything") {
			t.Error("a stop left events in the spool, want that Postgres has taken all of them")
		}
		if n := s.count("select count(*) from ops.gaps where ended_at is null and cause = 'stopped by the archiver'"); n != 1 {
			t.Errorf("%d open gaps tell of the stop, want 1", n)
		}
	}
	s.verdict()
}

func TestASecondSignalEndsItAtOnceAndLosesNothingThatWasReceived(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	// The transaction that waits for this lock keeps the stop from coming to its end.
	p := s.start()
	s.connected()
	s.flows(50)
	release := s.lock("lock table raw.events in access exclusive mode")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 100 })
	p.signal(syscall.SIGTERM)
	p.says("writing what was received")
	time.Sleep(200 * time.Millisecond) // two signals within 100 ms count as one
	p.signal(syscall.SIGTERM)
	began := time.Now()
	if code := p.exit(); code != 1 {
		t.Errorf("after a second signal the archiver exits with %d, want 1", code)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("the second signal took %s, want that it ends at once and does not wait for the drain", took)
	}
	release()
	p = s.start()
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestAStopWhilePostgresIsStuckEndsByItsDeadlineAndTheNextStartWritesTheRest(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start()
	s.connected()
	s.flows(50)
	release := s.lock("lock table raw.events in access exclusive mode")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 100 })
	p.stop() // expects 0
	if !strings.Contains(p.log.String(), "stopped before Postgres had taken everything") {
		t.Error("the log does not tell that events wait in the spool for the next start")
	}
	release()
	p = s.start()
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// A process that slept has a kernel full of frames, and does not take its own absence for the server's.
func TestAProcessThatIsStoppedForAWhileGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start("ARCHIVER_FAILPOINTS=ping-every=200ms,idle=1s")
	s.connected()
	s.flows(50)
	p.signal(syscall.SIGSTOP)
	p.stopped()
	time.Sleep(3 * time.Second) // three times what would be silence
	p.signal(syscall.SIGCONT)
	s.flows(300)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.connections where opened_at is not null"); n != 1 {
		t.Errorf("there were %d connections, want 1: nothing was wrong with the first", n)
	}
	s.verdict()
}

func TestAProcessThatIsStoppedAndThenKilledHasLostOnlyWhatAGapTells(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start()
	s.connected()
	s.flows(50)
	p.signal(syscall.SIGSTOP)
	p.stopped()
	time.Sleep(time.Second)
	p.signal(syscall.SIGKILL)
	p.exit()
	p = s.start()
	s.connected()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// lock runs a statement in a transaction that is held open until release is called.
func (s *stage) lock(sql string) (release func()) {
	s.t.Helper()
	tx, err := s.pool.Begin(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := tx.Exec(s.t.Context(), sql); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	}
}
