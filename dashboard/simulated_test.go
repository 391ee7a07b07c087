package dashboard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"archiver/analytics"
	"archiver/dashboard"
	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5/pgxpool"
)

const patience = 60 * time.Second

// archive is a simulated month of one organization, archived as the product does, and a dashboard of it.
type archive struct {
	t        *testing.T
	database string
	pool     *pgxpool.Pool // that may write
	orgID    string
	url      string // of the dashboard
}

// newMonth archives the month up to now: frames through the socket, then the message lists, then the facts. It ends listening
// then, so that nothing changes any more, unless it is to be live.
func newMonth(t *testing.T, isLive bool) *archive {
	t.Helper()
	now := time.Now()
	world := simulator.NewWorld(simulator.Config{Seed: 77, Orgs: 1, Chats: 90, Agents: 6, Activity: 2, Start: now.AddDate(0, 0, -33)})
	a := newArchive(t)
	a.orgID = world.Orgs()[0].ID
	server := simulator.NewServer(world, simulator.ServerOptions{NoLedger: true})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for the simulator: %v", err)
	}
	serving, stopServing := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Run(serving, listener) }()
	stopServer := func() {
		stopServing()
		if err := <-served; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	}
	client, err := invent.NewClient(invent.Config{BaseURL: "http://" + listener.Addr().String(), APIKey: simulator.DefaultKey, UserAgent: "archiver/test"})
	if err != nil {
		t.Fatalf("a client of the simulator: %v", err)
	}
	defer client.CloseIdle()
	stopIngester := a.ingest(server, client, now)
	if isLive {
		t.Cleanup(stopServer)
		t.Cleanup(stopIngester)
	} else {
		stopIngester()
		stopServer()
	}
	settings := fmt.Sprintf(`{"org_id": %q, "time_zone": "Europe/Paris", "model_prices": [
		{"model": "gemini-2.5-flash", "valid_from": "2020-01-01", "input_per_million": 0.3, "output_per_million": 2.5},
		{"model": "gpt-5-mini", "valid_from": "2020-01-01", "input_per_million": 0.25, "output_per_million": 2},
		{"model": "gpt-5", "valid_from": "2020-01-01", "input_per_million": 1.25, "output_per_million": 10},
		{"model": "claude-sonnet-4-5", "valid_from": "2020-01-01", "input_per_million": 3, "output_per_million": 15}]}`, a.orgID)
	parsed, err := analytics.ParseSettings([]byte(settings))
	if err != nil {
		t.Fatalf("the settings: %v", err)
	}
	if err := analytics.SaveSettings(t.Context(), a.pool, parsed); err != nil {
		t.Fatalf("saving the settings: %v", err)
	}
	if _, err := analytics.NewRefresher(a.pool, slog.New(slog.DiscardHandler)).Refresh(t.Context()); err != nil {
		t.Fatalf("making the facts: %v", err)
	}
	a.exec(`update inbox.orgs set name = $1 where org_id = $2`, world.Orgs()[0].Name, a.orgID)
	return a
}

