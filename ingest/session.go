package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"archiver/internal/failpoint"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
)

const (
	// healthyAfter is how long a connection must have lasted for the next one to be tried without delay.
	healthyAfter = 30 * time.Second
	reconnectMin = 500 * time.Millisecond
	reconnectMax = 30 * time.Second
	// refusedEvery is how often a running ingester asks again whether Invent accepts it: a key is renewed by people.
	refusedEvery = time.Minute
	// fullEvery is how often a reader that stopped because the spool is full looks whether there is room again.
	fullEvery = time.Second
)

// RefusedError says that Invent refused an org at the first try to connect: key or org are wrong. A refusal that comes
// later, also after tries that failed otherwise, is waited out: the other orgs are not to be given up for it.
type RefusedError struct {
	OrgID string
	Err   error
}

func (e *RefusedError) Error() string { return fmt.Sprintf("org %s: %v", e.OrgID, e.Err) }
func (e *RefusedError) Unwrap() error { return e.Err }

// errHeldTwice ends a session whose org another session of this process holds.
var errHeldTwice = errors.New("this org is held by another session of this process")

// session holds the socket of one org: it reads frames and appends them to the spool, and does nothing else.
type session struct {
	ingester *Ingester
	org      string // as it was named
	log      *slog.Logger
	frames   atomic.Int64
	firstTry time.Time // to connect

	mu        sync.Mutex
	realID    string // of the org; empty while it is not known
	connected bool
	current   *connection             // the open one
	giveUp    context.CancelCauseFunc // ends it
	trouble   string                  // why there is none
	lease     *lease                  // nil while the org's id is not known
	recalled  string                  // the org whose last listener was looked up since this process took it
}

func newSession(i *Ingester, org string) *session {
	s := &session{ingester: i, org: org, log: i.log.With("org", org), trouble: "not connected yet"}
	if org != invent.OwnOrg {
		s.realID = org
	}
	return s
}

// run keeps the org's socket open until ctx ends (nil). It returns an error only when the org cannot be held at all.
func (s *session) run(ctx context.Context) error {
	if s.org != invent.OwnOrg {
		if !s.ingester.hold(s.org, s) {
			return nil
		}
		s.setID(s.org)
	}
	wait := backoff{
		base: failpoint.Duration("reconnect-min", reconnectMin), limit: failpoint.Duration("reconnect-max", reconnectMax),
	}
	for tries := 0; ; tries++ {
		if tries > 0 {
			s.ingester.metrics.reconnects.WithLabelValues(s.orgID()).Inc()
		}
		if !s.claim(ctx) {
			return nil
		}
		began := time.Now()
		opened, err := s.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, errHeldTwice) {
			s.log.Info("this org is named twice, as c and by its id; it is held once")
			s.setTrouble("")
			s.ingester.metrics.forget(s.org)
			return nil
		}
		if opened && time.Since(began) > healthyAfter {
			wait.reset()
		}
		pause, err := s.judge(err, opened || s.frames.Load() > 0 || tries > 0, &wait)
		if err != nil {
			return err
		}
		if !sleep(ctx, pause) || !s.awaitRoom(ctx) {
			return nil
		}
	}
}

// awaitRoom waits until the spool has room again: a connection whose frames cannot be kept is a gap of its own each time.
func (s *session) awaitRoom(ctx context.Context) bool {
	for stats := s.ingester.laneOf(s.orgID()).spool.Stats(); stats.Bytes*10 > stats.MaxBytes*9; {
		if !sleep(ctx, fullEvery) {
			return false
		}
		stats = s.ingester.laneOf(s.orgID()).spool.Stats()
	}
	return true
}

