package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"time"

	"archiver/analytics"
	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres/dbtest"
	"archiver/simulator"
)

// simulatedWeeks archives some weeks of one simulated organization as the product does: its frames through the socket, then
// its message lists, then the facts. The world is the same every time, so numbers can be written down; the rows are stored
// in whatever batches they came.
func simulatedWeeks(t *testing.T, weeks int) (databaseURL string, orgID string) {
	t.Helper()
	begins := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) // a Monday
	world := simulator.NewWorld(simulator.Config{Seed: 49, Orgs: 1, Chats: 60, Agents: 5, Activity: 2, Start: begins})
	orgID = world.Orgs()[0].ID
	server := simulator.NewServer(world, simulator.ServerOptions{NoLedger: true})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for the simulator: %v", err)
	}
	serving, stopServing := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Run(serving, listener) }()
	defer func() {
		stopServing()
		if err := <-served; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	}()
	client, err := invent.NewClient(invent.Config{BaseURL: "http://" + listener.Addr().String(), APIKey: simulator.DefaultKey, UserAgent: "archiver/test"})
	if err != nil {
		t.Fatalf("a client of the simulator: %v", err)
	}
	defer client.CloseIdle()

	databaseURL = dbtest.NewURL(t)
	db := &database{pool: open(t, databaseURL)}
	log := slog.New(slog.DiscardHandler)
	ingester, err := ingest.New(ingest.Config{
		Client: client, Orgs: []string{orgID}, Pool: db.pool, SpoolDir: t.TempDir(), Instance: "test", Log: log,
	})
	if err != nil {
		t.Fatalf("starting to ingest: %v", err)
	}
	running, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- ingester.Run(running) }()
	if err := server.WaitForClients(running, orgID, 1); err != nil {
		t.Fatalf("nobody listens to the simulator: %v", err)
	}
	events, err := server.PlayUntil(running, begins.AddDate(0, 0, 7*weeks).Add(-2*time.Hour))
	if err != nil {
		t.Fatalf("playing the weeks: %v", err)
	}
	until(t, "every event is in Postgres", func() bool {
		s := ingester.Status()
		return s.Received >= int64(events) && s.Pending == 0
	})
	_, err = ingest.Backfill(t.Context(), ingest.BackfillConfig{
		Client: client, Pool: db.pool, SpoolDir: t.TempDir(), Instance: "test", Orgs: []string{orgID},
		Since: begins.AddDate(0, 0, -1), RPM: demoRPM, Log: log,
	})
	if err != nil {
		t.Fatalf("reading the message lists: %v", err)
	}
	stop()
	if err := <-ran; err != nil {
		t.Fatalf("ingesting: %v", err)
	}
	settings, err := analytics.ParseSettings([]byte(fmt.Sprintf(simulatedSettings, orgID)))
	if err != nil {
		t.Fatalf("the settings: %v", err)
	}
	if err := analytics.SaveSettings(t.Context(), db.pool, settings); err != nil {
		t.Fatalf("saving the settings: %v", err)
	}
	if _, err := analytics.NewRefresher(db.pool, log).Refresh(t.Context()); err != nil {
		t.Fatalf("making the facts: %v", err)
	}
	return databaseURL, orgID
}

const simulatedSettings = `{"org_id": %q, "time_zone": "Europe/Paris", "thanks_window_seconds": 1800, "business_hours": [
	{"weekday": 1, "opens": "08:00", "closes": "20:00"}, {"weekday": 2, "opens": "08:00", "closes": "20:00"},
	{"weekday": 3, "opens": "08:00", "closes": "20:00"}, {"weekday": 4, "opens": "08:00", "closes": "20:00"},
	{"weekday": 5, "opens": "08:00", "closes": "20:00"}, {"weekday": 6, "opens": "09:00", "closes": "14:00"}],
	"holidays": [{"day": "2026-04-06", "name": "Easter Monday"}],
	"model_prices": [
	{"model": "gemini-2.5-flash", "valid_from": "2026-01-01", "input_per_million": 0.3, "output_per_million": 2.5},
	{"model": "gpt-5-mini", "valid_from": "2026-01-01", "input_per_million": 0.25, "output_per_million": 2},
	{"model": "gpt-5", "valid_from": "2026-01-01", "input_per_million": 1.25, "output_per_million": 10},
	{"model": "claude-sonnet-4-5", "valid_from": "2026-01-01", "input_per_million": 3, "output_per_million": 15},
	{"model": "claude-haiku-4-5", "valid_from": "2026-01-01", "input_per_million": 1, "output_per_million": 5}]}`
