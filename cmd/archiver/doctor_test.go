package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/coder/websocket"
)

// diagnose runs doctor and returns its lines by what they are about.
func diagnose(t *testing.T, env []string, args ...string) (code int, lines map[string]check) {
	t.Helper()
	o := runToEnd(t, env, append([]string{"doctor", "--format", "json"}, args...)...)
	var checks []check
	if err := json.Unmarshal([]byte(o.stdout), &checks); err != nil {
		t.Fatalf("doctor prints %q (stderr %q), want JSON: %v", o.stdout, o.stderr, err)
	}
	lines = map[string]check{}
	for _, c := range checks {
		lines[c.What] = c
		if c.Found == "" || (c.Verdict != isOK) != (c.Do != "") {
			t.Errorf("the line %+v: every line is to say what was found, and what to do if it is not ok", c)
		}
	}
	if strings.Contains(o.stdout+o.stderr, canaryKey) {
		t.Error("doctor prints the API key")
	}
	return o.code, lines
}

func wantVerdict(t *testing.T, lines map[string]check, want verdict, names ...string) {
	t.Helper()
	for _, name := range names {
		if lines[name].Verdict != want {
			t.Errorf("%s is %q (%s), want %q", name, lines[name].Verdict, lines[name].Found, want)
		}
	}
}

func TestDriftStatusAndDoctorTellOfAnArchiveThatRunsAndOfOneThatDoesNot(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	env := append(in.ingesting(dbtest.NewURL(t)), "ARCHIVER_DATA_DIR="+t.TempDir())
	org := in.orgs[0]
	p := start(t, env, "ingest", "--org", org)
	address := httpAddress(t, p.stderr)
	in.waitForClients(org)
	in.play(50, org)
	in.server.Inject(org, websocket.MessageText, []byte(`{"type":"sneeze","mood":{"of":"secret"},"data":{"id":"c-1","title":7,"state":{"id":"s","state":"\u001b[31m"}}}`))
	until(t, "all of it is committed", func() bool { _, r := ready(t, address); return r.Committed >= 51 && r.Pending == 0 })
	listen := strings.TrimPrefix(address, "http://")
	until(t, "the connection's life is marked", func() bool {
		return strings.Contains(runToEnd(t, env, "status", "--listen", listen).stdout, " connected ")
	})

	status := runToEnd(t, env, "status", "--listen", listen)
	for _, want := range []string{org, "Ingest on this machine: ready", "events_default", "Spool: ", "Growth: ", ", 100 %"} {
		if status.code != exitDone || !strings.Contains(status.stdout, want) {
			t.Errorf("status exits %d and does not show %q:\n%s", status.code, want, status.stdout)
		}
	}
	var shown archiveStatus
	if err := json.Unmarshal([]byte(runToEnd(t, env, "status", "--format", "json", "--org", org, "--days", "2").stdout), &shown); err != nil {
		t.Fatalf("status --format json: %v", err)
	}
	if len(shown.Orgs) != 1 || len(shown.Orgs[0].Days) != 2 || shown.EventsPerDay < 51 || len(shown.Partitions) < 2 || shown.DatabaseBytes == 0 {
		t.Errorf("status as JSON is %+v, want one org, two days, its events and the sizes", shown)
	}

	_, lines := diagnose(t, env, "--org", org)
	wantVerdict(t, lines, isOK, "inbox of "+org, "clock", "Postgres", "schema", "partitions", "raw.events_default", "inboxes", "spool")
	p.stopAndWait()

	code, lines := diagnose(t, append(env, "INVENT_API_KEY=wrong"), "--org", org)
	if code != exitFailed || lines["inbox of "+org].Verdict != isFailed {
		t.Errorf("doctor exits %d of an archive that nobody writes, with a wrong key: %+v", code, lines)
	}

	drift := runToEnd(t, env, "drift")
	unmapped := strings.Index(drift.stdout, "mood (+1 in it)")
	values := strings.Index(drift.stdout, "sneeze")
	absences := strings.Index(drift.stdout, "Absent or null")
	if drift.code != exitDone || unmapped < 0 || values < unmapped || absences < values {
		t.Errorf("drift exits %d, want the unmapped field first, then the value, then absences:\n%s", drift.code, drift.stdout)
	}
	for _, not := range []string{"secret", "\x1b", "mood.of"} {
		if strings.Contains(drift.stdout, not) {
			t.Errorf("drift prints %q:\n%s", not, drift.stdout)
		}
	}
	for args, want := range map[string]string{
		"drift --all":                "mood.of",
		"drift --org nobody":         "No fields",
		"drift --since 7d":           "mood",
		"drift --since 2026-13-01":   "",
		"drift --since 9999-01-01":   "kept in raw.events): none",
		"status --org nobody":        "no inbox was listened to",
		"status --days 0":            "",
		"drift --org c --format xml": "",
	} {
		o := runToEnd(t, env, strings.Fields(args)...)
		if wanted := map[bool]int{true: exitUsage, false: exitDone}[want == ""]; o.code != wanted || !strings.Contains(o.stdout, want) {
			t.Errorf("archiver %s exits %d, want %d and %q:\n%s%s", args, o.code, wanted, want, o.stdout, o.stderr)
		}
	}
	var d ingest.Drift
	if err := json.Unmarshal([]byte(runToEnd(t, env, "drift", "--format", "json").stdout), &d); err != nil {
		t.Fatalf("drift --format json: %v", err)
	}
	isMood := func(u ingest.UnmappedField) bool {
		return u.Path == "mood" && u.Below == 1 && u.Share > 0 && u.Share < 0.1
	}
	isTitle := func(m ingest.MixedTypes) bool {
		return m.Path == "data.title" && slices.Equal(m.Types, []string{"number", "string"})
	}
	if !slices.ContainsFunc(d.Unmapped, isMood) || !slices.ContainsFunc(d.Types, isTitle) {
		t.Errorf("drift as JSON is %+v, want mood unmapped and data.title of two types", d)
	}
}

