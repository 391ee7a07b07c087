package analytics

import (
	"testing"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

func TestAWrongBacklogIsFoundByVerifyAndPutRightByRecompute(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 9)
	p.frames(60)
	p.refresh()
	want := p.tables()
	if len(want["backlog_daily"]) < 2 {
		t.Fatalf("the history has %d days with a backlog, want some", len(want["backlog_daily"]))
	}
	if d := p.verified(); len(d) > 0 {
		t.Fatalf("Verify finds %v where all is right", d)
	}
	execute(t, p.pool, "update analytics.backlog_daily set open_chats = open_chats + 7 where local_date = (select min(local_date) from analytics.backlog_daily)")
	execute(t, p.pool, "delete from analytics.backlog_daily where local_date = (select max(local_date) from analytics.backlog_daily)")
	if d := p.verified(); len(d) != 1 || d["backlog_daily"] != 2 {
		t.Errorf("Verify finds %v, want the two days of backlog_daily", d)
	}
	if err := p.newRefresher().Recompute(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	p.same(want, p.tables(), "after Recompute")
}

func (p *pastime) verified() map[string]int64 {
	p.t.Helper()
	differences, err := p.newRefresher().Verify(p.t.Context(), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return differences
}

// TestRecomputeWaitsForARefresherThatIsAtTheOrg: whoever rebuilds beside a running ingest has all facts made anew.
func TestRecomputeWaitsForARefresherThatIsAtTheOrg(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 10)
	p.refresh()
	execute(t, p.pool, "update analytics.cases set customer_messages = 99")
	other, err := p.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback(t.Context()) }()
	if isOurs, err := db.New(other).TryLockFacts(t.Context(), p.orgID); err != nil || !isOurs {
		t.Fatalf("the org's facts are locked by somebody: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- p.newRefresher().Recompute(t.Context(), nil, nil) }()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var isWaiting bool
		err := p.pool.QueryRow(t.Context(), `select exists (select from pg_locks
			where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database()))`).Scan(&isWaiting)
		if err != nil {
			t.Fatal(err)
		}
		if isWaiting {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("Recompute ended (%v) while another refresher was at the org", err)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("Recompute does not wait for the lock")
		}
	}
	if err := other.Rollback(t.Context()); err != nil && err != pgx.ErrTxClosed {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var wrong int
	if err := p.pool.QueryRow(t.Context(), "select count(*) from analytics.cases where customer_messages = 99").Scan(&wrong); err != nil || wrong > 0 {
		t.Errorf("%d cases are as somebody left them (%v)", wrong, err)
	}
}

func TestAChatThatSaysItIsOpenSinceTheYearOneIsNotCountedOnEachDaySince(t *testing.T) {
	t.Parallel()
	open := "OPEN"
	b := backlog{}
	b.add(&Settings{}, &Span{State: &open, BeganAt: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)}, 1, time.Date(2015, 1, 10, 0, 0, 0, 0, time.UTC))
	if len(b) != 10 {
		t.Errorf("it is counted on %d days, want the ten of 2015", len(b))
	}
}
