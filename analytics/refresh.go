package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// refreshEvery is how often it is looked for chats that changed.
	refreshEvery = 2 * time.Second
	// retryEvery is how long it is waited after a failure.
	retryEvery = 10 * time.Second
	// storeEvery is how often the days that are over are stored: a late fact changes some, which the views then work out.
	storeEvery = time.Minute
	// storeAllEvery is how often it is looked whether there are any, also of orgs of which nothing has changed: a day is over.
	storeAllEvery = time.Hour
	// chatsAtOnce bounds a transaction.
	chatsAtOnce = 500
	// markAtOnce bounds a transaction that marks chats, for which ingest may have to wait.
	markAtOnce = 5_000
	// passTimeout is for a Postgres that takes what is sent and answers nothing. The longest of what is asked is counting the
	// backlog of all days.
	passTimeout = 15 * time.Minute
	// rest is how long Run rests after a transaction, in times of what that took: in a flood of events the same chats change
	// again and again, and ingest is to have the server most of the time.
	rest = 5
)

// Refresher keeps the facts up to what is in inbox. Several may run on one database: an org's facts are written by one at
// a time.
type Refresher struct {
	pool    *pgxpool.Pool
	log     *slog.Logger
	now     func() time.Time
	marked  map[string]string // by org: for what grounds all chats that depend on them were marked, until the next pass
	changed map[string]bool   // orgs with chats that were refreshed since their days were stored
	// isRunning says that it refreshes beside ingest, and not because somebody waits for it.
	isRunning bool
}

// NewRefresher makes a refresher; Run runs it.
func NewRefresher(pool *pgxpool.Pool, log *slog.Logger) *Refresher {
	return &Refresher{pool: pool, log: log, now: time.Now, marked: map[string]string{}, changed: map[string]bool{}}
}

// Run refreshes until ctx ends. What fails is tried again: a Postgres that is away is waited for.
func (r *Refresher) Run(ctx context.Context) {
	r.isRunning = true
	var stored, storedAll time.Time
	for ctx.Err() == nil {
		wait := refreshEvery
		_, err := r.Refresh(ctx)
		switch {
		case err != nil:
		case time.Since(storedAll) >= storeAllEvery:
			stored, storedAll = time.Now(), time.Now()
			err = r.Store(ctx)
		case time.Since(stored) >= storeEvery:
			stored = time.Now()
			err = r.storeOrgs(ctx, slices.Sorted(maps.Keys(r.changed)))
		}
		if err != nil && ctx.Err() == nil {
			r.log.Warn("the facts in analytics could not be refreshed; it is tried again", "error", withoutData(err), "retry_in", retryEvery)
			wait = retryEvery
		}
		sleep(ctx, wait)
	}
}

// sleep waits, or returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Refresh brings the facts of all orgs up to date once, and returns how many chats it did. An org that another refresher is
// at is left to it.
func (r *Refresher) Refresh(ctx context.Context) (chats int64, err error) {
	orgIDs, err := db.New(r.pool).GetFactOrgs(ctx)
	if err != nil {
		return 0, fmt.Errorf("finding the orgs: %w", err)
	}
	var failures []error
	for _, orgID := range orgIDs {
		n, err := r.refreshOrg(ctx, orgID)
		if n > 0 {
			r.changed[orgID] = true
		}
		if chats += n; err != nil {
			failures = append(failures, fmt.Errorf("org %s: %w", orgID, err))
		}
	}
	return chats, errors.Join(failures...)
}

// Store stores what the daily views say of the days that are over, for some orgs, all of them when none is named, so that they need
// not work it out whenever they are asked. An org that another refresher is at is left to it.
func (r *Refresher) Store(ctx context.Context, orgIDs ...string) (err error) {
	if len(orgIDs) == 0 {
		if orgIDs, err = db.New(r.pool).GetFactOrgs(ctx); err != nil {
			return fmt.Errorf("finding the orgs: %w", err)
		}
	}
	return r.storeOrgs(ctx, orgIDs)
}

func (r *Refresher) storeOrgs(ctx context.Context, orgIDs []string) error {
	var failures []error
	for _, orgID := range orgIDs {
		if err := r.storeDays(ctx, orgID); err != nil {
			failures = append(failures, fmt.Errorf("org %s: %w", orgID, err))
			continue
		}
		delete(r.changed, orgID)
	}
	return errors.Join(failures...)
}

// inTime is a transaction that ends after passTimeout, whatever Postgres does.
func (r *Refresher) inTime(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error { return do(ctx, tx) })
}

