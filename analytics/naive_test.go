package analytics

import (
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest"
	"archiver/postgres/dbtest"
	"archiver/simulator"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// said and stood are a message and a version of a chat's state as docs/metrics.md speaks of them.
type said struct {
	ID, Sender string
	UserID     *string
	At         time.Time
}

type stood struct {
	At             time.Time
	State          *string
	AIEnabled      *bool
	AssignedUserID *string
	AssignedAt     *time.Time
	CSATScore      *int32
}

// naive works out the facts of one chat by looking through all of it for each of them, as the definitions are written.
type naive struct {
	messages []said
	changes  []stood
	thanks   time.Duration
	starts   []start
	of       []int // by message: its case, from 0; -1: none
}

type start struct {
	at    int // of messages
	by    string
	since time.Time // the message, or the reopening that made it open a case
}

func (n *naive) isBusiness(m said) bool { return m.Sender == "ai" || m.Sender == "human" }

// stateBefore is how the chat stood right before a time; nil when it was new.
func (n *naive) stateBefore(t time.Time) *stood {
	var s *stood
	for i := range n.changes {
		if n.changes[i].At.Before(t) {
			s = &n.changes[i]
		}
	}
	return s
}

func (s *stood) closed() bool { return s != nil && s.State != nil && *s.State == "CLOSED" }

// closes are when the chat was closed at or after a time and before another.
func (n *naive) closes(from, to time.Time) (times []time.Time) {
	for i := range n.changes {
		c := &n.changes[i]
		isClose := c.closed() && (i == 0 || !n.changes[i-1].closed())
		if isClose && !c.At.Before(from) && c.At.Before(to) {
			times = append(times, c.At)
		}
	}
	return times
}

func (n *naive) reopenings(from, to time.Time) (times []time.Time) {
	for i := range n.changes {
		if i > 0 && n.changes[i-1].closed() && !n.changes[i].closed() && !n.changes[i].At.Before(from) && n.changes[i].At.Before(to) {
			times = append(times, n.changes[i].At)
		}
	}
	return times
}

var never = time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)

// divide finds where the cases start.
func (n *naive) divide() {
	n.of = make([]int, len(n.messages))
	for i, m := range n.messages {
		isOver, isClosed := true, n.stateBefore(m.At).closed()
		hasCustomer := false
		var closes []time.Time
		if k := len(n.starts); k > 0 {
			closes = n.closes(n.messages[n.starts[k-1].at].At, m.At)
			isOver = len(closes) > 0
			for j := range i {
				hasCustomer = hasCustomer || n.of[j] == k-1 && n.messages[j].Sender == "customer"
			}
		}
		opens, since := "", m.At
		switch {
		case m.Sender == "customer" && isOver && isClosed && len(closes) > 0 && n.thanks > 0 && m.At.Sub(closes[len(closes)-1]) <= n.thanks:
			n.of[i] = -1
			continue
		case m.Sender == "customer" && (isOver || isClosed && !hasCustomer):
			opens = "customer"
		case m.Sender == "broadcast" && isOver:
			opens = "broadcast"
		case m.Sender == "human" && isOver && !isClosed:
			opens = "business"
		case m.Sender == "human" && isOver:
			if reopenings := n.reopeningsBeforeTheCustomer(i); len(reopenings) > 0 {
				opens, since = "business", reopenings[0]
			}
		}
		if opens != "" {
			n.starts = append(n.starts, start{i, opens, since})
		}
		n.of[i] = len(n.starts) - 1
	}
}

// reopeningsBeforeTheCustomer are those that come after a word in a closed chat and before a message that opens a case by
// itself.
func (n *naive) reopeningsBeforeTheCustomer(i int) []time.Time {
	until := never
	for _, m := range n.messages[i+1:] {
		if !n.isBusiness(m) {
			until = m.At
			break
		}
	}
	return n.reopenings(n.messages[i].At, until)
}

