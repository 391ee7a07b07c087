package main

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"archiver/postgres"
)

// lookInto is migrate for commands that only read: the embedded server may be run by another archiver (ingest without a
// configured database does), and is asked there.
func (p *program) lookInto(do func(*database) error) error {
	if db := p.runningEmbedded(); db != nil {
		return errors.Join(do(db), db.close())
	}
	return p.migrate(do)
}

// runningEmbedded connects to the embedded server of the data directory that another process runs; nil when none does, or
// when another database is configured.
func (p *program) runningEmbedded() *database {
	if _, configured := postgres.Configured(p.cli.DatabaseURL, p.env.get); configured {
		return nil
	}
	dir := filepath.Join(p.dataDir, "postgres")
	status, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return nil
	}
	lines := strings.Split(string(status), "\n") // pid, data directory, start time, port, …
	password, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil || len(lines) < 4 {
		return nil
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("archiver", strings.TrimSpace(string(password))),
		Host: net.JoinHostPort("127.0.0.1", strings.TrimSpace(lines[3])), Path: "/archiver", RawQuery: "sslmode=disable",
	}
	pool, err := postgres.Connect(p.ctx, u.String())
	if err != nil {
		return nil
	}
	db := &database{pool: pool}
	if db.reach(p.ctx) != nil {
		_ = db.close() // what it left behind is not running any more
		return nil
	}
	return db
}

// hasEmbedded says whether the data directory holds an embedded server.
func (p *program) hasEmbedded() bool {
	_, err := os.Stat(filepath.Join(p.dataDir, "postgres", "data", "PG_VERSION"))
	return err == nil
}
