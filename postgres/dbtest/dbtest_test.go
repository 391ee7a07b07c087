package dbtest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"archiver/postgres"
)

func TestEveryTestGetsAMigratedDatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	a, b := New(t), New(t)
	if _, err := a.Exec(t.Context(), "INSERT INTO ops.dirty_chats (org_id, chat_id, dirty_at) VALUES ('o', 'c', now())"); err != nil {
		t.Fatalf("a fresh database should have the whole schema: %v", err)
	}
	var rows int
	if err := b.QueryRow(t.Context(), "SELECT count(*) FROM ops.dirty_chats").Scan(&rows); err != nil || rows != 0 {
		t.Fatalf("another test's database should be empty; it has %d rows (error: %v)", rows, err)
	}
	var partitions int
	if err := b.QueryRow(t.Context(), "SELECT count(*) FROM pg_inherits WHERE inhparent = 'raw.events'::regclass").Scan(&partitions); err != nil || partitions < 4 {
		t.Fatalf("raw.events should have its default partition and three months; it has %d partitions (error: %v)", partitions, err)
	}
}

func TestAPlainSessionIsInAnOddTimeZoneAndThePoolInUTC(t *testing.T) {
	t.Parallel()
	connString := NewURL(t)
	conn, err := pgx.Connect(t.Context(), connString)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	pool, err := postgres.Connect(t.Context(), connString)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	var plain, pooled string
	if err := conn.QueryRow(t.Context(), "SHOW timezone").Scan(&plain); err != nil {
		t.Fatal(err)
	}
	if err := pool.QueryRow(t.Context(), "SHOW timezone").Scan(&pooled); err != nil {
		t.Fatal(err)
	}
	if plain != "Asia/Kathmandu" || pooled != "UTC" {
		t.Errorf("time zones: a plain session has %q, want Asia/Kathmandu; the program's pool has %q, want UTC", plain, pooled)
	}
}

func TestAnEmptyDatabaseHasNoSchema(t *testing.T) {
	t.Parallel()
	conn, err := pgx.Connect(t.Context(), EmptyURL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var exists bool
	if err := conn.QueryRow(t.Context(), "SELECT to_regnamespace('raw') IS NOT NULL").Scan(&exists); err != nil || exists {
		t.Errorf("an empty database should have no schema raw (error: %v)", err)
	}
}

func TestDatabasesAreMadeInParallel(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	urls := make([]string, 8)
	for i := range urls {
		wg.Go(func() { urls[i] = NewURL(t) })
	}
	wg.Wait()
	slices.Sort(urls)
	if n := len(slices.Compact(urls)); n != 8 {
		t.Errorf("eight databases should have eight names; there are %d", n)
	}
}

// A process that is told to use a running server makes its template there, and the next one uses it.
func TestProcessesShareTheTemplateOfAConfiguredServer(t *testing.T) {
	t.Parallel()
	shared := server(t)
	var wg sync.WaitGroup
	names := make([]string, 4)
	for i := range names {
		wg.Go(func() {
			c, err := start(t.Context(), func(name string) string {
				if name == "TEST_DATABASE_URL" {
					return shared.url
				}
				return ""
			})
			if err == nil {
				names[i], err = c.template(t.Context())
			}
			if err != nil {
				t.Errorf("another process should find or make the template: %v", err)
			}
		})
	}
	wg.Wait()
	var templates int
	err := shared.admin.QueryRow(t.Context(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'archiver_template_%' OR datname LIKE 'archiver_making_%'").Scan(&templates)
	if err != nil || templates != 1 || len(slices.Compact(names)) != 1 {
		t.Errorf("four processes should share one template; the server has %d, they named %q (error: %v)", templates, names, err)
	}
}

// TestMain also is the process that the test below starts and kills.
func TestMain(m *testing.M) {
	if os.Getenv("DBTEST_HOLD") != "" {
		c, err := started()
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(os.Getpid()) + " " + c.url + "\n")
		select {}
	}
	os.Exit(m.Run())
}

func TestAKilledTestProcessLeavesNoServerAndNoDirectory(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "DBTEST_HOLD=1", "TEST_DATABASE_URL=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait() // it was killed
	if err != nil {
		t.Fatalf("the process should have started its server: %v", err)
	}
	pid, connString, _ := strings.Cut(strings.TrimSpace(string(line[:n])), " ")
	dir := filepath.Join(baseDir(), dirPrefix+pid)
	if !eventually(func() bool { _, err := os.Stat(dir); return os.IsNotExist(err) }) {
		t.Errorf("%s should be gone some time after its process was killed", dir)
	}
	if conn, err := pgx.Connect(t.Context(), connString); err == nil {
		conn.Close(t.Context())
		t.Error("the server should be gone after its process was killed, it still answers")
	}
}

func TestADatabaseIsNamedInEitherFormOfConnectionString(t *testing.T) {
	for given, want := range map[string]string{
		"postgres://u:p@h:1/a?sslmode=disable": "postgres://u:p@h:1/x?sslmode=disable",
		"host=h dbname=a":                      "host=h dbname=a dbname=x",
	} {
		if got := withDatabase(given, "x"); got != want {
			t.Errorf("withDatabase(%q) = %q, want %q", given, got, want)
		}
	}
}

func eventually(condition func() bool) bool {
	for range 600 {
		if condition() {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func BenchmarkNew(b *testing.B) {
	NewURL(b) // the server and the template
	for b.Loop() {
		NewURL(b)
	}
}
