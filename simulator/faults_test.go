package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// playing serves a world that plays on for the length of the test, as soon as it has a client.
func playing(t *testing.T, opts ServerOptions) (s *Server, url, orgID string) {
	t.Helper()
	w := NewWorld(Config{Seed: 31, Orgs: 1, Chats: 50})
	opts.HoldWithoutClient = true
	s, url = serve(t, w, opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Play(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, url, w.Orgs()[0].ID
}

// drained reads until the connection fails and gives the error.
func drained(t *testing.T, conn *websocket.Conn) error {
	t.Helper()
	for {
		if _, _, err := conn.Read(within(t)); err != nil {
			return err
		}
	}
}

func TestADroppedClientSeesTheCodeOrNone(t *testing.T) {
	s, url, org := playing(t, ServerOptions{})
	for _, code := range []websocket.StatusCode{0, websocket.StatusGoingAway, websocket.StatusTryAgainLater, 4001} {
		conn := dial(t, url, "c", DefaultKey)
		read(t, conn, 3)
		dropped := make(chan int)
		go func() { dropped <- s.Drop(org, code, "as scripted") }()
		err := drained(t, conn)
		if n := <-dropped; n != 1 {
			t.Fatalf("expected one connection to be dropped, got %d", n)
		}
		got := websocket.CloseStatus(err)
		if code == 0 {
			code = -1 // no close frame
		}
		if got != code {
			t.Fatalf("expected close code %d, got %d (%v)", code, got, err)
		}
	}
}

func TestUpgradesAreRefusedAsOftenAsScripted(t *testing.T) {
	s, url, _ := playing(t, ServerOptions{})
	for _, status := range []int{401, 403, 404, 429, 500, 503} {
		s.RefuseUpgrades(2, status, 3*time.Second)
		expectStatus(t, url+"/orgs/c/inbox", DefaultKey, 200)
		for range 2 {
			conn, response, err := websocket.Dial(within(t), url+"/orgs/c/inbox/ws", &websocket.DialOptions{
				HTTPHeader: http.Header{"Authorization": {"Bearer " + DefaultKey}},
			})
			if err == nil {
				conn.CloseNow()
				t.Fatalf("expected the upgrade to be refused with %d, it was not", status)
			}
			if response.StatusCode != status || response.Header.Get("Retry-After") != "3" {
				t.Fatalf("expected %d and Retry-After 3, got %d and %q", status, response.StatusCode, response.Header.Get("Retry-After"))
			}
		}
		conn := dial(t, url, "c", DefaultKey)
		read(t, conn, 1)
		conn.CloseNow()
	}
	s.RefuseLists(1, 500, 0)
	expectStatus(t, url+"/orgs/c/inbox", DefaultKey, 500)
	expectStatus(t, url+"/orgs/c/inbox", DefaultKey, 200)
	s.Redirect(1, "http://127.0.0.1:1/elsewhere")
	response := expectStatus(t, url+"/orgs/c/inbox", DefaultKey, 307)
	if response.Header.Get("Location") != "http://127.0.0.1:1/elsewhere" {
		t.Fatalf("expected to be sent elsewhere, got %q", response.Header.Get("Location"))
	}
	statuses := map[int]int{}
	for _, r := range s.Requests() {
		statuses[r.Status]++
	}
	if statuses[101] != 6 || statuses[503] != 2 || statuses[307] != 1 {
		t.Fatalf("expected all requests on record, got %v", statuses)
	}
}

func TestAStalledClientGetsNothingButPongsUntilItResumes(t *testing.T) {
	s, url, org := playing(t, ServerOptions{Rate: 2000})
	conn := dial(t, url, "c", DefaultKey)
	read(t, conn, 3)
	s.Stall(org)
	lost := waitForSent(t, s, org, len(s.Ledger(org))+5)
	if lost.Written || lost.Connection == 0 {
		t.Fatalf("expected a frame meant for the stalled client not to be written, got %+v", lost)
	}
	ended := make(chan error, 1)
	go func() { ended <- drained(t, conn) }()
	if err := conn.Ping(within(t)); err != nil {
		t.Fatalf("expected a stalled server to answer pings, got %v", err)
	}
	s.Resume(org)
	for next := lost.Index + 1; !waitForSent(t, s, org, next).Written; next++ {
	}
	conn.CloseNow()
	<-ended
}

// waitForSent waits until the ledger has an entry n and gives it.
func waitForSent(t *testing.T, s *Server, org string, n int) Sent {
	t.Helper()
	for ctx := within(t); ; time.Sleep(time.Millisecond) {
		if ledger := s.Ledger(org); len(ledger) > n {
			return ledger[n]
		}
		if ctx.Err() != nil {
			t.Fatalf("expected %d entries in the ledger, they never came", n)
		}
	}
}

func TestAConnectionThatStopsInMidFrameStaysOpenAndSilent(t *testing.T) {
	s, url, org := playing(t, ServerOptions{Rate: 2000})
	conn := dial(t, url, "c", DefaultKey)
	read(t, conn, 3)
	s.StallMidFrame(org)
	failed := make(chan error, 1)
	go func() { failed <- drained(t, conn) }()
	s.mu.Lock()
	stuck := s.clients[org][0].net.frozen
	s.mu.Unlock()
	<-stuck
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := conn.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("expected no pong from a connection stuck in a frame, got %v", err)
	}
	select {
	case err := <-failed:
		t.Fatalf("expected the connection to stay open, got %v", err)
	default:
	}
	s.Drop(org, 0, "")
	if err := <-failed; websocket.CloseStatus(err) != -1 {
		t.Fatalf("expected an end without a close frame, got %v", err)
	}
}

func TestAHalfOpenConnectionSaysNothingAnyMore(t *testing.T) {
	s, url, org := playing(t, ServerOptions{})
	conn := dial(t, url, "c", DefaultKey)
	read(t, conn, 3)
	s.HalfOpen(org)
	if sent := waitForSent(t, s, org, len(s.Ledger(org))); sent.Written {
		t.Fatalf("expected no frame to be written to a half-open connection, got %+v", sent)
	}
	failed := make(chan error, 1)
	go func() { failed <- drained(t, conn) }()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := conn.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("expected no pong from a half-open connection, got %v", err)
	}
	other := dial(t, url, "c", DefaultKey) // the world goes on for others
	read(t, other, 5)
	conn.CloseNow()
	<-failed
}

