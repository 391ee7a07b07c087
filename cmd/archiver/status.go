package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"archiver/ingest"

	"github.com/jedib0t/go-pretty/v6/table"
)

type statusCommand struct {
	Org      []string `name:"org" placeholder:"ID" from:"INVENT_ORG" help:"Only these organizations: ids as they are stored, repeated or with commas (default: all; c counts as all)."`
	Days     int      `name:"days" placeholder:"N" default:"7" help:"How many days to look back, from 1 to 92."`
	Format   string   `name:"format" enum:"table,json" default:"table" help:"table or json."`
	SpoolDir string   `name:"spool-dir" placeholder:"DIR" from:"ARCHIVER_SPOOL_DIR" help:"Where received events wait (default: spool in the data directory)."`
	Listen   string   `name:"listen" placeholder:"HOST:PORT" default:"127.0.0.1:9464" from:"ARCHIVER_LISTEN" mayBeEmpty:"" help:"Where an ingest on this machine answers; empty: it is not asked."`
}

// Help is kong's longer description.
func (statusCommand) Help() string {
	return `Shows for each organization whether its inbox is listened to, what is missing, and how much of the last days was covered; then the disk. The database tells most of it, so it can be run anywhere; the spool and what waits in it are shown on the machine that ingests. Exits 0 whatever it finds: archiver doctor judges.

Examples:

    DATABASE_URL=postgres://archiver:…@db:5432/archive archiver status
    archiver status --days 30 --org 1jdnr8g4
    archiver status --format json | jq '.orgs[] | select(.connected | not) | .org_id'`
}

// archiveStatus is all that status shows.
type archiveStatus struct {
	At            time.Time           `json:"at"`
	Orgs          []ingest.Standing   `json:"orgs"`
	Partitions    []partition         `json:"partitions"`
	DatabaseBytes int64               `json:"database_bytes"`
	EventsPerDay  float64             `json:"events_per_day"`    // mean of the days that are shown, this one left aside if there are more
	RawGrowth     float64             `json:"raw_bytes_per_day"` // events a day at the bytes an event takes in raw.events; 0 where not known
	Spool         *ingest.SpoolOnDisk `json:"spool"`             // nil where there is none on this machine
	Process       *readiness          `json:"process"`           // what an ingest on this machine says; nil where there is none
	// DrainSeconds is how long what waits takes at the pace of the last second; nil where that cannot be said.
	DrainSeconds *float64 `json:"drain_seconds"`
}

// Run prints the status.
func (c *statusCommand) Run(p *program) error {
	if c.Days < 1 || c.Days > 92 {
		return usagef("--days is %d: it has to be from 1 to 92", c.Days)
	}
	return p.lookInto(func(db *database) error {
		if err := db.checkSchema(p.ctx); err != nil {
			return err
		}
		s, err := c.gather(p, db)
		if err != nil {
			return db.explain(err)
		}
		if c.Format == "json" {
			return writeJSON(p, s)
		}
		c.print(p, db, s)
		return nil
	})
}

func (c *statusCommand) gather(p *program, db *database) (*archiveStatus, error) {
	s := &archiveStatus{At: time.Now().UTC()}
	var err error
	if s.Orgs, err = ingest.ReadStandings(p.ctx, db.pool, storedOrgs(c.Org), s.At, c.Days); err != nil {
		return nil, err
	}
	if s.Partitions, err = readPartitions(p.ctx, db.pool); err != nil {
		return nil, err
	}
	if s.DatabaseBytes, err = readDatabaseBytes(p.ctx, db.pool); err != nil {
		return nil, err
	}
	s.growth()
	if c.SpoolDir == "" {
		c.SpoolDir = filepath.Join(p.dataDir, "spool")
	}
	s.Spool = ingest.ReadSpool(c.SpoolDir)
	if s.Process = askProcess(p.ctx, c.Listen); s.Process != nil && s.Process.Pending > 0 {
		s.DrainSeconds = drainSeconds(p.ctx, c.Listen, s.Process)
	}
	return s, nil
}

// growth works out the events and bytes of a day.
func (s *archiveStatus) growth() {
	days := map[string]int64{}
	for _, o := range s.Orgs {
		for _, d := range o.Days {
			if d.Coverage != nil || d.Events > 0 {
				days[d.Date] += d.Events
			}
		}
	}
	if len(days) > 1 {
		delete(days, s.At.Format(time.DateOnly)) // it is not over
	}
	for _, n := range days {
		s.EventsPerDay += float64(n) / float64(len(days))
	}
	var bytes, rows int64
	for _, p := range s.Partitions {
		if p.Rows > 0 {
			bytes, rows = bytes+p.Bytes, rows+p.Rows
		}
	}
	if rows > 0 {
		s.RawGrowth = s.EventsPerDay * float64(bytes) / float64(rows)
	}
}

// askProcess asks an ingest on this machine; nil when there is none, or somebody else answers.
func askProcess(ctx context.Context, listen string) *readiness {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil
	}
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return nil
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	var r readiness
	if json.NewDecoder(response.Body).Decode(&r) != nil {
		return nil
	}
	return &r
}

// drainSeconds watches the process for a second.
func drainSeconds(ctx context.Context, listen string, before *readiness) *float64 {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil
	}
	after := askProcess(ctx, listen)
	if after == nil || after.Pending >= before.Pending {
		return nil
	}
	seconds := float64(after.Pending) / float64(before.Pending-after.Pending)
	return &seconds
}

