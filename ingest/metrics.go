package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what happens on an event's way, for /metrics. docs/operations.md lists them.
type Metrics struct {
	received, receivedBytes *prometheus.CounterVec
	connected               *prometheus.GaugeVec
	reconnects              *prometheus.CounterVec
	committedEvents         prometheus.Counter
	flawed                  prometheus.Counter
	isolated                prometheus.Counter
	commitFailures          prometheus.Counter
	commitSeconds           prometheus.Histogram
	batchEvents             prometheus.Histogram
	lagSeconds              prometheus.Gauge
}

// NewMetrics makes the metrics and registers them; r may be nil.
func NewMetrics(r prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	byOrg := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"org"})
	}
	m := &Metrics{
		received:      byOrg("archiver_received_frames_total", "Frames received and appended to the spool."),
		receivedBytes: byOrg("archiver_received_bytes_total", "Bytes of the frames received."),
		connected: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "archiver_connected", Help: "1 while the org's inbox socket is open, else 0.",
		}, []string{"org"}),
		reconnects:      byOrg("archiver_reconnects_total", "Connections that were tried after the first."),
		committedEvents: counter("archiver_committed_events_total", "Events committed to Postgres."),
		flawed:          counter("archiver_flawed_events_total", "Events committed with at least one flaw."),
		isolated:        counter("archiver_isolated_events_total", "Events that Postgres refused and that were stored as bytes only."),
		commitFailures:  counter("archiver_commit_failures_total", "Transactions that failed and were tried again."),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "archiver_commit_seconds", Help: "Time to write one batch, retries included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}),
		batchEvents: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "archiver_batch_events", Help: "Events in one batch.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		lagSeconds: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "archiver_lag_seconds", Help: "From the last event's arrival to its commit.",
		}),
	}
	if r != nil {
		r.MustRegister(m.received, m.receivedBytes, m.connected, m.reconnects, m.committedEvents, m.flawed, m.isolated,
			m.commitFailures, m.commitSeconds, m.batchEvents, m.lagSeconds)
	}
	return m
}

// wrote counts a batch that is committed.
func (m *Metrics) wrote(events []*event, now, began time.Time) {
	m.committedEvents.Add(float64(len(events)))
	m.batchEvents.Observe(float64(len(events)))
	m.commitSeconds.Observe(now.Sub(began).Seconds())
	m.lagSeconds.Set(now.Sub(events[len(events)-1].receivedAt).Seconds())
	for _, e := range events {
		if len(e.reading.Flaws) > 0 {
			m.flawed.Inc()
		}
	}
}
