package ingest

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5/pgxpool"
)

// ExportConfig is what Export needs.
type ExportConfig struct {
	Pool     *pgxpool.Pool
	Orgs     []string    // ids; none = every org that has events
	Since    time.Time   // only what was received at this time or later; zero = everything
	Progress func(int64) // called now and then with the lines written; may be nil
}

// Export writes raw.events to w as NDJSON, one event a line, in the order (received_at, stream_id, seq), and returns how
// many. It holds one page of each org in memory. What is committed meanwhile may or may not be among the lines.
func Export(ctx context.Context, c ExportConfig, w io.Writer) (lines int64, err error) {
	orgs := c.Orgs
	if len(orgs) == 0 {
		if orgs, err = db.New(c.Pool).GetOrgsOfEvents(ctx); err != nil {
			return 0, fmt.Errorf("finding the orgs: %w", err)
		}
	}
	var open []*orgExport
	for _, orgID := range orgs {
		e := &orgExport{pages: storedEvents{orgID: orgID, maxBytes: max(storedPageBytes/len(orgs), 1<<18)}}
		if !c.Since.IsZero() {
			e.pages.after = place{receivedAt: c.Since, seq: -1}
		}
		if err := e.fill(ctx, c.Pool); err != nil {
			return 0, err
		}
		open = append(open, e)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	isEmpty := func(e *orgExport) bool { return len(e.page) == 0 }
	for open = slices.DeleteFunc(open, isEmpty); len(open) > 0; lines++ {
		first := slices.MinFunc(open, (*orgExport).compare)
		if err := encoder.Encode(newEnvelope(&first.page[0])); err != nil {
			return lines, fmt.Errorf("writing an exported event: %w", err)
		}
		if first.page = first.page[1:]; len(first.page) == 0 {
			if err := first.fill(ctx, c.Pool); err != nil {
				return lines, err
			}
			open = slices.DeleteFunc(open, isEmpty)
			if c.Progress != nil {
				c.Progress(lines + 1)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return lines, fmt.Errorf("writing the export: %w", err)
	}
	return lines, nil
}

// orgExport is one org's events, from the next one on.
type orgExport struct {
	pages storedEvents
	page  []rawEvent
}

func (e *orgExport) fill(ctx context.Context, from beginner) (err error) {
	e.page, err = e.pages.nextAlone(ctx, from)
	return err
}

func (e *orgExport) compare(other *orgExport) int {
	a, b := &e.page[0], &other.page[0]
	return cmp.Or(a.receivedAt.Compare(b.receivedAt), bytes.Compare(a.stream[:], b.stream[:]), cmp.Compare(a.seq, b.seq))
}
