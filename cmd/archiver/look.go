package main

import (
	"errors"

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
	url, _ := postgres.Running(p.embeddedDir())
	if url == "" {
		return nil
	}
	pool, err := postgres.Connect(p.ctx, url)
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
