package ingest

import (
	"context"
	"slices"
	"testing"
	"time"

	"archiver/invent"
	"archiver/simulator"
	"archiver/spool"
)

// sightingRow is a row of ops.field_sightings.
func (a *archive) sightingRow(orgID, path, typ string) map[string]any {
	a.t.Helper()
	rows := a.rows("select * from ops.field_sightings where org_id = $1 and path = $2 and json_type = $3", orgID, path, typ)
	if len(rows) != 1 {
		a.t.Fatalf("%s as %s has %d rows, want 1", path, typ, len(rows))
	}
	return rows[0]
}

func TestSightingsAddUpOverRestarts(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a.append(
		frame("o", at, `{"type":"create","data":{"id":"c1","title":"secret","sla":{"tier":"gold"}}}`),
		frame("o", at.Add(2*time.Hour), `{"type":"create","data":{"id":"c1","title":null}}`),
		frame("other", at, `{"type":"create","data":{"id":"c1"}}`),
		frame("o", at, `not JSON`),
	)
	a.write()
	a.append(
		frame("o", at.Add(time.Hour), `{"type":"touch","data":{"id":"c1","title":7}}`),
		frame("o", at.Add(-time.Hour), `{"data":{"id":"c1","title":"secret"}}`),
		page(t, "o", KindMessagesPage, "/chats/c1/messages", 200, at, [][]byte{[]byte(`{"id":"m","role":"user","mood":"grim"}`)}),
		page(t, "o", KindMessagesPage, "/chats/c2/messages", 404, at, nil),
	)
	a.write()
	for _, c := range []struct {
		path, typ                 string
		mapped                    bool
		sightings, nulls, parents int64
		first, last               time.Duration
		values                    any
	}{
		{"$", "object", true, 4, 0, 0, -time.Hour, 2 * time.Hour, nil},
		{"type", "string", true, 3, 0, 4, 0, 2 * time.Hour, []string{"create", "touch"}},
		{"data.title", "string", true, 2, 1, 4, -time.Hour, 0, nil},
		{"data.title", "null", true, 1, 1, 4, 2 * time.Hour, 2 * time.Hour, nil},
		{"data.title", "number", true, 1, 1, 4, time.Hour, time.Hour, nil},
		{"data.sla", "object", false, 1, 0, 4, 0, 0, nil},
		{"data.sla.tier", "string", false, 1, 0, 1, 0, 0, nil},
		{"messages_page[].mood", "string", false, 1, 0, 1, 0, 0, nil},
		{"messages_page[].role", "string", true, 1, 0, 1, 0, 0, []string{"user"}},
	} {
		row := a.sightingRow("o", c.path, c.typ)
		want := map[string]any{
			"is_mapped": c.mapped, "sightings": c.sightings, "nulls": c.nulls, "parents": c.parents,
			"first_seen_at": at.Add(c.first), "last_seen_at": at.Add(c.last),
		}
		for column, value := range want {
			if row[column] != value {
				t.Errorf("%s as %s has %s %v, want %v", c.path, c.typ, column, row[column], value)
			}
		}
		values, _ := row["sample_values"].([]string)
		if wanted, _ := c.values.([]string); !slices.Equal(values, wanted) {
			t.Errorf("%s has the values %q, want %q", c.path, values, wanted)
		}
	}
	if n := a.count("select count(*) from ops.field_sightings where path like 'messages_page.%'"); n != 0 {
		t.Errorf("%d fields are recorded of an answer that is no page, want none", n)
	}
}

