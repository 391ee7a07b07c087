package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The shadow of inbox is the same tables as temporary ones of one session: nobody else sees them, and they go with the
// session, however that ends. The SQL over them is about any of the tables and is put together here, from the catalog.

// derivedTables are the tables of inbox, parents first.
var derivedTables = []string{
	"orgs", "users", "sessions", "contacts", "contact_channels", "assistants", "assistant_integrations",
	"assistant_configs", "toolsets", "chats", "chat_states", "chat_state_changes", "members", "messages",
	"message_files", "referrals",
}

// arrivalColumns depend on the order in which events came, or on whether late ones were expected when they did
// (LaneConfig.MayBeLate); live tables and rebuilt ones may differ in them.
var arrivalColumns = func() map[string][]string {
	columns := map[string][]string{"orgs": {"last_seen_at"}}
	for _, table := range []string{"users", "contacts", "contact_channels", "assistants", "assistant_integrations"} {
		columns[table] = []string{"last_seen_at", "version_at", "version_seq", "field_versions"}
	}
	return columns
}()

// shadowTx is a transaction in which the generated queries find the shadow in the place of inbox.
type shadowTx struct{ pgx.Tx }

var shadowSQL sync.Map // what the generated queries are over the shadow, by what they are over inbox

// overShadow rewrites a query. One that would write anywhere else is refused.
func overShadow(sql string) (string, error) {
	if known, ok := shadowSQL.Load(sql); ok {
		return known.(string), nil
	}
	rewritten := strings.ReplaceAll(sql, "inbox.", "pg_temp.")
	for _, other := range []string{"ops.", "analytics.", "into raw.", "update raw.", "delete from raw."} {
		if strings.Contains(rewritten, other) {
			return "", fmt.Errorf("a query over the shadow of inbox names %q", other)
		}
	}
	shadowSQL.Store(sql, rewritten)
	return rewritten, nil
}

func (s shadowTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	sql, err := overShadow(sql)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	return s.Tx.Exec(ctx, sql, args...)
}

func (s shadowTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	sql, err := overShadow(sql)
	if err != nil {
		return nil, err
	}
	return s.Tx.Query(ctx, sql, args...)
}

func (s shadowTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	sql, err := overShadow(sql)
	if err != nil {
		return failedRow{err}
	}
	return s.Tx.QueryRow(ctx, sql, args...)
}

type failedRow struct{ err error }

func (f failedRow) Scan(...any) error { return f.err }

// SendBatch rewrites what is queued.
func (s shadowTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	for _, q := range b.QueuedQueries {
		sql, err := overShadow(q.SQL)
		if err != nil {
			sql = "do $$ begin raise 'a query over the shadow of inbox leaves it'; end $$"
		}
		q.SQL = sql
	}
	return s.Tx.SendBatch(ctx, b)
}

// shadow is the session's tables.
type shadow struct{ tables []*shadowTable }

type shadowTable struct {
	name    string
	keys    []string
	columns []shadowColumn // all but the keys
	ofChat  bool
}

type shadowColumn struct{ name, typ string }

// newShadow makes the tables in conn's session.
func newShadow(ctx context.Context, conn *pgx.Conn) (*shadow, error) {
	s := &shadow{}
	for _, name := range derivedTables {
		t := &shadowTable{name: name}
		if err := t.describe(ctx, conn); err != nil {
			return nil, fmt.Errorf("reading what inbox.%s is like: %w", name, err)
		}
		// The keys are all that is looked up; the other indexes would be kept for nobody.
		if _, err := conn.Exec(ctx, fmt.Sprintf("create temporary table %s (like %s including all excluding indexes, primary key (%s))",
			t.rebuilt(), t.live(), strings.Join(t.keys, ", "))); err != nil {
			return nil, fmt.Errorf("making a temporary table like inbox.%s: %w", name, err)
		}
		s.tables = append(s.tables, t)
	}
	return s, nil
}

func (t *shadowTable) live() string    { return "inbox." + pgx.Identifier{t.name}.Sanitize() }
func (t *shadowTable) rebuilt() string { return "pg_temp." + pgx.Identifier{t.name}.Sanitize() }

