package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"archiver/db"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
	"golang.org/x/time/rate"
)

const (
	// overlap is how much earlier than a gap the lists are read from: the clocks of Invent and of this machine differ, and
	// the last bytes that were heard may have been half a frame.
	overlap = 5 * time.Minute
	// repairEvery is how often gaps that could not be repaired are tried again.
	repairEvery = 10 * time.Minute
	// maxPasses bounds how often a list is read that shifts while it is read.
	maxPasses = 5
	// maxTries bounds how often one page is asked for; a 429 does not count, it is waited out.
	maxTries = 5
)

// reconciler repairs gaps: it reads what changed since a gap began from the REST lists and puts the pages, whole, into
// the spool, from where they go the way of all events. All orgs share its budget of requests.
type reconciler struct {
	ingester *Ingester
	budget   *rate.Limiter
	wake     map[string]chan struct{} // by the org's name; a session that has connected wakes it
}

func newReconciler(i *Ingester, perMinute int) *reconciler {
	r := &reconciler{
		ingester: i, budget: rate.NewLimiter(rate.Limit(float64(perMinute)/60), 1), wake: map[string]chan struct{}{},
	}
	for _, org := range i.config.Orgs {
		r.wake[org] = make(chan struct{}, 1)
	}
	return r
}

// connected is called when an org is listened to again: only then can its gap be repaired without opening another.
func (r *reconciler) connected(org string) {
	select {
	case r.wake[org] <- struct{}{}:
	default:
	}
}

// run repairs the gaps of one org until ctx ends.
func (r *reconciler) run(ctx context.Context, s *session) {
	wait := time.NewTicker(repairEvery)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake[s.org]:
		case <-wait.C:
		}
		if s.notReady() != "" || s.orgID() == invent.OwnOrg {
			continue
		}
		if err := r.repair(ctx, s); err != nil && ctx.Err() == nil {
			s.log.Warn("the gap could not be repaired; it is tried again", "error", describeError(err), "retry_in", repairEvery)
		}
	}
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
	p := &sweep{reconciler: r, orgID: s.orgID(), since: since, lane: r.ingester.laneOf(s.orgID()), log: s.log}
	p.log.Info("repairing what was missed", "gaps", len(ids), "since", since.UTC().Format(time.RFC3339))
	began := time.Now()
	failure := p.run(ctx)
	end := db.EndRepairParams{
		OrgID: s.orgID(), GapIds: ids, Status: gapUnrepaired, ChatsSwept: int64(len(p.changed)),
	}
	if failure == nil {
		at := time.Now().UTC()
		end.Status, end.RepairedAt = gapRepaired, &at
	}
	if len(p.changed) > 0 && ctx.Err() == nil {
		end.MessagesRecovered, err = q.CountRecovered(ctx, db.CountRecoveredParams{
			OrgID: s.orgID(), ChatIds: p.changed, AfterAt: began.UTC(), UntilAt: time.Now().UTC(),
		})
		if err != nil {
			return errors.Join(failure, err)
		}
	}
	if err := q.EndRepair(context.WithoutCancel(ctx), end); err != nil {
		return errors.Join(failure, err)
	}
	if failure == nil {
		p.log.Info("what was missed is repaired", "gaps", len(ids), "chats", end.ChatsSwept, "messages", end.MessagesRecovered)
	}
	return failure
}

// sweep is one reading of an org's lists.
type sweep struct {
	*reconciler
	orgID   string
	since   time.Time
	lane    *Lane
	log     *slog.Logger
	decoder invent.Decoder // of this reading alone: orgs are read at the same time
	changed []string       // chats that changed since
	last    int64          // seq of the last page that was spooled
}

// run reads the list of chats, then the messages of those that changed, and returns once all of it is in Postgres.
func (p *sweep) run(ctx context.Context) error {
	p.lane.mayBeLate.Add(1)
	defer p.lane.mayBeLate.Add(-1)
	if err := p.chats(ctx); err != nil {
		return err
	}
	for _, chatID := range p.changed {
		if err := p.messages(ctx, chatID); err != nil {
			return err
		}
	}
	return p.committed(ctx)
}