func TestInjectedFramesArriveAsTheyAreAndInOrder(t *testing.T) {
	w := NewWorld(Config{Seed: 33, Orgs: 1, Chats: 20})
	s, url := serve(t, w, ServerOptions{})
	org := w.Orgs()[0].ID
	s.FastForward(time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC))
	conn := dial(t, url, "c", DefaultKey)
	if err := s.WaitForClients(within(t), org, 1); err != nil {
		t.Fatal(err)
	}
	odd := [][]byte{[]byte("not json"), []byte("{\"data\":\"\xff\xfe\"}"), {}, []byte(`[1e400]`)}
	for _, b := range odd {
		if n := s.Inject(org, websocket.MessageText, b); n != 1 {
			t.Fatalf("expected one client to get it, got %d", n)
		}
	}
	for i, b := range read(t, conn, len(odd)) {
		if !bytes.Equal(b, odd[i]) {
			t.Fatalf("expected %q, got %q", odd[i], b)
		}
	}
	s.Inject(org, websocket.MessageBinary, []byte{0, 1, 2})
	if typ, b, err := conn.Read(within(t)); err != nil || typ != websocket.MessageBinary || !bytes.Equal(b, []byte{0, 1, 2}) {
		t.Fatalf("expected the binary frame, got %v %v %v", typ, b, err)
	}
	s.InjectOversize(org, 5<<20)
	if b := read(t, conn, 1)[0]; len(b) != 5<<20 || !json.Valid(b) {
		t.Fatalf("expected a valid frame of 5 MiB, got %d bytes", len(b))
	}
	go func() { _, _, _ = conn.Read(context.Background()) }()
	if err := s.Ping(within(t), org); err != nil {
		t.Fatalf("expected the client to answer a ping, got %v", err)
	}
	for _, sent := range s.Ledger(org) {
		if !sent.Injected || !sent.Written {
			t.Fatalf("expected only injected frames, all written, got %+v", sent)
		}
	}
}

func TestAClientThatFallsFarBehindAPacedWorldIsDropped(t *testing.T) {
	w := NewWorld(Config{Seed: 34, Orgs: 1, Chats: 50})
	s, url := serve(t, w, ServerOptions{Rate: 1e9})
	org := w.Orgs()[0].ID
	conn := dial(t, url, "c", DefaultKey)
	if err := s.WaitForClients(within(t), org, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Play(ctx) }()
	defer func() { cancel(); <-done }()
	for s.Clients(org) > 0 { // it never reads
		if ctx.Err() != nil {
			t.Fatal("expected the client that never reads to be dropped, it was not")
		}
		time.Sleep(time.Millisecond)
	}
	conn.CloseNow()
}

func TestListsAreAsSlowAsScripted(t *testing.T) {
	s, url, _ := playing(t, ServerOptions{})
	s.SlowLists(30 * time.Millisecond)
	began := time.Now()
	expectStatus(t, url+"/orgs/c/orgs", DefaultKey, 200)
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Fatalf("expected the answer to take 30 ms or longer, got %s", took)
	}
}

func TestPingsAreSentWhenToldTo(t *testing.T) {
	w := NewWorld(Config{Seed: 35, Orgs: 1})
	_, url := serve(t, w, ServerOptions{PingEvery: 5 * time.Millisecond})
	pings := make(chan struct{}, 1000)
	conn, _, err := websocket.Dial(within(t), url+"/orgs/c/inbox/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + DefaultKey}},
		OnPingReceived: func(context.Context, []byte) bool {
			select {
			case pings <- struct{}{}:
			default:
			}
			return true
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- drained(t, conn) }()
	for range 2 {
		select {
		case <-pings:
		case err := <-ended:
			t.Fatalf("expected to be pinged, the connection ended: %v", err)
		}
	}
	conn.CloseNow()
	<-ended
}
