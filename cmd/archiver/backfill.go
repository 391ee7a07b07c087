package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres"
)

type backfillCommand struct {
	Since        string   `name:"since" placeholder:"TIME" required:"" help:"From when on: a day or a time, as 2026-01-01 or 2026-01-01T09:30:00Z."`
	Org          []string `name:"org" placeholder:"ID" default:"c" from:"INVENT_ORG" help:"Organizations to fetch: ids, repeated or with commas; c is the key's own, all is that and those below it."`
	Access       access   `embed:""`
	ReconcileRPM int      `name:"reconcile-rpm" placeholder:"N" default:"120" from:"ARCHIVER_RECONCILE_RPM" help:"Most requests a minute; an ingest that runs makes its own besides."`
}

// Help is kong's longer description.
func (backfillCommand) Help() string {
	return `Fetches what is older than the archive, or fell into a gap that is long past: the chats that changed since a day, and their messages since then, from the REST lists of Invent. It can run while archiver ingest does. A chat takes at least one request, so a thousand chats take about nine minutes at 120 requests a minute.

One that was ended is simply run again: chats whose messages are complete already are not fetched twice. What a chat's state was in between is not in the lists and cannot be fetched.

Examples:

    INVENT_API_KEY=… DATABASE_URL=postgres://archiver:…@db:5432/archive archiver backfill --since 2026-01-01
    archiver backfill --since 2026-05-01 --org all --api-key-file /run/secrets/invent --reconcile-rpm 400`
}

// Run fetches.
func (c backfillCommand) Run(p *program) error {
	since, err := sinceTime(c.Since)
	if err != nil {
		return err
	}
	if since.After(time.Now()) {
		return usagef("--since is %s, which is to come", c.Since)
	}
	if c.ReconcileRPM < 1 {
		return usagef("--reconcile-rpm or ARCHIVER_RECONCILE_RPM is %d: it has to be 1 or more", c.ReconcileRPM)
	}
	if c.Org, err = orgs(c.Org); err != nil {
		return err
	}
	client, err := c.Access.client(p, invent.Config{})
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	if c.Org, err = everyOrg(p, client, c.Org); err != nil {
		return err
	}
	return p.migrate(func(db *database) error {
		if err := db.prepare(p.ctx, true, p.log); err != nil {
			return err
		}
		return c.run(p, db, client, since)
	})
}

func (c backfillCommand) run(p *program, db *database, client *invent.Client, since time.Time) error {
	config := ingest.BackfillConfig{
		Client: client, Pool: db.pool, SpoolDir: filepath.Join(p.dataDir, "backfill"), Instance: instance(),
		Orgs: c.Org, Since: since, RPM: c.ReconcileRPM, Log: p.log,
	}
	progress, began := p.newTally(), time.Now()
	config.Progress = func(b ingest.BackfillProgress) {
		if b.Chats == 0 {
			progress.show("reading the list of chats", "org_id", b.OrgID)
			return
		}
		progress.bar("fetching messages", b.Done, b.Chats, "org_id", b.OrgID)
	}
	result, err := ingest.Backfill(p.ctx, config)
	progress.done()
	switch {
	case errors.Is(err, ingest.ErrBackfilling):
		return fmt.Errorf("%w (%s): wait for it, or use another --data-dir", err, config.SpoolDir)
	case err != nil:
		return fmt.Errorf("%w; run the same backfill again to go on", err)
	}
	// Months that nobody had partitions for.
	if err := postgres.EnsurePartitions(p.ctx, db.pool, time.Now(), monthsAhead); err != nil {
		return db.explain(err)
	}
	fmt.Fprintf(p.stdout, "Fetched in %s: %d chats changed since %s; of %d the messages were complete already, of the others %d messages were read.\n",
		time.Since(began).Round(time.Millisecond), result.Chats, since.Format(time.RFC3339), result.Complete, result.Messages)
	if result.Failed > 0 {
		return fmt.Errorf("the messages of %d chats could not be read; run the same backfill again for these", result.Failed)
	}
	fmt.Fprintln(p.stdout, "Next: archiver status shows what is still missing.")
	return nil
}
