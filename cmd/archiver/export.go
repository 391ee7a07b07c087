package main

import (
	"errors"
	"syscall"
	"time"

	"archiver/ingest"
)

type exportCommand struct {
	Org   []string `name:"org" placeholder:"ID" help:"Organizations to export: ids, repeated or with commas (default: all that are archived)."`
	Since string   `name:"since" placeholder:"TIME" help:"Only what was received at this time (UTC) or later, as 2026-05-01 or 2026-05-01T09:30:00Z."`
}

// Help is kong's longer description.
func (exportCommand) Help() string {
	return `Writes every raw event to standard output as NDJSON: one line of JSON an event, in the order in which they were received, with all that archiver import needs to store the same event again. It holds everything that customers wrote: keep the file as safe as the database.

Examples:

    archiver export > archive.ndjson
    archiver export --org 1jdnr8g4 --since 2026-05-01 | zstd > since-may.ndjson.zst`
}

// Run exports.
func (c exportCommand) Run(p *program) error {
	orgIDs, err := orgsByID(c.Org)
	if err != nil {
		return err
	}
	since, err := sinceTime(c.Since)
	if err != nil {
		return err
	}
	return p.migrate(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		progress := p.newTally()
		lines, err := ingest.Export(p.ctx, ingest.ExportConfig{
			Pool: db.pool, Orgs: orgIDs, Since: since,
			Progress: func(n int64) { progress.show("exporting", "events", n) },
		}, p.stdout)
		progress.done()
		switch {
		case errors.Is(err, syscall.EPIPE):
			return errors.New("whoever read the export has gone before its end")
		case err != nil:
			return db.explain(err)
		}
		p.log.Info("exported", "events", lines)
		return nil
	})
}

func sinceTime(text string) (at time.Time, err error) {
	if text == "" {
		return at, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return at, usagef("--since is %q: write a day or a time, as 2026-05-01 or 2026-05-01T09:30:00Z", text)
}
