package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/ingest/internal/reference"
	"archiver/simulator"
	"archiver/spool"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// rebuild runs Rebuild over the archive.
func (a *archive) rebuild(verify bool) (RebuildResult, []Difference) {
	a.t.Helper()
	var all []Difference
	result, err := Rebuild(a.t.Context(), RebuildConfig{
		Pool: a.check, Verify: verify, Instance: "test", Log: a.logger(), Differs: func(d Difference) { all = append(all, d) },
	})
	if err != nil {
		a.t.Fatalf("rebuilding: %v", err)
	}
	return result, all
}

// isAsRebuilt checks that a rebuild would change nothing.
func (a *archive) isAsRebuilt() {
	a.t.Helper()
	result, differences := a.rebuild(true)
	if result.Differences != 0 || len(differences) != 0 {
		a.t.Errorf("%d rows differ from what raw gives, want none: %v", result.Differences, differences[:min(10, len(differences))])
	}
	if result.Refused != 0 {
		a.t.Errorf("%d events are refused, want none\n%s", result.Refused, a.log)
	}
}

func TestUnderEveryReadingOfTheAPITheTablesAreTheRebuiltOnes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i, reading := range simulator.AllQuirks() {
		seed := uint64(200 + i)
		world := simulator.NewWorld(simulator.Config{Seed: seed, Orgs: 1, Chats: 12, Activity: 3, Quirks: reading.Quirks})
		records := mixed(t, world, 80, rand.New(rand.NewPCG(seed, 1)))
		all := append(under(reading.Name+"-in-order-", records), under(reading.Name+"-shuffled-", shuffled(records, seed))...)
		a.writeWithRestarts(all, rand.New(rand.NewPCG(seed, 2)), 2)
	}
	if n := a.count("select count(distinct kind) from raw.events"); n != 3 {
		t.Fatalf("%d kinds of events are in raw, want frames and both kinds of pages", n)
	}
	a.isAsRebuilt()
}

// TestTangledHistoriesAreRebuiltAsTheyStand takes histories like those of the property test, each as an org of its own.
func TestTangledHistoriesAreRebuiltAsTheyStand(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	histories := rapid.SliceOfN(rapid.Custom(anyRecord), 1, 12)
	for n := range 40 {
		for i, r := range histories.Example(n) {
			r.OrgID, r.ObservedAt = fmt.Sprintf("o%d", n), morning.Add(time.Duration(i/2)*time.Second)
			a.append(r)
		}
		if n%10 == 9 {
			a.write()
		}
	}
	a.isAsRebuilt()
}

func TestARebuildPutsRightWhatIsWrongAndLeavesTheRestAlone(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	world := simulator.NewWorld(simulator.Config{Seed: 7, Orgs: 2, Chats: 20, Activity: 3})
	a.append(mixed(t, world, 600, rand.New(rand.NewPCG(7, 1)))...)
	a.write()
	want := a.tables()
	for _, wrong := range []string{
		`update inbox.messages set status = 'WRONG', text = 'canary-text' where message_id in (select message_id from inbox.messages order by 1 limit 5)`,
		`delete from inbox.message_files`,
		`delete from inbox.chat_state_changes where chat_id in (select chat_id from inbox.chats order by 1 limit 3)`,
		`update inbox.contacts set name = 'canary-name' where contact_id in (select contact_id from inbox.contacts order by 1 limit 2)`,
		`insert into inbox.users (org_id, user_id, is_stub, first_seen_at, last_seen_at, version_seq) select org_id, 'nobody', true, now(), now(), 0 from inbox.orgs`,
	} {
		a.exec(wrong)
	}
	wrong := a.tables()
	result, differences := a.rebuild(true)
	if result.Differences == 0 || int(result.Differences) != len(differences) || result.Written+result.Removed != 0 {
		t.Errorf("verifying reports %+v and %d differences, want some of them and nothing written", result, len(differences))
	}
	a.sameTables(wrong, a.tables(), false)
	text := fmt.Sprint(differences)
	for _, planted := range []string{"messages", "status: WRONG → ", "text", "contacts", "name", "message_files", "missing", "users", "unexplained", "nobody"} {
		if !strings.Contains(text, planted) {
			t.Errorf("the differences do not tell of %q", planted)
		}
	}
	if strings.Contains(text, "canary") {
		t.Errorf("the differences quote what people wrote or are called")
	}
	a.exec("delete from ops.dirty_chats")
	result, _ = a.rebuild(false)
	if int(result.Written+result.Removed) != len(differences) {
		t.Errorf("the rebuild wrote %d rows and removed %d, want the %d that differed", result.Written, result.Removed, len(differences))
	}
	if n := a.count("select count(*) from ops.dirty_chats"); n == 0 || n == a.count("select count(*) from inbox.chats") {
		t.Errorf("%d chats are marked as changed, want those whose rows were wrong", n)
	}
	a.sameTables(want, a.tables(), false)
	a.isAsRebuilt()
}

