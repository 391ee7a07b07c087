package ingest

import (
	"context"
	"errors"
	"strings"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/invent"
)

const (
	// deafAfter is how long a connection may bring nothing before the inbox list is asked whether there was something to
	// bring. Where there was nothing, it is asked again after twice as long, up to deafAtMost.
	deafAfter  = 15 * time.Minute
	deafAtMost = 4 * time.Hour
	// underWay is how old a change must be for its event to be missed rather than on its way.
	underWay = time.Minute
)

// errDeaf ends a connection that is open, answers pings, and does not bring what happens.
var errDeaf = errors.New("the connection was open and brought nothing, while chats changed")

// silence is how long a connection has brought nothing, and when to ask about it.
type silence struct {
	since time.Time     // the last frame, or the opening
	after time.Duration // ask when it has lasted so long
}

func newSilence() *silence { return &silence{} }

// askWhetherDeaf asks the inbox list whether a connection that has brought nothing for a while has missed something, and
// ends it if so: what follows is a gap like every other.
func (r *reconciler) askWhetherDeaf(ctx context.Context, s *session, quiet *silence) error {
	since, ok := s.quietSince()
	if !ok {
		return nil
	}
	first := failpoint.Duration("deaf-after", deafAfter)
	if !since.Equal(quiet.since) {
		*quiet = silence{since: since, after: first}
	}
	if time.Since(since) < quiet.after {
		return nil
	}
	missed, err := r.hasMissed(ctx, s, since)
	if err != nil {
		return err
	}
	if now, ok := s.quietSince(); !ok || !now.Equal(since) {
		return nil // it has brought something meanwhile
	}
	if missed {
		s.log.Error("the connection is open, but does not bring what happens in the inbox; connecting again", "quiet_since", since.UTC().Format(time.RFC3339))
		s.abandon(errDeaf)
		return nil
	}
	quiet.after = min(2*quiet.after, max(deafAtMost, first))
	return nil
}

// hasMissed reads the inbox list until a chat that has changed since in a way that is not stored. The pages are not
// kept: the whole list would be archived each time only to find that nothing has happened.
func (r *reconciler) hasMissed(ctx context.Context, s *session, since time.Time) (bool, error) {
	p, seen := r.sweepOf(s), map[string]bool{}
	for number := 1; ; number++ {
		page, err := p.ask(ctx, func() (*invent.Page, error) {
			return p.client.InboxPage(ctx, p.orgID, number, invent.MaxTake)
		})
		if err != nil {
			return false, err
		}
		var ahead time.Duration // of Invent's clock
		if !page.ServerDate.IsZero() {
			ahead = page.ServerDate.Sub(page.StartedAt.Truncate(time.Second))
		}
		grace := min(underWay, failpoint.Duration("deaf-after", underWay))
		from, to := since.Add(ahead+grace), page.StartedAt.Add(ahead-grace)
		suspects := db.GetNewerChatsParams{OrgID: p.orgID}
		chats, _ := p.decoder.Chats(page.Body)
		before := len(seen)
		for i := range chats {
			seen[strings.Clone(chats[i].ID.V)] = true
			if at := chats[i].UpdatedAt; at.Given() && at.V.After(from) && at.V.Before(to) {
				suspects.ChatIds = append(suspects.ChatIds, chats[i].ID.V)
				suspects.UpdatedAts = append(suspects.UpdatedAts, at.V.UTC())
			}
		}
		if len(suspects.ChatIds) > 0 {
			newer, err := db.New(r.ingester.config.Pool).GetNewerChats(ctx, suspects)
			if err != nil || len(newer) > 0 {
				return err == nil, err
			}
		}
		if len(seen) == before || page.Count >= 0 && number*invent.MaxTake >= page.Count {
			return false, nil
		}
	}
}

// quietSince is since when the open connection has brought nothing; false when there is none, or what it brought is not
// in Postgres yet.
func (s *session) quietSince() (time.Time, bool) {
	s.mu.Lock()
	c, connected := s.current, s.connected
	s.mu.Unlock()
	if !connected || c == nil || s.ingester.pending() > 0 {
		return time.Time{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.lastFrameAt.IsZero() {
		return c.lastFrameAt, true
	}
	return *c.openedAt, true
}

// abandon ends the open connection.
func (s *session) abandon(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.giveUp != nil {
		s.giveUp(why)
	}
}
