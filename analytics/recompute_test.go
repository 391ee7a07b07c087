package analytics

import (
	"maps"
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

func TestAWrongStoredDayIsFoundByVerifyAndPutRightByRecompute(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 9)
	p.frames(200)
	p.take(listsOf(p.world, p.orgID, p.world.Now())...) // so that times are known
	p.refresh()
	if err := p.refresher.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	days := p.count("select count(*) from analytics.stored_days")
	if d := p.verified(); len(d) > 0 || days == 0 {
		t.Fatalf("Verify finds %v of %d stored days, all of which are right", d, days)
	}
	if n := p.count("select count(*) from analytics.stored_days"); n != days {
		t.Errorf("after Verify %d days are stored, want the %d there were", n, days)
	}
	execute(t, p.pool, "update analytics.stored_channels set opened_cases = opened_cases + 7 where (local_date, row_number) = (select min(local_date), 1 from analytics.stored_channels)")
	execute(t, p.pool, `update analytics.stored_response_times set p50_seconds = p50_seconds * 1.001
		where (local_date, row_number) = (select local_date, row_number from analytics.stored_response_times where p50_seconds > 0 order by 1 desc, 2 limit 1)`)
	execute(t, p.pool, "delete from analytics.stored_coverage where (local_date, row_number) = (select max(local_date), 1 from analytics.stored_coverage)")
	// Nobody reads what is stored of a day that is not among stored_days.
	execute(t, p.pool, "delete from analytics.stored_days where summary = 'csat'")
	execute(t, p.pool, "update analytics.stored_csat set n = n + 7")
	want := map[string]int64{"stored_channels": 2, "stored_response_times": 1, "stored_coverage": 1} // a count that differs makes two rows of one side
	if d := p.verified(); !maps.Equal(d, want) {
		t.Errorf("Verify finds %v, want %v", d, want)
	}
	refresher := p.newRefresher()
	if err := refresher.Recompute(t.Context(), nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := refresher.Store(t.Context(), p.orgID); err != nil {
		t.Fatal(err)
	}
	if d := p.verified(); len(d) > 0 {
		t.Errorf("after Recompute, Verify finds %v", d)
	}
	if n := p.count("select count(*) from analytics.stored_days"); n != days {
		t.Errorf("after Recompute and Store %d days are stored, want %d", n, days)
	}
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