// judge decides what a connection's end means: how long to wait for the next one, or that there shall be none.
func (s *session) judge(end error, wasHeld bool, wait *backoff) (time.Duration, error) {
	var status *invent.StatusError
	refused := errors.As(end, &status) && status.Refused()
	switch {
	case refused && !wasHeld:
		return 0, &RefusedError{s.org, end}
	case refused:
		s.setTrouble("Invent refuses the connection")
		pause := failpoint.Duration("refused-every", refusedEvery) + wait.next(0)
		s.log.Error("Invent refuses the connection; it is asked again", "error", end, "retry_in", pause.Round(time.Second))
		return pause, nil
	case errors.Is(end, errLeaseLost):
		s.log.Warn("another process has taken over this org")
		return 0, nil
	case errors.Is(end, spool.ErrFull):
		s.setTrouble("the spool is full")
		s.log.Error("the spool is full: nothing is received until Postgres has taken some of it", "error", end)
		return fullEvery, nil
	}
	s.setTrouble("not connected")
	var atLeast time.Duration
	if status != nil {
		atLeast = status.RetryAfter
	}
	pause := wait.next(atLeast)
	s.log.Warn("the connection to Invent ended; connecting again", "error", end, "retry_in", pause.Round(time.Millisecond))
	return pause, nil
}

// claim waits until this process is the one to listen to the org; false when ctx ends first. Who cannot be asked is not
// waited for: frames that two processes receive are stored twice, frames that none receives are lost.
func (s *session) claim(ctx context.Context) bool {
	for isStandby := false; ; {
		l := s.leaseOf()
		if l == nil {
			return ctx.Err() == nil
		}
		held, isNew, err := l.acquire(ctx)
		switch {
		case ctx.Err() != nil:
			return false
		case err != nil && !held:
			s.log.Warn("Postgres cannot be asked whether another process listens to this org; listening", "error", describeError(err))
			s.recall(l.orgID, time.Now())
			return true
		case held:
			if isNew {
				s.recall(l.orgID, time.Now())
			}
			return true
		case !isStandby:
			isStandby = true
			s.forgetRecall()
			s.setTrouble("") // held by another instance: that is as it should be
			s.log.Info("another process listens to this org; standing by")
		}
		if !sleep(ctx, leaseEvery) {
			return false
		}
	}
}

// recall has the ledger look up when the org was last listened to before, once for each time this process takes the org.
func (s *session) recall(orgID string, before time.Time) (isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recalled == orgID {
		return false
	}
	s.recalled = orgID
	s.ingester.ledger.holds(orgID, before)
	return true
}

func (s *session) forgetRecall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.recalled = ""
}

// keepLease renews the lease while a connection is open, and gives the connection up when another process has it. Where
// the org's id became known by a frame, it takes the lease.
func (s *session) keepLease(ctx context.Context, opened time.Time, giveUp context.CancelCauseFunc) {
	for sleep(ctx, leaseEvery) {
		l := s.leaseOf()
		if l == nil {
			continue
		}
		held, isNew, err := l.acquire(ctx)
		switch {
		case err != nil:
		case !held:
			giveUp(errLeaseLost)
			return
		case isNew && s.recall(l.orgID, s.firstTry):
			s.ingester.ledger.opened(l.orgID, opened)
		}
	}
}

// mayAppend asks again for the lease after this process was asleep: what it reads now may be stored by another already.
func (s *session) mayAppend(ctx context.Context) bool {
	l := s.leaseOf()
	if l == nil || !l.isStale() {
		return true
	}
	held, _, err := l.acquire(ctx)
	return held || err != nil
}

func (s *session) leaseOf() *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lease
}

// once connects, and reads until the connection ends. It never returns nil.
func (s *session) once(ctx context.Context) (opened bool, err error) {
	if err := s.resolve(ctx); err != nil {
		return false, err
	}
	c := &connection{id: uuid.New(), orgID: s.orgID(), startedAt: time.Now()}
	if s.firstTry.IsZero() {
		s.firstTry = c.startedAt
	}
	ctx, giveUp := context.WithCancelCause(ctx)
	var keeping sync.WaitGroup
	defer func() {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		s.ingester.ledger.ended(c, err)
		giveUp(nil)
		keeping.Wait()
	}()
	s.ingester.ledger.began(c)
	conn, err := s.ingester.config.Client.Dial(ctx, s.org)
	if err != nil {
		return false, err
	}
	defer conn.CloseNow()
	stop := context.AfterFunc(ctx, func() { conn.CloseNow() })
	defer stop()
	opening := c.opened(conn.LastByteAt)
	s.ingester.ledger.opened(c.orgID, opening)
	s.setConnected(c, giveUp)
	defer s.setConnected(nil, nil)
	s.log.Info("connected to the inbox", "connection", c.id)
	if s.ingester.repairs != nil {
		s.ingester.repairs.connected(s.org)
	}
	keeping.Go(func() { s.keepLease(ctx, opening, giveUp) })
	return true, s.read(ctx, conn, c)
}