func (a *archive) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.check.Exec(a.t.Context(), sql, args...); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
}

func TestRebuildingGoesOnWhileALaneWrites(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.pool = secondPool(t, a.check)
	world := simulator.NewWorld(simulator.Config{Seed: 9, Orgs: 2, Chats: 30, Activity: 3})
	records := mixed(t, world, 3_000, rand.New(rand.NewPCG(9, 1)))
	a.append(records[:1_000]...)
	a.write()
	// A row that a lane remembers and the database has wrong: the lane must take the rebuilt one.
	a.exec(`update inbox.chats set first_seen_at = '2001-01-01', title = 'wrong'`)

	lane, ended := a.lane(), make(chan error, 1)
	go func() { ended <- lane.Run(t.Context()) }()
	rebuilt := make(chan error, 1)
	go func() {
		_, err := Rebuild(t.Context(), RebuildConfig{Pool: a.check, Instance: "test", Log: a.logger()})
		rebuilt <- err
	}()
	isRebuilt := false
	for rest := records[1_000:]; len(rest) > 0 || !isRebuilt; {
		n := min(50, len(rest))
		a.append(rest[:n]...)
		rest = rest[n:]
		select {
		case err := <-rebuilt:
			if err != nil {
				t.Fatalf("rebuilding while a lane writes: %v", err)
			}
			isRebuilt = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatalf("the lane ended with %v, want nil at the seal", err)
	}
	a.isAsRebuilt()
	a.likeReference(true)
}

func secondPool(t *testing.T, of *pgxpool.Pool) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), of.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// TestWhereNothingLateIsExpectedTheTablesAreTheRebuiltOnes is about how ingest runs: nested rows are then rewritten
// only when they change.
func TestWhereNothingLateIsExpectedTheTablesAreTheRebuiltOnes(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.mayBeLate = false
	a.writeWithRestarts(simulated(t, simulator.Config{Seed: 6, Orgs: 2, Chats: 60}, 2_000), rand.New(rand.NewPCG(6, 1)), 2)
	a.isAsRebuilt()
	want := a.tables()
	a.rebuild(false)
	got := a.tables()
	for table := range arrivalColumns { // the rebuild keeps their clocks exactly
		for _, rows := range [][]reference.Row{want[table], got[table]} {
			for _, r := range rows {
				delete(r, "version_at")
			}
		}
	}
	a.sameTables(want, got, true)
}

// TestEventsOfStreamsWithoutACheckpointAreRebuilt is about databases that were put back to an older state in part.
func TestEventsOfStreamsWithoutACheckpointAreRebuilt(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(simulated(t, simulator.Config{Seed: 4, Orgs: 1, Chats: 10}, 300)...)
	a.write()
	for _, sql := range []string{"update ops.streams set committed_seq = 120", "delete from ops.streams"} {
		a.exec(sql)
		a.isAsRebuilt()
	}
}

