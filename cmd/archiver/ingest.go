package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"archiver/analytics"
	"archiver/ingest"
	"archiver/internal/failpoint"
	"archiver/invent"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

type ingestCommand struct {
	Org           []string `name:"org" placeholder:"ID" default:"c" from:"INVENT_ORG" help:"Organizations to archive: ids, repeated or with commas; c is the key's own, all is that and those below it (found at start)."`
	Access        access   `embed:""`
	SpoolDir      string   `name:"spool-dir" placeholder:"DIR" from:"ARCHIVER_SPOOL_DIR" help:"Where received events wait for Postgres (default: spool in the data directory)."`
	SpoolMaxBytes byteSize `name:"spool-max-bytes" placeholder:"SIZE" default:"10GiB" from:"ARCHIVER_SPOOL_MAX_BYTES" help:"Most that may wait there; when it is full nothing more is received."`
	MaxFrameBytes byteSize `name:"max-frame-bytes" placeholder:"SIZE" default:"16MiB" from:"ARCHIVER_MAX_FRAME_BYTES" help:"Largest event that is accepted."`
	Lanes         int      `name:"lanes" placeholder:"N" from:"ARCHIVER_LANES" help:"Writers to Postgres; every organization has one of them (default: 1 for one organization, else 2)."`
	Reconcile     string   `name:"reconcile" enum:"auto,off" default:"auto" from:"ARCHIVER_RECONCILE" help:"auto or off: whether what was missed while not connected is fetched from the REST lists."`
	ReconcileRPM  int      `name:"reconcile-rpm" placeholder:"N" default:"120" from:"ARCHIVER_RECONCILE_RPM" help:"Most requests a minute for that."`
	Facts         string   `name:"facts" enum:"on,off" default:"on" from:"ARCHIVER_FACTS" help:"on or off: whether this process keeps schema analytics up to date; what changes meanwhile is made up for when one does."`
	Listen        string   `name:"listen" placeholder:"HOST:PORT" default:"127.0.0.1:9464" from:"ARCHIVER_LISTEN" mayBeEmpty:"" help:"Where /metrics, /healthz and /readyz are answered; empty for nowhere."`
	NoMigrate     bool     `name:"no-migrate" help:"Leave the database schema alone; it must be up to date."`
}

// Help is kong's longer description.
func (ingestCommand) Help() string {
	return `Every event is on disk before anything else happens to it, and in Postgres a moment later. While Postgres is away, events wait on disk. SIGTERM or Ctrl-C writes what was received and exits 0; a second one ends at once.

Exits 2 for wrong usage or configuration, 3 when Invent refuses the key or an organization at start (401, 403, 404), 1 for anything else that cannot pass by itself.

Examples:

    INVENT_API_KEY=… DATABASE_URL=postgres://archiver:…@db:5432/archive archiver ingest
    archiver ingest --api-key-file /run/secrets/invent --org 1jdnr8g4,2mbhedeb
    INVENT_API_KEY=… archiver ingest --spool-dir /var/spool/archiver --spool-max-bytes 50GiB --listen :9464`
}