// refreshOrg does the org's chats that are marked, a few hundred in a transaction, so that nobody waits for it.
func (r *Refresher) refreshOrg(ctx context.Context, orgID string) (chats int64, err error) {
	for round := (round{}); ; {
		began := time.Now()
		n, err := r.pass(ctx, orgID, &round, nil)
		if chats += n; err != nil || round.isOver {
			return chats, err
		}
		if r.isRunning && !sleep(ctx, rest*time.Since(began)) {
			return chats, ctx.Err()
		}
	}
}

// round is one way through an org's marked chats: one that is marked anew all the time is done once in it, and keeps none from
// being done.
type round struct {
	next   cursor
	waits  bool // for another refresher, instead of leaving the org to it
	isOver bool
	ahead  *ahead // what was read of the chats that come next; nil: nothing
}

// pass is one transaction of a round. Before it writes it calls writes, when there is a next one.
func (r *Refresher) pass(ctx context.Context, orgID string, round *round, writes func(p *refresh)) (n int64, err error) {
	p := &refresh{orgID: orgID, now: r.now().UTC(), marked: r.marked[orgID]}
	var stale *time.Time
	err = r.inTime(ctx, func(ctx context.Context, tx pgx.Tx) error {
		p.q, p.tx = db.New(tx), tx
		isOurs, err := p.lock(ctx, round.waits)
		if err != nil || !isOurs {
			round.isOver = true
			return err
		}
		if stale, err = p.prepare(ctx); err != nil || stale != nil {
			return err
		}
		marked, err := round.next.marks(ctx, p.q, orgID)
		if err != nil {
			return err
		}
		read := round.ahead
		round.ahead, n = nil, int64(len(marked))
		if round.next, round.isOver = round.next.after(marked); writes != nil && !round.isOver {
			writes(p)
		}
		if n == 0 {
			return nil
		}
		return p.deriveAnew(ctx, marked, read)
	})
	if err != nil {
		return n, err
	}
	delete(r.marked, orgID)
	if stale == nil {
		return n, nil
	}
	// The marks come first, in small transactions, and only then is it noted that they are made: should this end in between,
	// the next one makes them again.
	if err := r.mark(ctx, orgID, *stale); err != nil {
		return 0, err
	}
	r.marked[orgID], round.next = p.grounds, cursor{}
	return 0, nil
}

// mark marks the org's chats that something was observed of since a time.
func (r *Refresher) mark(ctx context.Context, orgID string, since time.Time) error {
	q := db.New(r.pool)
	p := db.GetChatsAfterParams{OrgID: orgID, Chats: markAtOnce}
	for {
		page, err := q.GetChatsAfter(ctx, p)
		if err != nil {
			return fmt.Errorf("reading the chats: %w", err)
		}
		marks := db.MarkDirtyChatsParams{DirtyAt: r.now().UTC()}
		for _, c := range page {
			p.AfterChatID = c.ChatID
			if !c.ObservedAt.Before(since) {
				marks.OrgIds, marks.ChatIds = append(marks.OrgIds, orgID), append(marks.ChatIds, c.ChatID)
			}
		}
		if len(marks.ChatIds) > 0 {
			if err := q.MarkDirtyChats(ctx, marks); err != nil {
				return fmt.Errorf("marking the chats: %w", err)
			}
		}
		if len(page) < markAtOnce {
			return nil
		}
	}
}

// refresh is one transaction over one org.
type refresh struct {
	q       *db.Queries
	tx      pgx.Tx
	orgID   string
	now     time.Time
	marked  string // grounds for which the chats are marked already
	org     *Org
	gaps    map[string]string // by id, as describeGap tells them
	grounds string            // all that the org's facts depend on beside its chats
	through time.Time         // the last local day whose backlog is counted
}

// lock makes this transaction the one to write the org's facts; false when it is another refresher's that is not waited for.
func (p *refresh) lock(ctx context.Context, waits bool) (isOurs bool, err error) {
	if !waits {
		return p.q.TryLockFacts(ctx, p.orgID)
	}
	return true, p.q.LockFacts(ctx, p.orgID)
}

