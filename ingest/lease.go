package ingest

import (
	"context"
	"errors"
	"sync"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// leaseTTL is how long a lease outlives its last renewal: how long an org is not listened to when its process dies.
	leaseTTL = 10 * time.Second
	// leaseEvery is how often a lease is renewed, and how often a standby looks whether it is free.
	leaseEvery = 2 * time.Second
	// leaseTimeout bounds one question about a lease; an answer that takes longer counts as none.
	leaseTimeout = 5 * time.Second
	// lateAfterTakeover is how long events of another holder before may come in: it writes what its spool holds.
	lateAfterTakeover = 15 * time.Minute
)

// errLeaseLost ends a connection whose org another process listens to now.
var errLeaseLost = errors.New("another process has taken over this org")

// lease is the right to listen to one org. While Postgres is away nobody can take it from its holder, and one that
// cannot ask listens: two that listen store some frames twice, none that listens loses them.
type lease struct {
	pool     *pgxpool.Pool
	orgID    string
	instance string
	lane     *Lane // writes the org's events

	mu    sync.Mutex
	term  int64     // 0 while it is not known whether it is held
	asked time.Time // when Postgres was last asked, in vain or not
}

// acquire takes the lease, or keeps it. isNew says that it was not held by this process just before, and the lane then expects what
// another holder's spool may hold yet; an error says that Postgres did not answer.
func (l *lease) acquire(ctx context.Context) (held, isNew bool, err error) {
	if held, err := l.renew(ctx); held || err != nil {
		return held, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	rows, err := db.New(l.pool).AcquireLease(ctx, db.AcquireLeaseParams{
		OrgID: l.orgID, Instance: l.instance, StreamID: l.lane.stream, TtlSeconds: leaseTTL.Seconds(),
		LateSeconds: lateAfterTakeover.Seconds(),
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = time.Now()
	if err != nil || len(rows) == 0 {
		return false, false, err
	}
	l.term = rows[0].Term
	l.lane.expectLate(time.Duration(rows[0].LateSeconds * float64(time.Second)))
	return true, true, nil
}

// renew keeps the lease, if it is held; while Postgres does not answer it stays so.
func (l *lease) renew(ctx context.Context) (held bool, err error) {
	l.mu.Lock()
	term := l.term
	l.mu.Unlock()
	if term == 0 {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	renewed, err := db.New(l.pool).RenewLease(ctx, db.RenewLeaseParams{
		OrgID: l.orgID, StreamID: l.lane.stream, Term: term, TtlSeconds: leaseTTL.Seconds(),
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = time.Now()
	if err == nil && renewed == 0 {
		l.term = 0
	}
	return l.term != 0, err
}

// isStale reports whether the process slept through the life of the lease: it has to ask before it goes on.
func (l *lease) isStale() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.asked) > leaseTTL
}

// release gives the lease up, so that a standby need not wait for it to run out.
func (l *lease) release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.term == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, leaseTimeout)
	defer cancel()
	err := db.New(l.pool).ReleaseLease(ctx, db.ReleaseLeaseParams{OrgID: l.orgID, StreamID: l.lane.stream, Term: l.term})
	l.term = 0
	return err
}