// ingest plays what has happened until now into the archive, and goes on listening until it is stopped.
func (a *archive) ingest(server *simulator.Server, client *invent.Client, now time.Time) (stop func()) {
	a.t.Helper()
	log := slog.New(slog.DiscardHandler)
	ingester, err := ingest.New(ingest.Config{
		Client: client, Orgs: []string{a.orgID}, Pool: a.pool, SpoolDir: a.t.TempDir(), Instance: "test", Log: log,
	})
	if err != nil {
		a.t.Fatalf("starting to ingest: %v", err)
	}
	running, end := context.WithCancel(a.t.Context())
	ran := make(chan error, 1)
	go func() { ran <- ingester.Run(running) }()
	if err := server.WaitForClients(a.t.Context(), a.orgID, 1); err != nil {
		a.t.Fatalf("nobody listens to the simulator: %v", err)
	}
	events, err := server.PlayUntil(a.t.Context(), now)
	if err != nil {
		a.t.Fatalf("playing the month: %v", err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if s := ingester.Status(); s.Received >= int64(events) && s.Pending == 0 {
			break
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("after %s not every event is in Postgres", patience)
		}
	}
	_, err = ingest.Backfill(a.t.Context(), ingest.BackfillConfig{
		Client: client, Pool: a.pool, SpoolDir: a.t.TempDir(), Instance: "test", Orgs: []string{a.orgID},
		Since: now.AddDate(0, 0, -34), RPM: 600_000, Log: log,
	})
	if err != nil {
		a.t.Fatalf("reading the message lists: %v", err)
	}
	return func() {
		end()
		if err := <-ran; err != nil {
			a.t.Errorf("ingesting: %v", err)
		}
	}
}

// newArchive is an empty archive and a dashboard of it.
func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, database: dbtest.NewURL(t)}
	pool, err := pgxpool.New(t.Context(), a.database)
	if err != nil {
		t.Fatalf("connecting to the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	a.pool = pool
	a.url = a.serve("", dashboard.Config{})
	return a
}

// serve puts another dashboard of the archive on a socket.
func (a *archive) serve(role string, config dashboard.Config) (url string) {
	a.t.Helper()
	pool, err := postgres.Connect(a.t.Context(), a.database, dashboard.Reading(role))
	if err != nil {
		a.t.Fatalf("connecting as the dashboard does: %v", err)
	}
	a.t.Cleanup(pool.Close)
	return a.serveFrom(pool, config)
}

// serveFrom puts a dashboard that asks a pool on a socket.
func (a *archive) serveFrom(pool *pgxpool.Pool, config dashboard.Config) (url string) {
	a.t.Helper()
	config.Pool = pool
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	server, err := dashboard.New(config)
	if err != nil {
		a.t.Fatalf("making the dashboard: %v", err)
	}
	listening := httptest.NewServer(server)
	a.t.Cleanup(listening.Close)
	return listening.URL
}

func (a *archive) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.pool.Exec(a.t.Context(), sql, args...); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
}

// get asks for a page that must be there.
func (a *archive) get(path string) string {
	a.t.Helper()
	response, err := http.Get(a.url + path)
	if err != nil {
		a.t.Fatalf("GET %s: %v", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		a.t.Fatalf("GET %s answers %s (%v): %s", path, response.Status, err, body)
	}
	return string(body)
}

// makeHostile gives people, chats, ads, assistants and the organization names as an attacker, a poet and an accident would.
func (a *archive) makeHostile() {
	a.t.Helper()
	script := `<script>alert("hostile")</script>`
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft", 9)
	for _, statement := range []string{
		`update inbox.contacts set name = case abs(hashtext(contact_id)) % 4 when 0 then $1 || name when 1 then $2 when 2 then $3 else name end`,
		`update inbox.chats set title = $1 || $2 || $3, link = case abs(hashtext(chat_id)) % 3 when 0 then 'javascript:alert("hostile")' when 1 then '"><img src=x onerror=alert(1)>' else link end`,
		`update inbox.users set name = case abs(hashtext(user_id)) % 4 when 0 then $1 || name when 1 then $2 when 2 then $3 else name end`,
		`update inbox.assistants set name = $1 || $3 || $2`,
		`update inbox.referrals set ad_title = case abs(hashtext(referral_id)) % 2 when 0 then $1 || $3 else $2 end`,
		`update analytics.cases set channel_type = $1 || $2 || $3 where channel_type = 'telegram'`,
		`update inbox.contact_channels set type = $1 || $2 || $3 where type = 'telegram'`,
		`update inbox.orgs set name = $1 || $3 || $2`,
	} {
		var args []any
		for i, value := range []string{script, long, "شركة الأمل للتجارة (ש.ר.)"} {
			if strings.Contains(statement, fmt.Sprintf("$%d", i+1)) {
				args = append(args, value)
			}
		}
		if !strings.Contains(statement, "$2") || !strings.Contains(statement, "$1") {
			a.t.Fatalf("the statement takes no names: %s", statement)
		}
		a.exec(statement, args...)
	}
}
