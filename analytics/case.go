package analytics

import "time"

// caseWork is a case on its way.
type caseWork struct {
	Case
	before       *Message  // the last message before it
	statesFrom   time.Time // from when on the chat's states decide whether its first message opened it
	lastAt       time.Time
	handoff      *Handoff
	humanReplies []*Message
	snoozedAt    *time.Time
	snoozed      time.Duration // until the first close
	answered     bool          // by the AI, so that an assignment hands it over
	cost         float64       // of what has a price
	currency     string        // of cost; empty: none yet
	// isUnpriced says that there are tokens without a price, or prices of several currencies.
	isUnpriced bool
	hasUsage   bool // a message tells what it took
	// wasFoundClosed says that the first state that was ever seen is its close: it may have been any time before.
	wasFoundClosed bool
}

// isOver reports whether it was closed.
func (c *caseWork) isOver() bool { return c.LastClosedAt != nil }

// take counts a message.
func (c *caseWork) take(m *Message) {
	c.lastAt = latest(m.At, &c.lastAt)
	if c.ChannelType == nil {
		c.ChannelType, c.ContactID = m.ChannelType, m.ContactID
	}
	switch m.Sender {
	case senderCustomer:
		c.CustomerMessages++
		c.LastCustomerMessageAt = &m.At
		if c.FirstCustomerMessageAt == nil {
			c.FirstCustomerMessageAt, c.FirstCustomerMessageID = &m.At, &m.ID
		}
	case senderBroadcast:
		c.Broadcasts++
	case senderAI:
		c.AIReplies++
		c.LastAIReplyAt, c.answered = &m.At, true
		if c.FirstCustomerMessageAt != nil && c.FirstAIResponseAt == nil {
			c.FirstAIResponseAt, c.FirstAIResponseMessageID = &m.At, &m.ID
		}
	case senderHuman:
		c.HumanReplies++
		c.humanReplies = append(c.humanReplies, m)
		if c.FirstCustomerMessageAt != nil && c.FirstHumanResponseAt == nil {
			c.FirstHumanResponseAt, c.FirstHumanResponseMessageID, c.FirstHumanResponseUserID = &m.At, &m.ID, m.UserID
		}
	}
	if m.isReply() && c.FirstCustomerMessageAt != nil && c.FirstResponseAt == nil {
		c.FirstResponseAt, c.FirstResponseMessageID, c.FirstResponseBy = &m.At, &m.ID, &m.Sender
	}
}

// change follows the chat's state through the case and until the next one opens.
func (c *caseWork) change(before, now *Change) {
	isOver := c.isOver()
	if now.isClosed() && (before == nil || !before.isClosed()) {
		c.LastClosedAt = &now.At
		if !isOver {
			c.endSnooze(now.At)
			c.ClosedAt, c.ClosedAfter = &now.At, now.UnchangedUntil
			c.wasFoundClosed = before == nil
		}
	}
	if isOver {
		return
	}
	c.AssignedUserID = now.AssignedUserID
	if now.is("SNOOZED") && c.snoozedAt == nil {
		c.snoozedAt = &now.At
	}
	if !now.is("SNOOZED") {
		c.endSnooze(now.At)
	}
	c.assign(before, now)
}

func (c *caseWork) endSnooze(at time.Time) {
	if c.snoozedAt != nil {
		c.snoozed += at.Sub(latest(*c.snoozedAt, &c.OpenedAt))
		c.snoozedAt = nil
	}
}

// assign notes who takes over: an assignment, and the handoff from the AI, which is the first of the AI being switched off
// and somebody being put in charge after it answered.
func (c *caseWork) assign(before, now *Change) {
	if before == nil {
		return
	}
	isAssigned := now.AssignedUserID != nil && !equal(before.AssignedUserID, now.AssignedUserID)
	assignedAt := now.At
	if now.AssignedAt != nil && !now.AssignedAt.Before(c.OpenedAt) && !now.AssignedAt.After(now.At) {
		assignedAt = *now.AssignedAt
	}
	if isAssigned && c.AssignedAt == nil {
		c.AssignedAt = &assignedAt
	}
	if c.handoff != nil {
		return
	}
	wasOn, isOff := before.AIEnabled != nil && *before.AIEnabled, now.AIEnabled != nil && !*now.AIEnabled
	switch {
	case wasOn && isOff:
		c.hand("ai_disabled", now.At, now)
	case isAssigned && c.answered:
		c.hand("assigned", assignedAt, now)
	}
}

func (c *caseWork) hand(kind string, at time.Time, now *Change) {
	c.HandoffAt = &at
	c.handoff = &Handoff{
		OrgID: c.OrgID, ChatID: c.ChatID, CaseNumber: c.CaseNumber, HandedOffAt: at, HandedOffAfter: now.UnchangedUntil,
		Kind: kind, AssistantID: now.AssistantID, AssistantConfigID: now.AssistantConfigID, IntegrationID: now.IntegrationID,
	}
}

