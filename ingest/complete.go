package ingest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"archiver/db"
	"archiver/internal/failpoint"
	"archiver/invent"
)

const (
	// quietAfter is how long nothing must have been seen of a chat for its messages to be completed: a chat that goes on
	// would have to be read again.
	quietAfter = 10 * time.Minute
	// completeEvery is how often it is looked for such chats where there were none; the look reads all of the org's chats.
	completeEvery = 5 * time.Minute
	// completeAtOnce is how many are completed before it is looked for them again, and for gaps.
	completeAtOnce = 200
	// passOverFor is how long a chat whose messages could not be read is left alone.
	passOverFor = time.Hour
)

// completion is how far one org's completion has come.
type completion struct {
	nextAt   time.Time
	failedAt map[string]time.Time // chats whose messages could not be read
}

func newCompletion() *completion { return &completion{failedAt: map[string]time.Time{}} }

func (c *completion) pause() time.Duration { return time.Until(c.nextAt).Round(time.Second) }

// complete reads the message lists of some chats that have gone quiet to their end, so that their messages are known to be
// all there, and says whether there may be more of them. It stops early when the org has connected again: a gap comes first.
func (r *reconciler) complete(ctx context.Context, s *session, c *completion) (more bool, err error) {
	if time.Now().Before(c.nextAt) {
		return false, nil
	}
	quiet := failpoint.Duration("quiet-after", quietAfter)
	c.nextAt = time.Now().Add(min(completeEvery, quiet))
	maps.DeleteFunc(c.failedAt, func(_ string, at time.Time) bool { return time.Since(at) > passOverFor })
	chats, err := db.New(r.ingester.config.Pool).GetIncompleteChats(ctx, db.GetIncompleteChatsParams{
		OrgID: s.orgID(), QuietSince: time.Now().Add(-quiet).UTC(), Chats: completeAtOnce,
		ExceptChatIds: append([]string{}, slices.Collect(maps.Keys(c.failedAt))...),
	})
	if err != nil || len(chats) == 0 {
		return false, err
	}
	if err := r.completeChats(ctx, s, c, chats); err != nil {
		return false, err
	}
	c.nextAt = time.Time{}
	return true, nil
}

func (r *reconciler) completeChats(ctx context.Context, s *session, c *completion, chats []db.GetIncompleteChatsRow) error {
	p := r.sweepOf(s)
	defer p.lane.expectingLate()()
	for _, chat := range chats {
		err := p.messages(ctx, chat.ChatID, fillFrom(&chat))
		var status *invent.StatusError
		switch {
		case err == nil:
		case ctx.Err() != nil || errors.As(err, &status) && status.Refused():
			return err
		default:
			c.failedAt[chat.ChatID] = time.Now()
			s.log.Warn("a chat's messages could not be read; it is passed over for a while", "error", describeError(err), "retry_in", passOverFor)
		}
		if len(r.wake[s.org]) > 0 || !s.isListening() {
			break
		}
	}
	return p.committed(ctx)
}

// fillFrom is from when on a chat's messages are to be read: all of them, but for those of a chat that was read from its
// beginning before.
func fillFrom(c *db.GetIncompleteChatsRow) time.Time {
	if c.MessagesCompleteThrough == nil || c.MessagesCompleteFrom.After(firstMessages) {
		return time.Time{}
	}
	return c.MessagesCompleteThrough.Add(-overlap)
}
