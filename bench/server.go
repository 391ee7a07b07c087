package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"archiver/postgres"

	"github.com/jackc/pgx/v5"
)

// settings are the server's, beside its defaults; the same for archiver and yardsticks. A checkpoint in the middle of a
// short measurement would weigh on whoever is measured just then, so there is one before each instead.
var settings = map[string]string{
	"fsync": "on", "synchronous_commit": "on", "max_wal_size": "8GB",
	"track_commit_timestamp": "on", // for latency
}

// server is a Postgres of our own.
type server struct {
	dir      string
	settings map[string]string
	server   *postgres.Server
	admin    *pgx.Conn // to the database "archiver", which stays empty
	pid      int
	made     int // databases
}

// startServer starts one with a quarter of the machine's memory for what it keeps of its tables, as its manual advises for one that holds data:
// by default it has 128 MB, and what is measured is how fast the page cache gives pages that something else may have driven out. A quick
// run does without: nothing in it is as large.
func startServer(ctx context.Context, dir string, isQuick, isProfiled bool) (*server, error) {
	s := &server{dir: dir, settings: maps.Clone(settings)}
	if quarter := machineMemory() >> 22; !isQuick && quarter > 0 {
		s.settings["shared_buffers"] = fmt.Sprintf("%dMB", quarter)
	}
	if isProfiled {
		s.settings["shared_preload_libraries"] = "pg_stat_statements"
		s.settings["pg_stat_statements.track_utility"] = "on"
	}
	return s, s.start(ctx)
}

// start runs the server, again after a stop. It has the same address then.
func (s *server) start(ctx context.Context) (err error) {
	if s.server, err = postgres.Start(ctx, postgres.Options{Dir: s.dir, Settings: s.settings}); err != nil {
		return err
	}
	if s.admin, err = pgx.Connect(ctx, s.server.URL()); err != nil {
		return errors.Join(fmt.Errorf("connecting to the bench's Postgres: %w", err), s.server.Close())
	}
	text, err := os.ReadFile(filepath.Join(s.dir, "data", "postmaster.pid"))
	if err != nil {
		return errors.Join(fmt.Errorf("finding the process of the bench's Postgres: %w", err), s.stop())
	}
	first, _, _ := strings.Cut(string(text), "\n")
	if s.pid, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
		return errors.Join(fmt.Errorf("finding the process of the bench's Postgres: %w", err), s.stop())
	}
	return nil
}

func (s *server) stop() error {
	s.admin.Close(context.Background())
	return s.server.Close()
}

// create makes a database and gives its address.
func (s *server) create(ctx context.Context) (string, error) {
	s.made++
	name := fmt.Sprintf("bench_%d", s.made)
	if _, err := s.admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("creating the database %s: %w", name, err)
	}
	return s.url(name)
}

func (s *server) url(name string) (string, error) {
	u, err := url.Parse(s.server.URL())
	if err != nil {
		return "", fmt.Errorf("reading the server's address: %w", err)
	}
	u.Path = "/" + name
	return u.String(), nil
}

// drop removes a database that create made.
func (s *server) drop(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("reading a database's address: %w", err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	if _, err := s.admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
		return fmt.Errorf("dropping the database %s: %w", name, err)
	}
	return nil
}

func (s *server) checkpoint(ctx context.Context) error {
	if _, err := s.admin.Exec(ctx, "CHECKPOINT"); err != nil {
		return fmt.Errorf("a checkpoint before measuring: %w", err)
	}
	return nil
}

// usage is what the server has used so far.
type usage struct {
	cpu time.Duration
	wal int64 // bytes
}

func (s *server) usage(ctx context.Context) (u usage, err error) {
	if err := s.admin.QueryRow(ctx, "SELECT (pg_current_wal_lsn() - '0/0')::int8").Scan(&u.wal); err != nil {
		return u, fmt.Errorf("reading how much WAL there is: %w", err)
	}
	u.cpu, err = treeTime(s.pid)
	return u, err
}

// tableCount is what happened to a table.
type tableCount struct {
	Schema   string `json:"schema"`
	Table    string `json:"table"`
	Inserted int64  `json:"inserted"`
	Updated  int64  `json:"updated"`
	HOT      int64  `json:"hot_updated"`
	Deleted  int64  `json:"deleted"`
	Bytes    int64  `json:"bytes"` // with indexes and TOAST
}

// countTables reads the counters of all tables of an archive. A session tells its counts a second late, and up to ten
// when it idles: they are read until raw.events has as many rows as were committed.
func countTables(ctx context.Context, address string, events int64) (map[string]tableCount, error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to count rows: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for giveUp := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		rows, err := conn.Query(ctx, `SELECT schemaname, CASE WHEN relname LIKE 'events\_%' AND schemaname = 'raw' THEN 'events' ELSE relname END,
			sum(n_tup_ins)::int8, sum(n_tup_upd)::int8, sum(n_tup_hot_upd)::int8, sum(n_tup_del)::int8, sum(pg_total_relation_size(relid))::int8
			FROM pg_stat_user_tables WHERE schemaname IN ('raw', 'inbox', 'ops') GROUP BY 1, 2`)
		if err != nil {
			return nil, fmt.Errorf("counting rows: %w", err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tableCount])
		if err != nil {
			return nil, fmt.Errorf("counting rows: %w", err)
		}
		counts := map[string]tableCount{}
		for _, c := range list {
			counts[c.Schema+"."+c.Table] = c
		}
		switch counted := counts["raw.events"].Inserted; {
		case counted >= events:
			return counts, nil
		case time.Now().After(giveUp):
			return nil, fmt.Errorf("counting rows: Postgres' statistics have %d events of %d after 30 s", counted, events)
		}
	}
}

// lastCommit is when the last transaction of the archive's writers was committed.
func lastCommit(ctx context.Context, address string) (at time.Time, err error) {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return at, fmt.Errorf("connecting to read the time of the last commit: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, "SELECT max(pg_xact_commit_timestamp(xmin)) FROM ops.streams").Scan(&at); err != nil {
		return at, fmt.Errorf("reading the time of the last commit: %w", err)
	}
	return at, nil
}
