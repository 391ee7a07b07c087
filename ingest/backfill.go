package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"archiver/db"
	"archiver/invent"
	"archiver/spool"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
)

// ErrBackfilling is returned by Backfill while another one uses the same spool.
var ErrBackfilling = errors.New("another backfill is at work here")

// BackfillConfig is what Backfill needs.
type BackfillConfig struct {
	Client   *invent.Client
	Pool     *pgxpool.Pool
	SpoolDir string // a spool for backfills alone
	Instance string
	Orgs     []string // ids, or invent.OwnOrg
	Since    time.Time
	RPM      int // most requests a minute, above 0
	Log      *slog.Logger
	Progress func(BackfillProgress) // called with each chat; may be nil
}

// BackfillProgress says how far the backfill of one org has come. Chats is 0 while the list of chats is read.
type BackfillProgress struct {
	OrgID       string
	Done, Chats int
}

// BackfillResult is what a backfill came to, over all orgs.
type BackfillResult struct {
	Chats    int   // that changed since
	Complete int   // of these, whose messages were all there already
	Failed   int   // of these, whose messages could not be read
	Messages int64 // that were read, known ones among them
}

// Backfill reads what changed since a time from the REST lists: the chats, and their messages since then. The pages go
// through a spool of their own into Postgres, the way of all events, beside whoever listens to the orgs. It returns when
// all of them are there.
//
// A backfill that was ended is simply run again: what its spool holds is written first, and chats whose messages are known
// to be complete (inbox.chats.messages_complete_from and _through) are not read again.
func Backfill(ctx context.Context, c BackfillConfig) (result BackfillResult, err error) {
	s, err := spool.Open(c.SpoolDir, spool.Options{Log: c.Log})
	if errors.Is(err, spool.ErrLocked) {
		return result, ErrBackfilling
	}
	if err != nil {
		return result, fmt.Errorf("opening the spool of backfills: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	lane := NewLane(LaneConfig{Spool: s, Pool: c.Pool, Instance: c.Instance, Log: c.Log, MayBeLate: true, Beside: true})
	b := &backfill{config: c, lane: lane, budget: newBudget(c.RPM), result: &result}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return lane.Run(ctx) })
	group.Go(func() error {
		defer s.Seal()
		for _, org := range c.Orgs {
			err := b.fill(ctx, org)
			var status *invent.StatusError
			if errors.As(err, &status) && status.Refused() {
				return &RefusedError{org, err}
			}
			if err != nil {
				return fmt.Errorf("org %s: %w", org, err)
			}
		}
		return nil
	})
	return result, group.Wait()
}

// backfill is one call of Backfill.
type backfill struct {
	config BackfillConfig
	lane   *Lane
	budget *rate.Limiter
	result *BackfillResult
}

// fill reads one org.
func (b *backfill) fill(ctx context.Context, org string) error {
	orgID, ok, err := b.config.Client.ResolveOrg(ctx, org)
	switch {
	case err != nil:
		return err
	case !ok:
		b.config.Log.Info("the inbox is empty: nothing to fetch", "org", org)
		return nil
	}
	p := &sweep{client: b.config.Client, budget: b.budget, lane: b.lane, orgID: orgID, log: b.config.Log}
	b.tell(orgID, 0, 0)
	changed, err := p.chats(ctx, b.config.Since)
	if err != nil {
		return err
	}
	if err := p.committed(ctx); err != nil {
		return err
	}
	incomplete, err := db.New(b.config.Pool).GetChatsToFill(ctx, db.GetChatsToFillParams{
		OrgID: orgID, ChatIds: append([]string{}, changed...), Since: b.config.Since.UTC(),
	})
	if err != nil {
		return fmt.Errorf("finding the chats whose messages are not complete: %w", err)
	}
	b.result.Chats += len(changed)
	b.result.Complete += len(changed) - len(incomplete)
	p.entries = 0
	for i, chat := range incomplete {
		b.tell(orgID, len(changed)-len(incomplete)+i, len(changed))
		from := b.config.Since
		if chat.CreatedAt != nil && !chat.CreatedAt.Before(from) {
			from = time.Time{} // as much, and known to be all of it
		}
		if err := b.fillChat(ctx, p, chat.ChatID, from); err != nil {
			return err
		}
	}
	b.result.Messages += p.entries
	b.tell(orgID, len(changed), len(changed))
	return p.committed(ctx)
}

// fillChat reads one chat. What is about this chat alone does not end the others'.
func (b *backfill) fillChat(ctx context.Context, p *sweep, chatID string, from time.Time) error {
	err := p.messages(ctx, chatID, from)
	var status *invent.StatusError
	if err == nil || ctx.Err() != nil || errors.Is(err, spool.ErrFull) || errors.As(err, &status) && status.Refused() {
		return err
	}
	b.result.Failed++
	b.config.Log.Warn("a chat's messages could not be read", "error", describeError(err))
	return nil
}

func (b *backfill) tell(orgID string, done, chats int) {
	if b.config.Progress != nil {
		b.config.Progress(BackfillProgress{OrgID: orgID, Done: done, Chats: chats})
	}
}
