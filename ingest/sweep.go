package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"archiver/invent"
	"archiver/spool"

	"golang.org/x/time/rate"
)

const (
	// overlap is how much earlier than they seem to be needed the lists are read from: the clocks of Invent and of this
	// machine differ, and the last bytes that were heard may have been half a frame.
	overlap = 5 * time.Minute
	// maxPasses bounds how often a list is read that shifts while it is read.
	maxPasses = 5
	// maxTries bounds how often one page is asked for; a 429 does not count, it is waited out.
	maxTries = 5
)

// sweep reads an org's lists and puts the pages, whole, into the spool, from where they go the way of all events.
type sweep struct {
	client  *invent.Client
	budget  *rate.Limiter // of requests, shared by all that makes any
	lane    *Lane
	orgID   string
	log     *slog.Logger
	decoder invent.Decoder
	last    int64 // seq of the last page that was spooled
	entries int64 // of lists that were read, each once
}

// list is one list of the API.
type list struct {
	kind string    // of its pages
	from time.Time // entries before it are left out; zero: all are in
	page func(ctx context.Context, number int) (*invent.Page, error)
	// entries are those of a page; nil where it has none.
	entries func(p *invent.Page) []entry
}

// entry is one of a list's.
type entry struct {
	id        string
	createdAt time.Time // by Invent's clock; zero where it does not say
}

// read reads a list again and again, until it brings nothing that was not seen before: it has no promised order, and an
// entry that changes may move to a page that was read already. What was created since the first reading began does not
// count, or a busy inbox would never come to an end. The page that ends it says so (Request.Completes).
func (p *sweep) read(ctx context.Context, l list) error {
	seen := map[string]bool{}
	var first time.Time
	for range maxPasses {
		var began time.Time
		inPass := map[string]bool{}
		for number, isNew := 1, false; ; number++ {
			page, err := p.ask(ctx, func() (*invent.Page, error) { return l.page(ctx, number) })
			if err != nil {
				return fmt.Errorf("reading page %d: %w", number, err)
			}
			if number == 1 {
				began = page.StartedAt
			}
			if first.IsZero() {
				first = began
			}
			request := requestOf(page)
			if page.Status >= 400 {
				return p.spool(l.kind, request, page) // what the list is of is gone, which the answer says
			}
			before := len(inPass)
			for _, e := range l.entries(page) {
				if !seen[e.id] {
					isNew = isNew || e.createdAt.Before(first)
					seen[e.id] = true
					p.entries++
				}
				inPass[e.id] = true
			}
			// A page that repeats others ends the reading too: an API that ignores the number would go on for ever.
			isLast := len(inPass) == before || page.Count >= 0 && number*invent.MaxTake >= page.Count
			isComplete := isLast && (!isNew || page.Count >= 0 && len(seen) >= page.Count)
			if isComplete {
				request.completes(l.from, began)
			}
			if err := p.spool(l.kind, request, page); err != nil || isComplete {
				return err
			}
			if isLast {
				break
			}
		}
	}
	return fmt.Errorf("it still shifts after %d readings", maxPasses)
}

// chats reads the list of chats; changed are those that changed at since or later, by Invent's clock.
func (p *sweep) chats(ctx context.Context, since time.Time) (changed []string, err error) {
	seen := map[string]bool{}
	err = p.read(ctx, list{
		kind: KindChatsPage,
		page: func(ctx context.Context, number int) (*invent.Page, error) {
			return p.client.InboxPage(ctx, p.orgID, number, invent.MaxTake)
		},
		entries: func(page *invent.Page) (all []entry) {
			chats, _ := p.decoder.Chats(page.Body)
			for i := range chats {
				c := &chats[i]
				id := strings.Clone(c.ID.V)
				all = append(all, entry{id, c.CreatedAt.V})
				if !seen[id] && (!c.UpdatedAt.Given() || !c.UpdatedAt.V.Before(since)) {
					changed = append(changed, id)
				}
				seen[id] = true
			}
			return all
		},
	})
	if err != nil {
		return nil, fmt.Errorf("the inbox list: %w", err)
	}
	return changed, nil
}

// messages reads what was written in a chat at from or later; a zero from means all of it.
func (p *sweep) messages(ctx context.Context, chatID string, from time.Time) error {
	err := p.read(ctx, list{
		kind: KindMessagesPage, from: from,
		page: func(ctx context.Context, number int) (*invent.Page, error) {
			return p.client.MessagesPage(ctx, chatID, from, number, invent.MaxTake)
		},
		entries: func(page *invent.Page) (all []entry) {
			messages, _ := p.decoder.Messages(page.Body)
			for i := range messages {
				all = append(all, entry{strings.Clone(messages[i].ID.V), messages[i].CreatedAt.V})
			}
			return all
		},
	})
	if err != nil {
		return fmt.Errorf("the messages of chat %s: %w", chatID, err)
	}
	return nil
}

// ask makes one request within the budget. What Invent asks to be waited for is waited for.
func (p *sweep) ask(ctx context.Context, request func() (*invent.Page, error)) (*invent.Page, error) {
	wait := backoff{base: time.Second, limit: time.Minute}
	for tries := 1; ; {
		if err := p.room(ctx); err != nil {
			return nil, err
		}
		if err := p.turn(ctx); err != nil {
			return nil, err
		}
		page, err := p.counted(request)
		if err == nil {
			return page, nil
		}
		var status *invent.StatusError
		limited := errors.As(err, &status) && status.Status == 429
		if status != nil && status.Status < 500 && !limited || !limited && tries >= maxTries || ctx.Err() != nil {
			return nil, err
		}
		if !limited {
			tries++
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
func (p *sweep) spool(kind string, request Request, page *invent.Page) error {
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("describing the request: %w", err)
	}
	r := spool.Record{
		ReceivedAt: page.FinishedAt, ObservedAt: page.StartedAt, OrgID: p.orgID, Source: SourceREST, Kind: kind,
		Request: text, Body: page.Body,
	}
	if err := p.lane.spool.Append(&r); err != nil {
		return fmt.Errorf("appending to the spool: %w", err)
	}
	p.last = r.Seq
	return nil
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
