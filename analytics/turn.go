package analytics

import "time"

// turns goes through the messages and measures each wait of the customer: from the first message that is not answered to
// the next reply. A wait does not outlive its case: one that was not answered by then stays without a reply.
func (w *walk) turns(pass string, isReply func(*Message) bool) {
	var open *Turn
	var before *Message // the last message before the open turn
	var last *Message
	var asked time.Time // the last message of the customer in the open turn
	number, firstOf := 0, map[int]bool{}
	var of *caseWork
	end := func() {
		if open != nil {
			w.finishTurn(open, before, last, asked)
			of.firstResponse(open)
			w.facts.Turns = append(w.facts.Turns, *open)
			open = nil
		}
	}
	for i := range w.chat.Messages {
		m := &w.chat.Messages[i]
		if !m.counts() || m.Sender == senderBroadcast {
			continue
		}
		c := w.caseOf(m)
		switch {
		case m.Sender == senderCustomer && c == nil: // thanks
			continue
		case m.Sender == senderCustomer:
			if open != nil && *open.CaseNumber != c.CaseNumber {
				end()
			}
			if open == nil {
				number++
				before = last
				open = &Turn{
					OrgID: w.chat.OrgID, ChatID: w.chat.ChatID, Pass: pass, TurnNumber: number, CaseNumber: &c.CaseNumber,
					StartedAt: m.At, StartedMessageID: m.ID, ChannelType: m.ChannelType,
				}
				of = c
				if w.knowsUntil(c, &m.At) {
					isFirst := !firstOf[c.CaseNumber] && c.OpenedBy != "business"
					open.IsFirstResponse = &isFirst
				}
				firstOf[c.CaseNumber] = true
			}
			open.CustomerMessages++
			asked = m.At
		case isReply(m) && open != nil:
			w.reply(open, m)
			end()
		}
		last = m
	}
	end()
}

// caseOf is the case a message belongs to: the last one that was open, or over, when it was written; nil for a message that
// opened none.
func (w *walk) caseOf(m *Message) *caseWork { return w.belongs[m] }

func (w *walk) reply(t *Turn, m *Message) {
	date, hour := w.date(m.At), int16(w.org.Settings.LocalHour(m.At)) //nolint:gosec // 0 to 23
	t.RepliedAt, t.RepliedLocalDate, t.RepliedLocalHour, t.ReplyMessageID = &m.At, &date, &hour, &m.ID
	t.RepliedBy, t.Model = &m.Sender, m.Model
	if m.Sender == senderHuman {
		t.AgentUserID = m.UserID
	}
	if s := w.stateAt(m.At); s != nil {
		t.AssistantID, t.AssistantConfigID, t.IntegrationID = s.AssistantID, s.AssistantConfigID, s.IntegrationID
	}
	t.ReplyObservedSeconds = secondsBetween(t.StartedAt, m.At)
}

// finishTurn says how completely it is known: over all of it, from the message before on, since one that is missing there may
// be the one that began it. Of the chat's states it needs those that tell whether the customer's messages are of one case.
func (w *walk) finishTurn(t *Turn, before, last *Message, asked time.Time) {
	to := last.At
	if t.RepliedAt != nil {
		to = *t.RepliedAt
	}
	why := w.missesMessages(before, to)
	known, unseen := w.missesCloses(t, before, asked)
	switch {
	case why != nil:
		t.Completeness, t.CompletenessReason = partial, why
	case unseen != nil:
		t.Completeness, t.CompletenessReason = known, unseen
	case t.RepliedAt == nil:
		t.Completeness, t.CompletenessReason = censored, because("there is no reply yet")
	default:
		t.Completeness, t.ReplySeconds = complete, t.ReplyObservedSeconds
		t.ReplyBusinessSeconds = w.businessSeconds(t.StartedAt, *t.RepliedAt)
	}
}
