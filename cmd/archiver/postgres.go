package main

import (
	"errors"
	"fmt"
)

type postgresCommand struct{}

// Help is kong's longer description.
func (postgresCommand) Help() string {
	return `Runs the embedded Postgres of the data directory in the foreground and prints how to connect to it, as long as nothing else runs it (ingest without a configured database does). Ctrl-C stops it in good order. --database-url has no meaning here.

Examples:

    archiver postgres
    archiver postgres --data-dir ~/.local/share/archiver/demo`
}

// Run serves the embedded Postgres until the program is told to stop.
func (c *postgresCommand) Run(p *program) error {
	dir := p.embeddedDir()
	db, err := p.startEmbedded(dir, func(step string) { fmt.Fprintln(p.stdout, step+" …") })
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\nPostgres runs in %s. Connect with\n\n    psql '%s'\n\nCtrl-C stops it.\n", dir, db.server.URL())
	select {
	case <-p.ctx.Done():
		fmt.Fprintln(p.stdout, "Stopping Postgres …")
	case <-db.server.Done():
	}
	return errors.Join(db.server.Err(), db.close())
}
