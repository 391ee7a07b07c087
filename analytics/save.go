package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// factTable is a table of facts. The statement that writes it is put together from the fields of its rows, so that a column
// is named once.
type factTable struct {
	name string
	keys []string // beyond org_id and chat_id
	sql  string
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
	stamp, stampNew, stampSet := "", "", ""
	if name != "chat_spans" {
		stamp, stampNew, stampSet = ", refreshed_at", ", $4", ", refreshed_at = excluded.refreshed_at"
	}
	sets := make([]string, len(others))
	for i, c := range others {
		sets[i] = c + " = excluded." + c
	}
	var same []string
	for _, k := range keys {
		same = append(same, "n."+k+" = t."+k)
	}
	// Only rows that differ are written, and only then the time of it.
	sql := fmt.Sprintf(`
with new as (
    select %[2]s from jsonb_populate_recordset(null::analytics.%[1]s, $3::jsonb)
), gone as (
    delete from analytics.%[1]s as t
    where t.org_id = $1 and t.chat_id = any($2::text[]) and not exists (select from new as n where %[3]s)
)
insert into analytics.%[1]s as t (%[2]s%[4]s) select %[5]s%[6]s from new as n
on conflict (%[7]s) do update set %[8]s%[9]s
where (%[10]s) is distinct from (%[11]s)`,
		name, strings.Join(all, ", "), strings.Join(same, " and "), stamp, prefixed("n.", all), stampNew,
		strings.Join(keys, ", "), strings.Join(sets, ", "), stampSet, prefixed("t.", others), prefixed("excluded.", others))
	return factTable{name: name, keys: keys, sql: sql}
}

// save makes the facts of some chats what is given.
func save(ctx context.Context, tx pgx.Tx, orgID string, chatIDs []string, facts []*Facts, now time.Time) error {
	var all Facts
	for _, f := range facts {
		all.Cases = append(all.Cases, f.Cases...)
		all.Turns = append(all.Turns, f.Turns...)
		all.Ratings = append(all.Ratings, f.Ratings...)
		all.Handoffs = append(all.Handoffs, f.Handoffs...)
		all.Spans = append(all.Spans, f.Spans...)
	}
	for _, t := range []struct {
		factTable
		rows any
	}{
		{casesTable, all.Cases}, {turnsTable, all.Turns}, {ratingsTable, all.Ratings}, {handoffsTable, all.Handoffs}, {spansTable, all.Spans},
	} {
		rows, err := json.Marshal(t.rows)
		if err != nil {
			return fmt.Errorf("describing rows of analytics.%s: %w", t.name, err)
		}
		if string(rows) == "null" {
			rows = []byte("[]")
		}
		arguments := []any{orgID, chatIDs, string(rows), now}
		if t.name == spansTable.name {
			arguments = arguments[:3]
		}
		if _, err := tx.Exec(ctx, t.sql, arguments...); err != nil {
			return fmt.Errorf("writing analytics.%s: %w", t.name, err)
		}
	}
	return nil
}
