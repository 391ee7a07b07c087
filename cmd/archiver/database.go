package main

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"archiver/ingest"
	"archiver/postgres"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// monthsAhead is for how many coming months raw.events has partitions: an archiver that runs makes them every hour,
	// and one that was away for a while finds them there.
	monthsAhead = 3
	// reachTimeout bounds the first look at a database.
	reachTimeout = 5 * time.Second
)

// database is the one a command works with: the configured one, or the embedded server.
type database struct {
	pool   *pgxpool.Pool
	server *postgres.Server // nil: configured
}

// openDatabase finds the database. A configured one need not be reachable yet.
func (p *program) openDatabase() (*database, error) {
	if connString, ok := postgres.Configured(p.cli.DatabaseURL, p.env.get); ok {
		pool, err := postgres.Connect(p.ctx, connString)
		if err != nil {
			return nil, usagef("--database-url, DATABASE_URL or PG*: %w", err)
		}
		return &database{pool: pool}, nil
	}
	dir := p.embeddedDir()
	p.log.Warn("NO DATABASE IS CONFIGURED: the archive goes into an embedded Postgres on this machine",
		"dir", dir, "to_use_your_own", "set DATABASE_URL=postgres://user:password@host:5432/database, or --database-url")
	db, err := p.startEmbedded(dir, func(step string) { p.log.Info("embedded Postgres", "step", step) })
	if err != nil {
		return nil, err
	}
	c := db.pool.Config().ConnConfig
	p.log.Info("as long as this runs, the archive can be looked at with psql", "command",
		fmt.Sprintf(`PGPASSWORD="$(cat %s)" psql -h %s -p %d -U %s %s`, shellQuoted(db.server.PasswordFile()), c.Host, c.Port, c.User, c.Database))
	return db, nil
}

// embeddedDir is where the embedded server of the data directory lives.
func (p *program) embeddedDir() string { return filepath.Join(p.dataDir, "postgres") }

// startEmbedded runs the embedded server in dir.
func (p *program) startEmbedded(dir string, progress func(string)) (*database, error) {
	server, err := postgres.Start(p.ctx, postgres.Options{Dir: dir, Log: p.log, Progress: progress, Getenv: p.env.get})
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Connect(p.ctx, server.URL())
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	return &database{pool: pool, server: server}, nil
}

// close gives the connections back and stops the embedded server.
func (d *database) close() error {
	d.pool.Close()
	if d.server == nil {
		return nil
	}
	return d.server.Close()
}

// name says which database it is, without its password.
func (d *database) name() string {
	c := d.pool.Config().ConnConfig
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Host: net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))), Path: "/" + c.Database}
	return u.String()
}

// watch ends an ingester's run when the embedded server ends by itself.
func (d *database) watch(ctx context.Context, giveUp context.CancelCauseFunc) {
	if d.server == nil {
		return
	}
	select {
	case <-d.server.Done():
		if err := d.server.Err(); err != nil {
			giveUp(&ingest.GiveUp{Err: err})
		}
	case <-ctx.Done():
	}
}

// reach looks whether the database answers. A database that cannot be reached is an error for which isRefusal is false.
func (d *database) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return d.explain(d.pool.Ping(ctx))
}

// prepare readies the schema and the partitions of the coming months.
func (d *database) prepare(ctx context.Context, migrate bool, log *slog.Logger) error {
	if migrate {
		if _, err := postgres.Migrate(ctx, d.pool, log); err != nil {
			return d.explain(err)
		}
	} else if err := d.checkSchema(ctx); err != nil {
		return err
	}
	return d.explain(postgres.EnsurePartitions(ctx, d.pool, time.Now(), monthsAhead))
}

// checkSchema is what --no-migrate and the commands that migrate nothing do instead: the tables must be those that this
// program knows.
func (d *database) checkSchema(ctx context.Context) error {
	return d.explain(postgres.Check(ctx, d.pool))
}

// maintain is for while ingest runs: new months, and a word when events fall outside of all of them.
func (d *database) maintain(ctx context.Context, log *slog.Logger) error {
	if err := postgres.EnsurePartitions(ctx, d.pool, time.Now(), monthsAhead); err != nil {
		return err
	}
	rows, err := postgres.DefaultPartitionRows(ctx, d.pool)
	if err != nil {
		return err
	}
	if rows > 0 {
		log.Warn("raw.events_default has rows: events came at times for which there is no partition; is the clock right?", "rows", rows)
	}
	return nil
}

// refusal is an answer of a database that was reached and that waiting will not change.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func isRefusal(err error) bool {
	_, ok := errors.AsType[*refusal](err)
	return ok
}

// explain says what to do about an error of the database, and tells a refusal from what will pass.
func (d *database) explain(err error) error {
	if err == nil || isPassing(err) {
		return err
	}
	remedy := "see the server's log"
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		remedy = d.remedy(pg.Code)
		// Postgres' DETAIL and CONTEXT, which may quote data, are not part of the error's text.
	} else if errors.Is(err, postgres.ErrNewerSchema) || errors.Is(err, postgres.ErrOlderSchema) {
		remedy = "" // they say it themselves
	}
	if remedy == "" {
		return &refusal{fmt.Errorf("the database %s cannot be used: %w", d.name(), err)}
	}
	return &refusal{fmt.Errorf("the database %s cannot be used: %w; %s", d.name(), err, remedy)}
}

// isPassing says that an error is about the way to the server or its state of the moment, and not about what was asked.
func isPassing(err error) bool {
	pg, isPg := errors.AsType[*pgconn.PgError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case isPg:
		// Who we are, which database, what is in it, what it can do: the classes of what stays as it is.
		return !slices.Contains([]string{"28", "3D", "3F", "42", "0A", "22", "23", "54"}, pg.Code[:min(2, len(pg.Code))])
	case untrusted:
		return false
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	return connecting || network || pgconn.SafeToRetry(err) || slices.ContainsFunc(passing, func(e error) bool { return errors.Is(err, e) })
}

var passing = []error{
	context.Canceled, context.DeadlineExceeded, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, driver.ErrBadConn,
}

func (d *database) remedy(code string) string {
	c := d.pool.Config().ConnConfig
	switch code {
	case "28P01", "28000":
		return "check user and password in --database-url, DATABASE_URL or PGUSER and PGPASSWORD, and the server's pg_hba.conf"
	case "3D000":
		return fmt.Sprintf("create it (createdb %s), or name another in --database-url, DATABASE_URL or PGDATABASE", c.Database)
	case "42501":
		return fmt.Sprintf("for reading (report): archiver grant %s, by the tables' owner; for all else, as the database's owner: GRANT CREATE ON DATABASE %q TO %q, or let a role that may do so run archiver migrate up",
			c.User, c.Database, c.User)
	case "42P01", "3F000":
		return "its tables are not there: run archiver migrate up, or leave --no-migrate out"
	}
	return "see the server's log"
}