func TestDoctorExits0WhenThereAreOnlyWarnings(t *testing.T) {
	t.Parallel()
	code, lines := diagnose(t, []string{"ARCHIVER_SPOOL_MAX_BYTES=1MiB"})
	wantVerdict(t, lines, isWarn, "API key", "database")
	wantVerdict(t, lines, isOK, "spool directory", "data directory")
	if code != exitDone {
		t.Errorf("doctor exits %d of a set-up with nothing wrong in it, want 0: %+v", code, lines)
	}
	o := runToEnd(t, nil, "doctor")
	if !strings.Contains(o.stdout, "what to do") || !strings.Contains(o.stdout, "INVENT_API_KEY") {
		t.Errorf("doctor prints %q, want a table that says what to do", o.stdout)
	}
}

func TestDoctorSaysWhatIsWrongWithASetUp(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte(canaryKey+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	in := newInbox(t, simulator.ServerOptions{})
	full := filepath.Join(dir, "spool", "lane-1-of-1")
	if err := os.MkdirAll(full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "segment"), make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "segment.corrupt-17"), make([]byte, 5000), 0o600); err != nil { // which is in no quota
		t.Fatal(err)
	}
	empty := dbtest.EmptyURL(t)
	for _, c := range []struct {
		name string
		env  []string
		args string
		want map[string]verdict
	}{
		{"a key that others can read", []string{"INVENT_API_URL=" + in.url}, "--api-key-file " + file, map[string]verdict{"API key file": isWarn, "inbox of c": isOK}},
		{"no key file", nil, "--api-key-file " + file + "x", map[string]verdict{"API key": isFailed}},
		{"plain http", []string{"INVENT_API_KEY=k"}, "--api-url http://example.com", map[string]verdict{"API settings": isFailed}},
		{"nobody there", []string{"INVENT_API_KEY=k"}, "--api-url http://" + unusedAddress(t), map[string]verdict{"inbox of c": isFailed}},
		{"a file as directory", nil, "--spool-dir " + file, map[string]verdict{"spool directory": isFailed}},
		{"a full spool", nil, "--spool-max-bytes 1000 --spool-dir " + filepath.Dir(full), map[string]verdict{"spool": isFailed}},
		{"half a spool", nil, "--spool-max-bytes 1800 --spool-dir " + filepath.Dir(full), map[string]verdict{"spool": isWarn}},
		{"no database there", []string{"DATABASE_URL=postgres://u@" + unusedAddress(t) + "/x?connect_timeout=2"}, "", map[string]verdict{"database": isFailed}},
		{"an empty database", []string{"DATABASE_URL=" + empty}, "", map[string]verdict{"Postgres": isOK, "schema": isWarn}},
	} {
		code, lines := diagnose(t, c.env, strings.Fields(c.args)...)
		failed := false
		for what, want := range c.want {
			wantVerdict(t, lines, want, what)
			failed = failed || want == isFailed
		}
		if failed && code != exitFailed {
			t.Errorf("%s: doctor exits %d, want %d", c.name, code, exitFailed)
		}
	}
}

