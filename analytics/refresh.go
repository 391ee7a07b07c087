package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
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
	// chatsAtOnce bounds a transaction; markAtOnce bounds one that marks chats, which ingest may have to wait for.
	chatsAtOnce = 500
	// rest is how long Run rests after a transaction, in times of what that took: in a flood of events the same chats change
	// again and again, and ingest is to have the server most of the time.
	rest       = 3
	markAtOnce = 5_000
)

// Refresher keeps the facts up to what is in inbox. Several may run on one database: an org's facts are written by one at
// a time.
type Refresher struct {
	pool   *pgxpool.Pool
	log    *slog.Logger
	now    func() time.Time
	marked map[string]string // by org: for what grounds all chats that depend on them were marked
	// isRunning says that it refreshes beside ingest, and not because somebody waits for it.
	isRunning bool
}

// NewRefresher makes a refresher; Run runs it.
func NewRefresher(pool *pgxpool.Pool, log *slog.Logger) *Refresher {
	return &Refresher{pool: pool, log: log, now: time.Now, marked: map[string]string{}}
}

// Run refreshes until ctx ends. What fails is tried again: a Postgres that is away is waited for.
func (r *Refresher) Run(ctx context.Context) {
	r.isRunning = true
	for ctx.Err() == nil {
		wait := refreshEvery
		if _, err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
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
		if chats += n; err != nil {
			failures = append(failures, fmt.Errorf("org %s: %w", orgID, err))
		}
	}
	return chats, errors.Join(failures...)
}

// Recompute makes the facts of some orgs anew, all of them when none is named. progress is told how many chats are done.
func (r *Refresher) Recompute(ctx context.Context, orgIDs []string, progress func(orgID string, chats int64)) error {
	if len(orgIDs) == 0 {
		var err error
		if orgIDs, err = db.New(r.pool).GetFactOrgs(ctx); err != nil {
			return fmt.Errorf("finding the orgs: %w", err)
		}
	}
	for _, orgID := range orgIDs {
		if err := r.mark(ctx, orgID, time.Time{}); err != nil {
			return fmt.Errorf("org %s: %w", orgID, err)
		}
		for done := int64(0); ; {
			n, isOver, err := r.pass(ctx, orgID)
			if err != nil {
				return fmt.Errorf("org %s: %w", orgID, err)
			}
			if done += n; progress != nil {
				progress(orgID, done)
			}
			if isOver {
				break
			}
		}
	}
	return nil
}

// refreshOrg does the org's chats that are marked, a few hundred in a transaction, so that nobody waits for it.
func (r *Refresher) refreshOrg(ctx context.Context, orgID string) (chats int64, err error) {
	for {
		began := time.Now()
		n, isOver, err := r.pass(ctx, orgID)
		if chats += n; err != nil || isOver {
			return chats, err
		}
		if r.isRunning && !sleep(ctx, rest*time.Since(began)) {
			return chats, ctx.Err()
		}
	}
}

