package ingest

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"archiver/invent"
	"archiver/spool"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
)

// Config is what an Ingester needs. All of it is required unless said otherwise.
type Config struct {
	Client *invent.Client
	Orgs   []string // ids, or invent.OwnOrg; an org that is named twice is held once
	Pool   *pgxpool.Pool
	// Prepare readies the database for writing (its schema) before the first write; it is tried until it succeeds,
	// while frames wait in the spool. May be nil.
	Prepare func(context.Context) error
	// Maintain is called every MaintainEvery once writing has begun (partitions ahead of time). May be nil.
	Maintain func(context.Context) error

	SpoolDir      string
	SpoolMaxBytes int64 // over all lanes; 0 = the spool's default for each of them
	Lanes         int   // 0 = 1 for one org, else 2
	Instance      string
	// ReconcileRPM is how many REST requests a minute may be made to fetch what was missed; 0 = none, gaps stay unrepaired.
	ReconcileRPM int
	// DrainTimeout bounds how long a stop waits for Postgres to take what is in the spool; what is left stays there
	// for the next start. 0 = 20 s.
	DrainTimeout time.Duration
	Log          *slog.Logger
	Registerer   prometheus.Registerer // nil for none
}

const (
	// MaintainEvery is how often Config.Maintain is called.
	MaintainEvery = time.Hour
	drainTimeout  = 20 * time.Second
	// releaseTimeout bounds how long a stop tries to give its leases back.
	releaseTimeout = 2 * time.Second
)

// Ingester holds the inbox sockets of some orgs and writes what comes over them to Postgres.
type Ingester struct {
	config   Config
	log      *slog.Logger
	metrics  *Metrics
	ledger   *ledger
	lanes    []*Lane
	leftover []*Lane // spools of an earlier run that dealt the orgs to other lanes
	spools   []*spool.Spool
	dirs     map[*spool.Spool]string
	sessions []*session
	repairs  *reconciler // nil when gaps are not repaired

	mu   sync.Mutex
	held map[string]*session // by the org's real id
}

// New opens the spools. Close gives them back if Run is not called.
func New(c Config) (*Ingester, error) {
	orgs := slices.Clone(c.Orgs)
	slices.Sort(orgs)
	c.Orgs = slices.Compact(orgs)
	if len(c.Orgs) == 0 {
		return nil, errors.New("no org to ingest: name one with --org or INVENT_ORG")
	}
	if c.Lanes == 0 {
		c.Lanes = min(len(c.Orgs), 2)
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = drainTimeout
	}
	i := &Ingester{
		config: c, log: c.Log, metrics: NewMetrics(c.Registerer), held: map[string]*session{},
		dirs: map[*spool.Spool]string{},
	}
	i.ledger = newLedger(c.Pool, c.Instance, c.Log)
	i.ledger.spooledSince = func(orgID string) time.Time { return i.laneOf(orgID).spooledSince }
	if err := i.openSpools(); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	if c.ReconcileRPM > 0 {
		i.repairs = newReconciler(i, c.ReconcileRPM)
	}
	for _, org := range c.Orgs {
		i.sessions = append(i.sessions, newSession(i, org))
		i.metrics.connected.WithLabelValues(org).Set(0)
	}
	if c.Registerer != nil {
		c.Registerer.MustRegister(collector{i})
	}
	return i, nil
}

// openSpools opens a spool for each lane, and those of an earlier run with another number of lanes.
func (i *Ingester) openSpools() error {
	c := &i.config
	for n := range c.Lanes {
		dir := filepath.Join(c.SpoolDir, fmt.Sprintf("lane-%d-of-%d", n+1, c.Lanes))
		lane, err := i.openLane(dir)
		if err != nil {
			return err
		}
		i.lanes = append(i.lanes, lane)
	}
	entries, err := os.ReadDir(c.SpoolDir)
	if err != nil {
		return fmt.Errorf("looking for spools of earlier runs: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "lane-") || strings.HasSuffix(e.Name(), fmt.Sprintf("-of-%d", c.Lanes)) {
			continue
		}
		dir := filepath.Join(c.SpoolDir, e.Name())
		if segments, err := filepath.Glob(filepath.Join(dir, "*.seg")); err == nil && len(segments) == 0 {
			continue // drained, and kept for what was set aside in it
		}
		lane, err := i.openLane(dir)
		if err != nil {
			return err
		}
		i.leftover = append(i.leftover, lane)
	}
	return nil
}