// TestNoValueOfAnotherPathIsKeptBesideTheEvents looks for what may be personal in all of the table.
func TestNoValueOfAnotherPathIsKeptBesideTheEvents(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(simulated(t, simulator.Config{Seed: 7, Quirks: simulator.Quirks{UnknownTypes: 0.3, Nulls: simulator.NullsMixed}}, 1_500)...)
	a.write()
	for _, r := range a.rows("select path, sample_values from ops.field_sightings where sample_values is not null") {
		if !invent.IsEnumerated(r["path"].(string)) {
			t.Errorf("values of %s are kept", r["path"])
		}
	}
	row := a.rows(`select array_agg(distinct path order by path) as paths from ops.field_sightings where not is_mapped
		and path not like 'data.sla.%'`)
	if paths, _ := row[0]["paths"].([]string); !slices.Contains(paths, "data.sla") || !slices.Contains(paths, "version") {
		t.Errorf("unmapped are %q, want data.sla and version among them", paths)
	}
	for _, value := range []string{"touch", "create"} {
		if n := a.count("select count(*) from ops.field_sightings where path = 'type' and $1 = any(sample_values)", value); n == 0 {
			t.Errorf("the event type %s is not recorded", value)
		}
	}
	wrong := a.count(`select count(*) from (select f.org_id, f.path, max(f.parents) as parents, sum(f.sightings) as seen
		from ops.field_sightings f where f.parent_path is not null group by 1, 2) as p where seen > parents`)
	if wrong > 0 {
		t.Errorf("%d paths were seen more often than the objects that hold them", wrong)
	}
}

func TestSightingsAreWrittenWhileTheLaneRuns(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- a.lane().Run(ctx) }()
	at := time.Now()
	a.append(frame("o", at, `{"data":{"id":"c1","brand_new":1}}`))
	for deadline := time.Now().Add(time.Minute); a.count("select count(*) from ops.field_sightings where path = 'data.brand_new'") == 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a new field is not written while the lane runs")
		}
	}
	stop()
	<-ended
}

// TestWhatCouldNotBeWrittenIsWrittenWithTheNext takes the table away for a while.
func TestWhatCouldNotBeWrittenIsWrittenWithTheNext(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	d := a.lane().drift
	note := func(body string) {
		r := spool.Record{OrgID: "o", Kind: KindFrame, ObservedAt: time.Now(), Body: []byte(body)}
		d.note(describe(&invent.Decoder{}, a.spool.StreamID(), &r, newBlocks()))
	}
	exec := func(sql string) {
		t.Helper()
		if _, err := a.check.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("alter table ops.field_sightings rename to away")
	note(`{"data":{"id":"a"}}`)
	if err := d.flush(t.Context()); err == nil {
		t.Fatal("writing without a table succeeds, want its error")
	}
	exec("alter table ops.away rename to field_sightings")
	note(`{"data":{"id":"a"}}`)
	for range 2 {
		if err := d.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if row := a.sightingRow("o", "data.id", "string"); row["sightings"] != int64(2) {
		t.Errorf("data.id was counted %v times, want 2", row["sightings"])
	}
}

// BenchmarkDriftNote is what a simulated frame costs beside its decoding, and that for comparison.
func BenchmarkDriftNote(b *testing.B) {
	records := simulated(b, simulator.Config{Seed: 1}, 2_000)
	for _, noted := range []bool{false, true} {
		name := map[bool]string{false: "described", true: "described and noted"}[noted]
		b.Run(name, func(b *testing.B) {
			d, dec, blocks := newDrift(nil, nil), &invent.Decoder{}, newBlocks()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r := &records[i%len(records)]
				i++
				e := describe(dec, [16]byte{}, r, blocks)
				if noted {
					d.note(e)
				}
			}
		})
	}
}

// BenchmarkDriftFlush is what writing the sightings of an org costs, which is done once a minute.
func BenchmarkDriftFlush(b *testing.B) {
	a := newArchive(b)
	records := simulated(b, simulator.Config{Seed: 1, Orgs: 1}, 500)
	d, dec, blocks := newDrift(a.pool, nil), &invent.Decoder{}, newBlocks()
	for b.Loop() {
		b.StopTimer()
		for i := range records {
			d.note(describe(dec, [16]byte{}, &records[i], blocks))
		}
		b.StartTimer()
		if err := d.flush(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(a.count("select count(*) from ops.field_sightings")), "rows")
}
