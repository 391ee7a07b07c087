package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"

	"archiver/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

const cookbookFile = "../../docs/cookbook.md"

var update = flag.Bool("update", false, "write docs/cookbook.md and deploy/grafana/dashboards anew instead of complaining")

// recipe is a query in the cookbook, and the table below it: its answer.
var recipe = regexp.MustCompile("(?s)```sql\n(.*?)```\n(?:\n((?:\\|[^\n]*\n)+))?")

func TestTheCookbooksAnswersAreWhatAReaderGets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(cookbookFile)
	if err != nil {
		t.Fatal(err)
	}
	databaseURL, orgID := simulatedWeeks(t, 8)
	pool := open(t, databaseURL)
	role := newReader(t, pool, orgID)
	asked := 0
	updated := recipe.ReplaceAllStringFunc(string(text), func(block string) string {
		parts := recipe.FindStringSubmatch(block)
		sql, want := parts[1], parts[2]
		question := questionBefore(string(text), block)
		asked++
		answer, n, err := askAs(t.Context(), pool, role, strings.ReplaceAll(sql, ":'org'", "'"+orgID+"'"))
		if err != nil {
			t.Errorf("%s cannot be answered: %v", question, err)
			return block
		}
		if strings.Contains(sql, "now()") { // the answer is another one every time
			if want != "" {
				t.Errorf("%s depends on the moment and should have no answer", question)
			}
			return block
		}
		if n == 0 {
			t.Errorf("%s has no rows for an answer, which shows nothing", question)
		}
		if answer != want && !*update {
			t.Errorf("%s is answered by\n%s\nand docs/cookbook.md says\n%s\nmake cookbook writes the answers anew", question, answer, want)
		}
		return "```sql\n" + sql + "```\n\n" + answer
	})
	if asked < 30 {
		t.Errorf("the cookbook has %d queries, want 30 or more", asked)
	}
	if *update && updated != string(text) {
		if err := os.WriteFile(cookbookFile, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// newReader is a role that was granted the org.
func newReader(t *testing.T, pool *pgxpool.Pool, orgID string) (role string) {
	t.Helper()
	role = fmt.Sprintf("archiver_cookbook_%d_%08x", os.Getpid(), rand.Uint32())
	if _, err := pool.Exec(t.Context(), "create role "+role); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "drop owned by "+role)
		_, _ = pool.Exec(context.Background(), "drop role "+role)
	})
	if _, err := postgres.Grant(t.Context(), pool, role, orgID); err != nil {
		t.Fatalf("granting the reader: %v", err)
	}
	return role
}

// questionBefore is the heading a block stands under.
func questionBefore(text, block string) string {
	before := text[:strings.Index(text, block)]
	heading, _, _ := strings.Cut(before[strings.LastIndex(before, "### ")+len("### "):], "\n")
	return fmt.Sprintf("%q", heading)
}

// askAs runs a query as a role and writes the answer as a Markdown table, as psql would show the values.
func askAs(ctx context.Context, pool *pgxpool.Pool, role, sql string) (answer string, n int, err error) {
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set local role "+role+"; set local time zone 'Europe/Paris'; set local jit = off"); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		defer rows.Close()
		var header, line []string
		for _, field := range rows.FieldDescriptions() {
			header = append(header, field.Name)
			switch field.DataTypeOID {
			case pgtype.NumericOID, pgtype.Int8OID, pgtype.Int4OID, pgtype.Float8OID:
				line = append(line, "---:")
			default:
				line = append(line, "---")
			}
		}
		answer = markdownRow(header) + markdownRow(line)
		for ; rows.Next(); n++ {
			var cells []string
			for _, value := range rows.RawValues() {
				cells = append(cells, string(value))
			}
			answer += markdownRow(cells)
		}
		return rows.Err()
	})
	return answer, n, err
}

func markdownRow(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }
