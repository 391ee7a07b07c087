package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"archiver/ingest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/term"
)

// How often the figures are shown: in place on a terminal, as lines elsewhere.
const (
	redrawEvery = 500 * time.Millisecond
	lineEvery   = 5 * time.Second
)

// progress is how far the demo is.
type progress struct {
	played    atomic.Int64 // events of the history, once all of them are under way; 0 before
	liveSince atomic.Pointer[time.Time]
}

// watch shows how it goes until ctx ends.
func (d *demo) watch(ctx context.Context, db *database, world *simulator.World, ingester *ingest.Ingester, progress *progress) {
	every := lineEvery
	if d.screen.isTerminal {
		every = redrawEvery
	}
	var last ingest.Status
	for before := time.Now(); ctx.Err() == nil; _ = sleep(ctx, every) {
		now, status := time.Now(), ingester.Status()
		perSecond := float64(status.Committed-last.Committed) / now.Sub(before).Seconds()
		last, before = status, now
		counts, err := count(ctx, db.pool)
		if err != nil {
			continue // the ingester tells of Postgres' troubles
		}
		d.screen.show(fmt.Sprintf("%s  %s (%s/s)  lag %s",
			d.phase(world, status, progress), counts, grouped(int64(perSecond)), status.Lag.Round(time.Millisecond)))
	}
}

// count says how much there is in the archive.
func count(ctx context.Context, pool *pgxpool.Pool) (string, error) {
	var chats, messages, events int64
	err := pool.QueryRow(ctx, `SELECT (SELECT count(*) FROM inbox.chats), (SELECT count(*) FROM inbox.messages),
		(SELECT count(*) FROM raw.events)`).Scan(&chats, &messages, &events)
	if err != nil {
		return "", fmt.Errorf("counting what is in the archive: %w", err)
	}
	return fmt.Sprintf("chats %s  messages %s  events %s", grouped(chats), grouped(messages), grouped(events)), nil
}

// phase is where in its history the demo is, or since when it is live.
func (d *demo) phase(world *simulator.World, status ingest.Status, progress *progress) string {
	if since := progress.liveSince.Load(); since != nil {
		return "live " + time.Since(*since).Round(time.Second).String()
	}
	if played := progress.played.Load(); played > 0 {
		return fmt.Sprintf("history %d %%", status.Committed*100/played)
	}
	return "history " + world.Now().Format("2 Jan 2006")
}

// screen writes text with one line of figures below it, which is drawn again in place on a terminal.
type screen struct {
	out        io.Writer
	isTerminal bool

	mu    sync.Mutex
	drawn string
}

func newScreen(out io.Writer) *screen { return &screen{out: out, isTerminal: isTerminal(out)} }

// Write writes text above the line.
func (s *screen) Write(p []byte) (int, error) { return s.write(s.out, p) }

func (s *screen) write(w io.Writer, p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn == "" {
		return w.Write(p)
	}
	s.draw("")
	n, err := w.Write(p)
	s.draw(s.drawn)
	return n, err
}

// show draws the line anew; empty removes it.
func (s *screen) show(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.isTerminal:
		s.drawn = line
		s.draw(line)
	case line != "":
		fmt.Fprintln(s.out, line)
	}
}

// draw is for terminals. A line that is wider than it cannot be drawn in place and is cut.
func (s *screen) draw(line string) {
	if !s.isTerminal {
		return
	}
	if file, ok := s.out.(*os.File); ok && line != "" {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			if letters := []rune(line); len(letters) >= width {
				line = string(letters[:width-1])
			}
		}
	}
	fmt.Fprint(s.out, "\r\x1b[2K"+line)
}

// above writes to another writer of the same terminal.
func (s *screen) above(w io.Writer) io.Writer {
	return writerFunc(func(p []byte) (int, error) { return s.write(w, p) })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// shellQuoted is a path as a shell takes it.
func shellQuoted(path string) string {
	if !strings.ContainsAny(path, " \t\n'\"\\$`!*?[]{}()<>|&;#~") {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