func TestARebuildThatIsEndedLeavesTheTablesAsTheyWere(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(simulated(t, simulator.Config{Seed: 5, Orgs: 1, Chats: 20}, 2_500)...)
	a.write()
	a.exec("update inbox.chats set title = 'wrong'")
	wrong := a.tables()
	ctx, end := context.WithCancel(t.Context())
	_, err := Rebuild(ctx, RebuildConfig{
		Pool: a.check, Instance: "test", Log: a.logger(), Progress: func(RebuildProgress) { end() },
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("a rebuild that is ended gives %v, want that it was canceled", err)
	}
	a.sameTables(wrong, a.tables(), false)
	if result, _ := a.rebuild(false); result.Written == 0 {
		t.Error("the rebuild after one that was ended has written nothing")
	}
	a.isAsRebuilt()
	a.likeReference(false)
}

func TestARebuildRefusesToLoseWhatIsInTheTablesAlone(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(simulated(t, simulator.Config{Seed: 3, Orgs: 1, Chats: 10}, 200)...)
	a.write()
	before := a.tables()
	a.exec("delete from raw.events where seq < 100")
	_, err := Rebuild(t.Context(), RebuildConfig{Pool: a.check, Instance: "test", Log: a.logger()})
	if err == nil || !strings.Contains(err.Error(), "would be lost") {
		t.Errorf("rebuilding from a raw that was trimmed gives %v, want an error that says what would be lost", err)
	}
	a.sameTables(before, a.tables(), false)
}

func TestOneRebuildAtATimeIsAtWork(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	conn, err := a.check.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), "select pg_advisory_lock($1)", int64(rebuildLock)); err != nil {
		t.Fatal(err)
	}
	if _, err := Rebuild(t.Context(), RebuildConfig{Pool: a.check, Log: a.logger()}); !errors.Is(err, ErrRebuilding) {
		t.Errorf("a second rebuild gives %v, want %v", err, ErrRebuilding)
	}
	if _, err := conn.Exec(t.Context(), "select pg_advisory_unlock($1)", int64(rebuildLock)); err != nil {
		t.Fatal(err)
	}
}

// TestTheShadowHasEveryTableOfInbox keeps derivedTables whole and in order.
func TestTheShadowHasEveryTableOfInbox(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	var tables []string
	for _, r := range a.rows("select tablename::text as t from pg_tables where schemaname = 'inbox'") {
		tables = append(tables, r["t"].(string))
	}
	slices.Sort(tables)
	if sorted := slices.Sorted(slices.Values(derivedTables)); !slices.Equal(tables, sorted) {
		t.Errorf("derivedTables is %v, want every table of inbox: %v", sorted, tables)
	}
	if known := slices.Sorted(maps.Keys(reference.Keys)); !slices.Equal(tables, known) {
		t.Errorf("the reference knows %v, want every table of inbox", known)
	}
	for _, r := range a.rows(`select conrelid::regclass::text as child, confrelid::regclass::text as parent
from pg_constraint where contype = 'f' and connamespace = 'inbox'::regnamespace`) {
		child, parent := strings.TrimPrefix(r["child"].(string), "inbox."), strings.TrimPrefix(r["parent"].(string), "inbox.")
		if slices.Index(derivedTables, parent) > slices.Index(derivedTables, child) {
			t.Errorf("derivedTables has %s before %s, to which its rows refer", child, parent)
		}
	}
}

// TestNoQueryOverTheShadowEscapesIt holds every query to naming the schema of its tables, by which they are told apart.
func TestNoQueryOverTheShadowEscapesIt(t *testing.T) {
	t.Parallel()
	table := regexp.MustCompile(`(?i)\b(?:from|join|into|update|table)\s+([a-z_."]+)`)
	for name, sql := range generatedQueries(t) {
		inner := regexp.MustCompile(`(?m)--.*$`).ReplaceAllString(sql, "")
		for _, m := range table.FindAllStringSubmatch(inner, -1) {
			switch ref := strings.ToLower(m[1]); {
			case strings.HasPrefix(ref, "inbox."), strings.HasPrefix(ref, "raw."), strings.HasPrefix(ref, "ops."),
				strings.HasPrefix(ref, "analytics."), strings.HasPrefix(ref, "pg_catalog."):
			case ref == "rows", ref == "unnest", ref == "set", ref == "found", ref == "jsonb_array_elements_text", ref == "select", ref == "lateral":
			default:
				if !regexp.MustCompile(`(?i)\b` + ref + `\s+as\s*\(`).MatchString(inner) {
					t.Errorf("query %s names %s without its schema", name, ref)
				}
			}
		}
		over, err := overShadow(sql)
		if err == nil && strings.Contains(over, "inbox.") {
			t.Errorf("query %s over the shadow still names inbox", name)
		}
		writes := regexp.MustCompile(`(?i)\b(into|update|delete from)\s+(raw|ops|analytics)\.`).MatchString(inner)
		if writes && err == nil {
			t.Errorf("query %s writes outside of inbox and is let through", name)
		}
	}
}

