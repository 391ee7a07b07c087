package main

import (
	"errors"
	"fmt"
	"strings"

	"archiver/postgres"
)

type grantCommand struct {
	Role   string   `arg:"" placeholder:"ROLE" help:"The role, which must exist (CREATE ROLE), by its exact name."`
	Org    []string `name:"org" placeholder:"ID" help:"Only these organizations: ids as they are stored, repeated or with commas (default: all, also those to come)."`
	Revoke bool     `name:"revoke" help:"Take the role's rights away again."`
}

// Help is kong's longer description.
func (grantCommand) Help() string {
	return `Lets a role of the database read the schemas inbox and analytics, and what later versions add to them; not raw and ops. It may write nothing. With --org it sees the rows of these organizations alone, through views too (row level security, by the table analytics.reader_orgs). Granted again, it reads what it was granted last. Connect as the owner of the tables.

Examples:

    psql "$DATABASE_URL" -c "create role metabase login password '…'"
    archiver grant metabase
    archiver grant metabase --org 1jdnr8g4,2kx0p1aa
    archiver grant metabase --revoke`
}

// Run grants or revokes.
func (c *grantCommand) Run(p *program) error {
	orgs, err := orgsByID(c.Org)
	if err != nil {
		return err
	}
	switch {
	case c.Revoke && len(c.Org) > 0:
		return usagef("--revoke takes everything away and --org names some: to let %s keep some organizations, grant those: archiver grant %[1]s --org …", c.Role)
	case len(c.Org) > 0 && len(orgs) == 0:
		return usagef("--org names no organization: name some by their ids, or leave it out for all")
	}
	for _, org := range orgs {
		if org == postgres.EveryOrg {
			return usagef("--org is %s: leave it out for all organizations", org)
		}
	}
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		return c.run(p, db, orgs)
	})
}

func (c *grantCommand) run(p *program, db *database, orgs []string) error {
	var warnings []string
	var err error
	if c.Revoke {
		err = postgres.Revoke(p.ctx, db.pool, c.Role)
	} else {
		warnings, err = postgres.Grant(p.ctx, db.pool, c.Role, orgs...)
	}
	if _, ok := errors.AsType[*postgres.RoleError](err); ok {
		return &usageError{err: err}
	}
	if err != nil {
		return db.explain(err)
	}
	for _, warning := range warnings {
		fmt.Fprintln(p.stderr, "archiver:", warning)
	}
	switch {
	case c.Revoke:
		fmt.Fprintf(p.stdout, "Role %s may no longer read the archive in %s, unless as a member of another role.\n", c.Role, db.name())
	case len(orgs) == 0:
		fmt.Fprintf(p.stdout, "Role %s may read inbox and analytics of every organization in %s.\n", c.Role, db.name())
	default:
		fmt.Fprintf(p.stdout, "Role %s may read inbox and analytics of %s in %s, and of no other organization.\n", c.Role, strings.Join(orgs, ", "), db.name())
	}
	return nil
}
