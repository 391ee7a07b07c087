package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"archiver/simulator"
)

// dataDirForPostgres is an empty data directory that the account of an embedded Postgres may enter, unlike t.TempDir.
func dataDirForPostgres(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "archiver-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

var psqlCommand = regexp.MustCompile(`psql '(postgres://[^']+)'`)

// connection waits for the printed connection string.
func connection(t *testing.T, stdout *output) (url string) {
	t.Helper()
	until(t, "a psql command is printed", func() bool {
		if found := psqlCommand.FindStringSubmatch(stdout.String()); found != nil {
			url = found[1]
		}
		return url != ""
	})
	return url
}

func TestTheDemoShowsAnArchiveThatCanBeAskedAndComeBackTo(t *testing.T) {
	t.Parallel()
	dir := dataDirForPostgres(t)
	env := []string{"ARCHIVER_DATA_DIR=" + dir, "DATABASE_URL=postgres://not-for-the-demo@127.0.0.1:1/x"}
	p := start(t, env, "demo", "--for", "5s", "--days", "5", "--rate", "100")
	url := connection(t, p.stdout)
	until(t, "the history is in", func() bool { return strings.Contains(p.stdout.String(), "From here on it is live") })
	if status, body := get(t, dashboardURL(t, p.stdout)); status != 200 || !strings.Contains(body, "Longest waits") {
		t.Errorf("the demo's dashboard answers %d:\n%s", status, body)
	}
	shown := p.stdout.String()
	questions := strings.Split(shown[strings.Index(shown, "Worth asking:"):], "\n-- ")[1:]
	if len(questions) != 3 {
		t.Fatalf("%d queries are printed, want 3", len(questions))
	}
	for _, q := range questions {
		question, sql, _ := strings.Cut(q, "\n")
		sql, _, _ = strings.Cut(sql, ";")
		if answer := ask(t, url, sql); strings.Count(answer, "\n") < 2 {
			t.Errorf("%s The answer has hardly a row:\n%s", question, answer)
		}
	}
	o := p.wait()
	if o.code != exitDone {
		t.Errorf("the demo exits %d, want %d", o.code, exitDone)
	}
	back := "archiver postgres --data-dir " + filepath.Join(dir, "demo")
	for _, want := range []string{"Creating a Postgres", "lag ", "Archived: chats ", "open_with_ai", "csat", "customers_wrote", back} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("the demo does not print %q", want)
		}
	}
	if strings.TrimSpace(o.stderr) != "" {
		t.Errorf("the demo warns of something: %s", o.stderr)
	}

	again := start(t, nil, strings.Fields(back)[1:]...)
	pool := open(t, connection(t, again.stdout))
	if n := rows(t, pool, "SELECT count(*) FROM raw.events"); n < 300 {
		t.Errorf("the way back leads to %d events, want what the demo archived", n)
	}
	if n := rows(t, pool, "SELECT count(DISTINCT org_id) FROM raw.events"); n != demoOrgs {
		t.Errorf("the demo archived %d organizations, want %d", n, demoOrgs)
	}
	pool.Close()
	again.stopAndWait()

	afresh := start(t, env, "demo", "--days", "2")
	pool = open(t, connection(t, afresh.stdout))
	until(t, "the history is in", func() bool { return strings.Contains(afresh.stdout.String(), "From here on it is live") })
	if n := rows(t, pool, "SELECT count(DISTINCT org_id) FROM raw.events"); n != demoOrgs {
		t.Errorf("the second demo has %d organizations, want %d: it starts afresh", n, demoOrgs)
	}
	pool.Close()
	if o := afresh.stopAndWait(); !strings.Contains(o.stdout, "customers_wrote") {
		t.Error("a demo that is told to stop does not print its results")
	}
}

// ask runs a query as somebody would who reads the screen.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	if _, err := exec.LookPath("psql"); err != nil {
		var n int
		if err := open(t, url).QueryRow(t.Context(), "SELECT count(*) FROM ("+sql+") AS r").Scan(&n); err != nil {
			t.Errorf("asking the printed query: %v\n%s", err, sql)
		}
		return strings.Repeat("\n", n)
	}
	answer, err := exec.Command("psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, url).CombinedOutput()
	if err != nil {
		t.Errorf("psql answers the printed query with %v: %s\n%s", err, answer, sql)
	}
	return string(answer)
}

func TestIngestWithoutADatabaseUsesTheEmbeddedOneAndSaysSoLoudly(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	dir := dataDirForPostgres(t)
	env := append(in.ingesting(""), "ARCHIVER_DATA_DIR="+dir)
	p := start(t, env, "ingest", "--org", "c")
	address := httpAddress(t, p.stderr)
	in.waitForClients(in.orgs[0])
	in.play(30, in.orgs[0])
	until(t, "everything is committed", func() bool { status, r := ready(t, address); return status == 200 && r.Committed >= 30 })
	o := p.stopAndWait()
	for _, want := range []string{"NO DATABASE IS CONFIGURED", filepath.Join(dir, "postgres"), "DATABASE_URL", `"waiting_on_disk":0`} {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	password, err := os.ReadFile(filepath.Join(dir, "postgres", "password"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(o.stderr, strings.TrimSpace(string(password))) {
		t.Error("the log holds the password of the embedded Postgres")
	}
}
