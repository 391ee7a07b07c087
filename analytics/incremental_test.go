package analytics

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"archiver/db"
	"archiver/ingest"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pastime is an archive to which things happen in any order: frames come, late or not at all, lists are read, gaps open, end
// and are repaired, settings change. After each step the facts are refreshed.
type pastime struct {
	t         *testing.T
	pool      *pgxpool.Pool
	random    *rand.Rand
	world     *simulator.World
	orgID     string
	refresher *Refresher
	gap       uuid.UUID // that lasts; zero: none
	ended     []uuid.UUID
	held      []line // frames that come later
	seq       int
	did       []string
}

// TestTheFactsAfterEachStepOfARandomHistoryAreThoseOfAFullRecomputation: the tables of facts hold what all chats give when
// they are derived anew, and the backlog what the history of states says of each local midnight.
func TestTheFactsAfterEachStepOfARandomHistoryAreThoseOfAFullRecomputation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPastime(t, seed)
			for step := range 40 {
				p.step()
				p.refresh()
				p.check(step)
				if p.t.Failed() {
					t.Fatalf("after step %d: %s", step, strings.Join(p.did, ", "))
				}
			}
			before := p.tables()
			if err := p.newRefresher().Recompute(t.Context(), nil, nil); err != nil {
				t.Fatal(err)
			}
			p.same(before, p.tables(), "after Recompute")
		})
	}
}

func newPastime(t *testing.T, seed uint64) *pastime {
	start := time.Date(2025, 3, 20, 0, 0, 0, 0, time.UTC) // the clocks change within two weeks
	p := &pastime{
		t: t, pool: dbtest.New(t), random: rand.New(rand.NewPCG(seed, 77)),
		world: simulator.NewWorld(simulator.Config{Seed: seed + 500, Orgs: 1, Chats: 12, Agents: 3, Activity: 6, Start: start}),
	}
	p.orgID = p.world.Orgs()[0].ID
	p.refresher = p.newRefresher()
	connect(t, p.pool, p.orgID, start)
	p.frames(20)
	return p
}

func (p *pastime) newRefresher() *Refresher {
	r := NewRefresher(p.pool, discard)
	r.now = func() time.Time { return p.world.Now() }
	return r
}

func (p *pastime) step() {
	did := ""
	switch n := p.random.IntN(20); {
	case n < 9:
		did = fmt.Sprintf("%d frames", p.frames(1+p.random.IntN(30)))
	case n < 10:
		p.take(p.held...)
		did, p.held = fmt.Sprintf("%d late frames", len(p.held)), nil
	case n < 12:
		chats := p.world.ChatIDs(p.orgID)
		chatID := chats[p.random.IntN(len(chats))]
		did = "a message list"
		p.take((&vendor{orgID: p.orgID}).page(p.world.Now(), ingest.KindMessagesPage, "/chats/"+chatID+"/messages", p.world.Messages(chatID), true))
	case n < 13:
		did = "all lists"
		p.take(listsOf(p.world, p.orgID, p.world.Now())...)
	case n < 16:
		did = p.turnGap()
	default:
		did = p.choose()
	}
	p.did = append(p.did, did)
}

// frames lets the world go on. In a gap nothing of it comes; of the rest some comes later.
func (p *pastime) frames(n int) int {
	var lines []line
	for range n {
		f, ok := p.world.Next()
		if !ok {
			p.t.Fatal("the world ended")
		}
		l := line{orgID: f.OrgID, at: f.At, source: ingest.SourceSocket, kind: ingest.KindFrame, body: f.Bytes}
		switch {
		case p.gap != uuid.Nil:
		case p.random.IntN(15) == 0:
			p.held = append(p.held, l)
		default:
			lines = append(lines, l)
		}
	}
	p.take(lines...)
	return len(lines)
}

// take imports lines with places of their own in the stream.
func (p *pastime) take(lines ...line) {
	if len(lines) == 0 {
		return
	}
	var b bytes.Buffer
	for text := range bytes.Lines(envelopes(slices.Clone(lines), nil)) {
		var e map[string]json.RawMessage
		if err := json.Unmarshal(text, &e); err != nil {
			p.t.Fatal(err)
		}
		p.seq++
		e["seq"] = encode(p.seq)
		fmt.Fprintf(&b, "%s\n", encode(e))
	}
	importLines(p.t, p.pool, &b)
}

