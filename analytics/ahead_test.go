package analytics

import (
	"testing"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// TestWhatWasReadAheadIsNotTakenForAChatThatChangedSince: facts that were derived before a change are not written after it.
func TestWhatWasReadAheadIsNotTakenForAChatThatChangedSince(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 11)
	p.frames(150)
	r := p.newRefresher()
	if err := r.mark(t.Context(), p.orgID, time.Time{}); err != nil {
		t.Fatal(err)
	}
	round := p.readAhead(r)
	if len(round.ahead.chats) < 5 {
		t.Fatalf("%d chats were read ahead, want all", len(round.ahead.chats))
	}
	p.frames(40)
	if _, err := r.pass(t.Context(), p.orgID, round, nil); err != nil {
		t.Fatal(err)
	}
	p.check(1)
}

// TestWhatWasReadAheadIsNotTakenWhereAnotherRefresherWasFaster: what it has written since is compared with and replaced.
func TestWhatWasReadAheadIsNotTakenWhereAnotherRefresherWasFaster(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 13)
	p.frames(150)
	r := p.newRefresher()
	round := p.readAhead(r)
	if len(round.ahead.chats) < 5 || round.ahead.stored == nil || len(round.ahead.stored.Cases) > 0 {
		t.Fatalf("%d chats were read ahead, want all and that nothing is stored of them", len(round.ahead.chats))
	}
	p.refresh()
	p.frames(10)
	if n := p.count("select count(*) from ops.dirty_chats"); n == 0 || n >= int64(len(round.ahead.chats)) {
		t.Fatalf("%d of %d chats have changed, want some", n, len(round.ahead.chats))
	}
	if _, err := r.pass(t.Context(), p.orgID, round, nil); err != nil {
		t.Fatal(err)
	}
	p.check(1)
}

// TestRecomputeGoesByPlaceThroughManyChats: what is left out because a row moved, and orgs with few chats, are done too.
func TestRecomputeGoesByPlaceThroughManyChats(t *testing.T) {
	t.Parallel()
	p := newPastime(t, 12)
	execute(t, p.pool, `insert into inbox.chats (org_id, chat_id, created_at, is_stub, first_seen_at, last_seen_at, observed_at, observed_seq)
		select $1, 'many-' || n, now(), false, now(), now(), now(), 1 from generate_series(1, $2::int) as n`, p.orgID, 3*leastByPlace)
	execute(t, p.pool, `insert into inbox.chat_state_changes (org_id, chat_id, changed_at, stream_id, seq, state, first_seen_at, last_seen_at)
		select org_id, chat_id, $1, '00000000-0000-0000-0000-000000000001', row_number() over (), 'OPEN', now(), now()
		from inbox.chats where chat_id like 'many-%'`, p.world.Now().Add(-72*time.Hour))
	start, err := byPlace(t.Context(), db.New(p.pool), p.orgID)
	if err != nil || start.end != 0 {
		t.Errorf("without marks it goes by place (%v), want by id: %v", start, err)
	}
	done := int64(0)
	if err := p.newRefresher().Recompute(t.Context(), nil, func(_ string, chats int64) {
		done = chats
		if done > 0 && done < leastByPlace { // some rows move to the end, some to pages that were read
			execute(t, p.pool, "update inbox.chats set title = 'moved' where chat_id like 'many-%7'")
		}
	}); err != nil {
		t.Fatal(err)
	}
	if done < 3*leastByPlace {
		t.Errorf("%d chats were done, want at least %d", done, 3*leastByPlace)
	}
	if n := p.count("select count(*) from ops.dirty_chats"); n > 0 {
		t.Errorf("%d chats are still marked", n)
	}
	if n := p.count("select count(*) from analytics.chat_spans where chat_id like 'many-%'"); n != 3*leastByPlace {
		t.Errorf("there are spans of %d of the many chats, want %d", n, 3*leastByPlace)
	}
	p.check(1)
}

// readAhead begins a round, of which it reads the first chats.
func (p *pastime) readAhead(r *Refresher) *round {
	p.t.Helper()
	round := &round{waits: true}
	if err := pgx.BeginFunc(p.t.Context(), p.pool, func(tx pgx.Tx) error {
		refresh := &refresh{q: db.New(tx), tx: tx, orgID: p.orgID, now: r.now().UTC()}
		if err := refresh.load(p.t.Context()); err != nil {
			return err
		}
		round.ahead = readAhead(p.t.Context(), p.pool, refresh, round.next)
		return nil
	}); err != nil {
		p.t.Fatal(err)
	}
	round.ahead.wait()
	return round
}
