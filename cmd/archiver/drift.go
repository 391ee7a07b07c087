package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"archiver/ingest"

	"github.com/jedib0t/go-pretty/v6/table"
)

type driftCommand struct {
	Org    []string `name:"org" placeholder:"ID" from:"INVENT_ORG" help:"Only of these organizations: ids as they are stored, repeated or with commas (default: all; c counts as all)."`
	Since  since    `name:"since" placeholder:"WHEN" help:"Only what was first seen then or later (values, types and absences: seen at all): a date, a time in RFC 3339, or how long ago, as 12h or 7d."`
	Format string   `name:"format" enum:"table,json" default:"table" help:"table or json."`
	All    bool     `name:"all" help:"Every row, and what is inside of unmapped objects; else the first of each table."`
}

// Help is kong's longer description.
func (driftCommand) Help() string {
	return `Compares what the vendor sends with what archiver reads: fields that nothing is read of (they are kept in raw.events), values that its documentation does not name, fields of several types, and how often fields are absent or null. Every event counts; values are kept of enumerated fields only. Exits 0 whatever it finds.

Examples:

    archiver drift
    archiver drift --since 7d --format json
    archiver drift --org 1jdnr8g4 --all`
}

// shortRows is how many rows of a table are shown without --all.
const shortRows = 12

// Run prints the report.
func (c *driftCommand) Run(p *program) error {
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		d, err := ingest.ReadDrift(p.ctx, db.pool, storedOrgs(c.Org), time.Time(c.Since))
		if err != nil {
			return db.explain(err)
		}
		if c.Format == "json" {
			return writeJSON(p, d)
		}
		c.print(p, d)
		return nil
	})
}

func (c *driftCommand) print(p *program, d *ingest.Drift) {
	if d.Fields == 0 {
		fmt.Fprintln(p.stdout, "No fields have been seen: nothing was ingested yet, or nothing of these organizations (--org).")
		return
	}
	fmt.Fprintf(p.stdout, "%d fields seen in %d organizations.\n", d.Fields, d.Orgs)
	unmapped := [][]any{}
	for _, u := range d.Unmapped {
		if u.Outer != "" && !c.All {
			continue
		}
		path := u.Path
		if u.Below > 0 && !c.All {
			path = fmt.Sprintf("%s (+%d in it)", u.Path, u.Below)
		}
		share := ""
		if u.Share > 0 {
			share = percent(u.Share)
		}
		unmapped = append(unmapped, []any{path, u.Type, u.Orgs, u.Sightings, share, stamp(u.FirstSeen), stamp(u.LastSeen)})
	}
	c.table(p, "Not read by archiver (kept in raw.events)", []any{"field", "type", "orgs", "seen", "in", "first seen (UTC)", "last seen (UTC)"}, unmapped)
	values := [][]any{}
	for _, v := range d.Values {
		shown := make([]string, len(v.Values))
		for i := range v.Values {
			shown[i] = printable(v.Values[i])
		}
		text := strings.Join(shown, ", ")
		if !v.Complete {
			text += ", and maybe more than are kept"
		}
		values = append(values, []any{v.Path, text})
	}
	c.table(p, "Values that the vendor's documentation does not name", []any{"field", "values"}, values)
	types := [][]any{}
	for _, m := range d.Types {
		types = append(types, []any{m.Path, strings.Join(m.Types, ", ")})
	}
	c.table(p, "Fields of several types", []any{"field", "types"}, types)
	absences := [][]any{}
	for _, a := range d.Absences {
		total := float64(a.Present + a.Nulls + a.Absent)
		absences = append(absences, []any{a.Path, a.Present, percent(float64(a.Absent) / total), percent(float64(a.Nulls) / total)})
	}
	c.table(p, "Absent or null at times", []any{"field", "with a value", "absent", "null"}, absences)
	for _, org := range d.Crowded {
		fmt.Fprintf(p.stdout, "\nOrganization %s shows more fields than are told apart; the rest is counted under *.\n", org)
	}
}

// table prints one table of the report, or that there is nothing in it.
func (c *driftCommand) table(p *program, title string, header []any, rows [][]any) {
	if len(rows) == 0 {
		fmt.Fprintf(p.stdout, "\n%s: none.\n", title)
		return
	}
	fmt.Fprintf(p.stdout, "\n%s:\n", title)
	t := newTable(p.stdout)
	t.AppendHeader(table.Row(header))
	shown := rows
	if !c.All {
		shown = rows[:min(len(rows), shortRows)]
	}
	for _, row := range shown {
		t.AppendRow(row)
	}
	t.Render()
	if more := len(rows) - len(shown); more > 0 {
		fmt.Fprintf(p.stdout, "… and %d more: --all\n", more)
	}
}

// printable keeps a value that came from outside from steering the terminal.
func printable(s string) string {
	quoted := strconv.Quote(s)
	if quoted == `"`+s+`"` && s != "" {
		return s
	}
	return quoted
}

// storedOrgs are the ids to look for; none for all.
func storedOrgs(names []string) (ids []string) {
	for _, name := range names {
		switch name = strings.TrimSpace(name); name {
		case "":
		case "c", "all":
			return nil
		default:
			ids = append(ids, name)
		}
	}
	return ids
}

func writeJSON(p *program, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s\n", b)
	return err
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// percent never rounds something to nothing, nor nearly all to all.
func percent(share float64) string {
	switch {
	case share <= 0:
		return "0 %"
	case share < 0.0005:
		return "<0.1 %"
	case share > 0.9995 && share < 1:
		return "99.9 %"
	case share >= 1:
		return "100 %"
	}
	return strconv.FormatFloat(100*share, 'f', 1, 64) + " %"
}

// since is a moment, written as a date, a time, or how long ago it was.
type since time.Time

// UnmarshalText reads it; for kong.
func (s *since) UnmarshalText(text []byte) error {
	value := strings.TrimSpace(string(text))
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			*s = since(t)
			return nil
		}
	}
	ago, err := time.ParseDuration(value)
	if days, isDays := strings.CutSuffix(value, "d"); isDays {
		var n float64
		n, err = strconv.ParseFloat(days, 64)
		ago = time.Duration(n * 24 * float64(time.Hour))
	}
	if err != nil || ago < 0 || ago > 100*365*24*time.Hour {
		return fmt.Errorf("%q is no time: write a date as 2026-03-01, a time as 2026-03-01T12:00:00Z, or how long ago as 12h or 7d", value)
	}
	*s = since(time.Now().Add(-ago))
	return nil
}
