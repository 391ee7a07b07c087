package ingest

import (
	"context"
	"errors"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/invent"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

const (
	// reconcileEvery is how often it is looked whether there is something to fetch.
	reconcileEvery = time.Minute
	// repairEvery is how often gaps that could not be repaired are tried again.
	repairEvery = 10 * time.Minute
)

// reconciler fetches from the REST lists what the socket did not bring: it repairs gaps, completes the messages of chats
// that have gone quiet (complete.go), asks whether a socket that brings nothing is deaf (deaf.go), and reads what orgs there
// are (suborgs.go). All orgs share its budget of requests; of one org's work the repair of gaps comes first.
type reconciler struct {
	ingester *Ingester
	budget   *rate.Limiter
	wake     map[string]chan struct{} // by the org's name; a session that has connected wakes it
}

func newReconciler(i *Ingester, perMinute int) *reconciler {
	r := &reconciler{ingester: i, budget: newBudget(perMinute), wake: map[string]chan struct{}{}}
	for _, org := range i.config.Orgs {
		r.wake[org] = make(chan struct{}, 1)
	}
	return r
}

// newBudget allows so many requests a minute, evenly spread.
func newBudget(perMinute int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(perMinute)/60), 1)
}

// connected is called when an org is listened to again: only then can its gap be repaired without opening another.
func (r *reconciler) connected(org string) {
	select {
	case r.wake[org] <- struct{}{}:
	default:
	}
}

// run reconciles one org until ctx ends.
func (r *reconciler) run(ctx context.Context, s *session) {
	tick := time.NewTicker(failpoint.Duration("reconcile-every", reconcileEvery))
	defer tick.Stop()
	var repairAt time.Time
	var again <-chan time.Time // at once, while chats are left to be completed
	quiet, completing, subOrgs := newSilence(), newCompletion(), &subOrgList{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake[s.org]:
			repairAt = time.Time{}
		case <-tick.C:
		case <-again:
		}
		again = nil
		if !s.isListening() {
			continue
		}
		if now := time.Now(); !now.Before(repairAt) {
			repairAt = now.Add(repairEvery)
			if err := r.repair(ctx, s); err != nil && ctx.Err() == nil {
				s.log.Warn("the gap could not be repaired; it is tried again", "error", describeError(err), "retry_in", repairEvery)
			}
		}
		r.listSubOrgs(ctx, s, subOrgs)
		if err := r.askWhetherDeaf(ctx, s, quiet); err != nil && ctx.Err() == nil {
			s.log.Warn("whether the quiet connection misses something could not be found out; it is asked again", "error", describeError(err))
		}
		more, err := r.complete(ctx, s, completing)
		if more {
			again = time.After(0)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("messages could not be completed; it is tried again", "error", describeError(err), "retry_in", completing.pause())
		}
	}
}

// sweepOf is a reading of the lists of a session's org.
func (r *reconciler) sweepOf(s *session) *sweep {
	i := r.ingester
	return &sweep{client: i.config.Client, budget: r.budget, lane: i.laneOf(s.orgID()), orgID: s.orgID(), log: s.log}
}

// repair reads again what changed during the org's gaps. A gap that was just closed is written by the ledger first.
func (r *reconciler) repair(ctx context.Context, s *session) error {
	if err := r.ingester.ledger.flushed(ctx); err != nil {
		return err
	}
	q := db.New(r.ingester.config.Pool)
	gaps, err := q.GetUnrepairedGaps(ctx, s.orgID())
	if err != nil || len(gaps) == 0 {
		return err
	}
	var ids []uuid.UUID
	since := gaps[0].BeganAt.Add(-overlap)
	for _, g := range gaps {
		ids = append(ids, g.GapID)
	}
	if err := q.StartRepair(ctx, db.StartRepairParams{OrgID: s.orgID(), GapIds: ids}); err != nil {
		return err
	}
	s.log.Info("repairing what was missed", "gaps", len(ids), "since", since.UTC().Format(time.RFC3339))
	began := time.Now()
	changed, failure := r.fetchSince(ctx, s, since)
	// A stop must not leave it as repairing; nor is a Postgres to be waited for that does not answer.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), questionTimeout)
	if ctx.Err() != nil {
		last, cancel = context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	}
	defer cancel()
	end := db.EndRepairParams{OrgID: s.orgID(), GapIds: ids, Status: gapUnrepaired, SweptGapID: ids[0], ChatsSwept: int64(len(changed))}
	if failure == nil {
		at := time.Now().UTC()
		end.Status, end.RepairedAt = gapRepaired, &at
	}
	if len(changed) > 0 && ctx.Err() == nil {
		end.MessagesRecovered, err = q.CountRecovered(last, db.CountRecoveredParams{
			OrgID: s.orgID(), ChatIds: changed, AfterAt: began.UTC(), UntilAt: time.Now().UTC(),
		})
	}
	if err := errors.Join(err, q.EndRepair(last, end)); err != nil {
		return errors.Join(failure, err)
	}
	r.ingester.metrics.repairedChats.WithLabelValues(s.orgID()).Add(float64(end.ChatsSwept))
	r.ingester.metrics.repairedMessages.WithLabelValues(s.orgID()).Add(float64(end.MessagesRecovered))
	if failure == nil {
		s.log.Info("what was missed is repaired", "gaps", len(ids), "chats", end.ChatsSwept, "messages", end.MessagesRecovered)
	}
	return failure
}

// fetchSince reads the list of chats, then the messages of those that changed since, and returns once all of it is in
// Postgres.
func (r *reconciler) fetchSince(ctx context.Context, s *session, since time.Time) (changed []string, err error) {
	p := r.sweepOf(s)
	defer p.lane.expectingLate()()
	if changed, err = p.chats(ctx, since); err != nil {
		return nil, err
	}
	for _, chatID := range changed {
		if err := p.messages(ctx, chatID, since); err != nil {
			return changed, err
		}
	}
	return changed, p.committed(ctx)
}

// isListening reports whether the org's socket is open, under its real id.
func (s *session) isListening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected && s.realID != "" && s.realID != invent.OwnOrg
}