// chats reads the list of chats again and again, until it brings none that was not seen before: it has no promised
// order, and a chat that changes may move to a page that was read already.
func (p *sweep) chats(ctx context.Context) error {
	seen := map[string]bool{}
	for range maxPasses {
		count, isNew := -1, false
		for page := 1; ; page++ {
			got, err := p.ask(ctx, KindChatsPage, func() (*invent.Page, error) {
				return p.ingester.config.Client.InboxPage(ctx, p.orgID, page, invent.MaxTake)
			})
			if err != nil {
				return fmt.Errorf("reading page %d of the inbox list: %w", page, err)
			}
			chats, _ := p.decoder.Chats(got.Body)
			for i := range chats {
				c := &chats[i]
				if seen[c.ID.V] {
					continue
				}
				seen[c.ID.V], isNew = true, true
				if !c.UpdatedAt.Given() || !c.UpdatedAt.V.Before(p.since) {
					p.changed = append(p.changed, strings.Clone(c.ID.V))
				}
			}
			if count = got.Count; len(chats) == 0 || count >= 0 && page*invent.MaxTake >= count {
				break
			}
		}
		if !isNew || count >= 0 && len(seen) >= count {
			return nil
		}
	}
	return fmt.Errorf("the inbox list still shifts after %d readings", maxPasses)
}

// messages reads what was written in a chat since, in the same way.
func (p *sweep) messages(ctx context.Context, chatID string) error {
	seen := map[string]bool{}
	for range maxPasses {
		count, isNew := -1, false
		for page := 1; ; page++ {
			got, err := p.ask(ctx, KindMessagesPage, func() (*invent.Page, error) {
				return p.ingester.config.Client.MessagesPage(ctx, chatID, p.since, page, invent.MaxTake)
			})
			if err != nil {
				return fmt.Errorf("reading page %d of a chat's messages: %w", page, err)
			}
			if got.Status >= 400 {
				return nil // it is gone, which the spooled answer says
			}
			messages, _ := p.decoder.Messages(got.Body)
			for i := range messages {
				isNew = isNew || !seen[messages[i].ID.V]
				seen[strings.Clone(messages[i].ID.V)] = true
			}
			if count = got.Count; len(messages) == 0 || count >= 0 && page*invent.MaxTake >= count {
				break
			}
		}
		if !isNew || count >= 0 && len(seen) >= count {
			return nil
		}
	}
	return fmt.Errorf("a chat's messages still shift after %d readings", maxPasses)
}

// ask makes one request within the budget and spools its answer. What Invent asks to be waited for is waited for.
func (p *sweep) ask(ctx context.Context, kind string, request func() (*invent.Page, error)) (*invent.Page, error) {
	wait := backoff{base: time.Second, limit: time.Minute}
	for {
		if err := p.room(ctx); err != nil {
			return nil, err
		}
		if err := p.budget.Wait(ctx); err != nil {
			return nil, err
		}
		page, err := request()
		if err == nil {
			return page, p.spool(kind, page)
		}
		var status *invent.StatusError
		limited := errors.As(err, &status) && status.Status == 429
		if status != nil && status.Status < 500 && !limited || !limited && wait.failures >= maxTries || ctx.Err() != nil {
			return nil, err
		}
		var atLeast time.Duration
		if status != nil {
			atLeast = status.RetryAfter
		}
		if !sleep(ctx, wait.next(atLeast)) {
			return nil, ctx.Err()
		}
	}
}

// room waits until the spool is less than half full: what comes over the socket cannot be fetched again, pages can.
func (p *sweep) room(ctx context.Context) error {
	for s := p.lane.spool.Stats(); s.Bytes*2 > s.MaxBytes; s = p.lane.spool.Stats() {
		if !sleep(ctx, fullEvery) {
			return ctx.Err()
		}
	}
	return nil
}

// spool puts an answer into the lane, as fresh as its request's start.
func (p *sweep) spool(kind string, page *invent.Page) error {
	request, err := json.Marshal(requestOf(page))
	if err != nil {
		return fmt.Errorf("describing the request: %w", err)
	}
	r := spool.Record{
		ReceivedAt: page.FinishedAt, ObservedAt: page.StartedAt, OrgID: p.orgID, Source: SourceREST, Kind: kind,
		Request: request, Body: page.Body,
	}
	if err := p.lane.spool.Append(&r); err != nil {
		return fmt.Errorf("appending to the spool: %w", err)
	}
	p.last = r.Seq
	return nil
}

func requestOf(page *invent.Page) Request {
	header := func(n int) *int {
		if n < 0 {
			return nil
		}
		return &n
	}
	return Request{
		Path: page.Path, Query: page.Query, Status: page.Status, StartedAt: page.StartedAt.UTC(),
		Count: header(page.Count), Page: header(page.Page), Take: header(page.Take),
	}
}

// committed waits until the last page is in Postgres.
func (p *sweep) committed(ctx context.Context) error {
	for p.lane.Committed() < p.last {
		if !sleep(ctx, 50*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}
