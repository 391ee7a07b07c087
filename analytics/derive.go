package analytics

import (
	"cmp"
	"slices"
	"time"
)

// Derive works out the facts of a chat. They depend on nothing but the chat and its org.
func Derive(c *Chat, o *Org) *Facts {
	w := &walk{chat: c, org: o, facts: &Facts{}, belongs: map[*Message]*caseWork{}}
	w.run()
	w.finish()
	return w.facts
}

// walk goes through a chat's messages and changes in the order they happened. Of the same moment the message comes first:
// what a reply closes is closed after it, and what a customer reopens was closed when they wrote.
type walk struct {
	chat  *Chat
	org   *Org
	facts *Facts

	next    int      // of the changes: those before it have happened
	state   *Change  // the last that has happened; nil before the first
	before  *Message // the last message that counts
	cases   []*caseWork
	current *caseWork // the last one
	belongs map[*Message]*caseWork
	ratings []*ratingWork
	spans   []Span
	// afterwords are what the business says when no case is open: what a person says opens one if the chat is reopened before
	// the customer writes.
	afterwords []*Message
}

func (w *walk) run() {
	for i := range w.chat.Messages {
		m := &w.chat.Messages[i]
		for w.next < len(w.chat.Changes) && w.chat.Changes[w.next].At.Before(m.At) {
			w.change()
		}
		if m.counts() {
			w.message(m)
			w.before = m
		}
	}
	for w.next < len(w.chat.Changes) {
		w.change()
	}
}

// message takes in a message. A case is opened by the first one of the customer while the chat is new or closed, by a broadcast,
// or by a person of the team who writes first. What the business says in a closed chat is an afterword of the case before,
// unless the chat is then reopened without the customer; and what the AI says unasked (a welcome, a follow-up) opens nothing.
func (w *walk) message(m *Message) {
	isClosed, isOver := w.isClosed(), w.current == nil || w.current.isOver()
	switch {
	case m.Sender == senderCustomer:
		if isOver && isClosed && w.isThanks(m) {
			w.leaveAfterwords() // the customer wrote before any reopening
			return
		}
		if isOver || isClosed && w.current.FirstCustomerMessageAt == nil {
			w.open(m, m.Sender)
		}
	case !isOver:
	case m.Sender == senderBroadcast:
		w.open(m, senderBroadcast)
	case isClosed || m.Sender == senderAI:
		w.afterwords = append(w.afterwords, m)
		return
	default:
		w.open(m, "business")
	}
	w.take(m)
}

// take gives the current case a message.
func (w *walk) take(m *Message) {
	w.current.take(m)
	w.belongs[m] = w.current
}

// leaveAfterwords gives the case that was closed what was said after it.
func (w *walk) leaveAfterwords() {
	if w.current != nil {
		for _, m := range w.afterwords {
			w.take(m)
		}
	}
	w.afterwords = nil
}

func (w *walk) isClosed() bool { return w.state != nil && w.state.isClosed() }

// isThanks reports whether the customer writes so soon after a close that it opens nothing.
func (w *walk) isThanks(m *Message) bool {
	window := w.org.Settings.ThanksWindow
	return window > 0 && w.current != nil && m.At.Sub(*w.current.LastClosedAt) <= window
}

func (w *walk) open(m *Message, by string) {
	w.leaveAfterwords()
	c := &caseWork{before: w.before, statesFrom: w.statesFrom(m)}
	c.OrgID, c.ChatID, c.CaseNumber = w.chat.OrgID, w.chat.ChatID, len(w.cases)+1
	c.OpenedAt, c.OpenedBy, c.OpeningMessageID = m.At, by, m.ID
	c.OpenedLocalDate, c.OpenedLocalHour = w.date(m.At), int16(w.org.Settings.LocalHour(m.At)) //nolint:gosec // 0 to 23
	if s := w.stateAt(m.At); s != nil {
		c.AssistantID, c.AssistantConfigID, c.IntegrationID = s.AssistantID, s.AssistantConfigID, s.IntegrationID
		c.HasAutoCSAT, c.AssignedUserID = s.HasAutoCSAT, s.AssignedUserID
	}
	w.cases, w.current = append(w.cases, c), c
}

