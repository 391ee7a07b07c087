package analytics

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStoredDaysSayWhatTheFactsSay: after each step of a random history the daily views say the same with days that are stored as
// when they work out all of them.
func TestStoredDaysSayWhatTheFactsSay(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPastime(t, 40+seed)
			storedOnce, droppedOnce := false, false
			for step := range 30 {
				p.step()
				before := p.count("select count(*) from analytics.stored_days")
				p.refresh()
				droppedOnce = droppedOnce || p.count("select count(*) from analytics.stored_days") < before
				p.sameWithout("after step %d: %s", step, strings.Join(p.did, ", "))
				if p.random.IntN(2) == 0 {
					if err := p.refresher.Store(t.Context()); err != nil {
						t.Fatal(err)
					}
					settings, err := LoadSettings(t.Context(), p.pool, p.orgID)
					if err != nil {
						t.Fatal(err)
					}
					today := settings.LocalDate(p.world.Now())
					if n := p.count("select count(*) from analytics.live_days where local_date < $1", today); n > 0 {
						t.Errorf("after step %d, %d days before %s are not stored", step, n, today)
					}
					storedOnce = storedOnce || p.count("select count(*) from analytics.stored_response_times") > 0
					p.sameWithout("stored after step %d: %s", step, strings.Join(p.did, ", "))
				}
				if t.Failed() {
					return
				}
			}
			if !storedOnce || !droppedOnce {
				t.Errorf("a day was stored: %t, a stored day changed: %t; the history should have both", storedOnce, droppedOnce)
			}
		})
	}
}

// TestADayIsStoredUntilItsCasesAreOldEnough: whether the AI resolved a case is known 24 hours after its last reply, and then the
// views say so although no fact has changed.
func TestADayIsStoredUntilItsCasesAreOldEnough(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 50)
	p.refresh()
	execute(t, p.pool, "delete from analytics.cases")
	execute(t, p.pool, `insert into analytics.cases (org_id, chat_id, case_number, opened_at, opened_local_date, opened_local_hour, opened_by, opening_message_id, closed_at,
			closed_local_date, reopens, customer_messages, ai_replies, human_replies, broadcasts, input_tokens, output_tokens, total_tokens, last_ai_reply_at, is_ai_involved, is_ai_resolved, completeness, refreshed_at)
		select $1, 'chat', 1, now() - interval '5 days', date '2025-03-19', 12, 'customer', 'm', now(), date '2025-03-19', 0, 1, 1, 0, 0, 0, 0, 0, now() - interval '23 hours',
			true, true, 'complete', now()`, p.orgID)
	p.frames(200) // so that the day is over
	if err := p.refresher.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	const until = `select count(*) from analytics.stored_days where local_date = '2025-03-19' and valid_until between now() and now() + interval '61 minutes'`
	if n := p.count(until); n != 2 {
		t.Errorf("%d views are stored until the case is old enough, want assistants and coverage", n)
	}
	const closed = "select coalesce(sum(ai_closed_cases), 0) from analytics.assistants_daily where local_date = '2025-03-19'"
	if n := p.count(closed); n != 0 {
		t.Errorf("%d cases are old enough, want none yet", n)
	}
	// As if it were two hours later.
	execute(t, p.pool, "update analytics.cases set last_ai_reply_at = last_ai_reply_at - interval '2 hours'")
	execute(t, p.pool, "update analytics.stored_days set valid_until = valid_until - interval '2 hours'")
	if n := p.count(closed); n != 1 {
		t.Errorf("%d cases are old enough two hours later, want the one there is", n)
	}
}

// TestARunningRefresherStoresDaysThatAreOver: nobody has to ask for it.
func TestARunningRefresherStoresDaysThatAreOver(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 51)
	p.frames(200)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.newRefresher().Run(ctx)
	}()
	defer func() {
		stop()
		<-done
	}()
	for deadline := time.Now().Add(2 * time.Minute); p.count("select count(*) from analytics.stored_channels") == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no day is stored after two minutes")
		}
	}
	p.sameWithout("while it runs")
}

func (p *pastime) count(sql string, args ...any) (n int64) {
	p.t.Helper()
	if err := p.pool.QueryRow(p.t.Context(), sql, args...).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

// sameWithout compares what the daily views say with what they say when nothing is stored. Sums and means are of floating point
// numbers, whose last digit depends on the order they are added in.
func (p *pastime) sameWithout(when string, args ...any) {
	p.t.Helper()
	tx, err := p.pool.Begin(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(p.t.Context()) }()
	say := func(view string) (rows []string) {
		all, err := tx.Query(p.t.Context(), `select (select string_agg(v.key || '=' || case when v.key ~ '^(sum|mean)_|_mean_' and v.value <> 'null'
				then round(v.value::numeric, 6)::text else v.value::text end, ' ' order by v.key) from jsonb_each(to_jsonb(d)) as v) from analytics.`+view+` as d`)
		if err != nil {
			p.t.Fatal(err)
		}
		defer all.Close()
		for all.Next() {
			var row string
			if err := all.Scan(&row); err != nil {
				p.t.Fatal(err)
			}
			rows = append(rows, row)
		}
		if all.Err() != nil {
			p.t.Fatal(all.Err())
		}
		slices.Sort(rows)
		return rows
	}
	stored := map[string][]string{}
	for summary := range summaries {
		stored[summary] = say(summary + "_daily")
	}
	if _, err := tx.Exec(p.t.Context(), "delete from analytics.stored_days"); err != nil {
		p.t.Fatal(err)
	}
	for summary := range summaries {
		if want := say(summary + "_daily"); !slices.Equal(stored[summary], want) {
			p.t.Errorf("%s, %s_daily says\n  %s\nand without stored days\n  %s", fmt.Sprintf(when, args...), summary,
				strings.Join(stored[summary], "\n  "), strings.Join(want, "\n  "))
		}
	}
}