// turnGap opens a gap, or ends the one that lasts, or repairs one that has ended.
func (p *pastime) turnGap() string {
	now := p.world.Now()
	switch {
	case p.gap != uuid.Nil:
		execute(p.t, p.pool, "update ops.gaps set ended_at = $3, status = 'unrepaired' where org_id = $1 and gap_id = $2", p.orgID, p.gap, now)
		p.ended, p.gap = append(p.ended, p.gap), uuid.Nil
		return "a gap ended"
	case len(p.ended) > 0 && p.random.IntN(2) == 0:
		p.take(listsOf(p.world, p.orgID, now)...)
		execute(p.t, p.pool, "update ops.gaps set status = 'repaired', repaired_at = $3 where org_id = $1 and gap_id = $2", p.orgID, p.ended[0], now)
		p.ended = p.ended[1:]
		return "a gap was repaired"
	}
	p.gap = uuid.New()
	execute(p.t, p.pool, `insert into ops.gaps (org_id, gap_id, began_at, cause, status, chats_swept, messages_recovered)
		values ($1, $2, $3, 'test', 'open', 0, 0)`, p.orgID, p.gap, now)
	return "a gap opened"
}

// choose changes the settings.
func (p *pastime) choose() string {
	s, err := LoadSettings(p.t.Context(), p.pool, p.orgID)
	if err != nil {
		p.t.Fatal(err)
	}
	did := ""
	switch p.random.IntN(4) {
	case 0:
		names := []string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles", "Australia/Lord_Howe"}
		s.ZoneName = names[p.random.IntN(len(names))]
		if s.Zone, err = time.LoadLocation(s.ZoneName); err != nil {
			p.t.Fatal(err)
		}
		did = "zone " + s.ZoneName
	case 1:
		s.Hours = nil
		opens := time.Duration(p.random.IntN(12)) * time.Hour
		for day := 1 + p.random.IntN(7); day <= 7; day++ {
			s.Hours = append(s.Hours, Stretch{
				Schedule: "default", ValidFrom: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Weekday: day, Opens: opens, Closes: opens + 8*time.Hour,
			})
		}
		did = "hours"
	case 2:
		s.ThanksWindow = time.Duration(p.random.IntN(3)) * 10 * time.Minute
		did = "thanks " + s.ThanksWindow.String()
	case 3:
		s.Holidays = []Holiday{{Day: time.Date(2025, 3, 20+p.random.IntN(14), 0, 0, 0, 0, time.UTC), Name: "holiday"}}
		did = "a holiday"
	}
	if err := SaveSettings(p.t.Context(), p.pool, s); err != nil {
		p.t.Fatal(err)
	}
	return did
}

// refresh is done by the same refresher as before, by one that has just started, or by two at once.
func (p *pastime) refresh() {
	switch p.random.IntN(4) {
	case 0:
		p.refresher = p.newRefresher()
	case 1:
		var others sync.WaitGroup
		for _, r := range []*Refresher{p.newRefresher(), p.newRefresher()} {
			others.Go(func() {
				if _, err := r.Refresh(p.t.Context()); err != nil {
					p.t.Errorf("one of three refreshers: %v", err)
				}
			})
		}
		defer func() {
			others.Wait()
			p.refreshOnce() // what one left to another, which was done by then, is done now
		}()
	}
	p.refreshOnce()
}

func (p *pastime) refreshOnce() {
	if _, err := p.refresher.Refresh(p.t.Context()); err != nil {
		p.t.Errorf("refreshing: %v", err)
	}
}

var factTables = []string{"cases", "turns", "csat_ratings", "handoffs", "chat_spans", "backlog_daily"}

func (p *pastime) tables() map[string][]string {
	all := map[string][]string{}
	for _, name := range factTables {
		for _, r := range rowsByOrg(p.t, p.pool, name)[p.orgID] {
			all[name] = append(all[name], string(encode(r)))
		}
		slices.Sort(all[name])
	}
	return all
}

func (p *pastime) same(want, got map[string][]string, when string) {
	p.t.Helper()
	for _, name := range factTables {
		for i := range max(len(want[name]), len(got[name])) {
			w, g := "none", "none"
			if i < len(want[name]) {
				w = want[name][i]
			}
			if i < len(got[name]) {
				g = got[name][i]
			}
			if w != g {
				p.t.Errorf("%s analytics.%s has\n  %s\nwant\n  %s", when, name, g, w)
				break
			}
		}
	}
}