func TestWhatIsExportedAndImportedMakesTheSameArchive(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	world := simulator.NewWorld(simulator.Config{Seed: 12, Orgs: 2, Chats: 20, Activity: 3})
	a.append(mixed(t, world, 400, rand.New(rand.NewPCG(12, 1)))...)
	for i, body := range []string{
		`{"type":"x","data":{"id":"c-bad","title":"a\u0000b","created_at":"2026-05-01T09:00:00Z","updated_at":"2026-05-01T09:00:00Z"}}`,
		"no json\xff", `{"data":{"id":"c-bad","title":"a","title":"b"}}`, `{"data":{"id":"c-bad","n":1.50,"s":"\ud800"}}`,
	} {
		a.append(frame("odd", morning.Add(time.Duration(i)*time.Second), body))
	}
	a.append(spool.Record{OrgID: "odd", Source: SourceSocket, Kind: KindOther, Body: []byte{0, 1, 2}, ObservedAt: morning})
	a.write()

	first := a.export()
	b := newArchive(t)
	result, bad := b.imports("", first)
	if int(result.Written) != len(a.records) || result.Known != 0 || len(bad) != 0 {
		t.Errorf("importing %d lines gives %+v and bad lines %v, want all of them written", len(a.records), result, bad)
	}
	b.sameTables(a.tables(), b.tables(), false)
	raw := "select * from raw.events order by received_at, stream_id, seq"
	want, got := a.rows(raw), b.rows(raw)
	for i := range want {
		if i < len(got) && fmt.Sprint(want[i]) != fmt.Sprint(got[i]) {
			t.Errorf("the event at %d of raw.events is another after the import: kind %v, flaws %v and %v", i, want[i]["kind"], want[i]["flaws"], got[i]["flaws"])
		}
	}
	if second := b.export(); !bytes.Equal(first, second) {
		t.Errorf("the export of what was imported differs from what was imported (%d and %d bytes)", len(second), len(first))
	}
	before := b.tables()
	result, _ = b.imports("", append(slices.Clone(first), first...))
	if result.Written != 0 || int(result.Known) != 2*len(a.records) {
		t.Errorf("importing the same twice over again gives %+v, want all of it known", result)
	}
	b.sameTables(before, b.tables(), false)
	b.isAsRebuilt()
}

func (a *archive) export() []byte {
	a.t.Helper()
	var out bytes.Buffer
	n, err := Export(a.t.Context(), ExportConfig{Pool: a.check}, &out)
	if err != nil || int(n) != bytes.Count(out.Bytes(), []byte("\n")) {
		a.t.Fatalf("the export gives %d lines (%v), want as many as there are in it", n, err)
	}
	return out.Bytes()
}

func (a *archive) imports(orgID string, text []byte) (ImportResult, []string) {
	a.t.Helper()
	var bad []string
	result, err := Import(a.t.Context(), ImportConfig{
		Pool: a.check, SpoolDir: a.dir + "-import", Instance: "test", OrgID: orgID, Log: a.logger(),
		BadLine: func(source string, line int64, why string) {
			bad = append(bad, fmt.Sprintf("%s:%d: %s", source, line, why))
		},
	}, ImportSource{Name: "file", Reader: bytes.NewReader(text)})
	if err != nil {
		a.t.Fatalf("importing: %v", err)
	}
	return result, bad
}

