package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"archiver/analytics"
	"archiver/ingest"
)

// shownDifferences bounds what --verify prints; all are counted.
const shownDifferences = 1_000

type rebuildCommand struct {
	Org    []string `name:"org" placeholder:"ID" help:"Organizations to rebuild: ids, repeated or with commas (default: all that are archived)."`
	Verify bool     `name:"verify" help:"Change nothing: compare the tables with what raw gives, print the rows that differ, exit 1 if any do."`
}

// Help is kong's longer description.
func (rebuildCommand) Help() string {
	return `Makes the tables of the schema inbox anew from raw.events, with the code of this version: after an upgrade that reads more from the events, or when rows were changed by hand. ingest may go on meanwhile; it waits only while an organization's rows are exchanged. Rows that are right already are not touched. An organization's rows are always either the old ones or the new ones: a rebuild that was ended is simply run again.

--verify prints table, key and the names of the columns that differ, and values only where they are times, numbers, flags, ids or states.

Examples:

    archiver rebuild --verify
    DATABASE_URL=postgres://… archiver rebuild --org 1jdnr8g4`
}

// Run rebuilds or verifies.
func (c rebuildCommand) Run(p *program) error {
	orgIDs, err := orgsByID(c.Org)
	if err != nil {
		return err
	}
	p.gatherGarbage()
	return p.migrate(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		began, progress, printed := time.Now(), p.newTally(), 0
		result, err := ingest.Rebuild(p.ctx, ingest.RebuildConfig{
			Pool: db.pool, Orgs: orgIDs, Verify: c.Verify, Instance: instance(), Log: p.log,
			Differs: func(d ingest.Difference) {
				if printed++; printed <= shownDifferences {
					progress.done()
					fmt.Fprintf(p.stdout, "inbox.%s %s %s: %s %s\n", d.Table, d.OrgID, d.Key, d.What, strings.Join(d.Columns, ", "))
				}
			},
			Progress: func(r ingest.RebuildProgress) {
				progress.show("reading raw.events", "org_id", r.OrgID, "events", r.Events, "received_at", r.ReceivedAt.UTC().Format(time.RFC3339))
			},
		})
		progress.done()
		took := time.Since(began).Round(time.Millisecond)
		switch {
		case errors.Is(err, ingest.ErrRebuilding):
			return fmt.Errorf("%w: wait for it, or end it", err)
		case err != nil:
			return db.explain(err)
		case result.Differences > 0:
			if printed > shownDifferences {
				fmt.Fprintf(p.stdout, "… and %d more\n", printed-shownDifferences)
			}
			return fmt.Errorf("%d rows differ from what %d events give; archiver rebuild puts them right", result.Differences, result.Events)
		case c.Verify:
			fmt.Fprintf(p.stdout, "Every row of %d organizations is what their %d events give (%s).\n", result.Orgs, result.Events, took)
			return verifyFacts(p, db, orgIDs)
		}
		fmt.Fprintf(p.stdout, "Rebuilt %d organizations from %d events in %s: %d rows written, %d removed, the others were right.\n",
			result.Orgs, result.Events, took, result.Written, result.Removed)
		return recomputeFacts(p, db, orgIDs)
	})
}

// verifyFacts compares the facts in analytics with what inbox gives.
func verifyFacts(p *program, db *database, orgIDs []string) error {
	differences, err := analytics.NewRefresher(db.pool, p.log).Verify(p.ctx, orgIDs)
	if err != nil {
		return db.explain(err)
	}
	var all int64
	for _, table := range slices.Sorted(maps.Keys(differences)) {
		fmt.Fprintf(p.stdout, "analytics.%s: %d rows differ\n", table, differences[table])
		all += differences[table]
	}
	if all > 0 {
		return fmt.Errorf("%d rows of analytics differ from what inbox gives; archiver rebuild puts them right", all)
	}
	fmt.Fprintln(p.stdout, "Every fact in analytics is what inbox gives.")
	return nil
}

// recomputeFacts makes the facts in analytics anew.
func recomputeFacts(p *program, db *database, orgIDs []string) error {
	began, progress, all := time.Now(), p.newTally(), map[string]int64{}
	refresher := analytics.NewRefresher(db.pool, p.log)
	err := refresher.Recompute(p.ctx, orgIDs, func(orgID string, chats int64) {
		all[orgID] = chats
		progress.show("making facts", "org_id", orgID, "chats", chats)
	})
	if err == nil {
		// The views are right without, but slower until a running ingest comes to it.
		progress.show("storing days that are over")
		err = refresher.Store(p.ctx, orgIDs...)
	}
	progress.done()
	if err != nil {
		return db.explain(err)
	}
	var chats int64
	for _, n := range all {
		chats += n
	}
	fmt.Fprintf(p.stdout, "Made the facts of %d chats anew in %s.\n", chats, time.Since(began).Round(time.Millisecond))
	return nil
}

// orgsByID trims names of organizations as they are stored; without a key nobody can say what c stands for.
func orgsByID(names []string) (list []string, err error) {
	for _, name := range names {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "c", "all":
			return nil, usagef("--org is %s: name the organizations by their ids, as in the tables (select org_id from inbox.orgs), or leave it out for all", name)
		default:
			list = append(list, name)
		}
	}
	return list, nil
}