func (t *shadowTable) describe(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `
select a.attname::text, format_type(a.atttypid, null), a.attnum = any (i.indkey::int2[])
from pg_attribute as a
join pg_index as i on i.indrelid = a.attrelid and i.indisprimary
where a.attrelid = ('inbox.' || quote_ident($1))::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum`, t.name)
	if err != nil {
		return err
	}
	var column shadowColumn
	var isKey bool
	_, err = pgx.ForEachRow(rows, []any{&column.name, &column.typ, &isKey}, func() error {
		if isKey {
			t.keys = append(t.keys, column.name)
		} else {
			t.columns = append(t.columns, column)
		}
		return nil
	})
	t.ofChat = slices.Contains(t.keys, "chat_id")
	return err
}

// clear empties the tables for the next org.
func (s *shadow) clear(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "truncate "+each(s.tables, ", ", (*shadowTable).rebuilt))
	return err
}

// analyze tells the planner how large the tables have become; autovacuum passes temporary tables over.
func (s *shadow) analyze(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "analyze "+each(s.tables, ", ", (*shadowTable).rebuilt))
	return err
}

// each is one text for every column, joined.
func each[T any](of []T, sep string, text func(T) string) string {
	var parts []string
	for _, v := range of {
		parts = append(parts, text(v))
	}
	return strings.Join(parts, sep)
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func (t *shadowTable) sameKey() string {
	return each(t.keys, " and ", func(k string) string { return "r." + quoted(k) + " = l." + quoted(k) })
}

func differ(columns []shadowColumn) string {
	if len(columns) == 0 {
		return "false"
	}
	side := func(of string) string {
		return "(" + each(columns, ", ", func(c shadowColumn) string { return of + "." + quoted(c.name) }) + ")"
	}
	return side("l") + " is distinct from " + side("r")
}

// replace makes inbox's rows of an org those of the shadow, touching only rows that differ as differences has it. It returns how many it
// wrote and how many it took away.
func (s *shadow) replace(ctx context.Context, tx pgx.Tx, orgID string) (written, removed int64, err error) {
	for _, t := range s.tables {
		n, err := t.upsert(ctx, tx, orgID)
		if err != nil {
			return 0, 0, fmt.Errorf("writing the rebuilt rows of inbox.%s: %w", t.name, err)
		}
		written += n
	}
	for _, t := range slices.Backward(s.tables) {
		n, err := t.remove(ctx, tx, orgID)
		if err != nil {
			return 0, 0, fmt.Errorf("removing rows of inbox.%s that raw does not give: %w", t.name, err)
		}
		removed += n
	}
	return written, removed, nil
}

func (t *shadowTable) upsert(ctx context.Context, tx pgx.Tx, orgID string) (int64, error) {
	all := slices.Clone(t.keys)
	for _, c := range t.columns {
		all = append(all, c.name)
	}
	return t.change(ctx, tx, orgID, fmt.Sprintf(`
insert into %s as t (%s)
select %s
from %s as r
left join %s as l on %s and l.org_id = $1
where l.org_id is null or %s
on conflict (%s) do update set %s
returning t.*`,
		t.live(), each(all, ", ", quoted), each(all, ", ", func(c string) string { return "r." + quoted(c) }),
		t.rebuilt(), t.live(), t.sameKey(), differ(t.compared()), each(t.keys, ", ", quoted),
		each(t.columns, ", ", func(c shadowColumn) string { return quoted(c.name) + " = excluded." + quoted(c.name) })))
}

func (t *shadowTable) remove(ctx context.Context, tx pgx.Tx, orgID string) (int64, error) {
	return t.change(ctx, tx, orgID, fmt.Sprintf(`
delete from %s as l
where l.org_id = $1 and not exists (select from %s as r where %s)
returning l.*`, t.live(), t.rebuilt(), t.sameKey()))
}

// change runs a statement that returns the rows it changed, and marks their chats as changed.
func (t *shadowTable) change(ctx context.Context, tx pgx.Tx, orgID, statement string) (n int64, err error) {
	sql := "with changed as (" + statement + ")"
	if t.ofChat {
		sql += `, marked as (
    insert into ops.dirty_chats as d (org_id, chat_id, dirty_at)
    select distinct c.org_id, c.chat_id, now() from changed as c
    on conflict (org_id, chat_id) do update set dirty_at = excluded.dirty_at
)`
	}
	err = tx.QueryRow(ctx, sql+" select count(*) from changed", orgID).Scan(&n)
	return n, err
}

// Difference is a row in which the tables and what raw makes of it differ.
type Difference struct {
	OrgID string
	Table string // of inbox
	Key   string // the primary key without the org, joined with /
	// What is "missing" (raw gives the row, the table has not got it), "unexplained" (the table has a row that raw does not
	// give) or "different".
	What string
	// Columns are the names of those that differ, each with the table's value and the rebuilt one where it is not personal.
	Columns []string
}

// differences calls report for every row that differs, and returns how many there are.
func (s *shadow) differences(ctx context.Context, tx pgx.Tx, orgID string, report func(Difference)) (n int64, err error) {
	for _, t := range s.tables {
		rows, err := tx.Query(ctx, t.comparison(), orgID)
		if err != nil {
			return n, fmt.Errorf("comparing inbox.%s: %w", t.name, err)
		}
		d := Difference{OrgID: orgID, Table: t.name}
		if _, err := pgx.ForEachRow(rows, []any{&d.Key, &d.What, &d.Columns}, func() error {
			n++
			report(d)
			return nil
		}); err != nil {
			return n, fmt.Errorf("comparing inbox.%s: %w", t.name, err)
		}
	}
	return n, nil
}

// compared are the columns that make a row another one.
func (t *shadowTable) compared() []shadowColumn {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c shadowColumn) bool {
		return slices.Contains(arrivalColumns[t.name], c.name)
	})
}