func secondsOf(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// facts is one line a fact, of what is compared.
func (n *naive) facts() (lines []string) {
	n.divide()
	for k := range n.starts {
		lines = append(lines, n.caseLine(k))
		if h := n.handoff(k); h != "" {
			lines = append(lines, h)
		}
	}
	lines = append(lines, n.turnLines("any", n.isBusiness)...)
	lines = append(lines, n.turnLines("human", func(m said) bool { return m.Sender == "human" })...)
	return append(lines, n.ratingLines()...)
}

// end is when the next case starts.
func (n *naive) end(k int) time.Time {
	if k+1 < len(n.starts) {
		return n.messages[n.starts[k+1].at].At
	}
	return never
}

func (n *naive) caseLine(k int) string {
	from := n.messages[n.starts[k].at].At
	var first *said
	reply := map[string]string{"any": "-", "ai": "-", "human": "-"}
	for i := range n.messages {
		m := &n.messages[i]
		if n.of[i] != k {
			continue
		}
		if m.Sender == "customer" && first == nil {
			first = m
		}
		if first == nil || !n.isBusiness(*m) || n.starts[k].by == "business" {
			continue
		}
		for _, kind := range []string{"any", m.Sender} {
			if reply[kind] == "-" {
				reply[kind] = secondsOf(m.At.Sub(first.At))
			}
		}
	}
	resolution, last := "-", "-"
	closes := n.closes(from, n.end(k))
	if len(closes) == 0 && n.end(k).Equal(never) {
		return fmt.Sprintf("case %s by %s censored", n.messages[n.starts[k].at].ID, n.starts[k].by)
	}
	if len(closes) > 0 && first != nil && !closes[0].Before(first.At) {
		resolution = secondsOf(closes[0].Sub(first.At))
	}
	if len(closes) > 0 && first != nil && !closes[len(closes)-1].Before(first.At) {
		last = secondsOf(closes[len(closes)-1].Sub(first.At))
	}
	score := "-"
	for _, r := range n.ratings() {
		if r.of == k {
			score = fmt.Sprint(r.score)
			if r.isFirst {
				score = "-"
			}
		}
	}
	return fmt.Sprintf("case %s by %s: first %s ai %s human %s resolution %s last %s csat %s", n.messages[n.starts[k].at].ID,
		n.starts[k].by, reply["any"], reply["ai"], reply["human"], resolution, last, score)
}

func (n *naive) handoff(k int) string {
	from, until := n.messages[n.starts[k].at].At, n.end(k)
	if closes := n.closes(from, until); len(closes) > 0 {
		until = closes[0].Add(time.Nanosecond)
	}
	at := func(c *stood) time.Time {
		if c.AssignedAt != nil && !c.AssignedAt.Before(from) && !c.AssignedAt.After(c.At) {
			return *c.AssignedAt
		}
		return c.At
	}
	for i := 1; i < len(n.changes); i++ {
		before, c := &n.changes[i-1], &n.changes[i]
		if c.At.Before(from) || !c.At.Before(until) || i > 0 && before.closed() && c.closed() {
			continue
		}
		answered := false
		for j, m := range n.messages {
			answered = answered || n.of[j] == k && m.Sender == "ai" && !m.At.After(c.At)
		}
		kind, when := "", c.At
		switch {
		case before.AIEnabled != nil && *before.AIEnabled && c.AIEnabled != nil && !*c.AIEnabled:
			kind = "ai_disabled"
		case answered && c.AssignedUserID != nil && !equal(before.AssignedUserID, c.AssignedUserID):
			kind, when = "assigned", at(c)
		default:
			continue
		}
		human := "-"
		for j, m := range n.messages {
			if n.of[j] == k && m.Sender == "human" && !m.At.Before(when) {
				human = secondsOf(m.At.Sub(when))
				break
			}
		}
		return fmt.Sprintf("handoff in %s: %s after %s human %s", n.messages[n.starts[k].at].ID, kind, secondsOf(when.Sub(from)), human)
	}
	return ""
}

func (n *naive) turnLines(pass string, isReply func(said) bool) (lines []string) {
	for i, m := range n.messages {
		if m.Sender != "customer" || n.of[i] < 0 || n.isAwaited(i, isReply) {
			continue
		}
		reply := "-"
		for j := i + 1; j < len(n.messages); j++ {
			if next := n.messages[j]; next.Sender == "customer" && n.of[j] >= 0 && n.of[j] != n.of[i] {
				break
			} else if isReply(next) {
				reply = secondsOf(next.At.Sub(m.At)) + " by " + next.ID
				break
			}
		}
		lines = append(lines, fmt.Sprintf("turn %s from %s: %s", pass, m.ID, reply))
	}
	return lines
}

// isAwaited says that a reply to an earlier message of the case is still awaited when the customer writes.
func (n *naive) isAwaited(i int, isReply func(said) bool) bool {
	for j := i - 1; j >= 0; j-- {
		if isReply(n.messages[j]) {
			return false
		}
		if n.messages[j].Sender == "customer" && n.of[j] >= 0 {
			return n.of[j] == n.of[i]
		}
	}
	return false
}

type rated struct {
	score   int32
	of      int
	at      time.Time
	isFirst bool
}

func (n *naive) ratings() (all []rated) {
	for i := range n.changes {
		c := &n.changes[i]
		if c.CSATScore == nil || i > 0 && equal(n.changes[i-1].CSATScore, c.CSATScore) {
			continue
		}
		r := rated{*c.CSATScore, -1, c.At, i == 0}
		for k := range n.starts {
			if !n.starts[k].since.After(c.At) {
				r.of = k
			}
		}
		all = append(all, r)
	}
	return all
}

func (n *naive) ratingLines() (lines []string) {
	for _, r := range n.ratings() {
		lines = append(lines, fmt.Sprintf("rating %d of case %d at %s", r.score, r.of+1, r.at.UTC().Format(time.RFC3339Nano)))
	}
	return lines
}

const thanksWindow = 30 * time.Minute

// naiveFacts are the facts of all chats of an org by the naive way.
func naiveFacts(t *testing.T, pool *pgxpool.Pool, orgID string) map[string][]string {
	t.Helper()
	chats := map[string]*naive{}
	of := func(chatID string) *naive {
		if chats[chatID] == nil {
			chats[chatID] = &naive{thanks: thanksWindow}
		}
		return chats[chatID]
	}
	var chatID string
	var m said
	each(t, pool, []any{&chatID, &m.ID, &m.Sender, &m.UserID, &m.At}, func() { n := of(chatID); n.messages = append(n.messages, m) }, `
		select chat_id, message_id, sender, user_id, created_at from inbox.messages
		where org_id = $1 and deleted_at is null and coalesce(status, '') not in ('RUNNING', 'FAILED', 'CANCELED')
			and sender in ('customer', 'ai', 'human', 'broadcast')
		order by created_at, message_id`, orgID)
	var c stood
	each(t, pool, []any{&chatID, &c.At, &c.State, &c.AIEnabled, &c.AssignedUserID, &c.AssignedAt, &c.CSATScore}, func() {
		n := of(chatID)
		n.changes = append(n.changes, c)
	}, `select chat_id, changed_at, state, ai_enabled, assigned_user_id, assigned_at, csat_score from inbox.chat_state_changes
		where org_id = $1 order by changed_at, first_seen_at, seq`, orgID)
	facts := map[string][]string{}
	for id, n := range chats {
		facts[id] = n.facts()
		slices.Sort(facts[id])
	}
	return facts
}

func each(t *testing.T, pool *pgxpool.Pool, into []any, take func(), sql string, arguments ...any) {
	t.Helper()
	rows, err := pool.Query(t.Context(), sql, arguments...)
	if err == nil {
		_, err = pgx.ForEachRow(rows, into, func() error { take(); return nil })
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// tableFacts are the facts in analytics in the words of naiveFacts, and by their completeness how many there are.
func tableFacts(t *testing.T, pool *pgxpool.Pool, orgID string) (facts map[string][]string, counts map[string]int) {
	t.Helper()
	facts, counts = map[string][]string{}, map[string]int{}
	var chatID, text, completeness string
	take := func() {
		facts[chatID] = append(facts[chatID], text)
		counts[strings.Fields(text)[0]+" "+completeness]++
	}
	number := func(column string) string { return "coalesce(trim(to_char(" + column + ", '999999990.000')), '-')" }
	for _, sql := range []string{
		`select chat_id, 'case ' || opening_message_id || ' by ' || opened_by || case when completeness = 'censored' then ' censored' else
			': first ' || ` + number("first_response_observed_seconds") + ` || ' ai ' || ` + number("first_ai_response_observed_seconds") + ` || ' human ' ||
			` + number("first_human_response_observed_seconds") + ` || ' resolution ' || ` + number("resolution_observed_seconds") + ` || ' last ' ||
			` + number("last_resolution_observed_seconds") + ` || ' csat ' || coalesce((select r.score::text from analytics.csat_ratings as r where r.org_id = c.org_id and r.chat_id = c.chat_id
				and r.case_number = c.case_number and r.is_last and r.completeness = 'complete'), '-') end, completeness
			from analytics.cases as c where org_id = $1`,
		`select h.chat_id, 'handoff in ' || c.opening_message_id || ': ' || h.kind || ' after ' ||
			` + number("extract(epoch from h.handed_off_at - c.opened_at)") + ` || ' human ' || ` + number("h.human_after_handoff_observed_seconds") + `,
			h.completeness from analytics.handoffs as h join analytics.cases as c using (org_id, chat_id, case_number) where org_id = $1`,
		`select chat_id, 'turn ' || pass || ' from ' || started_message_id || ': ' || ` + number("reply_observed_seconds") + ` ||
			coalesce(' by ' || reply_message_id, ''), completeness from analytics.turns where org_id = $1`,
		`select chat_id, 'rating ' || score || ' of case ' || coalesce(case_number, 0) || ' at ' ||
			to_char(rated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') || rtrim(rtrim(to_char(rated_at at time zone 'UTC', '.US'), '0'), '.') || 'Z',
			completeness from analytics.csat_ratings where org_id = $1`,
	} {
		each(t, pool, []any{&chatID, &text, &completeness}, take, sql, orgID)
	}
	for _, lines := range facts {
		slices.Sort(lines)
	}
	return facts, counts
}

// metricsAreThere checks that a metric is what was observed where its fact is complete, and NULL where it is not. What a case
// measures before its end is there where it is open, too.
func metricsAreThere(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	for table, metrics := range map[string][]string{
		"cases":    {"resolution", "last_resolution"},
		"turns":    {"reply"},
		"handoffs": {"human_after_handoff"},
	} {
		for _, m := range metrics {
			var wrong int
			sql := fmt.Sprintf("select count(*) from analytics.%s where %s_seconds is distinct from case when completeness = 'complete' then %[2]s_observed_seconds end", table, m)
			if err := pool.QueryRow(t.Context(), sql).Scan(&wrong); err != nil || wrong > 0 {
				t.Errorf("%s_seconds of %d analytics.%s is not what was observed where complete and NULL elsewhere (%v)", m, wrong, table, err)
			}
		}
	}
	for _, m := range []string{"first_response", "first_ai_response", "first_human_response", "assignment"} {
		var wrong int
		sql := fmt.Sprintf("select count(*) from analytics.cases where %s_seconds is distinct from case when completeness in ('complete', 'censored') then %[1]s_observed_seconds end", m)
		if err := pool.QueryRow(t.Context(), sql).Scan(&wrong); err != nil || wrong > 0 {
			t.Errorf("%s_seconds of %d analytics.cases is not what was observed where nothing is missing and NULL elsewhere (%v)", m, wrong, err)
		}
	}
}

func TestTheFactsOfSimulatedWeeksAreThoseOfANaiveRecomputation(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	start := time.Date(2025, 3, 3, 0, 0, 0, 0, time.UTC)
	world := simulator.NewWorld(simulator.Config{Seed: 21, Orgs: 1, Chats: 30, Activity: 4, Start: start, End: start.AddDate(0, 0, 21)})
	orgID := world.Orgs()[0].ID
	connect(t, pool, orgID, start.Add(-time.Hour))
	if err := SaveSettings(t.Context(), pool, &Settings{OrgID: orgID, ZoneName: "UTC", ThanksWindow: thanksWindow}); err != nil {
		t.Fatal(err)
	}
	var lines []line
	for f, ok := world.Next(); ok; f, ok = world.Next() {
		lines = append(lines, line{orgID: f.OrgID, at: f.At, source: ingest.SourceSocket, kind: ingest.KindFrame, body: f.Bytes})
	}
	lines = append(lines, listsOf(world, orgID, start.AddDate(0, 0, 21))...)
	importLines(t, pool, strings.NewReader(string(envelopes(lines, rand.New(rand.NewPCG(1, 1))))))
	execute(t, pool, `insert into analytics.model_prices (org_id, model, valid_from, input_per_million, output_per_million, cache_read_per_million)
		select distinct org_id, model, date '2025-01-01', 3, 15, 0.5 from inbox.messages where model is not null`)
	refreshAll(t, pool)

	metricsAreThere(t, pool)
	want := naiveFacts(t, pool, orgID)
	got, counts := tableFacts(t, pool, orgID)
	t.Logf("%d frames, %d chats: %v", len(lines), len(want), counts)
	for _, chatID := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(want[chatID], got[chatID]) {
			t.Errorf("chat %s has the facts\n  %s\nwant\n  %s", chatID, strings.Join(got[chatID], "\n  "), strings.Join(want[chatID], "\n  "))
		}
	}
	summariesAgree(t, pool, want)
	for _, kind := range []string{"case complete", "turn complete", "handoff complete", "rating complete"} {
		if counts[kind] < 10 {
			t.Errorf("there are %d facts %q, want some: nothing was compared", counts[kind], kind)
		}
	}
}

// listsOf are the inbox and all message lists at a time.
func listsOf(world *simulator.World, orgID string, at time.Time) (lines []line) {
	v := &vendor{orgID: orgID}
	lines = append(lines, v.page(at, ingest.KindChatsPage, "/orgs/"+orgID+"/inbox", world.Chats(orgID), true))
	for _, chatID := range world.ChatIDs(orgID) {
		lines = append(lines, v.page(at, ingest.KindMessagesPage, "/chats/"+chatID+"/messages", world.Messages(chatID), true))
	}
	return lines
}

var discard = slog.New(slog.DiscardHandler)