// read appends every frame to the spool as it arrives.
func (s *session) read(ctx context.Context, conn *invent.Conn, c *connection) error {
	var buf []byte
	for {
		kind, frame, err := conn.Read(buf[:0])
		if err != nil {
			return err
		}
		buf = frame
		failpoint.Hit("read")
		record := spool.Record{
			ReceivedAt: time.Now(), ConnectionID: c.id, Source: SourceSocket, Kind: KindFrame, Body: frame,
		}
		if kind != invent.FrameText {
			record.Kind = KindOther
		}
		if s.orgID() == invent.OwnOrg {
			if err := s.resolveBy(frame); err != nil {
				return err
			}
		}
		if !s.mayAppend(ctx) {
			return errLeaseLost
		}
		record.OrgID = s.orgID()
		if err := s.ingester.laneOf(record.OrgID).spool.Append(&record); err != nil {
			return fmt.Errorf("appending to the spool: %w", err)
		}
		c.frame(len(frame), record.OrgID)
		s.frames.Add(1)
		s.ingester.metrics.received.WithLabelValues(record.OrgID).Inc()
		s.ingester.metrics.receivedBytes.WithLabelValues(record.OrgID).Add(float64(len(frame)))
	}
}

// orgID is the org that what is received is stored under: the real id as soon as it is known.
func (s *session) orgID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.realID == "" {
		return s.org
	}
	return s.realID
}

// resolve finds the real id behind invent.OwnOrg. Where the lists do not tell, the first frame does.
func (s *session) resolve(ctx context.Context) error {
	if s.orgID() != invent.OwnOrg {
		return nil
	}
	id, ok, err := s.ingester.config.Client.ResolveOrg(ctx, s.org)
	var status *invent.StatusError
	switch {
	case errors.As(err, &status) && (status.Status == 401 || status.Status == 403):
		return err
	case err != nil:
		s.log.Warn("the list of chats does not tell the org's id; waiting for a frame that does", "error", err)
		return nil
	case !ok:
		s.log.Info("the inbox is empty and does not tell the org's id; waiting for a frame that does")
		return nil
	}
	return s.resolved(id)
}

// resolveBy takes the org's id from a frame, if it names one.
func (s *session) resolveBy(frame []byte) error {
	var d invent.Decoder
	if e, _ := d.Frame(frame); e.Data.Given() && e.Data.V.OrgID.Given() {
		return s.resolved(e.Data.V.OrgID.V)
	}
	return nil
}

func (s *session) resolved(id string) error {
	isHeldTwice := !s.ingester.hold(id, s)
	s.ingester.ledger.ownOrgIs(id, isHeldTwice)
	if isHeldTwice {
		return errHeldTwice
	}
	s.setID(id)
	s.log.Info("the key's own org is known", "org_id", id)
	return nil
}

func (s *session) setID(orgID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.realID = orgID
	s.lease = &lease{
		pool: s.ingester.config.Pool, orgID: orgID, instance: s.ingester.config.Instance,
		lane: s.ingester.laneOf(orgID),
	}
	if orgID != s.org {
		s.ingester.metrics.forget(s.org)
	}
	s.ingester.metrics.connected.WithLabelValues(orgID).Set(float64(btoi(s.connected)))
}

func (s *session) setConnected(c *connection, giveUp context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connected, s.current, s.giveUp = c != nil, c, giveUp
	orgID := s.org
	if s.realID != "" {
		orgID = s.realID
	}
	s.ingester.metrics.connected.WithLabelValues(orgID).Set(float64(btoi(s.connected)))
}

func (s *session) setTrouble(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = reason
}

// notReady says why the org's inbox is not listened to, or nothing when it is.
func (s *session) notReady() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connected {
		return ""
	}
	return s.trouble
}
