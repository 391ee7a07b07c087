package analytics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"archiver/ingest"
	"archiver/postgres/dbtest"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// run is a conversation as it came to the archive in one way.
type run struct {
	*conversation
	way     string
	orgID   string
	lines   []line
	gaps    []goldenGap
	heard   bool // there was a connection
	isWhole bool // the golden values themselves are required, else NULL is as right
}

type goldenGap struct {
	from, to time.Time
	status   string
}

// runsOf are all ways in which a conversation is replayed.
func runsOf(t *testing.T, c *conversation) (runs []*run) {
	t.Helper()
	add := func(way string, make func(r *run, v *vendor)) {
		r := &run{conversation: c, way: way, orgID: c.name + "/" + way, heard: true}
		make(r, shoot(t, c, r.orgID))
		runs = append(runs, r)
	}
	all := func(time.Time) bool { return true }
	whole := func(r *run, v *vendor) {
		r.isWhole = true
		r.lines = append(v.frames(all), v.pages(c.readAt)...)
	}
	add("socket", func(r *run, v *vendor) { r.lines = v.frames(all) })
	add("rest", func(r *run, v *vendor) { r.heard, r.lines = false, v.pages(c.readAt) })
	add("both", whole)
	add("shuffled", whole)
	add("doubled", func(r *run, v *vendor) {
		whole(r, v)
		for _, l := range slices.Clone(r.lines) {
			l.at = l.at.Add(time.Millisecond)
			r.lines = append(r.lines, l)
		}
	})
	// The lists are read once the first frame has come; from then on the socket alone says what happens.
	add("early", func(r *run, v *vendor) {
		r.lines = v.frames(all)
		r.isWhole = len(r.lines) > 0
		r.lines = append(r.lines, v.pages(r.lines[0].at.Add(time.Millisecond))...)
	})
	// A frame is lost without a gap: what the chat's state says of the customer's last message shows it.
	if lost := lastOfCustomer(c); lost >= 0 {
		add("lost", func(r *run, v *vendor) {
			arrives := v.shots[lost].arrives
			r.lines = v.frames(func(at time.Time) bool { return !at.Equal(arrives) })
			r.lines = append(r.lines, v.pages(r.lines[0].at.Add(time.Millisecond))...)
		})
	}
	// Of two messages in a row the frame of the first is lost: what the state says of the last one does not show it, but the count
	// of unseen ones does.
	for i := 1; i+1 < len(c.events); i++ {
		if c.events[i].who != "customer" || c.events[i+1].who != "customer" || c.events[i].at.Before(c.listening) || c.events[i+1].noState {
			continue
		}
		add(fmt.Sprintf("lost-unseen-%d", i), func(r *run, v *vendor) {
			arrives := v.shots[i].arrives
			r.lines = v.frames(func(at time.Time) bool { return !at.Equal(arrives) })
			r.lines = append(r.lines, v.pages(r.lines[0].at.Add(time.Millisecond))...)
		})
	}
	for i := range c.events {
		if c.events[i].at.Before(c.listening) {
			continue
		}
		add(fmt.Sprintf("repaired-hole-%d", i), repairedHole(c, i, i))
		// A gap over two events hides what was undone within it. Where nothing is different after it and nothing was written,
		// nobody can know.
		if i+1 < len(c.events) && c.events[i+1].id != "" {
			add(fmt.Sprintf("repaired-hole-%d-%d", i, i+1), repairedHole(c, i, i+1))
		}
		from, to, isHeard := hole(c, i, i)
		// A gap that is not repaired, where only the lists' last state is ever read.
		add(fmt.Sprintf("hole-%d", i), func(r *run, v *vendor) {
			r.gaps = []goldenGap{{from, to, "unrepaired"}}
			r.lines = append(v.frames(isHeard), v.pages(c.readAt)...)
		})
		// And one after which nothing is read again. Where nothing comes after it, it cannot be told from an end.
		if i == len(c.events)-1 {
			continue
		}
		add(fmt.Sprintf("unread-hole-%d", i), func(r *run, v *vendor) {
			r.gaps = []goldenGap{{from, to, "unrepaired"}}
			r.lines = v.frames(isHeard)
			if len(r.lines) > 0 {
				r.lines = append(r.lines, v.pages(r.lines[0].at.Add(time.Millisecond))...)
			}
		})
	}
	return runs
}

