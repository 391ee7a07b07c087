package dashboard_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"archiver/dashboard"
	"archiver/postgres"

	"github.com/jackc/pgx/v5/pgxpool"
)

// line is the way to Postgres, which can be cut.
type line struct {
	mu    sync.Mutex
	isCut bool
	conns []net.Conn
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return nil, errors.New("the line is cut")
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err == nil {
		l.conns = append(l.conns, conn)
	}
	return conn, err
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

func TestAPageComesBackByItselfAfterAnOutageOfTheDatabase(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.exec(`insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at) values ('ours', 'Ours', false, now(), now())`)
	var l line
	pool, err := postgres.Connect(t.Context(), a.database, func(config *pgxpool.Config) {
		dashboard.Reading("")(config)
		config.ConnConfig.DialFunc = l.dial
	})
	if err != nil {
		t.Fatalf("connecting as the dashboard does: %v", err)
	}
	t.Cleanup(pool.Close)
	url := a.serveFrom(pool, dashboard.Config{})
	ask := func(path string) (int, string) {
		t.Helper()
		status, _, body := answerTo(t, "GET", url+path, nil)
		return status, body
	}
	if status, _ := ask("/volume?period=7d"); status != 200 {
		t.Fatalf("before the outage the page answers %d", status)
	}
	l.cut()
	for _, path := range []string{"/", "/volume?period=7d", "/csv/agents.csv", "/sql/agents", "/healthz"} {
		if status, body := ask(path); status != 503 || strings.Contains(body, "cut") {
			t.Errorf("while the database cannot be reached %s answers %d, want 503 and nothing of why:\n%s", path, status, body)
		}
	}
	if _, body := ask("/volume?period=7d"); !strings.Contains(body, `<a href="?period=7d">Try again</a>`) || strings.Contains(body, `http-equiv="refresh"`) {
		t.Errorf("the page has no way to try again, or does so unasked:\n%s", body)
	}
	if _, body := ask("/?refresh=on"); !strings.Contains(body, `<meta http-equiv="refresh" content="30">`) {
		t.Errorf("a page that loaded itself again does so no more:\n%s", body)
	}
	l.mend()
	for _, path := range []string{"/?refresh=on", "/volume?period=7d", "/healthz"} {
		if status, body := ask(path); status != 200 || strings.Contains(body, `class="error"`) {
			t.Errorf("after the outage %s answers %d:\n%s", path, status, body)
		}
	}
}
