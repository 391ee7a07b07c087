package ingest

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"archiver/postgres/dbtest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

func newTestLedger(t *testing.T) (*ledger, *pgxpool.Pool) {
	t.Helper()
	pool := dbtest.New(t)
	l := newLedger(pool, "test", slog.New(slog.DiscardHandler))
	l.spooledSince = func(string) time.Time { return time.Time{} }
	return l, pool
}

func flushNow(t *testing.T, l *ledger) {
	t.Helper()
	if err := l.flush(context.Background()); err != nil {
		t.Fatalf("writing the ledger: %v", err)
	}
}

func TestAGapThatAnotherProcessEndedStaysAsItIsWhenTheOrgIsTakenBack(t *testing.T) {
	t.Parallel()
	l, pool := newTestLedger(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	hours := func(n int) time.Time { return now.Add(time.Duration(-n) * time.Hour) }
	l.openGap["o"] = newGap("o", hours(3), "left by this process")
	l.gaps = append(l.gaps, l.openGap["o"])
	flushNow(t, l)
	ended := hours(2)
	if _, err := pool.Exec(t.Context(), `update ops.gaps set ended_at = $1, status = 'repaired', repaired_at = $1`, ended); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `
		insert into ops.connections (connection_id, org_id, instance, started_at, opened_at, last_heard_at, frames, bytes, largest_frame_bytes)
		values ($1, 'o', 'other', $2, $2, $3, 0, 0, 0)`, uuid.New(), ended, hours(1)); err != nil {
		t.Fatal(err)
	}

	l.holds("o", time.Now())
	l.opened("o", time.Now()) // before the past was looked up
	flushNow(t, l)
	var status string
	var until time.Time
	if err := pool.QueryRow(t.Context(), `select status, ended_at from ops.gaps where cause = 'left by this process'`).Scan(&status, &until); err != nil {
		t.Fatal(err)
	}
	if status != gapRepaired || !until.Equal(ended) {
		t.Errorf("the gap is %s and ended at %v, want it repaired and ended at %v as the other process left it", status, until, ended)
	}
	var began time.Time
	if err := pool.QueryRow(t.Context(), `select began_at from ops.gaps where status = 'unrepaired'`).Scan(&began); err != nil {
		t.Fatalf("looking for the gap since the other process was heard of: %v", err)
	}
	if !began.Equal(hours(1)) {
		t.Errorf("the gap since the other process begins at %v, want %v", began, hours(1))
	}
}

func TestAllGapsThatWereLeftOpenAreEnded(t *testing.T) {
	t.Parallel()
	l, pool := newTestLedger(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	older, newer := now.Add(-3*time.Hour), now.Add(-time.Hour)
	for _, began := range []time.Time{older, newer} {
		if _, err := pool.Exec(t.Context(), `
			insert into ops.gaps (org_id, gap_id, began_at, cause, status, chats_swept, messages_recovered)
			values ('o', $1, $2, 'left', 'open', 0, 0)`, uuid.New(), began); err != nil {
			t.Fatal(err)
		}
	}
	l.holds("o", now)
	flushNow(t, l)
	if l.openGap["o"] == nil || !l.openGap["o"].row.BeganAt.Equal(newer) {
		t.Error("the newer gap does not go on before the org is listened to")
	}
	l.opened("o", now)
	flushNow(t, l)
	for began, ended := range map[time.Time]time.Time{older: newer, newer: now} {
		var got *time.Time
		if err := pool.QueryRow(t.Context(), `select ended_at from ops.gaps where began_at = $1`, began).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got == nil || !got.Equal(ended) {
			t.Errorf("the gap since %v ended at %v, want %v", began, got, ended)
		}
	}
}
