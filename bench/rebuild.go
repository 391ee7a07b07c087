package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// rebuilt is where archiver rebuild says how long it took to make the tables.
var rebuilt = regexp.MustCompile(`Rebuilt .* in (\S+):`)

// rebuild measures how fast the tables of inbox are made anew from raw.events where the rows that are there are right: what ingest does
// of an event, which the rate of full work is of. The facts of analytics come after it.
func (b *bench) rebuild(ctx context.Context) error {
	w, err := b.warmed(ctx)
	if err != nil {
		return err
	}
	b.plan.Progress(fmt.Sprintf("rebuild of %d events", w.events))
	if err := b.server.checkpoint(ctx); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.plan.Archiver, "rebuild")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "DATABASE_URL=" + w.archive.database, "ARCHIVER_DATA_DIR=" + w.archive.dir,
	}
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("archiver rebuild: %w; it said:\n%s", err, out)
	}
	took := time.Since(began)
	said := rebuilt.FindSubmatch(out)
	if said == nil {
		return fmt.Errorf("archiver rebuild does not say how long it took:\n%s", out)
	}
	tables, err := time.ParseDuration(string(said[1]))
	if err != nil {
		return fmt.Errorf("archiver rebuild says it took %s: %w", said[1], err)
	}
	row := b.report.add("rebuild", fmt.Sprintf("rebuild of %d events, events/s", w.events), "1/s", float64(w.events)/tables.Seconds())
	if b.fullRate > 0 {
		row.atLeast(b.fullRate)
	}
	b.report.add("rebuild", "rebuild with the start of the program and all facts, events/s", "1/s", float64(w.events)/took.Seconds())
	return nil
}