// finishCase works out a case's metrics. following is the next one, nil for the last.
func (w *walk) finishCase(c, following *caseWork) {
	end := latest(c.lastAt, c.LastClosedAt)
	c.Completeness, c.CompletenessReason = w.knows(c, end, following != nil)
	isKnown := c.Completeness == complete
	if c.ClosedAt != nil {
		d := w.date(*c.ClosedAt)
		c.ClosedLocalDate = &d
	}
	isLastKnown := isKnown && (following == nil || w.missesStates(c.LastClosedAt, following.OpenedAt) == nil)
	measure := func(isKnown bool, from, to *time.Time, seconds, business, observed **float64) {
		if from == nil || to == nil || to.Before(*from) {
			return
		}
		*observed = secondsBetween(*from, *to)
		if isKnown {
			*seconds = *observed
			*business = w.businessSeconds(*from, *to)
		}
	}
	if c.OpenedBy != "business" {
		// Whether the first two are known is what their turns say (firstResponse), so that both have the same numbers.
		first := c.FirstCustomerMessageAt
		measure(false, first, c.FirstResponseAt, &c.FirstResponseSeconds, &c.FirstResponseBusinessSeconds, &c.FirstResponseObservedSeconds)
		measure(false, first, c.FirstHumanResponseAt, &c.FirstHumanResponseSeconds, &c.FirstHumanResponseBusinessSeconds, &c.FirstHumanResponseObservedSeconds)
		measure(w.knowsUntil(c, c.FirstAIResponseAt), first, c.FirstAIResponseAt, &c.FirstAIResponseSeconds, &c.FirstAIResponseBusinessSeconds, &c.FirstAIResponseObservedSeconds)
	}
	from := c.FirstCustomerMessageAt
	if c.HandoffAt != nil {
		from = c.HandoffAt
	}
	measure(w.knowsUntil(c, c.AssignedAt), from, c.AssignedAt, &c.AssignmentSeconds, &c.AssignmentBusinessSeconds, &c.AssignmentObservedSeconds)
	measure(isKnown, c.FirstCustomerMessageAt, c.ClosedAt, &c.ResolutionSeconds, &c.ResolutionBusinessSeconds, &c.ResolutionObservedSeconds)
	measure(isKnown, c.FirstCustomerMessageAt, c.LastClosedAt, &c.LastResolutionSeconds, &c.LastResolutionBusinessSeconds, &c.LastResolutionObservedSeconds)
	if !isLastKnown {
		c.LastResolutionSeconds, c.LastResolutionBusinessSeconds = nil, nil
	}
	if c.ResolutionSeconds != nil {
		unsnoozed := *c.ResolutionSeconds - c.snoozed.Seconds()
		c.ResolutionUnsnoozedSeconds = &unsnoozed
	}
	if isKnown {
		involved := c.AIReplies > 0
		c.IsAIInvolved = &involved
		if involved {
			resolved := c.ClosedAt != nil && c.HumanReplies == 0 && c.HandoffAt == nil && !w.customerWroteWithin(*c.LastAIReplyAt, aiResolvedAfter)
			c.IsAIResolved = &resolved
		}
	}
	c.finishCost()
	w.finishHandoff(c, end)
}

// firstResponse gives the case what the turn of its first response measured. It is known while the rest of the case is not:
// were it left out of the cases that are still open, the numbers would be those of the cases that are quickly closed.
func (c *caseWork) firstResponse(t *Turn) {
	switch {
	case t.IsFirstResponse == nil || !*t.IsFirstResponse:
	case t.Pass == "any":
		c.FirstResponseSeconds, c.FirstResponseBusinessSeconds = t.ReplySeconds, t.ReplyBusinessSeconds
		if t.RepliedBy != nil && *t.RepliedBy == senderAI {
			c.FirstAIResponseSeconds, c.FirstAIResponseBusinessSeconds = t.ReplySeconds, t.ReplyBusinessSeconds
		}
	case t.Pass == "human":
		c.FirstHumanResponseSeconds, c.FirstHumanResponseBusinessSeconds = t.ReplySeconds, t.ReplyBusinessSeconds
	}
}

// aiResolvedAfter is how long the customer must have been quiet after the AI's last word.
const aiResolvedAfter = 24 * time.Hour

func (w *walk) customerWroteWithin(after time.Time, d time.Duration) bool {
	for i := range w.chat.Messages {
		m := &w.chat.Messages[i]
		if m.Sender == senderCustomer && m.counts() && m.At.After(after) && !m.At.After(after.Add(d)) {
			return true
		}
	}
	return false
}

func (w *walk) finishHandoff(c *caseWork, end time.Time) {
	h := c.handoff
	if h == nil {
		return
	}
	h.HandedOffLocalDate, h.ChannelType = w.date(h.HandedOffAt), c.ChannelType
	for _, m := range c.humanReplies {
		if !m.At.Before(h.HandedOffAt) {
			h.FirstHumanReplyAt, h.FirstHumanReplyMessageID, h.FirstHumanReplyUserID = &m.At, &m.ID, m.UserID
			h.HumanAfterHandoffObservedSeconds = secondsBetween(h.HandedOffAt, m.At)
			end = m.At
			break
		}
	}
	h.Completeness, h.CompletenessReason = w.knows(c, end, true)
	if h.Completeness == complete && h.FirstHumanReplyAt == nil && !c.isOver() {
		h.Completeness, h.CompletenessReason = censored, because("no human has replied yet")
	}
	if h.Completeness == complete && h.FirstHumanReplyAt != nil {
		h.HumanAfterHandoffSeconds = h.HumanAfterHandoffObservedSeconds
		h.HumanAfterHandoffBusinessSeconds = w.businessSeconds(h.HandedOffAt, *h.FirstHumanReplyAt)
	}
	w.facts.Handoffs = append(w.facts.Handoffs, *h)
}

func secondsBetween(from, to time.Time) *float64 {
	seconds := to.Sub(from).Seconds()
	return &seconds
}

// businessSeconds is nil where there is no schedule.
func (w *walk) businessSeconds(from, to time.Time) *float64 {
	seconds, ok := w.org.Settings.BusinessSeconds(from, to)
	if !ok {
		return nil
	}
	return &seconds
}