func TestABadLineIsToldByItsNumberAndTheOthersAreImported(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	good := func(id string, minute int, title string) string {
		at := morning.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)
		return fmt.Sprintf(`{"type":"update","data":{"id":"%s","title":"%s","created_at":"%s","updated_at":"%s"}}`, id, title, at, at)
	}
	lines := []string{
		good("c1", 2, "new"), "canary {", "[1]", "", good("c1", 1, "old"), `{"type":"update","data":{"id":"c1","pinned":true}}`,
		`{"stream_id":"canary","received_at":"x"}`, good("c2", 3, "last"),
	}
	result, bad := a.imports("o", []byte(strings.Join(lines, "\n")))
	if result.Lines != 4 || result.Bad != 3 || result.Written != 4 {
		t.Errorf("importing gives %+v, want 4 lines written and 3 bad", result)
	}
	if text := strings.Join(bad, "\n"); len(bad) != 3 || !strings.HasPrefix(bad[0], "file:2: ") || !strings.HasPrefix(bad[1], "file:3: ") ||
		!strings.HasPrefix(bad[2], "file:7: ") || strings.Contains(text, "canary") {
		t.Errorf("the bad lines are told as %q, want lines 2, 3 and 7 without content", bad)
	}
	if n := a.count("select count(*) from inbox.chats where chat_id = 'c1' and title = 'new'"); n != 1 {
		t.Errorf("the older frame, which came later in the file, has overwritten the newer")
	}
	if n := a.count("select count(*) from raw.events where source = 'import' and org_id = 'o'"); n != 4 {
		t.Errorf("%d events are of source import, want 4", n)
	}
	if _, bad := a.imports("", []byte(good("c1", 1, "x"))); len(bad) != 1 || !strings.Contains(bad[0], "--org") {
		t.Errorf("a bare frame without an org is told as %q, want one bad line that names --org", bad)
	}
	before := a.tables()
	result, _ = a.imports("o", []byte(strings.Join(lines, "\n")))
	if result.Written != 0 || result.Known != 4 {
		t.Errorf("importing the same file again gives %+v, want all of it known", result)
	}
	a.sameTables(before, a.tables(), false)
	a.isAsRebuilt()
}

func TestAnImportGoesOnBesideALaneAndAfterItWasEnded(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.pool = secondPool(t, a.check)
	world := simulator.NewWorld(simulator.Config{Seed: 14, Orgs: 2, Chats: 20, Activity: 3})
	records := mixed(t, world, 1_200, rand.New(rand.NewPCG(14, 1)))
	b := newArchive(t)
	var odd []spool.Record
	for i, r := range records {
		if i%2 == 1 {
			odd = append(odd, r)
		}
	}
	b.append(odd...)
	b.write()
	file := b.export()

	lane, ended := a.lane(), make(chan error, 1)
	go func() { ended <- lane.Run(t.Context()) }()
	ctx, end := context.WithCancel(t.Context())
	_, err := Import(ctx, ImportConfig{Pool: a.check, SpoolDir: a.dir + "-import", Instance: "test", Log: a.logger()},
		ImportSource{Name: "file", Reader: &endingReader{bytes.NewReader(file), len(file) / 2, end}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("an import that is ended gives %v, want that it was canceled", err)
	}
	imported := make(chan struct{})
	go func() {
		defer close(imported)
		for i := 0; i < len(records); i += 2 {
			a.append(records[i])
			if i%100 == 0 {
				time.Sleep(5 * time.Millisecond)
			}
		}
	}()
	a.imports("", file)
	<-imported
	a.spool.Seal()
	if err := <-ended; err != nil {
		t.Fatalf("the lane ended with %v, want nil at the seal", err)
	}
	if n := a.count("select count(*) from raw.events"); n != len(records) {
		t.Errorf("raw.events has %d events, want each of %d once", n, len(records))
	}
	a.isAsRebuilt()
}

// endingReader calls end when so many bytes of it have been read.
type endingReader struct {
	of   io.Reader
	left int
	end  func()
}

func (r *endingReader) Read(p []byte) (int, error) {
	n, err := r.of.Read(p[:min(len(p), 4096)])
	if r.left -= n; r.left <= 0 {
		r.end()
		return n, context.Canceled
	}
	return n, err
}

func TestOnlyWhatWasReceivedSinceIsExported(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for i := range 5 {
		r := frame("o", morning.Add(time.Duration(i)*time.Hour), `{"data":{"id":"c"}}`)
		r.ReceivedAt = r.ObservedAt
		a.append(r)
	}
	a.write()
	var out bytes.Buffer
	n, err := Export(t.Context(), ExportConfig{Pool: a.check, Orgs: []string{"o"}, Since: morning.Add(3 * time.Hour)}, &out)
	if err != nil || n != 2 {
		t.Errorf("exporting since the fourth of five events gives %d lines (%v), want 2", n, err)
	}
}

// generatedQueries are the texts in package db, by name.
func generatedQueries(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../db/*.sql.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("looking for the generated queries: %v, %d files", err, len(files))
	}
	queries := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?s)const (\\w+) = `(.*?)`").FindAllSubmatch(text, -1) {
			queries[string(m[1])] = string(m[2])
		}
	}
	return queries
}

func (a *archive) logger() *slog.Logger { return slog.New(slog.NewTextHandler(a.log, nil)) }