func (t *shadowTable) comparison() string {
	compared := t.compared()
	texts := each(compared, ",\n        ", func(c shadowColumn) string {
		name, literal := quoted(c.name), "'"+c.name+"'"
		if t.isShown(c) {
			literal = fmt.Sprintf("'%s: ' || coalesce(l.%s::text, 'NULL') || ' → ' || coalesce(r.%s::text, 'NULL')", c.name, name, name)
		}
		return fmt.Sprintf("case when l.%s is distinct from r.%s then %s end", name, name, literal)
	})
	ids := slices.DeleteFunc(slices.Clone(t.keys), func(k string) bool { return k == "org_id" })
	key := each(append(ids, "org_id")[:max(1, len(ids))], ", ", func(k string) string {
		return fmt.Sprintf("coalesce(l.%s, r.%s)::text", quoted(k), quoted(k))
	})
	return fmt.Sprintf(`
select concat_ws('/', %s),
    case when l.org_id is null then 'missing' when r.org_id is null then 'unexplained' else 'different' end,
    case when l.org_id is null or r.org_id is null then '{}' else array_remove(array[
        %s
    ]::text[], null) end
from (select * from %s where org_id = $1) as l
full join %s as r on %s
where l.org_id is null or r.org_id is null or %s
order by %s`, key, texts, t.live(), t.rebuilt(), t.sameKey(), differ(compared),
		each(t.keys, ", ", func(k string) string { return fmt.Sprintf("coalesce(l.%s, r.%s)", quoted(k), quoted(k)) }))
}

// isShown reports whether a column's values may be printed: times, numbers, flags, ids and the vendor's enumerations,
// and never what people are called or what they wrote.
func (t *shadowTable) isShown(c shadowColumn) bool {
	switch c.typ {
	case "timestamp with time zone", "boolean", "integer", "bigint", "uuid":
		return true
	case "text":
		if t.name == "contact_channels" && c.name == "user_id" {
			return false // what the vendor means by it is not known
		}
		return strings.HasSuffix(c.name, "_id") || slices.Contains([]string{"sender", "role", "status", "state"}, c.name)
	}
	return false
}