func lastOfCustomer(c *conversation) int {
	for i, e := range slices.Backward(c.events) {
		if e.who == "customer" && !e.at.Before(c.listening) && i > 0 && i < len(c.events)-1 {
			return i
		}
	}
	return -1
}

// hole is a time in which the frames of some events come to nobody.
func hole(c *conversation, first, last int) (from, to time.Time, isHeard func(time.Time) bool) {
	from, to = c.events[first].at.Add(-time.Second), c.events[last].at.Add(c.events[last].arrives+time.Second)
	return from, to, func(arrives time.Time) bool { return arrives.Before(from) || !arrives.Before(to) }
}

// repairedHole is a gap after which both lists are read at once.
func repairedHole(c *conversation, first, last int) func(r *run, v *vendor) {
	from, to, isHeard := hole(c, first, last)
	return func(r *run, v *vendor) {
		r.gaps = []goldenGap{{from, to, "repaired"}}
		r.lines = append(v.frames(isHeard), append(v.pages(to), v.pages(c.readAt)...)...)
	}
}

// TestTheGoldenConversationsGiveTheirFactsInWhateverWayTheyCome replays each conversation of testdata/golden in every way:
// where all of it came, the facts are those of the file; where something is missing, each metric is that of the file, or NULL
// with a reason.
func TestTheGoldenConversationsGiveTheirFactsInWhateverWayTheyCome(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	var runs []*run
	for _, c := range readConversations(t) {
		runs = append(runs, runsOf(t, c)...)
	}
	replay(t, pool, runs)
	refreshAll(t, pool)
	got := map[string]map[string][]row{}
	for _, table := range []string{"cases", "turns", "csat_ratings", "handoffs"} {
		got[table] = rowsByOrg(t, pool, table)
	}
	for _, r := range runs {
		t.Run(r.orgID, func(t *testing.T) {
			facts := factsOf(r, got)
			if r.isWhole {
				for _, f := range facts {
					f.isAsWritten(t)
				}
				r.hasTokens(t, pool)
				return
			}
			for _, f := range facts {
				f.isNeverWrong(t)
			}
			switch {
			case r.way == "rest":
				r.measuresTurns(t, facts[1])
			case r.way == "socket" && !r.listening.After(r.events[0].at):
				for _, f := range facts {
					f.isObserved(t)
				}
			}
		})
	}
}

// replay brings all runs into the database the way of an import, with what the archive notes of connections and gaps.
func replay(t *testing.T, pool *pgxpool.Pool, runs []*run) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 5))
	var files bytes.Buffer
	for _, r := range runs {
		var shuffle *rand.Rand
		if r.way == "shuffled" {
			shuffle = random
		}
		files.Write(envelopes(r.lines, shuffle))
		r.settle(t, pool)
	}
	importLines(t, pool, &files)
	for _, r := range runs {
		for _, e := range r.events {
			if e.does == "deleted" { // nobody knows yet how Invent says so; whoever does marks the message
				execute(t, pool, "update inbox.messages set deleted_at = $3 where org_id = $1 and message_id = $2", r.orgID, e.id, e.at)
			}
		}
	}
}

func importLines(t *testing.T, pool *pgxpool.Pool, lines io.Reader) {
	t.Helper()
	result, err := ingest.Import(t.Context(), ingest.ImportConfig{
		Pool: pool, SpoolDir: t.TempDir(), Instance: "test", Log: discard,
		BadLine: func(_ string, n int64, why string) { t.Errorf("line %d: %s", n, why) },
	}, ingest.ImportSource{Name: "golden", Reader: lines})
	if err != nil || result.Known != 0 {
		t.Fatalf("importing gave %+v, %v", result, err)
	}
}

