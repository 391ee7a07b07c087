package dashboard_test

import (
	"encoding/csv"
	"html"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"archiver/dashboard"
	"archiver/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

var (
	sqlLink   = regexp.MustCompile(`href="(/sql/[^"]+)"`)
	csvLink   = regexp.MustCompile(`href="(/csv/[^"]+)"`)
	statement = regexp.MustCompile(`(?s)<pre><code>(.*?)</code></pre>`)
	section   = regexp.MustCompile(`(?s)<section class="panel [^>]*>(.*?)</section>`)
	tableRow  = regexp.MustCompile(`(?s)<tr><td(.*?)</tr>`)
	tableCell = regexp.MustCompile(`<bdi>([^<]*)</bdi>`)
	heatCell  = regexp.MustCompile(`title="[^"]*: ([0-9,]+) messages"`)
	value     = regexp.MustCompile(`<dd class="value">([^<]*)</dd>`)
)

func numbersAreThoseOfTheSQL(t *testing.T, a *archive) {
	var assistant, agent string
	if err := a.pool.QueryRow(t.Context(), `select assistant_id from analytics.cases where assistant_id is not null group by 1 order by count(*) desc limit 1`).Scan(&assistant); err != nil {
		t.Fatal(err)
	}
	if err := a.pool.QueryRow(t.Context(), `select agent_user_id from analytics.turns where agent_user_id is not null group by 1 order by count(*) desc limit 1`).Scan(&agent); err != nil {
		t.Fatal(err)
	}
	asked, written, withRows := 0, 0, map[string]bool{}
	for _, query := range []string{"", "period=7d&assistant=" + url.QueryEscape(assistant), "agent=" + url.QueryEscape(agent) + "&channel=whatsapp&period=365d"} {
		for _, id := range pageIDs {
			body := a.get("/" + id + "?" + query)
			links, files := sqlLink.FindAllStringSubmatch(body, -1), csvLink.FindAllStringSubmatch(body, -1)
			if len(links) == 0 || len(links) != len(files) {
				t.Fatalf("/%s has %d links to SQL and %d to CSV", id, len(links), len(files))
			}
			panels := section.FindAllStringSubmatch(body, -1)
			if len(panels) != len(links) {
				t.Fatalf("/%s has %d panels and %d links to SQL", id, len(panels), len(links))
			}
			for i, link := range links {
				path := html.UnescapeString(link[1])
				sql := statement.FindStringSubmatch(a.get(path))
				if sql == nil {
					t.Fatalf("%s shows no statement", path)
				}
				want := a.psql(html.UnescapeString(sql[1]))
				got, err := csv.NewReader(strings.NewReader(a.get(html.UnescapeString(files[i][1])))).ReadAll()
				if err != nil {
					t.Fatalf("%s is no CSV: %v", files[i][1], err)
				}
				compare(t, path, got, want)
				written += comparePanel(t, path, panels[i][1], got)
				asked++
				withRows[strings.Split(path, "?")[0]] = withRows[strings.Split(path, "?")[0]] || len(want) > 1
			}
		}
	}
	for path, has := range withRows {
		if !has && !slices.Contains([]string{"/sql/gaps", "/sql/missing", "/sql/flaws"}, path) {
			t.Errorf("%s has never a row, which shows nothing", path)
		}
	}
	if asked < 100 || written < 1000 {
		t.Errorf("%d statements and %d numbers of pages were compared, want 100 and 1,000 or more", asked, written)
	}
}

// comparePanel compares what a panel shows with its rows: the figures that are counts or percentages, and in a table, or that behind a
// picture, every row and every count.
func comparePanel(t *testing.T, path, panel string, rows [][]string) (compared int) {
	t.Helper()
	at := func(name string) int { return slices.Index(rows[0], name) }
	if shown := value.FindAllStringSubmatch(panel, -1); len(shown) > 0 {
		for i, row := range rows[1:] {
			number, err := strconv.ParseFloat(row[at("value")], 64)
			want := ""
			switch unit := row[at("unit")]; {
			case err != nil:
				want = "–"
			case unit == "count":
				want = strconv.FormatFloat(number, 'f', -1, 64)
			case unit == "percent":
				want = strconv.FormatFloat(number, 'f', 1, 64) + " %"
			default:
				continue
			}
			if got := strings.ReplaceAll(shown[i][1], ",", ""); got != want {
				t.Errorf("%s: the page shows %s as %s, want %s", path, row[at("figure")], got, want)
			}
			compared++
		}
		return compared
	}
	if strings.Contains(panel, `class="heat"`) {
		var got []string
		for _, cell := range heatCell.FindAllStringSubmatch(panel, -1) {
			got = append(got, strings.ReplaceAll(cell[1], ",", ""))
		}
		for i, row := range rows[1:] {
			if want := row[at("messages")]; want != "" && (i >= len(got) || got[i] != want) {
				t.Errorf("%s: hour %d of the week is not %s", path, i, want)
			}
			compared++
		}
		return compared
	}
	shown := tableRow.FindAllStringSubmatch(panel, -1)
	if strings.Contains(panel, "<tbody>") && len(shown) != len(rows)-1 {
		t.Errorf("%s: the page shows %d rows, want %d", path, len(shown), len(rows)-1)
		return compared
	}
	n, of := at("n"), at("of")
	for i, row := range shown {
		cells := tableCell.FindAllStringSubmatch(row[1], -1)
		if n < 0 || of < 0 {
			continue
		}
		want := rows[i+1][n] + " of " + rows[i+1][of]
		if got := strings.ReplaceAll(cells[len(cells)-1][1], ",", ""); got != want {
			t.Errorf("%s: row %d is of %q, want %q", path, i+1, got, want)
		}
		compared++
	}
	return compared
}

// psql asks as a person does who has copied the statement: all of it as text, values as text, the columns' names first.
func (a *archive) psql(sql string) (table [][]string) {
	a.t.Helper()
	tx, err := a.pool.BeginTx(a.t.Context(), pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(a.t.Context()) }()
	if _, err := tx.Exec(a.t.Context(), "set local time zone 'UTC'"); err != nil {
		a.t.Fatal(err)
	}
	rows, err := tx.Query(a.t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		a.t.Fatalf("%v\n%s", err, sql)
	}
	defer rows.Close()
	var names []string
	for _, f := range rows.FieldDescriptions() {
		names = append(names, f.Name)
	}
	table = [][]string{names}
	for rows.Next() {
		var record []string
		for i, raw := range rows.RawValues() {
			record = append(record, asText(rows.FieldDescriptions()[i], raw))
		}
		table = append(table, record)
	}
	if err := rows.Err(); err != nil {
		a.t.Fatalf("%v\n%s", err, sql)
	}
	return table
}

func asText(f pgconn.FieldDescription, raw []byte) string {
	switch {
	case raw == nil:
		return ""
	case f.DataTypeOID == pgtype.BoolOID && string(raw) == "t":
		return "true"
	case f.DataTypeOID == pgtype.BoolOID:
		return "false"
	case f.DataTypeOID == pgtype.TimestamptzOID:
		return strings.NewReplacer(" ", "T", "+00", "Z").Replace(string(raw))
	}
	return string(raw)
}

// compare compares two tables, but for how long ago something was: time goes on between two questions.
func compare(t *testing.T, path string, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: the CSV has %d rows and psql %d", path, len(got), len(want))
		return
	}
	for i := range want {
		for j := range want[i] {
			name := want[0][j]
			if i > 0 && (strings.Contains(name, "wait") || name == "lasted" || name == "value" && strings.Contains(strings.Join(want[i], " "), "ago") || want[i][0] == "Longest wait") {
				continue
			}
			if !isSame(got[i][j], want[i][j]) {
				t.Errorf("%s, row %d, %s: the CSV says %q and psql %q", path, i, name, got[i][j], want[i][j])
			}
		}
	}
}