func (i *Ingester) openLane(dir string) (*Lane, error) {
	c := &i.config
	s, err := spool.Open(dir, spool.Options{MaxBytes: c.SpoolMaxBytes / int64(c.Lanes), Log: i.log})
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	i.spools = append(i.spools, s)
	i.dirs[s] = dir
	l := NewLane(LaneConfig{Spool: s, Pool: c.Pool, Instance: c.Instance, Log: i.log, Metrics: i.metrics})
	l.orgs = func(ctx context.Context) ([]string, error) { return i.orgsOf(ctx, l) }
	l.olderBy = i.olderBy
	l.spooledSince, err = oldest(s)
	return l, err
}

// oldest is when the oldest event in a spool was received; zero for an empty one.
func oldest(s *spool.Spool) (time.Time, error) {
	if s.Stats().FirstSeq == 0 {
		return time.Time{}, nil
	}
	reader := s.NewReader(0)
	defer reader.Close()
	var first spool.Batch
	if err := reader.Next(context.Background(), &first, 1, 1); err != nil {
		return time.Time{}, fmt.Errorf("looking for the oldest event in the spool: %w", err)
	}
	return first.Records[0].ReceivedAt, nil
}

// Close gives the spools back. Run does so itself.
func (i *Ingester) Close() error {
	var errs []error
	for _, s := range i.spools {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// GiveUp says that waiting for Postgres has no point, when it is the cause of the cancellation of Run's context
// (context.WithCancelCause): Run then ends at once with Err, and what was received stays in the spool.
type GiveUp struct{ Err error }

func (g *GiveUp) Error() string { return g.Err.Error() }
func (g *GiveUp) Unwrap() error { return g.Err }

// Run ingests until ctx ends, then stops listening, writes what was received, and returns nil. An org that Invent
// refuses at the first try to connect ends it with a *RefusedError; a spool that fails with that failure.
func (i *Ingester) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, i.Close()) }()
	// Two contexts: intake stops listening, writing lets what was received be written.
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWriting()
	lanes, writing := errgroup.WithContext(writing)
	intake, stopIntake := context.WithCancel(ctx)
	defer stopIntake()
	context.AfterFunc(writing, stopIntake) // a spool that fails ends the listening too

	listening, sessionsCtx := errgroup.WithContext(intake)
	for _, s := range i.sessions {
		listening.Go(func() error { return s.run(sessionsCtx) })
		if i.repairs != nil {
			listening.Go(func() error {
				i.repairs.run(sessionsCtx, s)
				return nil
			})
		}
	}
	maintaining, stopMaintaining := context.WithCancel(writing)
	defer stopMaintaining()
	lanes.Go(func() error { return i.write(writing, maintaining, lanes) })
	ledgerDone := make(chan struct{})
	ledgerCtx, stopLedger := context.WithCancel(context.WithoutCancel(ctx))
	defer stopLedger()
	go func() { defer close(ledgerDone); i.ledger.run(ledgerCtx) }()

	refused := listening.Wait()
	stopMaintaining()
	for _, s := range i.spools {
		s.Seal()
	}
	var hopeless *GiveUp
	if !errors.As(context.Cause(ctx), &hopeless) {
		i.releaseLeases(writing)
	}
	switch pending := i.pending(); {
	case hopeless != nil || pending == 0:
		stopWriting()
	default:
		i.log.Info("stopped listening; writing what was received", "events", pending)
		defer time.AfterFunc(i.config.DrainTimeout, stopWriting).Stop()
	}
	err = lanes.Wait()
	stopLedger()
	<-ledgerDone
	if pending := i.pending(); errors.Is(err, context.Canceled) {
		if err = nil; pending > 0 {
			i.log.Warn("stopped before Postgres had taken everything; it stays in the spool for the next start",
				"events", pending, "spool_dir", i.config.SpoolDir)
		}
	}
	if hopeless != nil {
		err = hopeless.Err
	}
	return errors.Join(refused, err)
}

// releaseLeases lets standbys take over, once the gaps that they will close are written.
func (i *Ingester) releaseLeases(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	if i.ledger.flushed(ctx) != nil {
		return // Postgres is away: the leases run out by themselves
	}
	for _, s := range i.sessions {
		if l := s.leaseOf(); l != nil {
			if err := l.release(ctx); err != nil {
				s.log.Warn("the lease could not be given back; it runs out by itself", "error", describeError(err))
			}
		}
	}
}