// statesFrom is since when a state that was missed may mean that a message opens no case, or that one before it did: the case
// before was seen open, the chat was seen to come to stand as it does, or to stand otherwise than right after the message.
func (w *walk) statesFrom(m *Message) time.Time {
	from := m.At
	since := func(t *time.Time) {
		if t != nil && t.Before(from) {
			from = *t
		}
	}
	if w.current != nil {
		since(w.current.ClosedAt)
		since(w.current.ClosedAfter)
	}
	if w.state != nil {
		since(&w.state.At)
	}
	if w.next < len(w.chat.Changes) {
		since(w.chat.Changes[w.next].UnchangedUntil)
	}
	return from
}

// stateAt is how the chat stood at a time; before the first version that was seen, as that.
func (w *walk) stateAt(at time.Time) *State {
	all := w.chat.Changes
	if len(all) == 0 {
		return nil
	}
	i, _ := slices.BinarySearchFunc(all, at, func(c Change, at time.Time) int {
		if c.At.After(at) {
			return 1
		}
		return -1
	})
	return &all[max(i-1, 0)].State
}

// change takes in the next change of the chat's state.
func (w *walk) change() {
	before, now := w.state, &w.chat.Changes[w.next]
	w.state, w.next = now, w.next+1
	wasClosed, isClosed := before != nil && before.isClosed(), now.isClosed()
	w.span(now)
	if wasClosed && !isClosed {
		if w.lastClosed() != nil {
			w.lastClosed().Reopens++
		}
		isHuman := func(m *Message) bool { return m.Sender == senderHuman }
		if first := slices.IndexFunc(w.afterwords, isHuman); first >= 0 {
			said := w.afterwords[first:]
			w.afterwords = w.afterwords[:first]
			w.open(said[0], "business")
			for _, m := range said {
				w.take(m)
			}
		}
	}
	if w.current != nil {
		w.current.change(before, now)
	}
	w.rate(before, now)
}

// lastClosed is the last case that was closed; nil when none was.
func (w *walk) lastClosed() *caseWork {
	for _, c := range slices.Backward(w.cases) {
		if c.isOver() {
			return c
		}
	}
	return nil
}

// span begins where the state or who is in charge changes.
func (w *walk) span(now *Change) {
	if n := len(w.spans); n > 0 {
		last := &w.spans[n-1]
		if equal(last.State, now.State.State) && equal(last.AssignedUserID, now.AssignedUserID) {
			return
		}
		last.EndedAt = &now.At
	}
	w.spans = append(w.spans, Span{
		OrgID: w.chat.OrgID, ChatID: w.chat.ChatID, SpanNumber: len(w.spans) + 1, State: now.State.State,
		BeganAt: now.At, AssignedUserID: now.AssignedUserID,
	})
}

// finish makes rows of what was found.
func (w *walk) finish() {
	w.leaveAfterwords()
	w.refer()
	w.spend()
	for i, c := range w.cases {
		var following *caseWork
		if i+1 < len(w.cases) {
			following = w.cases[i+1]
		}
		w.finishCase(c, following)
	}
	w.turns("any", func(m *Message) bool { return m.isReply() })
	w.turns("human", func(m *Message) bool { return m.Sender == senderHuman })
	w.finishRatings()
	for _, c := range w.cases {
		w.facts.Cases = append(w.facts.Cases, c.Case)
	}
	if n := len(w.spans); n > 0 && w.chat.DeletedAt != nil && w.spans[n-1].EndedAt == nil {
		end := *w.chat.DeletedAt
		if end.Before(w.spans[n-1].BeganAt) {
			end = w.spans[n-1].BeganAt
		}
		w.spans[n-1].EndedAt = &end
	}
	w.facts.Spans = w.spans
}

// refer gives each referral to the case it brought: the last that was opened when the chat first showed it.
func (w *walk) refer() {
	for i := range w.chat.Referrals {
		r := &w.chat.Referrals[i]
		for j, c := range slices.Backward(w.cases) {
			if j == 0 || !c.OpenedAt.After(r.SeenAt) {
				c.ReferralID, c.AdID = &r.ID, r.AdID
				break
			}
		}
	}
}

func (w *walk) date(at time.Time) Date { return Date{w.org.Settings.LocalDate(at)} }

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// latest is the later of times, nil ones left aside.
func latest(at time.Time, more ...*time.Time) time.Time {
	for _, t := range more {
		if t != nil && cmp.Compare(t.UnixNano(), at.UnixNano()) > 0 {
			at = *t
		}
	}
	return at
}
