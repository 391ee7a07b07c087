package migrations_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"archiver/postgres/dbtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const dictionaryFile = "../docs/data-dictionary.md"

var update = flag.Bool("update", false, "write docs/data-dictionary.md anew from the database's comments")

func TestTheDataDictionaryIsWhatTheDatabaseSays(t *testing.T) {
	t.Parallel()
	want := dictionary(t, dbtest.New(t))
	if *update {
		if err := os.WriteFile(dictionaryFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(dictionaryFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		line := firstDifference(string(got), want)
		t.Errorf("docs/data-dictionary.md differs from the database's comments from line %d on; write it anew with make dictionary", line)
	}
}

// dictionary is the page: a section for each schema, in the order an analyst needs them, and a table for each table or
// view of it. Partitions are left out: they have their parent's columns.
func dictionary(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	type column struct {
		Schema, SchemaComment, Relation, Kind, RelationComment, Column, Type, Comment string
		NotNull                                                                       bool
	}
	rows, err := pool.Query(context.Background(), `
		select n.nspname, obj_description(n.oid, 'pg_namespace'), r.relname,
			case when r.relkind = 'v' then 'view' else 'table' end, coalesce(obj_description(r.oid, 'pg_class'), ''),
			a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(r.oid, a.attnum), ''), a.attnotnull
		from pg_class r
		join pg_namespace n on n.oid = r.relnamespace and n.nspname in ('raw', 'inbox', 'analytics', 'ops')
		join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
		where r.relkind in ('r', 'p', 'v') and not r.relispartition
		order by array_position(array['analytics', 'inbox', 'ops', 'raw'], n.nspname::text), r.relkind = 'v', r.relname collate "C", a.attnum`)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c column, err error) {
		err = row.Scan(&c.Schema, &c.SchemaComment, &c.Relation, &c.Kind, &c.RelationComment, &c.Column, &c.Type, &c.Comment, &c.NotNull)
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	var page strings.Builder
	page.WriteString("# Data dictionary\n\nMade from the comments in the database (`make dictionary`); `\\d+ analytics.cases` in psql shows the same.\n")
	var before column
	for _, c := range columns {
		if c.Schema != before.Schema {
			fmt.Fprintf(&page, "\n## %s\n\n%s\n", c.Schema, c.SchemaComment)
		}
		if c.Schema != before.Schema || c.Relation != before.Relation {
			fmt.Fprintf(&page, "\n### %s.%s\n\n%s: %s\n\n| column | type | meaning |\n|---|---|---|\n", c.Schema, c.Relation, c.Kind, c.RelationComment)
		}
		kind := c.Type
		if c.NotNull {
			kind += ", not null"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s |\n", c.Column, kind, strings.ReplaceAll(c.Comment, "|", "\\|"))
		before = c
	}
	return page.String()
}

// firstDifference is the number of the first line that is not the same in both.
func firstDifference(a, b string) int {
	other := strings.Split(b, "\n")
	for i, line := range strings.Split(a, "\n") {
		if i >= len(other) || line != other[i] {
			return i + 1
		}
	}
	return len(other)
}
