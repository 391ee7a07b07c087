package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

type reportCommand struct {
	Org    []string  `name:"org" placeholder:"ID" from:"INVENT_ORG" help:"Only these organizations: ids as they are stored, repeated or with commas (default: all; c counts as all)."`
	Since  reportDay `name:"since" placeholder:"DAY" help:"First day, in the organization's time zone: a date, or how many days ago, as 7d (default: 29 days before the last)."`
	Until  reportDay `name:"until" placeholder:"DAY" help:"Last day, which is counted too: a date, or how many days ago (default: today)."`
	Format string    `name:"format" enum:"table,json,csv,md" default:"table" help:"table, json, csv or md (Markdown)."`
}

// Help is kong's longer description.
func (reportCommand) Help() string {
	return `The headline numbers of a period: cases, response times, CSAT, what the AI resolved, handoffs, backlog, busy hours, tokens and what they cost. Beside each stands of how many it is ("n of N"): what was not seen whole is left out of it, and the end of the report says what is missing and what to do about it.

Each organization has a report of its own: days are those of its time zone, and percentiles cannot be added up. What every number means is in docs/metrics.md. csv and json have one row for each number; its columns stay. Only reads, in one transaction.

Examples:

    archiver report
    archiver report --since 2026-03-01 --until 2026-03-31 --org 1jdnr8g4
    archiver report --since 7d --until 1d --format md > last-week.md
    archiver report --format json | jq '.orgs[].measures[] | select(.metric == "csat_average")'`
}

// report is all that is printed.
type report struct {
	At   time.Time    `json:"at"`
	Orgs []*orgReport `json:"orgs"`
}

// orgReport is one organization's.
type orgReport struct {
	OrgID    string     `json:"org_id"`
	Name     *string    `json:"org_name"`
	TimeZone string     `json:"time_zone"`
	Since    string     `json:"since"` // the first day
	Until    string     `json:"until"` // the last day
	Measures []*measure `json:"measures"`
	Next     []string   `json:"next"` // what to do next, sentences

	today       time.Time
	refreshedAt *time.Time
	lastEventAt *time.Time
	dirtyChats  int64
	hasFacts    bool
}

// measure is one number.
type measure struct {
	Section string   `json:"section"`
	Metric  string   `json:"metric"`
	By      *string  `json:"by"`      // of whom or what: an id, a sender, an hour; nil: of all
	ByName  *string  `json:"by_name"` // its name today
	Stat    string   `json:"stat"`    // count, sum, mean, percent, p50 or p90
	Value   *float64 `json:"value"`   // nil: not known
	Unit    string   `json:"unit"`
	// Numerator and Denominator are those of a share or a mean.
	Numerator   *int64 `json:"numerator"`
	Denominator *int64 `json:"denominator"`
	// N of Of is how many events have a value, of those that should have one.
	N    *int64  `json:"n"`
	Of   *int64  `json:"of"`
	Note *string `json:"note"`
}

// Run prints the report.
func (c *reportCommand) Run(p *program) error {
	return p.lookInto(func(db *database) error {
		// A role that archiver grant lets read may not ask for the schema's version: the views tell it whether they are there.
		if err := db.checkSchema(p.ctx); err != nil && !isForbidden(err) {
			return err
		}
		r, err := c.gather(p.ctx, db.pool)
		if err != nil {
			if usage, ok := errors.AsType[*usageError](err); ok {
				return usage
			}
			return db.explain(err)
		}
		switch c.Format {
		case "json":
			return writeJSON(p, r)
		case "csv":
			return r.writeCSV(p.stdout)
		}
		pages := reportPages{w: p.stdout, isMarkdown: c.Format == "md"}
		pages.write(r, db.name())
		return nil
	})
}

func isForbidden(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "42501"
}