func isSame(a, b string) bool {
	if a == b {
		return true
	}
	var x, y pgtype.Float8
	return x.Scan(a) == nil && y.Scan(b) == nil && x.Float64 == y.Float64
}

func headlinesAreCountsOfFacts(t *testing.T, a *archive) {
	var opened, handoffs, replies string
	err := a.pool.QueryRow(t.Context(), `
		with days as (select (now() at time zone 'Europe/Paris')::date as today)
		select
			(select to_char(count(*), 'FM999,999') from analytics.cases, days where opened_local_date between today - 29 and today),
			(select to_char(count(*), 'FM999,999') from analytics.handoffs, days where handed_off_local_date between today - 29 and today),
			(select to_char(count(*), 'FM999,999') from analytics.turns, days where replied_local_date between today - 29 and today and pass = 'human')`,
	).Scan(&opened, &handoffs, &replies)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		path, value string
		at          int
	}{{"/volume", opened, 0}, {"/volume", handoffs, 3}, {"/agents", replies, 1}} {
		if got := value.FindAllStringSubmatch(a.get(want.path), -1); len(got) <= want.at || got[want.at][1] != want.value {
			t.Errorf("headline %d of %s is not %s, as the facts say: %v", want.at, want.path, want.value, got)
		}
	}
}

func sharedRowsGiveTheSameNumbers(t *testing.T, a *archive) {
	pool, err := postgres.Connect(t.Context(), a.database, dashboard.Reading(""))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	server, err := dashboard.New(dashboard.Config{Pool: pool, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []url.Values{{}, {"period": {"365d"}}, {"from": {"2001-01-01"}, "to": {"2001-01-31"}}} {
		asked, err := server.AskedTwice(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		if len(asked) < 10 {
			t.Errorf("%d panels share a view with others of their page, want ten", len(asked))
		}
		for id, rows := range asked {
			if rows[0] != rows[1] {
				t.Errorf("%s says, with %v, of the rows its page has read\n%s\nand by itself\n%s", id, query, rows[0], rows[1])
			}
		}
	}
}
