package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"archiver/db"
)

// errBusy says that a lane has been in the middle of a transaction for too long: others wait behind whoever waits for it.
var errBusy = errors.New("a writer does not come to the end of its transaction")

// stopWriters lets no lane write until the transaction ends, and waits for those that do: the checkpoint is what a lane
// moves first. Whoever only reads goes on.
func stopWriters(ctx context.Context, tx db.DBTX) error {
	_, err := tx.Exec(ctx, "set local lock_timeout = '5s'")
	if err == nil {
		_, err = tx.Exec(ctx, "lock table ops.streams in exclusive mode")
	}
	if sqlState(err) == "55P03" {
		return errBusy
	}
	if err == nil {
		_, err = tx.Exec(ctx, "set local lock_timeout = 0")
	}
	if err != nil {
		return fmt.Errorf("waiting for the writers: %w", err)
	}
	return nil
}

// patiently tries again while a writer is in the way: it may be a process that is suspended.
func patiently(ctx context.Context, log *slog.Logger, try func(context.Context) error) error {
	for tries := 1; ; tries++ {
		err := try(ctx)
		if !errors.Is(err, errBusy) || tries == maxTries {
			return err
		}
		log.Warn("a writer is in the middle of a transaction; it is waited for", "retry_in", busyPause)
		if !sleep(ctx, busyPause) {
			return ctx.Err()
		}
	}
}
