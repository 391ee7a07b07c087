package analytics

import "time"

func because(reason string) *string { return &reason }

// knows says how completely a case is known until end. Whoever needs its end asks with isEnded false.
func (w *walk) knows(c *caseWork, end time.Time, isEnded bool) (completeness string, why *string) {
	if why := w.isImported(c.OpenedAt); why != nil {
		return imported, why
	}
	if c.wasFoundClosed {
		return imported, because("it was closed when the chat's state was first seen")
	}
	if why := w.missesMessages(c.before, end); why != nil {
		return partial, why
	}
	if why := w.missesStates(&c.statesFrom, end); why != nil {
		return partial, why
	}
	if !isEnded && !c.isOver() {
		return censored, because("it is still open")
	}
	return complete, nil
}

// knowsUntil says whether all of a case is known from its opening to a moment in it; false for nil.
func (w *walk) knowsUntil(c *caseWork, at *time.Time) bool {
	if at == nil {
		return false
	}
	completeness, _ := w.knows(c, *at, true)
	return completeness == complete
}

// isImported says why the chat's state at a time is not known: the first version of it that was seen is a later one, and
// showed more than the chat's first message.
func (w *walk) isImported(at time.Time) *string {
	if len(w.chat.Changes) == 0 {
		return because("no state of the chat was ever seen")
	}
	first := w.chat.Changes[0].At
	if !at.Before(first) {
		return nil
	}
	earlier := 0
	for i := range w.chat.Messages {
		if m := &w.chat.Messages[i]; m.counts() && !m.At.After(first) {
			earlier++
		}
	}
	if earlier > 1 {
		return because("the chat's state was first seen later")
	}
	return nil
}

// beginning is before all messages: from then on a list is known that was read without a limit.
var beginning = time.Unix(0, 0)

// missesMessages says why messages may be missing that were written after one, nil for the chat's beginning, and until to.
// It is nil when they are known to be all there: the message list was read over all of that time, or from its beginning on
// and the socket was unbroken since, with no hole shown.
func (w *walk) missesMessages(before *Message, to time.Time) *string {
	c, from := w.chat, beginning
	if before != nil {
		from = before.At
	}
	switch {
	case c.Timeless > 0:
		return because("a message of the chat has no time")
	case c.CompleteThrough == nil:
		return because("the message list was not read to its end yet")
	case c.CompleteFrom.After(from):
		return because("the message list was not read from so early on")
	case !to.After(*c.CompleteThrough):
		return nil
	case w.org.FirstHeardAt == nil || w.org.FirstHeardAt.After(*c.CompleteThrough):
		return because("it was not listened to when the message list was read")
	}
	for i := range w.org.Gaps {
		if g := &w.org.Gaps[i]; !g.IsRepaired && g.overlaps(*c.CompleteThrough, to) {
			return because("it was not listened to, and what was missed is not fetched")
		}
	}
	if w.lacksLast(to) || w.lacksUnseen(to) {
		return because("a message of the customer is missing")
	}
	return nil
}

// sameMoment is how far apart a message's time and the state's word of it may be.
const sameMoment = time.Second

// lacksUnseen reports whether more messages came that the team had not seen than are there: of several that came with one
// version the socket shows the last. Where the message list was read since, they are there.
func (w *walk) lacksUnseen(to time.Time) bool {
	for i := range w.chat.Changes {
		c := &w.chat.Changes[i]
		if c.UnseenRise == nil || c.UnchangedUntil == nil || !c.At.After(*w.chat.CompleteThrough) || !c.UnchangedUntil.Before(to) {
			continue
		}
		var stored int64
		for j := range w.chat.Messages {
			m := &w.chat.Messages[j]
			if m.Sender == senderCustomer && !m.At.Before(c.UnchangedUntil.Add(-sameMoment)) && !m.At.After(c.At.Add(sameMoment)) {
				stored++
			}
		}
		if stored < *c.UnseenRise {
			return true
		}
	}
	return false
}

// lacksLast reports whether the chat's state speaks of a last message of the customer that is not there.
func (w *walk) lacksLast(to time.Time) bool {
	at := w.chat.LastContactMessageAt
	if at == nil || !at.After(*w.chat.CompleteThrough) || at.After(to) {
		return false
	}
	for i := range w.chat.Messages {
		m := &w.chat.Messages[i]
		if m.Sender == senderCustomer && m.At.Sub(*at).Abs() <= sameMoment {
			return false
		}
	}
	return true
}

// missesStates says why the chat's states of (from, to] may not all be known. A repair of a gap fetches the messages of that
// time, and how the chat stood at its end: then something is missing only where something happened. Of a gap that is not
// repaired nobody knows that.
func (w *walk) missesStates(from *time.Time, to time.Time) *string {
	if from == nil {
		return nil
	}
	for i := range w.org.Gaps {
		g := &w.org.Gaps[i]
		switch {
		case !g.overlaps(*from, to):
		case !g.IsRepaired:
			return because("it was not listened to, and what was missed is not fetched")
		case w.isTouchedIn(g, *from, to):
			return because("it was not listened to while something happened in the chat")
		}
	}
	return nil
}

// missesCloses says why the chat may have been closed, unseen, between two messages of the customer, so that the second one
// began a turn of its own, or shortly before the first one, so that this was thanks. Of a turn of one message that nobody
// needs to know, unless thanks open nothing.
func (w *walk) missesCloses(t *Turn, before *Message, last time.Time) (completeness string, why *string) {
	from := t.StartedAt
	if before != nil {
		from = from.Add(-w.org.Settings.ThanksWindow)
	}
	if !from.Before(last) {
		return complete, nil
	}
	if w.isImported(from) != nil {
		return imported, because("whether the chat was closed meanwhile was never seen")
	}
	if why := w.missesStates(&from, last); why != nil {
		return partial, why
	}
	return complete, nil
}

// isTouchedIn reports whether a message of [from, to] was written in a gap, or a state may have changed in it.
func (w *walk) isTouchedIn(g *Gap, from, to time.Time) bool {
	for i := range w.chat.Messages {
		at := w.chat.Messages[i].At
		if !at.Before(from) && !at.After(to) && g.overlaps(at, at) {
			return true
		}
	}
	for i := range w.chat.Changes {
		c := &w.chat.Changes[i]
		if c.UnchangedUntil != nil && !c.At.Before(from) && !c.At.After(to) && g.overlaps(*c.UnchangedUntil, c.At) {
			return true
		}
	}
	return false
}