// gather asks all questions of one state of the database.
func (c *reportCommand) gather(ctx context.Context, pool *pgxpool.Pool) (r *report, err error) {
	r = &report{At: time.Now().UTC(), Orgs: []*orgReport{}}
	wanted := storedOrgs(c.Org)
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, pool, options, func(tx pgx.Tx) error {
		// Compiling these queries takes longer than running them.
		if _, err := tx.Exec(ctx, "set local jit = off"); err != nil {
			return fmt.Errorf("switching jit off: %w", err)
		}
		if r.Orgs, err = readReportOrgs(ctx, tx, wanted); err != nil {
			return err
		}
		for _, id := range wanted {
			if !slices.ContainsFunc(r.Orgs, func(o *orgReport) bool { return o.OrgID == id }) {
				return usagef("--org or INVENT_ORG: the archive has no organization %q; archiver status lists those it has", id)
			}
		}
		for _, o := range r.Orgs {
			if err := c.fill(ctx, tx, o); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

func readReportOrgs(ctx context.Context, tx pgx.Tx, ids []string) (orgs []*orgReport, err error) {
	orgs = []*orgReport{}
	rows, err := tx.Query(ctx, reportOrgsSQL, pgx.NamedArgs{"org_ids": append([]string{}, ids...)})
	if err != nil {
		return nil, fmt.Errorf("finding the organizations: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		o := &orgReport{Measures: []*measure{}, Next: []string{}}
		if err := rows.Scan(&o.OrgID, &o.Name, &o.TimeZone, &o.today, &o.refreshedAt, &o.lastEventAt, &o.dirtyChats, &o.hasFacts); err != nil {
			return nil, fmt.Errorf("finding the organizations: %w", err)
		}
		orgs = append(orgs, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("finding the organizations: %w", err)
	}
	return orgs, nil
}

// fill asks for the numbers of one organization.
func (c *reportCommand) fill(ctx context.Context, tx pgx.Tx, o *orgReport) error {
	until := c.Until.on(o.today, o.today)
	since := c.Since.on(o.today, until.AddDate(0, 0, -29))
	o.Since, o.Until = since.Format(time.DateOnly), until.Format(time.DateOnly)
	if since.After(until) {
		return usagef("--since is %s, which is after --until, %s: give the earlier day to --since", o.Since, o.Until)
	}
	if o.hasFacts {
		args := pgx.NamedArgs{"org": o.OrgID, "since": since, "until": until, "today": o.today, "zone": o.TimeZone}
		for _, q := range reportQueries {
			measures, err := readMeasures(ctx, tx, q.section, q.sql, args)
			if err != nil {
				return fmt.Errorf("asking for the %s of %s: %w", q.section, o.OrgID, err)
			}
			o.Measures = append(o.Measures, measures...)
		}
	}
	o.advise()
	return nil
}

func readMeasures(ctx context.Context, tx pgx.Tx, section, sql string, args pgx.NamedArgs) ([]*measure, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(measureSQL, sql), args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*measure, error) {
		m := &measure{Section: section}
		err := row.Scan(&m.Metric, &m.By, &m.ByName, &m.Stat, &m.Value, &m.Unit, &m.Numerator, &m.Denominator, &m.N, &m.Of, &m.Note)
		return m, err
	})
}

// advise says what to do about what is missing.
func (o *orgReport) advise() {
	say := func(format string, args ...any) { o.Next = append(o.Next, fmt.Sprintf(format, args...)) }
	switch {
	case !o.hasFacts && o.lastEventAt == nil:
		say("Nothing of this organization is archived yet. Next: archiver ingest --org %s, then archiver backfill --org %s --since %s for what is older.", o.OrgID, o.OrgID, o.Since)
		return
	case !o.hasFacts && o.dirtyChats > 0:
		say("%d chats are archived whose facts are not made yet: archiver ingest makes them while it runs, archiver rebuild --org %s makes them at once.", o.dirtyChats, o.OrgID)
		return
	case !o.hasFacts:
		say("Events are archived, but no conversation among them: it takes a message of a customer or of the team. Look at archiver status --org %s.", o.OrgID)
		return
	}
	if m := o.find("cases", "cases_opened"); m.is(0) && o.find("cases", "cases_closed").is(0) {
		say("No case was opened or closed in this period; try an earlier --since. archiver status --org %s shows which days have events.", o.OrgID)
	}
	if o.dirtyChats > 0 {
		say("%d chats changed since their facts were made, and are not in these numbers as they are now: archiver ingest does them within seconds while it runs.", o.dirtyChats)
	}
	if o.find("gaps", "gaps") != nil {
		say("Some time was not listened to and is not repaired: archiver status --org %s and archiver doctor say why.", o.OrgID)
	}
	if len(o.section("missing")) > 0 {
		say("What was not seen whole is not in the numbers. archiver backfill --org %s --since %s reads the message lists again, which completes turns; states that nobody listened to stay unknown.", o.OrgID, o.Since)
	}
	for _, m := range o.Measures {
		if m.Metric == "estimated_cost" && m.Value == nil {
			say("Models without a price have no cost: archiver settings show --org %s > settings.json, add model_prices, archiver settings apply settings.json.", o.OrgID)
			break
		}
	}
	if len(o.Next) == 0 {
		say("Nothing is missing. The same as a file: archiver report --org %s --since %s --until %s --format md", o.OrgID, o.Since, o.Until)
	}
}

// find is the first measure of that name; nil when there is none.
func (o *orgReport) find(section, metric string) *measure {
	for _, m := range o.Measures {
		if m.Section == section && m.Metric == metric {
			return m
		}
	}
	return nil
}

func (m *measure) is(value float64) bool { return m != nil && m.Value != nil && *m.Value == value }

// reportDay is a local day, written as a date or as how many days ago it was; zero when it was not given.
type reportDay struct {
	date    time.Time
	daysAgo int
	isGiven bool
}

// UnmarshalText reads it; for kong.
func (d *reportDay) UnmarshalText(text []byte) error {
	value := strings.TrimSpace(string(text))
	if date, err := time.Parse(time.DateOnly, value); err == nil {
		*d = reportDay{date: date, isGiven: true}
		return nil
	}
	days, isDays := strings.CutSuffix(value, "d")
	n, err := strconv.Atoi(days)
	if !isDays || err != nil || n < 0 || n > 36_500 {
		return fmt.Errorf("%q is no day: write a date as 2026-03-01, or how many days ago as 7d", value)
	}
	*d = reportDay{daysAgo: n, isGiven: true}
	return nil
}

// on is the day it is when it is today there.
func (d reportDay) on(today, otherwise time.Time) time.Time {
	switch {
	case !d.isGiven:
		return otherwise
	case d.date.IsZero():
		return today.AddDate(0, 0, -d.daysAgo)
	}
	return d.date
}
