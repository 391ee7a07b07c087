package ingest

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// collector tells how an ingester fares at the moment of a scrape. A gauge that is set when something happens says
// nothing of a time in which nothing does.
type collector struct{ ingester *Ingester }

var (
	lagDesc = prometheus.NewDesc("archiver_lag_seconds",
		"Age of the oldest event that is received and not committed to Postgres; 0 when there is none.", nil, nil)
	pendingDesc = prometheus.NewDesc("archiver_pending_events",
		"Events in the spools that are not committed yet.", nil, nil)
	spoolBytesDesc = prometheus.NewDesc("archiver_spool_bytes",
		"Size of a lane's spool on disk.", []string{"lane"}, nil)
	spoolMaxBytesDesc = prometheus.NewDesc("archiver_spool_max_bytes",
		"Quota of a lane's spool.", []string{"lane"}, nil)
	gapsOpenDesc = prometheus.NewDesc("archiver_gaps_open",
		"Gaps of the org that last: 1 while it is not listened to after it was, else 0.", []string{"org"}, nil)
)

// Describe is for prometheus.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{lagDesc, pendingDesc, spoolBytesDesc, spoolMaxBytesDesc, gapsOpenDesc} {
		descs <- d
	}
}

// Collect is for prometheus.
func (c collector) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	i := c.ingester
	s := i.Status()
	gauge(lagDesc, s.Lag.Seconds())
	gauge(pendingDesc, float64(s.Pending))
	for _, l := range i.lanes {
		stats, lane := l.spool.Stats(), i.laneName(l)
		gauge(spoolBytesDesc, float64(stats.Bytes), lane)
		gauge(spoolMaxBytesDesc, float64(stats.MaxBytes), lane)
	}
	var orgs []string
	for _, session := range i.sessions {
		orgs = append(orgs, session.orgID())
	}
	slices.Sort(orgs)
	for _, org := range slices.Compact(orgs) { // an org may be named twice, as c and by its id
		gauge(gapsOpenDesc, float64(btoi(i.ledger.hasOpenGap(org))), org)
	}
}

func (l *ledger) hasOpenGap(orgID string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.openGap[orgID] != nil
}