// prepare loads what all of the org's facts depend on. Where that is not what they were made with, and the chats that may be
// concerned are not marked, it says since when something must have been observed of these.
func (p *refresh) prepare(ctx context.Context) (stale *time.Time, err error) {
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	past, err := p.q.GetRefresh(ctx, p.orgID)
	if err != nil {
		return nil, fmt.Errorf("reading analytics.refreshes: %w", err)
	}
	today := p.org.Settings.LocalDate(p.now)
	if p.through = today; len(past) > 0 {
		p.through = past[0].BacklogThrough
		since, isAll, err := p.changed(&past[0])
		if err != nil {
			return nil, err
		}
		if since != nil && p.marked != p.grounds {
			return since, nil
		}
		if isAll {
			// In one transaction: nobody reads days of which half are counted.
			if err := p.recount(ctx, today); err != nil {
				return nil, err
			}
		}
	}
	if p.through.Before(today) {
		days, err := countBacklog(ctx, p.q, p.org.Settings, p.orgID, p.through.AddDate(0, 0, 1), today)
		if err != nil {
			return nil, err
		}
		if err := days.save(ctx, p.q, p.orgID); err != nil {
			return nil, err
		}
		p.through = today
	}
	gaps, err := json.Marshal(p.gaps)
	if err != nil {
		return nil, fmt.Errorf("describing the gaps: %w", err)
	}
	return nil, p.q.SaveRefresh(ctx, db.SaveRefreshParams{
		OrgID: p.orgID, SettingsFingerprint: p.org.Settings.Fingerprint(), Gaps: gaps, FirstHeardAt: p.org.FirstHeardAt,
		BacklogThrough: p.through, RefreshedAt: p.now,
	})
}

// recount counts the backlog of all days up to one anew.
func (p *refresh) recount(ctx context.Context, through time.Time) error {
	all, err := countAllDays(ctx, p.q, p.org.Settings, p.orgID, through)
	if err != nil {
		return err
	}
	if err := p.q.DropBacklog(ctx, p.orgID); err != nil {
		return fmt.Errorf("dropping the backlog: %w", err)
	}
	p.through = through
	return all.save(ctx, p.q, p.orgID)
}

// deriveAnew makes the facts of some chats anew, and takes their marks away. What was read of them ahead is taken as it is
// where they were not marked again since.
func (p *refresh) deriveAnew(ctx context.Context, marked []db.GetDirtyChatsRow, read *ahead) error {
	clear := db.ClearDirtyChatsParams{OrgID: p.orgID}
	var unread []string
	var derived []*Facts
	for _, m := range marked {
		clear.ChatIds, clear.DirtyAts = append(clear.ChatIds, m.ChatID), append(clear.DirtyAts, m.DirtyAt)
		if f, ok := read.facts(p.grounds, m); ok {
			derived = append(derived, f)
		} else {
			unread = append(unread, m.ChatID)
		}
	}
	if len(unread) > 0 {
		chats, err := loadChats(ctx, p.q, p.orgID, unread)
		if err != nil {
			return err
		}
		for _, c := range chats {
			derived = append(derived, Derive(c, p.org))
		}
	}
	facts := gather(derived)
	stored, err := p.stored(ctx, clear.ChatIds, read, len(unread) == 0)
	if err != nil {
		return err
	}
	changes := backlog{}
	for i := range stored.Spans {
		changes.add(p.org.Settings, &stored.Spans[i], -1, p.through)
	}
	for i := range facts.Spans {
		changes.add(p.org.Settings, &facts.Spans[i], 1, p.through)
	}
	days, err := save(ctx, p.tx, stored, facts, p.now)
	if err != nil {
		return err
	}
	if err := days.drop(ctx, p.q, p.orgID); err != nil {
		return err
	}
	if err := changes.save(ctx, p.q, p.orgID); err != nil {
		return err
	}
	// Last of all: until the commit that follows, ingest waits where it marks one of these chats.
	if err := p.q.ClearDirtyChats(ctx, clear); err != nil {
		return fmt.Errorf("clearing ops.dirty_chats: %w", err)
	}
	return nil
}

// stored are the facts that are stored of some chats: as they were read ahead, where those of all chats were and it still holds.
func (p *refresh) stored(ctx context.Context, chatIDs []string, read *ahead, isRead bool) (*Facts, error) {
	if isRead {
		if stored, ok := read.factsStored(len(chatIDs)); ok {
			batch := &pgx.Batch{}
			chooseSettings(batch)
			if err := p.tx.SendBatch(ctx, batch).Close(); err != nil {
				return nil, fmt.Errorf("choosing how facts are written: %w", err)
			}
			return stored, nil
		}
	}
	return readFacts(ctx, p.tx, p.orgID, chatIDs)
}