func execute(t *testing.T, pool *pgxpool.Pool, sql string, arguments ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, arguments...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// settle writes a run's settings, connection and gaps.
func (r *run) settle(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if r.zoneName != "UTC" || r.thanks != 0 || r.hours != nil {
		if err := SaveSettings(t.Context(), pool, r.settings(t)); err != nil {
			t.Fatalf("%s: %v", r.file, err)
		}
	}
	if r.heard {
		connect(t, pool, r.orgID, r.listening)
	}
	for _, g := range r.gaps {
		execute(t, pool, `insert into ops.gaps (org_id, gap_id, began_at, ended_at, cause, status, chats_swept, messages_recovered)
			values ($1, $2, $3, $4, 'test', $5, 0, 0)`, r.orgID, uuid.New(), g.from, g.to, g.status)
	}
}

func connect(t *testing.T, pool *pgxpool.Pool, orgID string, at time.Time) {
	t.Helper()
	execute(t, pool, `insert into ops.connections (connection_id, org_id, instance, started_at, opened_at, frames, bytes, largest_frame_bytes)
		values ($1, $2, 'test', $3, $3, 0, 0, 0)`, uuid.New(), orgID, at)
}

func (r *run) settings(t *testing.T) *Settings {
	t.Helper()
	s := &Settings{OrgID: r.orgID, Zone: r.zone, ZoneName: r.zoneName, ThanksWindow: time.Duration(r.thanks) * time.Second}
	weekdays := []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	clock := func(text string) time.Duration {
		hour, minute, _ := strings.Cut(text, ":")
		return time.Duration(number(hour))*time.Hour + time.Duration(number(minute))*time.Minute
	}
	for _, h := range r.hours {
		days, times, _ := strings.Cut(h, " ")
		first, last, _ := strings.Cut(days, "-")
		opens, closes, _ := strings.Cut(times, "-")
		for day := slices.Index(weekdays, first) + 1; day <= slices.Index(weekdays, last)+1; day++ {
			s.Hours = append(s.Hours, Stretch{
				Schedule: "default", ValidFrom: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Weekday: day, Opens: clock(opens), Closes: clock(closes),
			})
		}
	}
	for _, h := range r.holidays {
		day, name, _ := strings.Cut(h, " ")
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		s.Holidays = append(s.Holidays, Holiday{Day: at, Name: name})
	}
	return s
}

func refreshAll(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := NewRefresher(pool, discard).Refresh(t.Context()); err != nil {
		t.Fatalf("refreshing: %v", err)
	}
}

// row is a row of a table, by column, as JSON has it.
type row map[string]any

func rowsByOrg(t *testing.T, pool *pgxpool.Pool, table string) map[string][]row {
	t.Helper()
	rows, err := pool.Query(t.Context(), "select to_jsonb(t) - 'refreshed_at' from analytics."+table+" as t order by t::text")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]row{}
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		var r row
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		org, _ := r["org_id"].(string)
		all[org] = append(all[org], r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// table is the facts of one kind that a run gave, and those that its file wants.
type table struct {
	name    string
	way     string
	wants   []block
	rows    []row
	keyOf   func(row) string
	metrics []string          // columns that are NULL unless the fact is complete; those a file does not name are to be NULL
	copies  map[string]string // columns that are as another where a file does not name them
	zeros   []string          // columns that are 0 where it does not name them
	flags   []string          // columns that are like metrics, but any value will do where it does not name them
}

func factsOf(r *run, got map[string]map[string][]row) []*table {
	text := func(v any) string { return fmt.Sprint(v) }
	withBusiness := func(names ...string) (all []string) {
		for _, n := range names {
			all = append(all, n+"_seconds", n+"_business_seconds")
		}
		return all
	}
	return []*table{
		{
			name: "cases", way: r.way, wants: r.cases, rows: got["cases"][r.orgID],
			keyOf: func(r row) string { return text(r["opening_message_id"]) },
			metrics: append(withBusiness("first_response", "first_ai_response", "first_human_response", "assignment", "resolution", "last_resolution"),
				"resolution_unsnoozed_seconds", "csat_score"),
			copies: map[string]string{
				"last_resolution_seconds": "resolution_seconds", "last_resolution_business_seconds": "resolution_business_seconds",
				"resolution_unsnoozed_seconds": "resolution_seconds",
			},
			zeros: []string{"reopens"}, flags: []string{"is_ai_involved", "is_ai_resolved"},
		},
		{
			name: "turns", way: r.way, wants: r.turns, rows: got["turns"][r.orgID],
			keyOf:   func(r row) string { return text(r["pass"]) + " " + text(r["started_message_id"]) },
			metrics: withBusiness("reply"), flags: []string{"is_first_response"},
		},
		{
			name: "csat_ratings", way: r.way, wants: r.ratings, rows: got["csat_ratings"][r.orgID],
			keyOf: func(r row) string { return text(r["rating_number"]) },
		},
		{
			name: "handoffs", way: r.way, wants: r.handoffs, rows: got["handoffs"][r.orgID],
			keyOf:   func(r row) string { return text(r["case_number"]) },
			metrics: withBusiness("human_after_handoff"),
		},
	}
}

// isAsWritten compares all that a file says.
func (f *table) isAsWritten(t *testing.T) {
	t.Helper()
	there := map[string]row{}
	for _, r := range f.rows {
		there[f.keyOf(r)] = r
	}
	for _, b := range f.wants {
		r := there[b.key]
		if r == nil {
			t.Errorf("%s: analytics.%s has no such row; it has %v", b.line, f.name, keysOf(there))
			continue
		}
		delete(there, b.key)
		for column, want := range f.wanted(&b) {
			value, is := r[column]
			if !is {
				t.Errorf("%s: analytics.%s has no column %s", b.line, f.name, column)
				continue
			}
			if !isSame(value, want) {
				t.Errorf("%s: %s of %s is %v, want %s (completeness %v, %v)", b.line, column, b.key, value, want, r["completeness"], r["completeness_reason"])
			}
		}
		if r["completeness"] != complete && r["completeness_reason"] == nil {
			t.Errorf("%s: it is %v without a reason", b.line, r["completeness"])
		}
	}
	for key := range there {
		t.Errorf("analytics.%s has a row %s that the file does not want: %v", f.name, key, there[key])
	}
}

func keysOf(m map[string]row) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// wanted is what a file says of a row, and what it says by saying nothing.
func (f *table) wanted(b *block) map[string]string {
	wants := map[string]string{}
	for _, column := range f.metrics {
		wants[column] = "NULL"
	}
	for _, column := range f.zeros {
		wants[column] = "0"
	}
	for column, value := range b.wants {
		wants[column] = value
	}
	for column, other := range f.copies {
		if _, is := b.wants[column]; !is {
			wants[column] = wants[other]
		}
	}
	return wants
}

func isSame(value any, want string) bool {
	switch v := value.(type) {
	case nil:
		return want == "NULL"
	case bool:
		return want == strconv.FormatBool(v)
	case float64:
		w, err := strconv.ParseFloat(want, 64)
		return err == nil && v-w < 1e-6 && w-v < 1e-6
	case string:
		got, errGot := time.Parse(time.RFC3339Nano, v)
		wanted, errWant := time.Parse(time.RFC3339Nano, want)
		if errGot == nil && errWant == nil {
			return got.Equal(wanted)
		}
		return v == want
	}
	return false
}

// isNeverWrong allows NULL in the place of every metric, with a reason.
func (f *table) isNeverWrong(t *testing.T) {
	t.Helper()
	wanted := map[string]map[string]string{}
	for i := range f.wants {
		wanted[f.wants[i].key] = f.wanted(&f.wants[i])
	}
	for _, r := range f.rows {
		key := f.keyOf(r)
		if r["completeness"] != complete && r["completeness_reason"] == nil {
			t.Errorf("analytics.%s %s is %v without a reason", f.name, key, r["completeness"])
		}
		if f.name == "csat_ratings" {
			if r["completeness"] == complete && !f.isWantedRating(r) {
				t.Errorf("analytics.csat_ratings has a complete rating %v of case %v at %v: the file has none such", r["score"], r["case_number"], r["rated_at"])
			}
			continue
		}
		for _, column := range append(f.flags, f.metrics...) {
			value, want := r[column], "NULL"
			if value == nil {
				continue
			}
			if wants := wanted[key]; wants != nil {
				var is bool
				if want, is = wants[column]; !is {
					continue
				}
			}
			if !isSame(value, want) {
				t.Errorf("analytics.%s %s: %s is %v, want %s or NULL", f.name, key, column, value, want)
			}
		}
	}
}

// isObserved wants the values of the file in the columns of what was observed: the socket alone showed all of it, only nobody
// knew that it was all.
func (f *table) isObserved(t *testing.T) {
	t.Helper()
	there := map[string]row{}
	for _, r := range f.rows {
		there[f.keyOf(r)] = r
	}
	for _, b := range f.wants {
		for column, want := range b.wants {
			name, isMetric := strings.CutSuffix(column, "_seconds")
			if !isMetric || want == "NULL" || strings.HasSuffix(name, "_business") || strings.HasSuffix(name, "_observed") || strings.HasSuffix(name, "_unsnoozed") {
				continue
			}
			if r := there[b.key]; r == nil || !isSame(r[name+"_observed_seconds"], want) || r[column] != nil {
				t.Errorf("%s: %s_observed_seconds is %v and %s %v, want %s and NULL", b.line, name, r[name+"_observed_seconds"], column, r[column], want)
			}
		}
	}
}

func (f *table) isWantedRating(r row) bool {
	return slices.ContainsFunc(f.wants, func(b block) bool {
		return b.wants["completeness"] == complete && isSame(r["score"], b.wants["score"])
	})
}

// measuresTurns wants the turns that depend on messages alone of a history known from the lists alone: those of one message.
// Of several, and where thanks open nothing, it would have to be known whether the chat was closed meanwhile.
func (r *run) measuresTurns(t *testing.T, turns *table) {
	t.Helper()
	if r.thanks > 0 || slices.ContainsFunc(r.events, func(e happening) bool { return len(e.changes) > 0 && strings.HasPrefix(e.changes[0], "gone") }) {
		return
	}
	there := map[string]row{}
	for _, row := range turns.rows {
		there[turns.keyOf(row)] = row
	}
	wasAnswered := true // if not, the turn before goes on for whoever does not know that its case was closed
	for _, b := range turns.wants {
		isAlone := wasAnswered || b.wants["turn_number"] == "1"
		wasAnswered = b.wants["reply_message_id"] != "NULL"
		if !isAlone || b.wants["reply_seconds"] == "NULL" || b.wants["customer_messages"] != "1" {
			continue
		}
		if row := there[b.key]; row == nil || !isSame(row["reply_seconds"], b.wants["reply_seconds"]) {
			t.Errorf("%s: reply_seconds is %v, want %s also where only the lists are known", b.line, row["reply_seconds"], b.wants["reply_seconds"])
		}
	}
}

// hasTokens compares the tokens of all messages: the turns of one are parts of its total.
func (r *run) hasTokens(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if r.tokens == "" {
		return
	}
	var sum float64
	if err := pool.QueryRow(t.Context(), "select sum(total_tokens)::float8 from inbox.messages where org_id = $1", r.orgID).Scan(&sum); err != nil {
		t.Fatal(err)
	}
	if !isSame(sum, r.tokens) {
		t.Errorf("%s: the messages have %v tokens, want %s", r.file, sum, r.tokens)
	}
}
