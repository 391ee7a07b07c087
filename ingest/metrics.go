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
	lastCommit              prometheus.Gauge
	restRequests            *prometheus.CounterVec
	restWaitSeconds         prometheus.Counter
	repairedChats           *prometheus.CounterVec
	repairedMessages        *prometheus.CounterVec
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
		lastCommit: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "archiver_last_commit_timestamp_seconds", Help: "When events were last committed, since 1970; 0 before the first time.",
		}),
		restRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "archiver_rest_requests_total", Help: "REST requests for what was missed, by their outcome.",
		}, []string{"outcome"}),
		restWaitSeconds:  counter("archiver_rest_wait_seconds_total", "Time that REST requests waited for the budget."),
		repairedChats:    byOrg("archiver_repaired_chats_total", "Chats that were read again because they changed during a gap."),
		repairedMessages: byOrg("archiver_repaired_messages_total", "Messages that a repair brought and nothing else had."),
	}
	if r != nil {
		r.MustRegister(m.received, m.receivedBytes, m.connected, m.reconnects, m.committedEvents, m.flawed, m.isolated,
			m.commitFailures, m.commitSeconds, m.batchEvents, m.lastCommit, m.restRequests,
			m.restWaitSeconds, m.repairedChats, m.repairedMessages)
	}
	return m
}

// forget drops what is told of an org under a name that another takes the place of.
func (m *Metrics) forget(org string) {
	m.connected.DeleteLabelValues(org)
	m.reconnects.DeleteLabelValues(org)
}

// wrote counts a batch that is committed.
func (m *Metrics) wrote(events []*event, now, began time.Time) {
	m.committedEvents.Add(float64(len(events)))
	m.batchEvents.Observe(float64(len(events)))
	m.commitSeconds.Observe(now.Sub(began).Seconds())
	m.lastCommit.Set(float64(now.UnixMilli()) / 1000)
	for _, e := range events {
		if len(e.reading.Flaws) > 0 {
			m.flawed.Inc()
		}
	}
}