// Run ingests until the program is told to stop.
func (c *ingestCommand) Run(p *program) (err error) {
	client, err := c.validate(p)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	stopProfile, err := p.profile()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	if c.Org, err = everyOrg(p, client, c.Org); err != nil {
		return err
	}
	if c.SpoolDir == "" {
		c.SpoolDir = filepath.Join(p.dataDir, "spool")
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	if listener != nil {
		defer listener.Close()
	}
	db, err := p.openDatabase()
	if err != nil {
		return err
	}
	err = c.ingest(p, client, db, listener)
	return errors.Join(err, db.close())
}

// ingest wires the ingester to its database and its listener, and runs it.
func (c *ingestCommand) ingest(p *program, client *invent.Client, db *database, listener listener) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	var isPrepared atomic.Bool
	var isAway sync.Once
	ctx, giveUp := context.WithCancelCause(p.ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer giveUp(nil)
	watching.Go(func() { db.watch(ctx, giveUp) })
	ingester, err := ingest.New(ingest.Config{
		Client: client, Orgs: c.Org, Pool: db.pool,
		Prepare: func(ctx context.Context) error {
			err := db.prepare(ctx, !c.NoMigrate, p.log)
			switch {
			case isRefusal(err):
				giveUp(&ingest.GiveUp{Err: err})
			case err != nil:
				isAway.Do(func() {
					p.log.Warn("the database cannot be reached yet: events are received and wait on disk; check that it runs and that this is its address",
						"database", db.name(), "set_by", "--database-url, DATABASE_URL or PGHOST")
				})
			}
			if err == nil && !isPrepared.Swap(true) && c.Facts == "on" {
				watching.Go(func() { analytics.NewRefresher(db.pool, p.log).Run(ctx) })
			}
			return err
		},
		Maintain: func(ctx context.Context) error { return db.maintain(ctx, p.log) },
		SpoolDir: c.SpoolDir, SpoolMaxBytes: int64(c.SpoolMaxBytes), Lanes: c.Lanes,
		Instance: instance(), Log: p.log, Registerer: registry, ReconcileRPM: c.reconcileRPM(),
	})
	if err != nil {
		return fmt.Errorf("starting to ingest: %w", err)
	}
	attributes := []any{"version", version(), "orgs", strings.Join(c.Org, ","), "api_url", c.Access.APIURL, "database", db.name(), "spool_dir", c.SpoolDir}
	if listener != nil {
		status := func() ingest.Status {
			s := ingester.Status()
			if !isPrepared.Load() {
				s.Reasons = append(s.Reasons, "the database is not ready to be written to")
			}
			return s
		}
		stop := serve(listener, handler(status, registry), p.log)
		defer stop()
		attributes = append(attributes, "ready_at", fmt.Sprintf("http://%s/readyz", listener.Addr()))
	}
	if p.env.get("GOGC") == "" { // whoever set it decides
		watching.Go(func() { paceGarbage(ctx, ingester.Status) })
	}
	p.log.Info("ingesting; SIGTERM or Ctrl-C stops in good order", attributes...)
	err = ingester.Run(ctx)
	if err == nil {
		s := ingester.Status()
		p.log.Info("stopped in good order", "received", s.Received, "committed", s.Committed, "waiting_on_disk", s.Pending)
	}
	return err
}

// reconcileRPM is the budget of requests; 0 for none at all.
func (c *ingestCommand) reconcileRPM() int {
	if c.Reconcile == "off" {
		return 0
	}
	return c.ReconcileRPM
}

// validate checks what can be checked without asking anybody, and makes the client.
func (c *ingestCommand) validate(p *program) (*invent.Client, error) {
	var err error
	if c.Org, err = orgs(c.Org); err != nil {
		return nil, err
	}
	switch lanes := int64(max(c.Lanes, min(len(c.Org), 2))); {
	case c.Lanes < 0 || c.Lanes > 64:
		return nil, usagef("--lanes or ARCHIVER_LANES is %d: it has to be from 1 to 64; leave it out for the default", c.Lanes)
	case c.ReconcileRPM < 1:
		return nil, usagef("--reconcile-rpm or ARCHIVER_RECONCILE_RPM is %d: it has to be 1 or more; for none at all use --reconcile off", c.ReconcileRPM)
	case int64(c.SpoolMaxBytes)/lanes <= int64(c.MaxFrameBytes):
		return nil, usagef("--spool-max-bytes or ARCHIVER_SPOOL_MAX_BYTES is %s, which its %d lanes share: each has to hold more than one frame of --max-frame-bytes (%s)", c.SpoolMaxBytes, lanes, c.MaxFrameBytes)
	}
	return c.Access.client(p, invent.Config{
		MaxFrameBytes: int64(c.MaxFrameBytes),
		PingInterval:  failpoint.Duration("ping-every", 0), IdleTimeout: failpoint.Duration("idle", 0),
	})
}

// orgs trims the names and refuses what cannot be asked for.
func orgs(names []string) ([]string, error) {
	var list []string
	for _, name := range names {
		switch name = strings.TrimSpace(name); {
		case name == "":
		default:
			list = append(list, name)
		}
	}
	if len(list) == 0 {
		return nil, usagef("--org or INVENT_ORG names no organization: use an id, several with commas, or c for the key's own")
	}
	return list, nil
}

// listAgain is how long to wait before the sub-organizations are asked for again.
const listAgain = 5 * time.Second

// everyOrg puts the key's own organization and those below it in the place of all. Invent may be away just now: it is
// asked until it answers.
func everyOrg(p *program, client *invent.Client, names []string) ([]string, error) {
	at := slices.Index(names, "all")
	if at < 0 {
		return names, nil
	}
	for {
		ids, err := client.SubOrgs(p.ctx)
		var status *invent.StatusError
		switch {
		case err == nil:
			p.log.Info("found the organizations of the key", "sub_organizations", len(ids))
			return slices.Concat(names[:at], []string{invent.OwnOrg}, ids, names[at+1:]), nil
		case errors.As(err, &status) && status.Refused():
			return nil, &ingest.RefusedError{OrgID: invent.OwnOrg, Err: err}
		}
		p.log.Warn("the sub-organizations of --org all cannot be listed yet; asking again", "error", err, "retry_in", listAgain)
		select {
		case <-time.After(listAgain):
		case <-p.ctx.Done():
			return nil, p.ctx.Err()
		}
	}
}

// instance names this process in ops.
func instance() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the process id still tells instances of one machine apart
	}
	return fmt.Sprintf("%s:%d", host, os.Getpid())
}
