//go:build linux

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// canaryKey is the API key. It is in no output of the archiver, whatever happens to it.
	canaryKey = "canary-key-5d0f1c"
	// canaryText is what a customer wrote, and neither is that.
	canaryText = "canary-words-8a41e7"
)

// stage is a simulated inbox that is talked in all the time, and an archive of it.
type stage struct {
	t           *testing.T
	world       *simulator.World
	server      *simulator.Server
	org         string
	url         string // of the simulator
	databaseURL string
	spoolDir    string
	pool        *pgxpool.Pool // the test's own way to the database
	heard       hearing       // what processes answered over HTTP
	logs        []*output     // what they wrote
	injected    atomic.Int64
	silence     func() // ends the talk
	isSentTwice bool   // two processes were connected at once: a frame that one missed the other may have kept
}

// newStage is a stage on a database of its own.
func newStage(t *testing.T, rate float64) *stage {
	t.Helper()
	return newStageOn(t, rate, dbtest.NewURL(t))
}

func newStageOn(t *testing.T, rate float64, databaseURL string) *stage {
	t.Helper()
	world := simulator.NewWorld(simulator.Config{Seed: 11, Orgs: 1, Chats: 40})
	s := &stage{
		t: t, world: world, org: world.Orgs()[0].ID, databaseURL: databaseURL, spoolDir: filepath.Join(t.TempDir(), "spool"),
	}
	s.server = simulator.NewServer(world, simulator.ServerOptions{
		Keys: map[string]string{canaryKey: s.org}, Live: true, Rate: rate,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + listener.Addr().String()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	s.pool = pool

	serving, stopServing := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.server.Run(serving, listener); err != nil {
			t.Errorf("serving the simulator: %v", err)
		}
	})
	talking, stopTalking := context.WithCancel(context.Background())
	var talk sync.WaitGroup
	talk.Go(func() {
		if err := s.server.Play(talking); !errors.Is(err, context.Canceled) {
			t.Errorf("playing the simulated world: %v", err)
		}
	})
	talk.Go(func() { s.speak(talking) })
	s.silence = func() { stopTalking(); talk.Wait() }
	t.Cleanup(func() {
		s.silence()
		stopServing()
		running.Wait()
		pool.Close()
	})
	return s
}

// speak sends frames that the world does not make: with the canary in them, long ones that are written to the spool in
// pieces, and ones that are no JSON at all.
func (s *stage) speak(ctx context.Context) {
	for n := 0; ctx.Err() == nil; n++ {
		s.say(canaryText, n%3*40_000)
		s.server.Inject(s.org, websocket.MessageText, fmt.Appendf(nil, `{"no":"json","n":%d,"said":"%s`, s.injected.Add(1), canaryText))
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// say sends a chat in which somebody wrote text, with so many bytes more that nobody knows.
func (s *stage) say(text string, padding int) {
	n := s.injected.Add(1)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	frame := fmt.Appendf(nil, `{"type":"update","identifier":"canary-%d","data":{"id":"canary-chat-%d","org_id":%q,"title":%q,`+
		`"created_at":%q,"updated_at":%q,"last_message":{"id":"canary-message-%d","role":"USER","status":"COMPLETED",`+
		`"created_at":%q,"updated_at":%q,"messages":[{"type":"text","text":%q}]}},"padding":"`,
		n, n%7, s.org, text, now, now, n, now, now, text)
	for range padding {
		frame = append(frame, 'x')
	}
	s.server.Inject(s.org, websocket.MessageText, append(frame, `"}`...))
}

// connected waits until the archiver listens.
func (s *stage) connected() {
	s.t.Helper()
	s.wait("a connection of the archiver", func() bool { return s.server.Clients(s.org) > 0 })
}

// flows waits until so many more events than now are in Postgres.
func (s *stage) flows(more int) {
	s.t.Helper()
	want := s.count("select count(*) from raw.events") + more
	s.wait(fmt.Sprintf("%d more events in Postgres", more), func() bool {
		return s.count("select count(*) from raw.events") >= want
	})
}

// caughtUp ends the talk and waits until the archiver p has brought all of it into Postgres.
func (s *stage) caughtUp(p *process) {
	s.t.Helper()
	s.connected()
	s.silence()
	s.wait("all that was sent to be received and committed", func() bool {
		// The archiver answers a ping behind all frames before it, so these are on the spool.
		ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
		defer cancel()
		if s.server.Clients(s.org) == 0 || s.server.Ping(ctx, s.org) != nil {
			return false
		}
		code, r := p.ready()
		return code == http.StatusOK && r.Pending == 0
	})
}

// wait waits for something, with patience for slow machines.
func (s *stage) wait(what string, is func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited 90 s in vain for %s", what)
		}
	}
}

func (s *stage) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.pool.QueryRow(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (s *stage) exec(sql string, args ...any) {
	s.t.Helper()
	if _, err := s.pool.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
}

// database is the name of the stage's database.
func (s *stage) database() string { return s.pool.Config().ConnConfig.Database }

// terminate ends all of the archiver's sessions with Postgres and says how many there were.
func (s *stage) terminate() int {
	s.t.Helper()
	return s.count(`select count(pg_terminate_backend(pid)) from pg_stat_activity
		where datname = current_database() and application_name = 'archiver'`)
}

func (s *stage) text(query string) (text string) {
	s.t.Helper()
	if err := s.pool.QueryRow(s.t.Context(), query).Scan(&text); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return text
}

func collect[T any](s *stage, query string, args ...any) []T {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return all
}
