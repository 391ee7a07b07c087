package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"archiver/bench"

	"github.com/jedib0t/go-pretty/v6/table"
)

type benchCommand struct {
	Only    []string      `name:"only" placeholder:"NAME" help:"Sections to run: ${sections}; repeated or with commas (default: all)."`
	Quick   bool          `name:"quick" help:"A minute or two, on few events: counts of rows and allocations mean something then, times do not."`
	Format  string        `name:"format" enum:"text,json" default:"text" help:"text or json."`
	Rounds  int           `name:"rounds" placeholder:"N" help:"How often throughput is measured, by turns with COPY; medians are shown (default: 3, 1 with --quick)."`
	Events  int           `name:"events" placeholder:"N" help:"How far growth is measured (default: 500000, 20000 with --quick)."`
	Chats   int           `name:"chats" placeholder:"N" help:"How many chats, of five messages each, the section facts is measured on (default: 100000, 2000 with --quick)."`
	Outage  time.Duration `name:"outage" placeholder:"DURATION" help:"How long Postgres is away (default: 1m, 4s with --quick)."`
	Dir     string        `name:"dir" placeholder:"DIR" help:"Where the server and the frames go, in a directory of their own that is removed at the end (default: the place for temporary files)."`
	Profile string        `name:"profile" placeholder:"DIR" help:"Also write profiles of the section work there: cpu.pprof, allocs.pprof, statements.tsv. They cost time of their own."`
}

// Help is kong's longer description.
func (benchCommand) Help() string {
	return `Measures this program on this machine, beside what Postgres can take at most: COPY of the same payloads and nothing else. It uses a Postgres of its own, made from the local binaries, and simulated frames over real WebSockets; no configured database is touched. A full run takes some 25 minutes and 10 GB of disk. Exits 0 whether or not the targets are reached.

Examples:

    archiver bench
    archiver bench --quick --only work --format json
    archiver bench --only memory --outage 5m
    archiver bench --only facts --chats 1000000`
}

// Run measures and prints.
func (c benchCommand) Run(p *program) error {
	p.gatherGarbage() // as rebuild does, whose making of facts runs in this process; the archiver that is measured is another one
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program, to start it again: %w", err)
	}
	if c.Profile != "" {
		if err := os.MkdirAll(c.Profile, 0o755); err != nil {
			return fmt.Errorf("making the directory of --profile: %w", err)
		}
	}
	report, err := bench.Run(p.ctx, bench.Config{
		Archiver: program, Dir: c.Dir, Only: c.Only, Quick: c.Quick, Rounds: c.Rounds, Events: c.Events, Chats: c.Chats, Outage: c.Outage,
		ProfileDir: c.Profile, Progress: func(step string) { fmt.Fprintf(p.stderr, "%s %s …\n", time.Now().Format(time.TimeOnly), step) },
	})
	switch {
	case report == nil:
	case c.Format == "json":
		out := json.NewEncoder(p.stdout)
		out.SetIndent("", "  ")
		err = errors.Join(err, out.Encode(report))
	default:
		printBench(p.stdout, report)
	}
	return err
}

func printBench(w io.Writer, r *bench.Report) {
	m, f := r.Machine, r.Frames
	fmt.Fprintf(w, "%s, %d cores, %.0f GiB, Linux %s, Postgres %s, %s, %s; load %s before, %s after\n", m.CPU, m.Cores,
		float64(m.Memory)/(1<<30), m.Kernel, m.Postgres, m.FileSystem, m.Go, m.LoadBefore, m.LoadAfter)
	if f.Measured > 0 {
		fmt.Fprintf(w, "frames of %d to %d bytes, %.0f in the mean; %d measured after %d, of %d chats, %d of them new\n",
			f.Least, f.Most, f.Mean, f.Measured, f.WarmUp, f.Distinct, f.Fresh)
	}
	if r.Quick {
		fmt.Fprintln(w, "QUICK: times and ratios of times mean little")
	}
	fmt.Fprintln(w)
	t := newTable(w)
	t.AppendHeader(table.Row{"section", "what", "value", "unit", "target", "met", "rounds"})
	for _, row := range r.Rows {
		target, met := "", ""
		switch {
		case row.AtMost != nil:
			target = "≤ " + short(*row.AtMost)
		case row.AtLeast != nil:
			target = "≥ " + short(*row.AtLeast)
		}
		if row.HasTarget() {
			met = "no"
			if row.IsMet() {
				met = "yes"
			}
		}
		var rounds []string
		for _, v := range row.Rounds {
			rounds = append(rounds, short(v))
		}
		t.AppendRow(table.Row{row.Section, row.Name, short(row.Value), row.Unit, target, met, strings.Join(rounds, " ")})
	}
	t.Render()
	if len(r.Tables) == 0 {
		return
	}
	fmt.Fprintln(w, "\nRows an event, one org:")
	t = newTable(w)
	t.AppendHeader(table.Row{"table", "inserted", "updated", "of it HOT", "deleted"})
	for _, c := range r.Tables {
		t.AppendRow(table.Row{c.Table, short(c.Inserted), short(c.Updated), fmt.Sprintf("%.0f %%", 100*c.HOT), short(c.Deleted)})
	}
	t.Render()
}

// short is a number with three digits that count.
func short(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// benchFeedCommand is a process of bench.
type benchFeedCommand struct{}

// Run serves frames until standard input ends.
func (benchFeedCommand) Run(p *program) error { return bench.Feed(p.ctx, os.Stdin, p.stdout) }