// pass is one transaction. isOver says that nothing is left to do, or another refresher does it.
func (r *Refresher) pass(ctx context.Context, orgID string) (n int64, isOver bool, err error) {
	p := &refresh{orgID: orgID, now: r.now().UTC(), marked: r.marked[orgID]}
	var stale *time.Time
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		p.q, p.tx = db.New(tx), tx
		isOurs, err := p.q.TryLockFacts(ctx, orgID)
		if err != nil || !isOurs {
			isOver = true
			return err
		}
		if stale, err = p.prepare(ctx); err != nil || stale != nil {
			return err
		}
		n, err = p.chats(ctx)
		isOver = n < chatsAtOnce
		return err
	})
	if err != nil || stale == nil {
		return n, isOver, err
	}
	// The marks come first, in small transactions, and only then is it noted that they are made: should this end in between,
	// the next one makes them again.
	if err := r.mark(ctx, orgID, *stale); err != nil {
		return 0, false, err
	}
	r.marked[orgID] = p.grounds
	return 0, false, nil
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
			if err := p.dropBacklog(ctx); err != nil {
				return nil, err
			}
			p.through = today
		}
	}
	for day := p.through.AddDate(0, 0, 1); !day.After(today); day = day.AddDate(0, 0, 1) {
		if err := countDay(ctx, p.q, p.org.Settings, p.orgID, day); err != nil {
			return nil, fmt.Errorf("counting the backlog: %w", err)
		}
		p.through = day
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

func (p *refresh) load(ctx context.Context) error {
	settings, err := LoadSettings(ctx, p.tx, p.orgID)
	if err != nil {
		return err
	}
	firstHeard, err := p.q.GetFirstHeard(ctx, p.orgID)
	if err != nil {
		return fmt.Errorf("reading ops.connections: %w", err)
	}
	gaps, err := p.q.GetFactGaps(ctx, p.orgID)
	if err != nil {
		return fmt.Errorf("reading ops.gaps: %w", err)
	}
	p.org, p.gaps = &Org{Settings: settings, FirstHeardAt: firstHeard}, map[string]string{}
	for _, g := range gaps {
		gap := Gap{BeganAt: g.BeganAt, EndedAt: g.EndedAt, IsRepaired: g.Status == "repaired"}
		p.org.Gaps = append(p.org.Gaps, gap)
		p.gaps[g.GapID.String()] = describeGap(&gap)
	}
	p.grounds = fmt.Sprint(settings.Fingerprint(), firstHeard, p.gaps)
	if firstHeard != nil {
		p.grounds = fmt.Sprint(settings.Fingerprint(), firstHeard.UTC(), p.gaps)
	}
	return nil
}

// changed compares with what the facts were made with. since is nil where that is the same; isAll says that every chat's facts
// are concerned, and which days the backlog has.
func (p *refresh) changed(past *db.AnalyticsRefresh) (since *time.Time, isAll bool, err error) {
	isEqual := func(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
	if past.SettingsFingerprint != p.org.Settings.Fingerprint() || !isEqual(past.FirstHeardAt, p.org.FirstHeardAt) {
		return &time.Time{}, true, nil
	}
	before := map[string]string{}
	if err := json.Unmarshal(past.Gaps, &before); err != nil {
		return nil, false, fmt.Errorf("reading the gaps that were known: %w", err)
	}
	for id, text := range p.gaps {
		if before[id] == text {
			continue
		}
		if began, err := beganAt(text); err == nil && (since == nil || began.Before(*since)) {
			since = &began
		}
	}
	return since, false, nil
}

// dropBacklog is for when the days are others than they were: the backlog is counted anew with the chats.
func (p *refresh) dropBacklog(ctx context.Context) error {
	if err := p.q.DropBacklog(ctx, p.orgID); err != nil {
		return fmt.Errorf("dropping the backlog: %w", err)
	}
	if err := p.q.DropChatSpans(ctx, p.orgID); err != nil {
		return fmt.Errorf("dropping the spans: %w", err)
	}
	return nil
}

// chats does some of the chats that are marked.
func (p *refresh) chats(ctx context.Context) (n int64, err error) {
	marked, err := p.q.GetDirtyChats(ctx, db.GetDirtyChatsParams{OrgID: p.orgID, Chats: chatsAtOnce})
	if err != nil || len(marked) == 0 {
		return 0, err
	}
	clear := db.ClearDirtyChatsParams{OrgID: p.orgID}
	for _, m := range marked {
		clear.ChatIds, clear.DirtyAts = append(clear.ChatIds, m.ChatID), append(clear.DirtyAts, m.DirtyAt)
	}
	chats, err := loadChats(ctx, p.q, p.orgID, clear.ChatIds)
	if err != nil {
		return 0, err
	}
	changes := backlog{}
	old, err := p.q.GetChatSpans(ctx, db.GetChatSpansParams{OrgID: p.orgID, ChatIds: clear.ChatIds})
	if err != nil {
		return 0, fmt.Errorf("reading analytics.chat_spans: %w", err)
	}
	for _, s := range old {
		span := Span{State: s.State, BeganAt: s.BeganAt, EndedAt: s.EndedAt, AssignedUserID: s.AssignedUserID}
		changes.add(p.org.Settings, &span, -1, p.through)
	}
	var facts []*Facts
	for _, c := range chats {
		f := Derive(c, p.org)
		for i := range f.Spans {
			changes.add(p.org.Settings, &f.Spans[i], 1, p.through)
		}
		facts = append(facts, f)
	}
	if err := save(ctx, p.tx, p.orgID, clear.ChatIds, facts, p.now); err != nil {
		return 0, err
	}
	if err := changes.save(ctx, p.q, p.orgID); err != nil {
		return 0, err
	}
	// Last of all: until the commit that follows, ingest waits where it marks one of these chats.
	if err := p.q.ClearDirtyChats(ctx, clear); err != nil {
		return 0, fmt.Errorf("clearing ops.dirty_chats: %w", err)
	}
	return int64(len(marked)), nil
}
