package main

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
)

// tally tells how far something has come: a line that overwrites itself on a terminal, else now and then a line of
// the log.
type tally struct {
	w     io.Writer // stderr
	log   *slog.Logger
	quiet bool // no terminal
	every time.Duration
	last  time.Time
	began time.Time // of the bar that is shown
	first int       // how much was done then
}

func (p *program) newTally() *tally {
	if isTerminal(p.stderr) {
		return &tally{w: p.stderr, log: p.log, every: 200 * time.Millisecond, last: time.Now()}
	}
	return &tally{w: p.stderr, log: p.log, quiet: true, every: 10 * time.Second, last: time.Now()}
}

// show is called as often as one likes.
func (p *tally) show(what string, attributes ...any) {
	if time.Since(p.last) < p.every {
		return
	}
	p.last = time.Now()
	if p.quiet {
		p.log.Info(what, attributes...)
		return
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", what)
	for i := 0; i+1 < len(attributes); i += 2 {
		fmt.Fprintf(p.w, " %v=%v", attributes[i], attributes[i+1])
	}
}

// barWidth is in characters.
const barWidth = 24

// bar shows how much of it is done, and how long the rest takes at the pace so far.
func (p *tally) bar(what string, done, all int, attributes ...any) {
	if p.began.IsZero() || done < p.first {
		p.began, p.first = time.Now(), done
	}
	share := float64(done) / float64(max(all, 1))
	if filled := int(share * barWidth); !p.quiet {
		what += " " + strings.Repeat("█", filled) + strings.Repeat("░", barWidth-filled)
	}
	attributes = append([]any{"done", done, "of", all, "percent", int(100 * share)}, attributes...)
	if done > p.first {
		left := time.Since(p.began) / time.Duration(done-p.first) * time.Duration(all-done)
		attributes = append(attributes, "left", left.Round(time.Second))
	}
	p.show(what, attributes...)
}

// done clears the line.
func (p *tally) done() {
	if !p.quiet {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
