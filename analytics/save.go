package analytics

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// factTable is a table of facts whose rows are of type R. Its statements are put together from the fields of R, so that a
// column is named once.
type factTable[R any] struct {
	name string
	key  func(*R) factKey
	of   func(*Facts) *[]R

	readSQL    string // org, chats: their rows
	copySQL    string // takes rows that are not there yet
	updateSQL  string // rows as JSON, now: those of the same keys are these
	deleteSQL  string // rows as JSON, of which the key counts
	compareSQL string // org, chats, rows as JSON: counts those that are on one side only
}

// factKey is what tells a row of a table from the others of its org.
type factKey struct {
	chatID, pass string
	number       int
}

var (
	casesTable = newFactTable("cases", func(f *Facts) *[]Case { return &f.Cases },
		func(r *Case) factKey { return factKey{r.ChatID, "", r.CaseNumber} }, "case_number")
	turnsTable = newFactTable("turns", func(f *Facts) *[]Turn { return &f.Turns },
		func(r *Turn) factKey { return factKey{r.ChatID, r.Pass, r.TurnNumber} }, "pass", "turn_number")
	ratingsTable = newFactTable("csat_ratings", func(f *Facts) *[]Rating { return &f.Ratings },
		func(r *Rating) factKey { return factKey{r.ChatID, "", r.RatingNumber} }, "rating_number")
	handoffsTable = newFactTable("handoffs", func(f *Facts) *[]Handoff { return &f.Handoffs },
		func(r *Handoff) factKey { return factKey{r.ChatID, "", r.CaseNumber} }, "case_number")
	spansTable = newFactTable("chat_spans", func(f *Facts) *[]Span { return &f.Spans },
		func(r *Span) factKey { return factKey{r.ChatID, "", r.SpanNumber} }, "span_number")

	allTables = []anyTable{casesTable, turnsTable, ratingsTable, handoffsTable, spansTable}
)

// anyTable is a factTable of whatever rows.
type anyTable interface {
	askFor(batch *pgx.Batch, orgID string, chatIDs []string, into *Facts)
	replace(ctx context.Context, tx pgx.Tx, old, now *Facts, at time.Time, days touched) error
	differing(ctx context.Context, tx pgx.Tx, orgID string, chatIDs []string, facts *Facts) (table string, rows int64, err error)
}

// newFactTable is the table whose key is the org, the chat and keys.
func newFactTable[R any](name string, of func(*Facts) *[]R, key func(*R) factKey, keys ...string) *factTable[R] {
	all := columnsOf[R]()
	allKeys := append([]string{"org_id", "chat_id"}, keys...)
	var sets []string
	for _, c := range all {
		if !slices.Contains(allKeys, c) {
			sets = append(sets, c+" = excluded."+c)
		}
	}
	prefixed := func(prefix string, columns []string) string { return prefix + strings.Join(columns, ", "+prefix) }
	columns, table := strings.Join(all, ", "), "analytics."+name
	return &factTable[R]{
		name: table, key: key, of: of,
		// Chat by chat: whatever the planner believes of tables that have grown since it last looked, that is a look into the
		// primary key for each, and of a table that looks empty the order tells it from the other indexes.
		readSQL: fmt.Sprintf(`
select r.* from unnest($2::text[]) as k (key)
cross join lateral (select %[2]s from %[1]s as t where t.org_id = $1 and t.chat_id = k.key order by %[3]s offset 0) as r`,
			table, prefixed("t.", all), prefixed("t.", keys)),
		copySQL: fmt.Sprintf("copy %s (%s, refreshed_at) from stdin binary", table, columns),
		updateSQL: fmt.Sprintf(`
insert into %[1]s as t (%[2]s, refreshed_at)
select %[3]s, $2 from jsonb_populate_recordset(null::%[1]s, $1::jsonb) as n
on conflict (%[4]s) do update set %[5]s, refreshed_at = excluded.refreshed_at`,
			table, columns, prefixed("n.", all), strings.Join(allKeys, ", "), strings.Join(sets, ", ")),
		deleteSQL: fmt.Sprintf(`
delete from %[1]s where ctid = any(array(
    select o.at from jsonb_populate_recordset(null::%[1]s, $1::jsonb) as k
    cross join lateral (select t.ctid as at from %[1]s as t where %[2]s order by %[3]s offset 0) as o
))`,
			table, equated("t.", "k.", allKeys), prefixed("t.", keys)),
		compareSQL: fmt.Sprintf(`
with new as (
    select %[2]s from jsonb_populate_recordset(null::%[1]s, $3::jsonb)
), old as (
    select %[2]s from %[1]s where org_id = $1 and chat_id = any($2::text[])
)
select count(*) from ((table new except all table old) union all (table old except all table new)) as differing`, table, columns),
	}
}

func equated(a, b string, columns []string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = a + c + " = " + b + c
	}
	return strings.Join(all, " and ")
}

// readFacts reads the facts that are stored of some chats.
func readFacts(ctx context.Context, tx pgx.Tx, orgID string, chatIDs []string) (*Facts, error) {
	var stored Facts
	batch := &pgx.Batch{}
	chooseSettings(batch)
	for _, t := range allTables {
		t.askFor(batch, orgID, chatIDs, &stored)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("reading the facts that are stored: %w", err)
	}
	return &stored, nil
}

