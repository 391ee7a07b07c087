package ingest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"archiver/ingest/internal/reference"
	"archiver/postgres/dbtest"
	"archiver/spool"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// archive is one spool, one database and the memory of everything that was put in: what the tests here work on.
type archive struct {
	t         testing.TB
	pool      *pgxpool.Pool // what the lane writes through
	check     *pgxpool.Pool // what the test looks through
	dir       string
	spool     *spool.Spool
	mayBeLate bool
	log       *logLines
	records   []reference.Record
}

func newArchive(t testing.TB) *archive {
	t.Helper()
	pool := dbtest.New(t)
	a := &archive{t: t, pool: pool, check: pool, dir: t.TempDir(), mayBeLate: true, log: &logLines{}}
	a.open()
	t.Cleanup(func() { a.spool.Close() })
	return a
}

func (a *archive) open() {
	a.t.Helper()
	s, err := spool.Open(a.dir, spool.Options{Log: slog.New(slog.NewTextHandler(a.log, nil))})
	if err != nil {
		a.t.Fatalf("opening the spool: %v", err)
	}
	a.spool = s
}

// reopen is a restart of the program over the same spool.
func (a *archive) reopen() {
	a.t.Helper()
	if err := a.spool.Close(); err != nil {
		a.t.Fatalf("closing the spool: %v", err)
	}
	a.open()
}

// frame is a record as a session appends it.
func frame(orgID string, observed time.Time, body string) spool.Record {
	return spool.Record{OrgID: orgID, Source: SourceSocket, Kind: KindFrame, ObservedAt: observed, Body: []byte(body)}
}

func (a *archive) append(records ...spool.Record) {
	a.t.Helper()
	for i := range records {
		r := records[i]
		if err := a.spool.Append(&r); err != nil {
			a.t.Fatalf("appending to the spool: %v", err)
		}
		a.records = append(a.records, reference.Record{
			OrgID: r.OrgID, Stream: a.spool.StreamID(), Seq: r.Seq, ObservedAt: r.ObservedAt, Kind: r.Kind,
			Request: r.Request, Body: r.Body,
		})
	}
}

func (a *archive) lane() *Lane {
	l := NewLane(LaneConfig{
		Spool: a.spool, Pool: a.pool, Instance: "test", MayBeLate: a.mayBeLate,
		Log: slog.New(slog.NewTextHandler(a.log, nil)),
	})
	l.aheadFrom = 1 // in tests batches are small
	return l
}

// write brings everything appended into Postgres. It is followed by a restart, so that more can be appended.
func (a *archive) write() {
	a.t.Helper()
	a.spool.Seal()
	if err := a.lane().Run(a.t.Context()); err != nil {
		a.t.Fatalf("the lane ended with %v, want nil at the seal\n%s", err, a.log)
	}
	a.reopen()
}

