//go:build linux

package faults_test

import (
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestCloseCodesAreRecordedAndFollowedByAGap(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start("ARCHIVER_FAILPOINTS=" + quickReconnects)
	codes := []websocket.StatusCode{1000, 1001, 1008, 1011, 1012, 1013, 4000}
	for _, code := range codes {
		s.connected()
		s.flows(10)
		s.server.Drop(s.org, code, canaryText)
	}
	s.connected()
	s.caughtUp(p)
	p.stop()
	for _, code := range codes {
		if n := s.count("select count(*) from ops.connections where close_code = $1", int(code)); n != 1 {
			t.Errorf("%d connections were closed with code %d, want 1", n, code)
		}
	}
	if n := s.count("select count(*) from ops.gaps where cause = 'closed by Invent'"); n != len(codes) {
		t.Errorf("%d gaps tell of a connection that Invent closed, want %d", n, len(codes))
	}
	s.verdict()
}

func TestAnOversizeFrameIsOneGapThatIsRepairedAndNoLoop(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100)
	p := s.start("ARCHIVER_RECONCILE=auto", "ARCHIVER_RECONCILE_RPM=60000", "ARCHIVER_FAILPOINTS="+quickReconnects)
	s.connected()
	s.flows(50)
	if s.server.InjectOversize(s.org, 2<<20) != 1 {
		t.Fatal("the frame was sent to nobody")
	}
	s.wait("the gap to be repaired", func() bool {
		return s.count("select count(*) from ops.gaps where status = 'repaired'") == 1
	})
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.connections where opened_at is not null"); n != 2 {
		t.Errorf("there were %d connections, want 2: the frame does not come again", n)
	}
	if n := s.count("select count(*) from raw.events where source = 'rest' and kind = 'messages_page'"); n == 0 {
		t.Error("no messages were fetched, want those of the chats that changed meanwhile")
	}
	s.verdict()
}