// check derives all chats anew, and counts the backlog from the history of states.
func (p *pastime) check(step int) {
	p.t.Helper()
	ctx, q := p.t.Context(), db.New(p.pool)
	settings, err := LoadSettings(ctx, p.pool, p.orgID)
	if err != nil {
		p.t.Fatal(err)
	}
	want := p.derived(ctx, q, settings)
	want["backlog_daily"] = append(want["backlog_daily"], p.naiveBacklog(settings)...)
	slices.Sort(want["backlog_daily"])
	p.same(want, p.tables(), fmt.Sprintf("after step %d", step))
}

func (p *pastime) derived(ctx context.Context, q *db.Queries, settings *Settings) map[string][]string {
	org := &Org{Settings: settings}
	var err error
	if org.FirstHeardAt, err = q.GetFirstHeard(ctx, p.orgID); err != nil {
		p.t.Fatal(err)
	}
	gaps, err := q.GetFactGaps(ctx, p.orgID)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, g := range gaps {
		org.Gaps = append(org.Gaps, Gap{BeganAt: g.BeganAt, EndedAt: g.EndedAt, IsRepaired: g.Status == "repaired"})
	}
	var ids []string
	var id string
	each(p.t, p.pool, []any{&id}, func() { ids = append(ids, id) }, "select chat_id from inbox.chats where org_id = $1", p.orgID)
	chats, err := loadChats(ctx, q, p.orgID, ids)
	if err != nil {
		p.t.Fatal(err)
	}
	var all Facts
	for _, c := range chats {
		f := Derive(c, org)
		all.Cases = append(all.Cases, f.Cases...)
		all.Turns = append(all.Turns, f.Turns...)
		all.Ratings = append(all.Ratings, f.Ratings...)
		all.Handoffs = append(all.Handoffs, f.Handoffs...)
		all.Spans = append(all.Spans, f.Spans...)
	}
	rows := map[string][]string{}
	for name, facts := range map[string]any{
		"cases": all.Cases, "turns": all.Turns, "csat_ratings": all.Ratings, "handoffs": all.Handoffs, "chat_spans": all.Spans,
	} {
		// Through Postgres, so that times and numbers are written as those of the tables are.
		var text []byte
		sql := "select to_jsonb(r) - 'refreshed_at' from jsonb_populate_recordset(null::analytics." + name + ", coalesce(nullif($1::jsonb, 'null'), '[]')) as r"
		each(p.t, p.pool, []any{&text}, func() {
			var r row
			if err := json.Unmarshal(text, &r); err != nil {
				p.t.Fatal(err)
			}
			rows[name] = append(rows[name], string(encode(r)))
		}, sql, string(encode(facts)))
		slices.Sort(rows[name])
	}
	return rows
}

// naiveBacklog asks of each chat how it stood at each local midnight.
func (p *pastime) naiveBacklog(settings *Settings) (rows []string) {
	type version struct {
		at              time.Time
		state, assigned *string
	}
	versions, deleted := map[string][]version{}, map[string]*time.Time{}
	var chatID string
	var v version
	var gone *time.Time
	each(p.t, p.pool, []any{&chatID, &v.at, &v.state, &v.assigned, &gone}, func() {
		versions[chatID] = append(versions[chatID], v)
		deleted[chatID] = gone
	}, `select h.chat_id, h.changed_at, h.state, h.assigned_user_id, c.deleted_at from inbox.chat_state_changes as h
		join inbox.chats as c using (org_id, chat_id) where h.org_id = $1 order by h.changed_at, h.first_seen_at, h.stream_id, h.seq`, p.orgID)
	today := settings.LocalDate(p.world.Now())
	for day := time.Date(2024, 12, 1, 0, 0, 0, 0, time.UTC); !day.After(today); day = day.AddDate(0, 0, 1) {
		midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, settings.zone())
		open, snoozed, unassigned := 0, 0, 0
		for id, all := range versions {
			var then *version
			for i := range all {
				if !all[i].at.After(midnight) {
					then = &all[i]
				}
			}
			isLast := then == &all[len(all)-1]
			if then == nil || then.state == nil || isLast && deleted[id] != nil && !deleted[id].After(midnight) {
				continue
			}
			switch *then.state {
			case "SNOOZED":
				snoozed++
			case "OPEN":
				open++
			default:
				continue
			}
			if then.assigned == nil {
				unassigned++
			}
		}
		if open+snoozed > 0 {
			rows = append(rows, string(encode(row{
				"org_id": p.orgID, "local_date": day.Format(time.DateOnly), "open_chats": open, "snoozed_chats": snoozed, "unassigned_chats": unassigned,
			})))
		}
	}
	return rows
}
