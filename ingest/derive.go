package ingest

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"archiver/db"
	"archiver/invent"
)

// derivePage is how many events of a chat are read at a time.
const derivePage = 200

// derive works a chat out anew from all of its events in raw, in the order of their versions. It is how a late event
// is taken in, and what "inbox is a function of the events in raw" means.
func (l *Lane) derive(ctx context.Context, q *db.Queries, key chatKey) (*chat, error) {
	var all []description
	collect := func(rows []db.GetChatEventsRow) {
		for i := range rows {
			e := l.again.event(key.orgID, &rows[i])
			for j := range e.chats {
				if e.chats[j].chatID == key.chatID {
					e.chats[j].release()
					all = append(all, e.chats[j])
				}
			}
		}
	}
	if err := eachPage(ctx, key, q.GetChatEvents, collect); err != nil {
		return nil, err
	}
	pages := func(ctx context.Context, p db.GetChatEventsParams) ([]db.GetChatEventsRow, error) {
		rows, err := q.GetChatPages(ctx, db.GetChatPagesParams(p))
		converted := make([]db.GetChatEventsRow, len(rows))
		for i := range rows {
			converted[i] = db.GetChatEventsRow(rows[i])
		}
		return converted, err
	}
	if err := eachPage(ctx, key, pages, collect); err != nil {
		return nil, err
	}
	return deriveFrom(key, all), nil
}

// eachPage calls use with the chat's events, page by page in the order they were received.
func eachPage(ctx context.Context, key chatKey,
	get func(context.Context, db.GetChatEventsParams) ([]db.GetChatEventsRow, error), use func([]db.GetChatEventsRow),
) error {
	p := db.GetChatEventsParams{OrgID: key.orgID, ChatID: key.chatID, PageSize: derivePage}
	for {
		rows, err := get(ctx, p)
		if err != nil {
			return err
		}
		use(rows)
		if len(rows) < derivePage {
			return nil
		}
		last := &rows[len(rows)-1]
		p.AfterReceivedAt, p.AfterStreamID, p.AfterSeq = last.ReceivedAt, last.StreamID, last.Seq
	}
}

// rereader reads stored events again; one goroutine at a time.
type rereader struct {
	decoder *invent.Decoder
	blocks  *blocks
}

func newRereader() rereader { return rereader{&invent.Decoder{}, newBlocks()} }

func (a rereader) event(orgID string, r *db.GetChatEventsRow) *event {
	e := &event{
		orgID: orgID, receivedAt: r.ReceivedAt, observedAt: r.ObservedAt, stream: r.StreamID, seq: r.Seq, kind: r.Kind,
		request: r.Request, body: r.Payload,
	}
	e.read(a.decoder, a.blocks)
	return e
}

// release lets go of the event's bytes, so that a long chat is not in memory with all it ever said.
func (d *description) release() {
	d.blocks = nil
	if d.chat != nil {
		d.chat.Features.V.JSON = bytes.Clone(d.chat.Features.V.JSON)
		if r := d.chat.Referral.V; r != nil {
			r.JSON, r.PartsJSON = bytes.Clone(r.JSON), bytes.Clone(r.PartsJSON)
		}
		if s := d.chat.State.V; s != nil {
			s.Assistant.V.Config.V = nil
		}
	}
	for i := range d.messages {
		m := d.messages[i].Message
		m.ContentsJSON, m.Features.V.JSON = bytes.Clone(m.ContentsJSON), bytes.Clone(m.Features.V.JSON)
		m.Usage.V.TurnsJSON = bytes.Clone(m.Usage.V.TurnsJSON)
	}
}

// deriveFrom folds a chat's descriptions, which it may reorder, into what they make of it.
func deriveFrom(key chatKey, all []description) *chat {
	c := newChat(key)
	c.rederived = true
	slices.SortFunc(all, func(a, b description) int {
		return cmp.Or(a.seen.compare(b.seen), bytes.Compare(a.stream[:], b.stream[:]))
	})
	for _, v := range inVersionOrder(all, (*description).clock) {
		c.foldChat(v)
	}
	byID := map[string][]saidOfMessage{}
	for i := range all {
		for j := range all[i].messages {
			m := &all[i].messages[j]
			byID[m.ID.V] = append(byID[m.ID.V], saidOfMessage{&all[i], m})
		}
	}
	for _, sayings := range byID {
		for _, s := range believed(sayings) {
			c.foldBelieved(s.by, s.m)
		}
	}
	c.markAllChanged()
	return c
}

// saidOfMessage is what one description says of a message.
type saidOfMessage struct {
	by *description
	m  *message
}

// believed sorts what was said of a message, without what would have it run again after its end: that says nothing, so
// nothing can come on top of it either.
func believed(sayings []saidOfMessage) []*saidOfMessage {
	clock := func(s *saidOfMessage) (at time.Time) {
		if own := messageClock(s.m.Message); own != nil {
			at = *own
		}
		return at
	}
	sorted, ended, ignored := inVersionOrder(sayings, clock), false, map[*message]bool{}
	for _, s := range sorted {
		if ended && s.m.IsRunning() {
			ignored[s.m] = true
		}
		ended = ended || s.m.HasEnded()
	}
	if len(ignored) == 0 {
		return sorted
	}
	return inVersionOrder(slices.DeleteFunc(sayings, func(s saidOfMessage) bool { return ignored[s.m] }), clock)
}

// inVersionOrder sorts what was said, given in the order it was observed, by the clock of its version; of two with the
// same clock the one observed later is the newer. What gives no clock comes on top of the newest version before it.
func inVersionOrder[T any](said []T, clock func(*T) time.Time) []*T {
	type versioned struct {
		clock time.Time
		said  *T
	}
	all := make([]versioned, len(said))
	var newest time.Time
	for i := range said {
		at := clock(&said[i])
		if at.IsZero() {
			at = newest
		} else if at.After(newest) {
			newest = at
		}
		all[i] = versioned{at, &said[i]}
	}
	slices.SortStableFunc(all, func(a, b versioned) int { return a.clock.Compare(b.clock) })
	sorted := make([]*T, len(all))
	for i := range all {
		sorted[i] = all[i].said
	}
	return sorted
}

func (c *chat) markAllChanged() {
	c.changed.row, c.changed.state = true, c.state != nil
	for id := range c.members {
		c.changed.addMember(id)
	}
	for _, m := range c.messages {
		m.changed = true
		for file := range m.files {
			if m.changedFiles == nil {
				m.changedFiles = map[string]bool{}
			}
			m.changedFiles[file] = true
		}
	}
}