// logLines is a log that can be looked at.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logLines) lines() []string {
	text := strings.TrimSuffix(l.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// bookkeeping columns that the reference leaves out. version_seq and field_versions say how far a row's fields have
// come, in a spelling of the code's own; that they are right shows in the fields themselves, under shuffling.
var leftOut = []string{"version_seq", "field_versions"}

// namedOnly are the tables whose rows have no history: only the newest word on each of their fields is kept.
var namedOnly = []string{"orgs", "users", "contacts", "contact_channels", "assistants", "assistant_integrations"}

// likeReference compares every row of inbox with what must be there.
//
// inAnyOrder says that the records did not come in the order they were observed. Of the rows in namedOnly last_seen_at
// is then left out: which words changed a field depends on words in between that need not have come yet, and nothing
// keeps a field's earlier values.
func (a *archive) likeReference(inAnyOrder bool) {
	a.t.Helper()
	a.sameTables(reference.Inbox(a.records), a.tables(), inAnyOrder)
	if count := a.count("select count(*) from raw.events"); count != len(a.records) {
		a.t.Errorf("raw.events has %d rows, want one for each of the %d records", count, len(a.records))
	}
}

func (a *archive) sameTables(want, got reference.Tables, inAnyOrder bool) {
	a.t.Helper()
	for _, table := range slices.Sorted(maps.Keys(reference.Keys)) {
		ignored := slices.Clone(leftOut)
		if inAnyOrder && slices.Contains(namedOnly, table) {
			ignored = append(ignored, "last_seen_at")
		}
		differences := compareRows(table, want[table], got[table], ignored)
		if len(differences) > 0 {
			a.t.Errorf("inbox.%s differs from the reference in %d places (%d rows wanted, %d there):\n%s", table,
				len(differences), len(want[table]), len(got[table]), strings.Join(differences[:min(12, len(differences))], "\n"))
		}
	}
}

func compareRows(table string, want, got []reference.Row, ignored []string) (differences []string) {
	wanted, there := byKey(table, want), byKey(table, got)
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		w, g := wanted[key], there[key]
		if g == nil {
			differences = append(differences, fmt.Sprintf("  %s: missing; want %v", key, w))
			continue
		}
		for _, column := range slices.Sorted(maps.Keys(g)) {
			if _, known := w[column]; !known && !slices.Contains(ignored, column) {
				differences = append(differences, fmt.Sprintf("  %s: the reference does not know column %s", key, column))
			}
		}
		for _, column := range slices.Sorted(maps.Keys(w)) {
			if slices.Contains(ignored, column) {
				continue
			}
			if v, is := g[column]; !is || !reflect.DeepEqual(v, w[column]) {
				differences = append(differences, fmt.Sprintf("  %s: %s is %v, want %v", key, column, show(v), show(w[column])))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(there)) {
		if wanted[key] == nil {
			differences = append(differences, fmt.Sprintf("  %s: is there and must not be", key))
		}
	}
	return differences
}

func show(v any) any {
	if v == nil {
		return "NULL"
	}
	if t, ok := v.(time.Time); ok {
		return t.Format(time.RFC3339Nano)
	}
	return v
}

func byKey(table string, rows []reference.Row) map[string]reference.Row {
	all := make(map[string]reference.Row, len(rows))
	for _, r := range rows {
		var key []string
		for _, column := range reference.Keys[table] {
			key = append(key, fmt.Sprint(show(r[column])))
		}
		all[strings.Join(key, " ")] = r
	}
	return all
}

// tables reads all of inbox.
func (a *archive) tables() reference.Tables {
	a.t.Helper()
	tables := reference.Tables{}
	for table := range reference.Keys {
		tables[table] = a.rows("select * from inbox." + table)
	}
	return tables
}

func (a *archive) rows(sql string, args ...any) (all []reference.Row) {
	a.t.Helper()
	rows, err := a.check.Query(context.Background(), sql, args...)
	if err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (reference.Row, error) {
		r, raw := reference.Row{}, row.RawValues()
		for i, f := range row.FieldDescriptions() {
			var v any
			if f.DataTypeOID == pgtype.JSONBOID { // pgx would make doubles of its numbers
				r[f.Name] = jsonb(raw[i])
			} else if err := pgTypes.Scan(f.DataTypeOID, f.Format, raw[i], &v); err != nil {
				return nil, fmt.Errorf("column %s: %w", f.Name, err)
			} else {
				r[f.Name] = plainValue(v)
			}
		}
		return r, nil
	})
	if err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	return all
}

var pgTypes = pgtype.NewMap()

func jsonb(raw []byte) any {
	if raw == nil {
		return nil
	}
	v, _ := reference.Parse(bytes.TrimPrefix(raw, []byte{1})) // the version that the binary format begins with
	return reference.Canonical(v)
}

func plainValue(v any) any {
	switch v := v.(type) {
	case int32:
		return int64(v)
	case time.Time:
		return time.UnixMicro(v.UnixMicro()).UTC()
	case [16]byte:
		return uuid.UUID(v).String()
	case []any:
		list := []string{}
		for _, e := range v {
			list = append(list, e.(string))
		}
		return list
	}
	return v
}

func (a *archive) count(sql string, args ...any) (n int) {
	a.t.Helper()
	if err := a.check.QueryRow(context.Background(), sql, args...).Scan(&n); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
	return n
}
