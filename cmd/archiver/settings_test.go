package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

func TestSettingsAreShownChangedAndShownAgain(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + dbtest.NewURL(t)}
	shown := runToEnd(t, env, "settings", "show", "--org", "o1")
	if shown.code != exitDone {
		t.Fatalf("archiver settings show exits %d", shown.code)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(shown.stdout), &document); err != nil {
		t.Fatalf("archiver settings show should print JSON: %v: %s", err, shown.stdout)
	}
	if document["org_id"] != "o1" || document["time_zone"] != "UTC" || document["thanks_window_seconds"] != 0.0 {
		t.Errorf("the defaults are shown as %v", document)
	}
	document["time_zone"] = "Europe/Berlin"
	document["business_hours"] = []any{map[string]any{"weekday": 1, "opens": "09:00", "closes": "24:00"}}
	document["holidays"] = []any{map[string]any{"day": "2026-05-01", "name": "Labour Day"}}
	file := documentFile(t, document)
	for range 2 { // twice is once
		o := runToEnd(t, env, "settings", "apply", file)
		if o.code != exitDone || !strings.Contains(o.stdout, "o1") || !strings.Contains(o.stdout, "within seconds") {
			t.Errorf("archiver settings apply exits %d and prints %q", o.code, o.stdout)
		}
	}
	shown = runToEnd(t, env, "settings", "show", "--org", "o1")
	for _, want := range []string{`"Europe/Berlin"`, `"09:00"`, `"24:00"`, `"1970-01-01"`, `"default"`, `"Labour Day"`} {
		if !strings.Contains(shown.stdout, want) {
			t.Errorf("after a change archiver settings show should print %s: %s", want, shown.stdout)
		}
	}
	for _, args := range [][]string{{"settings", "check"}, {"settings", "check", file}, {"settings", "check", "--org", "o1"}} {
		if o := runToEnd(t, env, args...); o.code != exitDone || !strings.Contains(o.stdout, "Nothing is wrong") {
			t.Errorf("archiver %v exits %d and prints %q", args, o.code, o.stdout)
		}
	}
}

func TestBadSettingsAreRefusedAndNothingIsChanged(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + databaseURL}
	pool := open(t, databaseURL)
	good := documentFile(t, map[string]any{"org_id": "o1", "time_zone": "Asia/Kathmandu"})
	if o := runToEnd(t, env, "settings", "apply", good); o.code != exitDone {
		t.Fatalf("archiver settings apply exits %d: %s", o.code, o.stderr)
	}
	stretch := map[string]any{"weekday": 1, "opens": "09:00", "closes": "17:00"}
	for want, document := range map[string]map[string]any{
		`time_zone "Mars/Olympus"`:       {"org_id": "o1", "time_zone": "Mars/Olympus"},
		"overlaps":                       {"org_id": "o1", "business_hours": []any{stretch, stretch}},
		`input_per_million "-1"`:         {"org_id": "o1", "model_prices": []any{map[string]any{"model": "m", "valid_from": "2026-01-01", "input_per_million": -1, "output_per_million": 1}}},
		`unknown field "timezone"`:       {"org_id": "o1", "timezone": "UTC"},
		"does not have one org alone":    {"time_zone": "UTC"},
		`analytics.holidays, row 1: day`: {"org_id": "o1", "holidays": []any{map[string]any{"day": "May"}}},
	} {
		o := runToEnd(t, env, "settings", "apply", documentFile(t, document))
		if o.code != exitUsage || !strings.Contains(o.stderr, want) || strings.Contains(o.stderr, "server's log") {
			t.Errorf("applying %v exits %d, want %d and %q: %s", document, o.code, exitUsage, want, o.stderr)
		}
	}
	if o := runToEnd(t, env, "settings", "apply", good, "--org", "o2"); o.code != exitUsage || !strings.Contains(o.stderr, "o2") {
		t.Errorf("a document of another org than --org exits %d, want %d: %s", o.code, exitUsage, o.stderr)
	}
	if n := rows(t, pool, "select count(*) from analytics.settings where org_id = 'o1' and time_zone = 'Asia/Kathmandu'"); n != 1 {
		t.Error("settings that were refused should leave those from before")
	}
	// A zone that the next Postgres may not know, and a year that no document can hold.
	if _, err := pool.Exec(t.Context(), "alter table analytics.settings drop constraint time_zone_is_known; insert into analytics.settings values ('o8', 'Mars/Olympus', 0); insert into analytics.holidays values ('o9', '12026-01-01', 'x')"); err != nil {
		t.Fatal(err)
	}
	for org, want := range map[string]string{"o8": `time_zone "Mars/Olympus"`, "o9": `day "12026-01-01"`} {
		for _, args := range []string{"settings show --org " + org, "settings check --org " + org, "settings check"} {
			if o := runToEnd(t, env, strings.Fields(args)...); o.code != exitUsage || !strings.Contains(o.stderr, want) || strings.Contains(o.stderr, "server's log") {
				t.Errorf("archiver %s exits %d, want %d and %q: %s", args, o.code, exitUsage, want, o.stderr)
			}
		}
	}
	// So is an overlap that somebody wanted so much that they took the constraint away.
	if _, err := pool.Exec(t.Context(), "alter table analytics.business_hours drop constraint hours_do_not_overlap"); err != nil {
		t.Fatal(err)
	}
	for _, opens := range []string{"08:00", "09:00"} {
		if _, err := pool.Exec(t.Context(), "insert into analytics.business_hours (org_id, weekday, opens, closes) values ('o1', 1, $1::text::time, '17:00')", opens); err != nil {
			t.Fatal(err)
		}
	}
	if o := runToEnd(t, env, "settings", "check"); o.code != exitUsage || !strings.Contains(o.stderr, "overlaps") || !strings.Contains(o.stderr, "organization o1") {
		t.Errorf("archiver settings check exits %d, want %d and what overlaps: %s", o.code, exitUsage, o.stderr)
	}
}

func TestADocumentIsCheckedWithoutADatabase(t *testing.T) {
	t.Parallel()
	bad := documentFile(t, map[string]any{"time_zone": "Europe/Berln"})
	if o := runToEnd(t, []string{"PGHOST=127.0.0.1", "PGPORT=1"}, "settings", "check", bad); o.code != exitUsage || !strings.Contains(o.stderr, "Europe/Berln") {
		t.Errorf("archiver settings check exits %d, want %d and the zone: %s", o.code, exitUsage, o.stderr)
	}
}

func documentFile(t *testing.T, document map[string]any) string {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "settings.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