func TestDoctorLooksAtPartitionsGapsAndFlaws(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	pool := open(t, databaseURL)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	parts, err := readPartitions(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if part.Name != "events_default" {
			exec("drop table raw." + part.Name)
		}
	}
	for i, flaws := range []any{nil, []string{"data: missing"}} {
		exec(`insert into raw.events (org_id, received_at, observed_at, stream_id, seq, source, kind, payload, flaws, sha256)
			values ('o', $1, $1, gen_random_uuid(), $2, 'socket', 'frame', '{}', $3, '')`, now.Add(-time.Minute), i, flaws)
	}
	exec(`insert into ops.connections (connection_id, org_id, instance, started_at, opened_at, last_heard_at, frames, bytes, largest_frame_bytes)
		values (gen_random_uuid(), 'o', 'i', $1, $1, $2, 0, 0, 0), (gen_random_uuid(), 'gone', 'i', $3, $3, $3, 0, 0, 0)`, now.Add(-time.Hour), now, now.AddDate(0, -1, 0))
	exec(`insert into ops.gaps (org_id, gap_id, began_at, ended_at, cause, status, chats_swept, messages_recovered)
		values ('o', gen_random_uuid(), $1, $2, 'x', 'unrepaired', 0, 0)`, now.Add(-time.Hour), now.Add(-time.Minute))
	code, lines := diagnose(t, []string{"DATABASE_URL=" + databaseURL})
	wantVerdict(t, lines, isFailed, "partitions", "raw.events_default")
	wantVerdict(t, lines, isWarn, "gaps", "flaws", "inbox of gone")
	wantVerdict(t, lines, isOK, "inboxes", "schema")
	if code != exitFailed {
		t.Errorf("doctor exits %d, want %d", code, exitFailed)
	}
}

func TestDoctorJudgesTheServersSettings(t *testing.T) {
	t.Parallel()
	good := serverFacts{Encoding: "UTF8", Fsync: "on", FullPageWrites: "on", SynchronousCommit: "on", MaxConnections: 100, HasLZ4: true}
	for what, worsen := range map[string]func(*serverFacts){
		"settings":              func(*serverFacts) {},
		"fsync":                 func(f *serverFacts) { f.Fsync = "off" },
		"full_page_writes":      func(f *serverFacts) { f.FullPageWrites = "off" },
		"synchronous_commit":    func(f *serverFacts) { f.SynchronousCommit = "off" },
		"server encoding":       func(f *serverFacts) { f.Encoding = "SQL_ASCII" },
		"max_connections":       func(f *serverFacts) { f.MaxConnections = 5 },
		"lz4":                   func(f *serverFacts) { f.HasLZ4 = false },
		"Postgres is a replica": func(f *serverFacts) { f.IsReplica = true },
	} {
		facts, d := good, &diagnosis{}
		worsen(&facts)
		d.settings(facts)
		if len(d.checks) != 1 || d.checks[0].What != what {
			t.Errorf("the lines are %+v, want one about %s", d.checks, what)
		}
	}
}

func TestDoctorComparesTheClocks(t *testing.T) {
	t.Parallel()
	server := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for off, want := range map[time.Duration]verdict{
		0: isOK, time.Second: isOK, -2 * time.Second: isOK, 10 * time.Second: isWarn, -time.Hour: isFailed,
	} {
		d := &diagnosis{}
		d.clock(&invent.Page{StartedAt: server.Add(off), FinishedAt: server.Add(off + time.Second), ServerDate: server})
		if len(d.checks) != 1 || d.checks[0].Verdict != want {
			t.Errorf("a clock that is %s off: %+v, want %s", off, d.checks, want)
		}
	}
}
