package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// rebuild measures how fast the tables are made anew from raw.events where the rows that are there are right.
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
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("archiver rebuild: %w; it said:\n%s", err, out)
	}
	row := b.report.add("rebuild", fmt.Sprintf("rebuild of %d events", w.events), "events/s", float64(w.events)/time.Since(began).Seconds())
	if b.fullRate > 0 {
		row.atLeast(b.fullRate)
	}
	return nil
}