func TestAKeyThatIsRevokedWhileRunningIsAskedForAgainAndTheSpoolDrains(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start("ARCHIVER_FAILPOINTS=refused-every=300ms," + quickReconnects)
	s.connected()
	s.flows(50)
	release := s.lock("lock table raw.events in access exclusive mode")
	s.wait("events to pile up", func() bool { _, r := p.ready(); return r.Pending > 20 })
	s.server.SetKey(canaryKey, "")
	s.server.Drop(s.org, 1008, "")
	p.says("Invent refuses the connection")
	release()
	s.wait("the spool to drain", func() bool { _, r := p.ready(); return r.Pending == 0 })
	code, r := p.ready()
	if code != http.StatusServiceUnavailable || !strings.Contains(strings.Join(r.Reasons, " "), "refuses") {
		t.Errorf("/readyz answers %d with %q, want 503 and that Invent refuses the connection", code, r.Reasons)
	}
	s.server.SetKey(canaryKey, s.org)
	s.connected()
	s.flows(50)
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

func TestManyReconnectsLeakNothing(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start("ARCHIVER_FAILPOINTS=reconnect-min=2ms,reconnect-max=10ms")
	s.connected()
	s.flows(50)
	files, goroutines := p.openFiles(), p.metric("go_goroutines")
	for n := range 24 {
		s.connected()
		switch n % 4 {
		case 0:
			s.server.Drop(s.org, 0, "")
		case 1:
			s.server.Drop(s.org, 1012, "")
		case 2:
			s.server.RefuseUpgrades(2, 503, 0)
			s.server.Drop(s.org, 0, "")
		case 3:
			s.server.Drop(s.org, 1011, "")
		}
	}
	s.connected()
	s.flows(50)
	// A few come and go with the connections to Postgres and with who asks for the figures.
	const some = 8
	s.wait("goroutines and files to be as many as before", func() bool {
		return p.openFiles() <= files+some && p.metric("go_goroutines") <= goroutines+some
	})
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

var retryIn = regexp.MustCompile(`"msg":"the connection to Invent ended; connecting again".*"retry_in":"([^"]+)"`)

func TestReconnectsAreJitteredGrowAndObeyRetryAfter(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100)
	p := s.start("ARCHIVER_FAILPOINTS=reconnect-min=50ms,reconnect-max=2s")
	s.connected()
	s.flows(20)
	const refused = 8
	s.server.RefuseUpgrades(refused, 503, 0)
	s.server.Drop(s.org, 0, "")
	s.connected()
	pauses := map[string]bool{}
	var longest time.Duration
	found := retryIn.FindAllStringSubmatch(p.log.String(), -1)
	for _, m := range found {
		pause, err := time.ParseDuration(m[1])
		if err != nil {
			t.Fatal(err)
		}
		pauses[m[1]], longest = true, max(longest, pause)
	}
	if len(found) != refused+1 {
		t.Errorf("it paused %d times, want %d", len(found), refused+1)
	}
	if len(pauses) < refused/2 || longest > 2*time.Second {
		t.Errorf("the pauses were %v, want different ones of at most 2 s", pauses)
	}

	s.server.RefuseUpgrades(1, 429, 2*time.Second)
	s.server.Drop(s.org, 0, "")
	s.connected()
	var refusedAt, askedAt time.Time
	for _, r := range s.server.Requests() {
		if r.Status == 429 {
			refusedAt = r.At
		} else if !refusedAt.IsZero() && askedAt.IsZero() {
			askedAt = r.At
		}
	}
	if pause := askedAt.Sub(refusedAt); pause < 2*time.Second {
		t.Errorf("after a 429 with Retry-After: 2 it asked again after %s", pause)
	}
	s.caughtUp(p)
	p.stop()
	s.verdict()
}

// Two archivers of one org, with spools of their own: when the one that listens is stopped, the other takes over; when the
// first wakes, it finds that it has lost the lease.
func TestAStandbyTakesOverFromAStoppedProcessWhichIsFencedWhenItWakes(t *testing.T) {
	t.Parallel()
	s := newStage(t, 50)
	// The first is stopped in the middle of a transaction, maybe, and holds what the second needs: for as long as Postgres
	// lets a session be idle there, which is half a minute unless the connection string says otherwise.
	s.databaseURL += "&idle_in_transaction_session_timeout=3000"
	first := s.start()
	s.connected()
	s.flows(50)
	s.spoolDir += "-of-the-second"
	second := s.start()
	second.says("standing by")
	first.signal(syscall.SIGSTOP)
	first.stopped()
	second.says("connected to the inbox")
	s.flows(100)
	first.signal(syscall.SIGCONT)
	first.says("another process has taken over this org")
	s.flows(50)
	first.stop()
	s.server.Drop(s.org, 0, "") // whatever the first still had open
	s.caughtUp(second)
	second.stop()
	s.isSentTwice = true
	s.verdict()
}

func TestAStandbyTakesOverFromAKilledProcessAndRepairsTheGap(t *testing.T) {
	t.Parallel()
	s := newStage(t, 50)
	listens := s.start()
	s.connected()
	s.flows(50)
	for n := range 3 {
		s.spoolDir += "-next"
		standby := s.start("ARCHIVER_RECONCILE=auto", "ARCHIVER_RECONCILE_RPM=60000")
		standby.says("standing by")
		killedAt := time.Now()
		listens.signal(syscall.SIGKILL)
		listens.exit()
		standby.says("connected to the inbox")
		s.wait("the gap of the takeover to be repaired", func() bool {
			return s.count("select count(*) from ops.gaps where org_id = $1 and ended_at > $2 and status = 'repaired'", s.org, killedAt) == 1
		})
		s.flows(50)
		t.Logf("takeover %d: connected and repaired after %s", n+1, time.Since(killedAt).Round(100*time.Millisecond))
		listens = standby
	}
	s.caughtUp(listens)
	listens.stop()
	// What the killed ones had on their spools is written when these are opened: by a process that is given them.
	for s.spoolDir != "" && strings.HasSuffix(s.spoolDir, "-next") {
		s.spoolDir = strings.TrimSuffix(s.spoolDir, "-next")
		p := s.start()
		s.caughtUp(p)
		p.stop()
	}
	s.verdict()
}