func (c *statusCommand) print(p *program, db *database, s *archiveStatus) {
	if len(s.Orgs) == 0 {
		fmt.Fprintf(p.stdout, "%s: no inbox was listened to yet. Next: archiver ingest\n", db.name())
	} else {
		c.printOrgs(p, s)
	}
	fmt.Fprintf(p.stdout, "\nDisk of %s:\n", db.name())
	t := newTable(p.stdout)
	t.AppendHeader(table.Row{"raw.events", "rows (about)", "size"})
	for _, part := range s.Partitions {
		rows := fmt.Sprint(part.Rows)
		if part.Rows < 0 {
			rows = "not known"
		}
		t.AppendRow(table.Row{part.Name, rows, shortBytes(float64(part.Bytes))})
	}
	t.AppendFooter(table.Row{"the whole database", "", shortBytes(float64(s.DatabaseBytes))})
	t.Render()
	fmt.Fprintf(p.stdout, "Growth: %.0f events a day", s.EventsPerDay)
	if s.RawGrowth > 0 {
		fmt.Fprintf(p.stdout, ", which take %s a day in raw.events", shortBytes(s.RawGrowth))
	}
	fmt.Fprintln(p.stdout, ".")
	if s.Spool != nil {
		fmt.Fprintf(p.stdout, "Spool: %s in %s.\n", shortBytes(float64(s.Spool.Bytes)), s.Spool.Dir)
		if n := s.Spool.SetAsideBytes; n > 0 {
			fmt.Fprintf(p.stdout, "Beside it %s of damaged pieces are set aside (%s); delete them when nobody wants to look into them.\n",
				shortBytes(float64(n)), filepath.Join(s.Spool.Dir, "*", "*.corrupt-*"))
		}
	}
	if r := s.Process; r != nil {
		fmt.Fprintf(p.stdout, "Ingest on this machine: %s; %d events wait for Postgres", map[bool]string{true: "ready", false: "NOT READY (" + strings.Join(r.Reasons, "; ") + ")"}[r.Ready], r.Pending)
		if r.LagSeconds > 0 {
			fmt.Fprintf(p.stdout, ", the oldest for %.1f s", r.LagSeconds)
		}
		if s.DrainSeconds != nil {
			fmt.Fprintf(p.stdout, ", written in about %s at this pace", time.Duration(math.Ceil(*s.DrainSeconds))*time.Second)
		}
		fmt.Fprintln(p.stdout, ".")
	}
}

func (c *statusCommand) printOrgs(p *program, s *archiveStatus) {
	t := newTable(p.stdout)
	t.AppendHeader(table.Row{"organization", "inbox", "last heard (UTC)", "newest event in Postgres (UTC)", "gaps open", "not repaired", "chats to complete", "held by"})
	for _, o := range s.Orgs {
		state := "NOT LISTENED TO"
		if o.Connected {
			state = "connected"
		}
		var heard, newest time.Time
		if o.LastHeardAt != nil {
			heard = *o.LastHeardAt
		}
		event := fmt.Sprintf("none in %d days", c.Days)
		if o.LastCommitted != nil {
			newest = *o.LastCommitted
			event = stamp(newest)
		}
		t.AppendRow(table.Row{o.OrgID, state, stamp(heard), event, o.OpenGaps, o.Unrepaired, completionText(o), o.Instance})
	}
	t.Render()
	for _, o := range s.Orgs {
		if !o.Connected && o.CloseReason != nil {
			fmt.Fprintf(p.stdout, "%s: the last connection ended: %s\n", o.OrgID, printable(*o.CloseReason))
		}
	}
	fmt.Fprintln(p.stdout, "\nEvents, and the share of the day in which the inbox was listened to (UTC, newest first):")
	days := newTable(p.stdout)
	header := table.Row{"organization"}
	shown := min(c.Days, 7)
	for i := range shown {
		header = append(header, s.Orgs[0].Days[c.Days-1-i].Date[5:])
	}
	if c.Days > shown {
		header = append(header, fmt.Sprintf("all %d days", c.Days))
	}
	days.AppendHeader(header)
	for _, o := range s.Orgs {
		row := table.Row{o.OrgID}
		for i := range shown {
			row = append(row, dayText(o.Days[c.Days-1-i]))
		}
		if c.Days > shown {
			row = append(row, dayText(allDays(o.Days)))
		}
		days.AppendRow(row)
	}
	days.Render()
}

// completionText says of how many chats messages may be missing, and how long it takes to fetch these.
func completionText(o ingest.Standing) string {
	if o.IncompleteChats == 0 || o.CompletionSeconds == nil {
		return fmt.Sprint(o.IncompleteChats)
	}
	left := time.Duration(*o.CompletionSeconds * float64(time.Second))
	return fmt.Sprintf("%d, about %s", o.IncompleteChats, left.Round(max(time.Second, left/20).Round(time.Second)))
}

// allDays is the sum of days; its coverage is the mean of those that have one.
func allDays(days []ingest.Day) (all ingest.Day) {
	sum, n := 0.0, 0
	for _, d := range days {
		all.Events += d.Events
		if d.Coverage != nil {
			sum, n = sum+*d.Coverage, n+1
		}
	}
	if n > 0 {
		mean := sum / float64(n)
		all.Coverage = &mean
	}
	return all
}

func dayText(d ingest.Day) string {
	if d.Coverage == nil {
		return fmt.Sprintf("%d, –", d.Events)
	}
	return fmt.Sprintf("%d, %s", d.Events, percent(*d.Coverage))
}

// shortBytes is a size to be read: 1.5 GiB.
func shortBytes(n float64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
