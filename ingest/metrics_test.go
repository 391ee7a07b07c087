package ingest

import (
	"log/slog"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/spool"

	"github.com/prometheus/client_golang/prometheus"
)

// observable is an ingester that does not run, and what it exposes.
func observable(t *testing.T, maxBytes int64) (*Ingester, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	i, err := New(Config{
		Orgs: []string{"o1", "o2"}, SpoolDir: t.TempDir(), SpoolMaxBytes: maxBytes, ReconcileRPM: 60, Instance: "test",
		Log: slog.New(slog.DiscardHandler), Registerer: registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Close() })
	return i, registry
}

// values gathers the samples of a metric, by their labels' values.
func values(t *testing.T, from prometheus.Gatherer, name string) map[string]float64 {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatalf("gathering: %v", err)
	}
	found := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			found[strings.Join(labels, ",")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return found
}

var (
	documentedMetric = regexp.MustCompile("(?m)^\\| `(archiver_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|")
	labelName        = regexp.MustCompile("^`([a-z]+)`")
	exposedMetric    = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
)

func TestTheDocumentedMetricsAreThoseThatAreExposed(t *testing.T) {
	t.Parallel()
	i, registry := observable(t, 0)
	for _, v := range []*prometheus.CounterVec{
		i.metrics.received, i.metrics.receivedBytes, i.metrics.reconnects, i.metrics.restRequests, i.metrics.repairedChats,
		i.metrics.repairedMessages,
	} {
		v.WithLabelValues("o1") // without a sample its type is not told
	}
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]string{}
	for _, m := range documentedMetric.FindAllStringSubmatch(string(text), -1) {
		label := ""
		if l := labelName.FindStringSubmatch(strings.TrimSpace(m[3])); l != nil {
			label = l[1]
		}
		documented[m[1]] = m[2] + " {" + label + "}"
	}
	exposed := map[string]string{}
	descs := make(chan *prometheus.Desc, 1000)
	registry.Describe(descs)
	close(descs)
	for d := range descs {
		m := exposedMetric.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("%s is not understood", d)
		}
		exposed[m[1]] = " {" + m[2] + "}"
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		exposed[f.GetName()] = strings.ToLower(f.GetType().String()) + exposed[f.GetName()]
	}
	for _, name := range slices.Sorted(maps.Keys(exposed)) {
		if documented[name] != exposed[name] {
			t.Errorf("%s is a %s, and docs/operations.md says %q", name, exposed[name], documented[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if exposed[name] == "" {
			t.Errorf("docs/operations.md has %s, which is not exposed", name)
		}
	}
	if len(exposed) < 15 {
		t.Errorf("only %d metrics are exposed: the test reads them wrongly", len(exposed))
	}
}

func TestTheLagGrowsWhileNothingCommits(t *testing.T) {
	t.Parallel()
	i, registry := observable(t, 0)
	if lag := values(t, registry, "archiver_lag_seconds")[""]; lag != 0 {
		t.Errorf("the lag is %v s with nothing in the spool, want 0", lag)
	}
	long := 10 * time.Minute
	r := spool.Record{OrgID: "o1", Source: SourceSocket, Kind: KindFrame, ReceivedAt: time.Now().Add(-long), Body: []byte("{}")}
	if err := i.laneOf("o1").spool.Append(&r); err != nil {
		t.Fatal(err)
	}
	for i.laneOf("o1").spool.Stats().DurableSeq < r.Seq {
		time.Sleep(time.Millisecond)
	}
	// No lane runs, as when Postgres has been away since the start.
	if lag := values(t, registry, "archiver_lag_seconds")[""]; lag < long.Seconds() {
		t.Errorf("the lag is %v s, want at least the %v s that the event waits", lag, long.Seconds())
	}
	if n := values(t, registry, "archiver_pending_events")[""]; n != 1 {
		t.Errorf("%v events are pending, want 1", n)
	}
	if reasons := i.Status().Reasons; !slices.Contains(reasons, "what arrives is not committed to Postgres") {
		t.Errorf("the reasons for not being ready are %q, want that nothing is committed", reasons)
	}
	i.laneOf("o1").committed.Store(r.Seq)
	if lag := values(t, registry, "archiver_lag_seconds")[""]; lag != 0 {
		t.Errorf("the lag is %v s once all is committed, want 0", lag)
	}
}

func TestASpoolNearItsQuotaIsNotReady(t *testing.T) {
	t.Parallel()
	const quota = 4 << 20
	i, registry := observable(t, 2*quota)
	near := "the spool of " + i.laneName(i.laneOf("o1")) + " is at 90 % of its quota or above"
	if reasons := i.Status().Reasons; slices.Contains(reasons, near) {
		t.Errorf("an empty spool gives the reasons %q", reasons)
	}
	lane := i.laneOf("o1")
	for stats := lane.spool.Stats(); stats.Bytes*10 < stats.MaxBytes*9; stats = lane.spool.Stats() {
		r := spool.Record{OrgID: "o1", Source: SourceSocket, Kind: KindFrame, ReceivedAt: time.Now(), Body: make([]byte, 64<<10)}
		if err := lane.spool.Append(&r); err != nil {
			t.Fatalf("at %d of %d bytes: %v", stats.Bytes, stats.MaxBytes, err)
		}
	}
	if reasons := i.Status().Reasons; !slices.Contains(reasons, near) {
		t.Errorf("the reasons for not being ready are %q, want that the spool is nearly full", reasons)
	}
	bytes, limits := values(t, registry, "archiver_spool_bytes"), values(t, registry, "archiver_spool_max_bytes")
	if len(bytes) != 2 || len(limits) != 2 {
		t.Errorf("sizes %v and quotas %v are told, want one for each of the two lanes", bytes, limits)
	}
	full := 0
	for name := range bytes {
		if bytes[name] >= 0.9*limits[name] && limits[name] == quota {
			full++
		}
	}
	if full != 1 {
		t.Errorf("%d spools are told to be nearly full (sizes %v, quotas %v), want 1", full, bytes, limits)
	}
}

func TestAnOpenGapIsAGauge(t *testing.T) {
	t.Parallel()
	i, registry := observable(t, 0)
	opened := time.Now()
	c := &connection{orgID: "o1", startedAt: opened}
	c.opened(func() time.Time { return opened })
	i.ledger.ended(c, os.ErrClosed)
	if gaps := values(t, registry, "archiver_gaps_open"); gaps["o1"] != 1 || gaps["o2"] != 0 || len(gaps) != 2 {
		t.Errorf("the open gaps are %v, want one of o1 and none of o2", gaps)
	}
	i.ledger.opened("o1", time.Now())
	if gaps := values(t, registry, "archiver_gaps_open"); gaps["o1"] != 0 {
		t.Errorf("the open gaps are %v after the org is listened to again, want none", gaps)
	}
}
