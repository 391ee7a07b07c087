package ingest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"archiver/postgres"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5/pgxpool"
)

// newArchiveBetween is an archive whose lane reaches Postgres through a proxy, and whose test does not.
func newArchiveBetween(t *testing.T, proxy *proxy) *archive {
	t.Helper()
	a := newArchive(t)
	direct, err := url.Parse(dbtest.NewURL(t))
	if err != nil {
		t.Fatal(err)
	}
	connect := func(u url.URL) *pgxpool.Pool {
		pool, err := postgres.Connect(t.Context(), u.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		return pool
	}
	a.check = connect(*direct)
	through := *direct
	through.Host = proxy.start(t, direct.Host)
	a.pool = connect(through)
	return a
}

func TestEventsAreWrittenOnceThoughBackendsAreKilledAllTheTime(t *testing.T) {
	t.Parallel()
	a := newArchiveBetween(t, &proxy{onCommit: func(int) fault { return noFault }})
	records := simulated(t, simulator.Config{Seed: 7, Chats: 30}, 1_200)
	lane := a.lane()
	ended := make(chan error, 1)
	go func() { ended <- lane.Run(t.Context()) }()
	killed := 0
	for len(records) > 0 {
		n := min(60, len(records))
		a.append(records[:n]...)
		records = records[n:]
		time.Sleep(rand.N(25 * time.Millisecond)) // whatever is going on then
		killed += a.count(`select count(pg_terminate_backend(pid)) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`)
		a.waitUntil("the lane has written what was appended", func() bool {
			return lane.Committed() == a.records[len(a.records)-1].Seq
		})
	}
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatalf("the lane ended with %v, want nil at the seal", err)
	}
	if killed == 0 {
		t.Fatal("no backend was killed: nothing was tested")
	}
	a.likeReference(false)
	a.nothingIsFlawed()
}

// TestEventsAreWrittenOnceThoughTheReplyToACommitIsLost: the writer cannot know whether it took place, and has to ask.
func TestEventsAreWrittenOnceThoughTheReplyToACommitIsLost(t *testing.T) {
	t.Parallel()
	between := &proxy{onCommit: func(n int) fault { return []fault{loseReply, noFault, loseCommit}[n%3] }}
	a := newArchiveBetween(t, between)
	lane := a.lane()
	ended := make(chan error, 1)
	go func() { ended <- lane.Run(t.Context()) }()
	for records := simulated(t, simulator.Config{Seed: 8, Chats: 30}, 600); len(records) > 0; records = records[50:] {
		a.append(records[:50]...)
		a.waitUntil("the lane has written what was appended", func() bool {
			return lane.Committed() == a.records[len(a.records)-1].Seq
		})
	}
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatalf("the lane ended with %v, want nil at the seal", err)
	}
	if replies, commits := between.lost[loseReply].Load(), between.lost[loseCommit].Load(); replies < 3 || commits < 3 {
		t.Fatalf("%d replies and %d commits were lost, want at least 3 of each: nothing was tested", replies, commits)
	}
	a.likeReference(false)
	a.nothingIsFlawed()
}

func TestAnImportCountsWhatWasKnownThoughRepliesToCommitsAreLost(t *testing.T) {
	t.Parallel()
	between := &proxy{onCommit: func(int) fault { return loseReply }}
	a := newArchiveBetween(t, between)
	a.append(simulated(t, simulator.Config{Seed: 8, Chats: 30}, 600)...)
	a.write()
	a.check, a.pool = a.pool, a.check // the import goes through the proxy
	text := a.export()
	lost := between.lost[loseReply].Load()
	result, _ := a.imports("", text)
	if result.Lines != 600 || result.Known != 600 || result.Written != 0 {
		t.Errorf("an import of 600 events that are all stored reports %+v", result)
	}
	if between.lost[loseReply].Load() == lost {
		t.Fatal("no reply was lost: nothing was tested")
	}
}

// waitUntil polls; the deadline is for a test that hangs, not a measure of anything.
func (a *archive) waitUntil(what string, is func() bool) {
	a.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			a.t.Fatalf("waited in vain until %s\n%s", what, a.log)
		}
	}
}

// fault is what a proxy does to a COMMIT.
type fault int

const (
	noFault    fault = iota
	loseReply        // it is carried out, and the connection is cut before the reply
	loseCommit       // the connection is cut before it arrives
)

// proxy stands between a client and Postgres, and does something to chosen COMMITs.
type proxy struct {
	onCommit func(n int) fault // n counts from 0
	commits  atomic.Int64
	turns    atomic.Int64 // round trips: how often the client spoke after the server had
	lost     [3]atomic.Int64
}

func (p *proxy) start(t *testing.T, to string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if err := p.carry(ctx, client, to); err != nil {
					t.Errorf("the proxy before Postgres: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		stop()
		listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

// preparesCommit is the message that gives commit a name, which is that of later messages to carry it out.
var preparesCommit = regexp.MustCompile(`(?s)P....(\w+)\x00commit\x00`)

// carry passes bytes on in both directions until either side ends, or a fault ends both.
func (p *proxy) carry(ctx context.Context, client net.Conn, to string) error {
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return err
	}
	cut := func() { client.Close(); server.Close() }
	defer context.AfterFunc(ctx, cut)()
	var silent atomic.Bool // the client is to hear no more
	var answered atomic.Bool
	var back sync.WaitGroup
	defer func() { cut(); back.Wait() }()
	replied := make(chan struct{}, 1)
	back.Go(func() {
		defer cut()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 && silent.Load() {
				replied <- struct{}{}
				return
			}
			if n > 0 {
				answered.Store(true)
				_, err = client.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
	var commit []byte // the name of the statement, as it comes in a message
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return nil // it hung up, or was cut off
		}
		if answered.Swap(false) {
			p.turns.Add(1)
		}
		what := noFault
		if commit != nil && bytes.Contains(buf[:n], commit) {
			what = p.onCommit(int(p.commits.Add(1)) - 1)
			p.lost[what].Add(1)
		} else if m := preparesCommit.FindSubmatch(buf[:n]); m != nil {
			commit = slices.Concat([]byte{0}, m[1], []byte{0})
		}
		if what == loseCommit {
			return nil
		}
		silent.Store(what == loseReply)
		if _, err := server.Write(buf[:n]); err != nil {
			return nil
		}
		if what == loseReply {
			select {
			case <-replied:
			case <-ctx.Done():
			}
			return nil
		}
	}
}
