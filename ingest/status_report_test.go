package ingest

import (
	"testing"
	"time"

	"archiver/postgres/dbtest"
)

func TestADayIsCoveredWhereThereIsNoGap(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	at := func(hours float64) time.Time { return day.Add(time.Duration(hours * float64(time.Hour))) }
	early, none := at(-100), at(30)
	for _, c := range []struct {
		name  string
		now   time.Time
		first *time.Time
		away  []interval
		want  float64 // -1: nothing can be said
	}{
		{"no gap", at(48), &early, nil, 1},
		{"gaps that overlap", at(48), &early, []interval{{at(6), at(12)}, {at(0), at(8)}, {at(7), at(9)}}, 0.5},
		{"gaps over midnight", at(48), &early, []interval{{at(-5), at(6)}, {at(18), at(40)}}, 0.5},
		{"other days' gaps", at(48), &early, []interval{{at(-5), at(-1)}, {at(25), at(26)}}, 1},
		{"a day that is not over", at(12), &early, []interval{{at(6), at(12)}}, 0.5},
		{"the first day counts from the first connection", at(48), new(at(12)), []interval{{at(12), at(18)}}, 0.5},
		{"before the first connection", at(48), &none, nil, -1},
		{"never connected", at(48), nil, nil, -1},
	} {
		got := dayOf(day, c.now, c.first, c.away)
		if got.Date != "2026-03-01" || (got.Coverage == nil) != (c.want < 0) || got.Coverage != nil && *got.Coverage != c.want {
			t.Errorf("%s: coverage is %v, want %v", c.name, got.Coverage, c.want)
		}
	}
}

func TestStandingsTellWhatIsConnectedAndWhatIsMissing(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	now := time.Now().UTC()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	connect := `insert into ops.connections (connection_id, org_id, instance, started_at, opened_at, last_heard_at, closed_at,
		close_reason, frames, bytes, largest_frame_bytes) values (gen_random_uuid(), $1, 'host:1', $2, $2, $3, $4, $5, 0, 0, 0)`
	exec(connect, "alive", now.Add(-time.Hour), now.Add(-time.Second), nil, nil)
	exec(connect, "alive", now.Add(-48*time.Hour), now.Add(-2*time.Hour), now.Add(-2*time.Hour), "going away")
	exec(connect, "died", now.Add(-72*time.Hour), now.Add(-36*time.Hour), nil, nil)
	exec(connect, "left", now.Add(-72*time.Hour), now.Add(-time.Minute), now.Add(-time.Minute), "shutdown")
	gap := `insert into ops.gaps (org_id, gap_id, began_at, ended_at, cause, status, chats_swept, messages_recovered)
		values ($1, gen_random_uuid(), $2, $3, 'dropped', $4, 0, 0)`
	exec(gap, "alive", now.Add(-2*time.Hour), now.Add(-time.Hour), "repaired")
	exec(gap, "alive", now.AddDate(0, -2, 0), now.AddDate(0, -2, 1), "unrepaired")
	exec(gap, "left", now.Add(-time.Minute), nil, "open")
	event := `insert into raw.events (org_id, received_at, observed_at, stream_id, seq, source, kind, payload, flaws, sha256)
		values ('alive', $1, $1, gen_random_uuid(), 1, 'socket', 'frame', '{}', $2, '')`
	exec(event, now, nil)
	exec(event, now, []string{"data: missing"})
	exec(event, now.AddDate(0, 0, -1), nil)
	exec(event, now.AddDate(0, 0, -20), nil)

	exec(`insert into inbox.orgs (org_id, is_stub, first_seen_at, last_seen_at) values ('alive', false, now(), now())`)
	chat := `insert into inbox.chats (org_id, chat_id, is_stub, first_seen_at, last_seen_at, observed_at, observed_seq, updated_at, messages_complete_from, messages_complete_through)
		values ('alive', $1, false, $2, $2, $2, 1, $2, $3, $4)`
	ago := now.Add(-time.Hour)
	exec(chat, "never read", ago, nil, nil)
	exec(chat, "read from the middle", ago, ago, now)
	exec(chat, "read", ago, time.Unix(0, 0), now)
	exec(`insert into raw.events (org_id, received_at, observed_at, stream_id, seq, source, kind, chat_id, request, payload, sha256)
		values ('alive', $1, $1, gen_random_uuid(), 9, 'rest', 'messages_page', 'read', '{"completes": {}}', '[]', '')`, now.Add(-time.Minute))

	all, err := ReadStandings(t.Context(), pool, nil, now, 3)
	if err != nil || len(all) != 3 {
		t.Fatalf("there are %d standings, error %v; want those of alive, died and left", len(all), err)
	}
	alive, died, left := all[0], all[1], all[2]
	if !alive.Connected || alive.OpenGaps != 0 || alive.Unrepaired != 1 || alive.OldestGapAt == nil {
		t.Errorf("alive is %+v, want it connected with one gap that is not repaired", alive)
	}
	if alive.IncompleteChats != 2 || alive.CompletionSeconds == nil || *alive.CompletionSeconds != 7200 {
		t.Errorf("alive has %d chats to complete in %v s, want 2 in 7200 at one an hour", alive.IncompleteChats, alive.CompletionSeconds)
	}
	today := alive.Days[2]
	if today.Events != 3 || today.Flawed != 1 || alive.Days[1].Events != 1 || alive.Days[0].Events != 0 || alive.LastCommitted == nil {
		t.Errorf("alive's days are %+v, want 0, 1 and 3 events, one of them flawed", alive.Days)
	}
	if died.Connected || *died.Days[2].Coverage != 0 || left.Connected || left.OpenGaps != 1 {
		t.Errorf("died is %+v and left is %+v, want both not connected, died with nothing covered today, left with an open gap", died, left)
	}
	if some, err := ReadStandings(t.Context(), pool, []string{"died"}, now, 3); err != nil || len(some) != 1 || some[0].OrgID != "died" {
		t.Errorf("asked for died there are %+v, error %v", some, err)
	}
}