// chooseSettings is for a transaction that reads or writes facts.
func chooseSettings(batch *pgx.Batch) {
	// The primary key gives the order that is asked for. Sorting what another index gives looks as cheap while the table is empty, and
	// the plan is kept while it grows.
	batch.Queue("set local enable_sort = off")
	batch.Queue("set local enable_seqscan = off")
	// What a crash of the server takes back are the facts and that their chats' marks were taken away, which is one transaction: they
	// are made again. So nobody waits for the disk.
	batch.Queue("set local synchronous_commit = off")
}

func (t *factTable[R]) askFor(batch *pgx.Batch, orgID string, chatIDs []string, into *Facts) {
	batch.Queue(t.readSQL, orgID, chatIDs).Query(func(rows pgx.Rows) error {
		all := t.of(into)
		for rows.Next() {
			var row R
			if err := rows.Scan(fields(&row)...); err != nil {
				return fmt.Errorf("reading %s: %w", t.name, err)
			}
			*all = append(*all, row)
		}
		return rows.Err()
	})
}

// save makes the facts of some chats what is given instead of what is stored of them, and tells of which days they are. Only
// rows that differ are written, and only then the time of it.
func save(ctx context.Context, tx pgx.Tx, stored, facts *Facts, at time.Time) (touched, error) {
	days := touched{}
	for _, t := range allTables {
		if err := t.replace(ctx, tx, stored, facts, at, days); err != nil {
			return nil, err
		}
	}
	return days, nil
}

func (t *factTable[R]) replace(ctx context.Context, tx pgx.Tx, old, now *Facts, at time.Time, days touched) error {
	before, after := *t.of(old), *t.of(now)
	stored := make(map[factKey]*R, len(before))
	for i := range before {
		stored[t.key(&before[i])] = &before[i]
	}
	var added, changed, gone []*R
	for i := range after {
		row, key := &after[i], t.key(&after[i])
		switch was := stored[key]; {
		case was == nil:
			added = append(added, row)
			days.fact(row)
		case !same(was, row):
			changed = append(changed, row)
			days.fact(was)
			days.fact(row)
		}
		delete(stored, key)
	}
	for _, row := range stored {
		gone = append(gone, row)
		days.fact(row)
	}
	if err := t.send(ctx, tx, t.deleteSQL, gone); err != nil {
		return err
	}
	if err := t.send(ctx, tx, t.updateSQL, changed, at); err != nil {
		return err
	}
	return t.copy(ctx, tx, added, at)
}

func (t *factTable[R]) send(ctx context.Context, tx pgx.Tx, sql string, rows []*R, more ...any) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := describe(rows)
	if err != nil {
		return fmt.Errorf("describing rows of %s: %w", t.name, err)
	}
	if _, err := tx.Exec(ctx, sql, append([]any{string(text)}, more...)...); err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	return nil
}

// rowBytes is about what a row is long.
const rowBytes = 1 << 9

// copy writes rows that the table does not have.
func (t *factTable[R]) copy(ctx context.Context, tx pgx.Tx, rows []*R, at time.Time) error {
	if len(rows) == 0 {
		return nil
	}
	buf := make([]byte, 0, len(rows)*rowBytes)
	buf = append(append(buf, "PGCOPY\n\xff\r\n\x00"...), make([]byte, 8)...) // no flags, no extension
	for i := range rows {
		all := append(fields(rows[i]), &at)
		buf = binary.BigEndian.AppendUint16(buf, uint16(len(all))) //nolint:gosec // columns
		for _, field := range all {
			buf = appendCopied(buf, field)
		}
	}
	buf = append(buf, 0xff, 0xff)
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(buf), t.copySQL); err != nil {
		return fmt.Errorf("writing %s: %w", t.name, err)
	}
	return nil
}

// differing counts the rows that are stored otherwise than given, and those that are stored or given alone.
func (t *factTable[R]) differing(ctx context.Context, tx pgx.Tx, orgID string, chatIDs []string, facts *Facts) (table string, n int64, err error) {
	rows := []byte("[]")
	if given := *t.of(facts); len(given) > 0 {
		if rows, err = json.Marshal(given); err != nil {
			return "", 0, fmt.Errorf("describing rows of %s: %w", t.name, err)
		}
	}
	if err := tx.QueryRow(ctx, t.compareSQL, orgID, chatIDs, string(rows)).Scan(&n); err != nil {
		return "", 0, fmt.Errorf("comparing %s: %w", t.name, err)
	}
	return strings.TrimPrefix(t.name, "analytics."), n, nil
}

// gather is the facts of several chats in one.
func gather(chats []*Facts) *Facts {
	return &Facts{
		Cases:    concat(chats, func(f *Facts) []Case { return f.Cases }),
		Turns:    concat(chats, func(f *Facts) []Turn { return f.Turns }),
		Ratings:  concat(chats, func(f *Facts) []Rating { return f.Ratings }),
		Handoffs: concat(chats, func(f *Facts) []Handoff { return f.Handoffs }),
		Spans:    concat(chats, func(f *Facts) []Span { return f.Spans }),
	}
}

func concat[R any](chats []*Facts, of func(*Facts) []R) []R {
	lists := make([][]R, len(chats))
	for i, f := range chats {
		lists[i] = of(f)
	}
	return slices.Concat(lists...)
}
