package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// factTable is a table of facts. The statement that writes it is put together from the fields of its rows, so that a column
// is named once.
type factTable struct {
	name       string
	saveSQL    string // org, chats, rows as JSON, now: makes the chats' rows these
	compareSQL string // org, chats, rows as JSON: counts those that are on one side only
}

var (
	casesTable    = newFactTable[Case]("cases", "case_number")
	turnsTable    = newFactTable[Turn]("turns", "pass", "turn_number")
	ratingsTable  = newFactTable[Rating]("csat_ratings", "rating_number")
	handoffsTable = newFactTable[Handoff]("handoffs", "case_number")
	spansTable    = newFactTable[Span]("chat_spans", "span_number")
)

// newFactTable is the table whose rows are of type R, with the names of the columns in their json tags.
func newFactTable[R any](name string, keys ...string) factTable {
	keys = append([]string{"org_id", "chat_id"}, keys...)
	isKey := map[string]bool{}
	for _, k := range keys {
		isKey[k] = true
	}
	var all, others []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		column := f.Tag.Get("json")
		all = append(all, column)
		if !isKey[column] {
			others = append(others, column)
		}
	}
	prefixed := func(prefix string, columns []string) string { return prefix + strings.Join(columns, ", "+prefix) }
	sets := make([]string, len(others))
	for i, c := range others {
		sets[i] = c + " = excluded." + c
	}
	columns := strings.Join(all, ", ")
	// Only rows that differ are written, and only then the time of it. They are left out by EXCEPT and not by a condition of the
	// conflict, which locks the row before it looks, and so writes it. The stored rows are read chat by chat: whatever the
	// planner believes of tables that have grown since it last looked, that is a look into the primary key for each, and of a
	// table that looks empty the order tells it from the other indexes. NOT IN is
	// looked up in a hash; the planner, which knows nothing of the size of new, would make a loop over it of an anti join.
	save := fmt.Sprintf(`
with new as materialized (
    select %[2]s from jsonb_populate_recordset(null::analytics.%[1]s, $3::jsonb)
), old as materialized (
    select o.* from unnest($2::text[]) as k (key)
    cross join lateral (select t.ctid as at, %[7]s from analytics.%[1]s as t where t.org_id = $1 and t.chat_id = k.key
        order by %[8]s offset 0) as o
), gone as (
    delete from analytics.%[1]s as t
    where t.ctid = any(array(select o.at from old as o where (%[3]s) not in (select %[3]s from new)))
)
insert into analytics.%[1]s as t (%[2]s, refreshed_at)
select %[4]s, $4 from (select %[2]s from new except all select %[2]s from old) as n
on conflict (%[5]s) do update set %[6]s, refreshed_at = excluded.refreshed_at`,
		name, columns, strings.Join(keys[1:], ", "), prefixed("n.", all), strings.Join(keys, ", "), strings.Join(sets, ", "),
		prefixed("t.", all), prefixed("t.", keys[2:]))
	compare := fmt.Sprintf(`
with new as (
    select %[2]s from jsonb_populate_recordset(null::analytics.%[1]s, $3::jsonb)
), old as (
    select %[2]s from analytics.%[1]s where org_id = $1 and chat_id = any($2::text[])
)
select count(*) from ((table new except all table old) union all (table old except all table new)) as differing`, name, columns)
	return factTable{name: name, saveSQL: save, compareSQL: compare}
}

// tableRows are the rows of a table, as JSON.
type tableRows struct {
	factTable
	rows string
}

// byTable sorts the facts of several chats by their tables.
func byTable(facts []*Facts) (tables []tableRows, err error) {
	all := Facts{
		Cases:    gather(facts, func(f *Facts) []Case { return f.Cases }),
		Turns:    gather(facts, func(f *Facts) []Turn { return f.Turns }),
		Ratings:  gather(facts, func(f *Facts) []Rating { return f.Ratings }),
		Handoffs: gather(facts, func(f *Facts) []Handoff { return f.Handoffs }),
		Spans:    gather(facts, func(f *Facts) []Span { return f.Spans }),
	}
	for _, t := range []struct {
		factTable
		rows any
		n    int
	}{
		{casesTable, all.Cases, len(all.Cases)}, {turnsTable, all.Turns, len(all.Turns)}, {ratingsTable, all.Ratings, len(all.Ratings)},
		{handoffsTable, all.Handoffs, len(all.Handoffs)}, {spansTable, all.Spans, len(all.Spans)},
	} {
		rows := []byte("[]")
		if t.n > 0 {
			if rows, err = json.Marshal(t.rows); err != nil {
				return nil, fmt.Errorf("describing rows of analytics.%s: %w", t.name, err)
			}
		}
		tables = append(tables, tableRows{t.factTable, string(rows)})
	}
	return tables, nil
}

// gather is the rows of one table of several chats.
func gather[R any](facts []*Facts, of func(*Facts) []R) []R {
	lists := make([][]R, len(facts))
	for i, f := range facts {
		lists[i] = of(f)
	}
	return slices.Concat(lists...)
}

// save makes the facts of some chats what is given.
func save(ctx context.Context, tx pgx.Tx, orgID string, chatIDs []string, facts []*Facts, now time.Time) error {
	tables, err := byTable(facts)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if _, err := tx.Exec(ctx, t.saveSQL, orgID, chatIDs, t.rows, now); err != nil {
			return fmt.Errorf("writing analytics.%s: %w", t.name, err)
		}
	}
	return nil
}
