package main

import (
	"errors"
	"fmt"
	"time"

	"archiver/postgres"

	"github.com/jedib0t/go-pretty/v6/table"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Bring the schema up to this version of archiver."`
	Status migrateStatusCommand `cmd:"" help:"Show which migrations are applied."`
	Down   migrateDownCommand   `cmd:"" help:"Take the newest migration back, with all data in its tables."`
}

type migrateUpCommand struct{}

// Help is kong's longer description.
func (migrateUpCommand) Help() string {
	return `Applies what is missing, and makes the partitions of raw.events for the coming months. Any number of processes may do so at once. ingest does it by itself unless it is told --no-migrate.

Examples:

    DATABASE_URL=postgres://owner:…@db:5432/archive archiver migrate up
    archiver migrate up --data-dir /srv/archiver`
}

// Run migrates up.
func (migrateUpCommand) Run(p *program) error {
	return p.migrate(func(db *database) error {
		applied, err := postgres.Migrate(p.ctx, db.pool, p.log)
		if err != nil {
			return db.explain(err)
		}
		if err := postgres.EnsurePartitions(p.ctx, db.pool, time.Now(), monthsAhead); err != nil {
			return db.explain(err)
		}
		if applied == 0 {
			fmt.Fprintf(p.stdout, "The schema of %s was up to date.\n", db.name())
			return nil
		}
		fmt.Fprintf(p.stdout, "Applied %d migrations to %s; the schema is up to date. Next: archiver ingest\n", applied, db.name())
		return nil
	})
}

type migrateStatusCommand struct{}

// Help is kong's longer description.
func (migrateStatusCommand) Help() string {
	return `Examples:

    DATABASE_URL=postgres://owner:…@db:5432/archive archiver migrate status`
}

// Run prints the migrations and when they were applied.
func (migrateStatusCommand) Run(p *program) error {
	return p.migrate(func(db *database) error {
		steps, err := postgres.Status(p.ctx, db.pool)
		if err != nil {
			return db.explain(err)
		}
		t := newTable(p.stdout)
		t.AppendHeader(table.Row{"migration", "applied at (UTC)"})
		missing := 0
		for _, step := range steps {
			at := "not yet"
			if step.AppliedAt.IsZero() {
				missing++
			} else {
				at = step.AppliedAt.Format(time.DateTime)
			}
			t.AppendRow(table.Row{step.Name, at})
		}
		t.Render()
		if missing > 0 {
			fmt.Fprintf(p.stdout, "%d migrations are missing in %s. Next: archiver migrate up\n", missing, db.name())
		} else {
			fmt.Fprintf(p.stdout, "The schema of %s is up to date.\n", db.name())
		}
		return nil
	})
}

type migrateDownCommand struct {
	Yes bool `name:"yes" help:"Yes, destroy the data in the tables that the newest migration made."`
}

// Help is kong's longer description.
func (migrateDownCommand) Help() string {
	return `Takes back one migration, the newest. The tables it made go, and ALL THAT IS ARCHIVED IN THEM: make a backup first (pg_dump). Nothing is done without --yes.

Examples:

    pg_dump "$DATABASE_URL" -Fc -f before.dump && archiver migrate down --yes`
}

// Run takes one migration back.
func (c migrateDownCommand) Run(p *program) error {
	if !c.Yes {
		return usagef("migrate down destroys what is archived in the tables of the newest migration: make a backup, then confirm with --yes")
	}
	return p.migrate(func(db *database) error {
		step, err := postgres.Down(p.ctx, db.pool, p.log)
		if errors.Is(err, postgres.ErrNothingApplied) {
			fmt.Fprintf(p.stdout, "No migration is applied to %s: there is nothing to take back.\n", db.name())
			return nil
		}
		if err != nil {
			return db.explain(err)
		}
		fmt.Fprintf(p.stdout, "Took %s back in %s. Next: archiver migrate status, or archiver migrate up\n", step.Name, db.name())
		return nil
	})
}

// migrate does something to the database and gives it back.
func (p *program) migrate(do func(*database) error) error {
	db, err := p.openDatabase()
	if err != nil {
		return err
	}
	err = db.reach(p.ctx)
	if err != nil && !isRefusal(err) {
		err = fmt.Errorf("the database %s cannot be reached: check --database-url, DATABASE_URL or PGHOST, and that the server runs: %w", db.name(), err)
	}
	if err == nil {
		err = do(db)
	}
	return errors.Join(err, db.close())
}