// write readies the database, looks how far it has what the spools handed out, drains the spools of earlier runs, and runs the lanes.
func (i *Ingester) write(ctx, maintaining context.Context, lanes *errgroup.Group) error {
	if i.config.Prepare != nil {
		err := i.lanes[0].persist(ctx, "readying the database", func() error { return i.config.Prepare(ctx) })
		if err != nil {
			return err
		}
	}
	// A database that is older than a spool is noticed before anything is written to it: the ledger asks it what it knows.
	for _, l := range slices.Concat(i.leftover, i.lanes) {
		if err := l.open(ctx, true); err != nil {
			return err
		}
	}
	i.ledger.ready()
	for _, l := range i.leftover {
		if err := i.drain(ctx, l); err != nil {
			return err
		}
	}
	for _, l := range i.lanes {
		lanes.Go(func() error { return l.Run(ctx) })
	}
	lanes.Go(func() error {
		i.maintain(maintaining)
		return nil
	})
	return nil
}

// drain empties a spool of an earlier run, so that an org's events are never written out of order, and removes
// what it no longer needs of it.
func (i *Ingester) drain(ctx context.Context, l *Lane) error {
	dir := i.dirs[l.spool]
	i.log.Info("writing the spool of an earlier run with another number of lanes first", "dir", dir)
	l.spool.Seal()
	if err := l.Run(ctx); err != nil {
		return err
	}
	if err := l.spool.Close(); err != nil {
		return err
	}
	kept, err := spool.Remove(dir)
	if err != nil {
		return fmt.Errorf("removing the drained spool: %w", err)
	}
	if kept > 0 {
		i.log.Warn("the drained spool's directory stays for the damaged pieces that were set aside in it; delete it when nobody wants to look into them",
			"dir", dir, "files", kept)
	}
	return nil
}

func (i *Ingester) maintain(ctx context.Context) {
	if i.config.Maintain == nil {
		return
	}
	for ctx.Err() == nil {
		if err := i.config.Maintain(ctx); err != nil && ctx.Err() == nil {
			i.log.Warn("maintenance of the database failed; it is tried again later", "error", describeError(err))
		}
		sleep(ctx, MaintainEvery)
	}
}

// pending is how many events wait in the spools.
func (i *Ingester) pending() (n int64) {
	for _, l := range slices.Concat(i.lanes, i.leftover) {
		if stats := l.spool.Stats(); stats.FirstSeq > 0 {
			n += stats.LastSeq - max(l.Committed(), stats.FirstSeq-1)
		}
	}
	return n
}

// laneOf deals an org to a lane, the same one in every run with as many lanes.
func (i *Ingester) laneOf(orgID string) *Lane {
	h := fnv.New32a()
	h.Write([]byte(orgID))
	return i.lanes[h.Sum32()%uint32(len(i.lanes))]
}

// hold claims an org for a session; false when another session of this process holds it already, under its id or as
// invent.OwnOrg.
func (i *Ingester) hold(orgID string, s *session) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if other := i.held[orgID]; other != nil && other != s {
		return false
	}
	i.held[orgID] = s
	return true
}

// Status is how the ingester fares right now.
type Status struct {
	Received  int64         // frames since the start
	Committed int64         // events since the start
	Pending   int64         // events in the spools that are not in Postgres yet
	Lag       time.Duration // age of the oldest of them, or 0
	Reasons   []string      // why it is not ready; none when it is
}

// Status gathers the figures.
func (i *Ingester) Status() Status {
	s := Status{Pending: i.pending()}
	for _, session := range i.sessions {
		s.Received += session.frames.Load()
		if reason := session.notReady(); reason != "" {
			s.Reasons = append(s.Reasons, "org "+session.org+": "+reason)
		}
	}
	for _, l := range i.lanes {
		stats := l.spool.Stats()
		if stats.MaxBytes > 0 && stats.Bytes*10 >= stats.MaxBytes*9 {
			s.Reasons = append(s.Reasons, "the spool of "+i.laneName(l)+" is at 90 % of its quota or above")
		}
	}
	for _, l := range slices.Concat(i.lanes, i.leftover) {
		s.Committed += l.stored.Load()
		s.Lag = max(s.Lag, l.lag(l.spool.Stats()))
	}
	if s.Lag > stalledAfter {
		s.Reasons = append(s.Reasons, "what arrives is not committed to Postgres")
	}
	return s
}

// laneName is the name of a lane's directory.
func (i *Ingester) laneName(l *Lane) string { return filepath.Base(i.dirs[l.spool]) }

// stalledAfter is how old an event that is not committed may be before the ingester is not ready.
const stalledAfter = 30 * time.Second
