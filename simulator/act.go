package simulator

// act does the next step of a chat's plan, sends what changed, and schedules the step after it.
func (w *World) act(c *chat) {
	for len(c.plan) > 0 {
		s := c.plan[0]
		c.plan = c.plan[1:]
		changed, p := w.do(c, s.do)
		if changed || c.dirty {
			c.dirty = true
			if !w.coalesced(c) {
				w.emit(c, p)
			}
			break
		}
		// A step that changed nothing is no reason to wait, nor is one that only prepares the next.
		if len(c.plan) == 0 || c.plan[0].after > second {
			break
		}
	}
	w.resume(c)
}

// coalesced says whether a change waits for the next one. It must come soon, within the life of the world.
func (w *World) coalesced(c *chat) bool {
	if w.cfg.Quirks.Coalesce == 0 || len(c.plan) == 0 || c.plan[0].after > minute || w.ended(w.simulated+c.plan[0].after) {
		return false
	}
	return w.chance(w.cfg.Quirks.Coalesce)
}

// touch moves the chat's clock on: every version has a time of its own, as far as the source's clock can tell.
func (w *World) touch(c *chat) {
	w.now = max(w.now, c.updated+1)
	c.updated = w.now
}

// do does one thing to a chat and says whether anything changed; a patch, where that is all that changed.
func (w *World) do(c *chat, what action) (changed bool, p patch) {
	switch what {
	case doNothing:
		return false, 0
	case doConverse:
		w.converse(c)
		return false, 0
	case doPrepareAI, doPrepareTeam:
		w.prepare(c, what == doPrepareAI)
		return false, 0
	case doSee, doCustomerSees:
		return w.see(c, what == doCustomerSees)
	case doPin:
		c.pinned = !c.pinned
		return true, w.patched(c, patchPinned)
	default:
		return w.change(c, what), 0
	}
}

// change does what needs no patch.
func (w *World) change(c *chat, what action) bool {
	switch what {
	case doWelcome:
		w.write(c, message{role: roleAssistant, says: sayWelcome, member: noMember, version: -1})
		c.userUnseen++
	case doAsk:
		w.ask(c, sayAsk)
	case doAskMore:
		w.ask(c, sayMore)
	case doThank:
		w.ask(c, sayThanks)
	case doStartAnswer, doContinueAnswer, doFinishAnswer, doFailAnswer, doCancelAnswer:
		return w.answer(c, what)
	case doToolMessage:
		w.write(c, message{role: roleTool, member: noMember, version: -1})
	case doSystemMessage:
		w.write(c, message{role: roleSystem, says: saySystem, member: noMember, version: -1})
	case doHandOff, doAssign, doReassign, doUnassign, doBackToAI:
		return w.hand(c, what)
	case doHuman, doNote:
		w.human(c, what == doNote)
	case doSnooze, doWake, doClose, doReopen:
		return w.setState(c, what)
	case doAskRating:
		w.write(c, message{role: roleAssistant, says: sayRate, member: noMember, version: -1})
		c.userUnseen++
	case doRate, doRateAgain:
		return w.score(c, what == doRateAgain)
	case doPlanFollowUp:
		if !c.assistant.now().followUps || c.state != stateOpen {
			return false
		}
		w.touch(c)
		c.followUp = w.now + day
	case doFollowUp:
		if c.followUp == 0 {
			return false
		}
		w.write(c, message{role: roleAssistant, says: sayFollowUp, member: noMember, version: w.version(c)})
		c.followUp = 0
		c.userUnseen++
	case doMute:
		w.touch(c)
		c.mutedUntil = w.now + w.between(8*hour, 30*day)
	case doUnmute:
		w.touch(c)
		c.mutedUntil = 0
	case doTitle:
		w.touch(c)
		c.title = w.rng.Uint32() | 1
	case doShare:
		return w.share(c)
	case doSwitchAssistant:
		return w.switchAssistant(c)
	case doStrange:
		w.strange(c)
	case doDeleteChat:
		w.touch(c)
		c.deleted = true
	default:
		return w.changePeople(c, what)
	}
	return true
}

// changePeople does what changes the members of a chat, their profiles, or old messages.
func (w *World) changePeople(c *chat, what action) bool {
	switch what {
	case doBlock, doUnblock:
		return w.block(c, what == doBlock)
	case doProfile:
		return w.profile(c)
	case doIdentify:
		return w.identifyVisitor(c)
	case doLeave:
		return w.leave(c)
	case doJoin:
		return w.join(c)
	case doEdit:
		return w.edit(c)
	case doDelete:
		return w.deleteMessage(c)
	case doImport:
		w.importHistory(c)
	}
	return true
}

// write appends a message; its time is the chat's new updated_at.
func (w *World) write(c *chat, m message) *message {
	w.touch(c)
	w.messages++
	m.n, m.seed = w.messages, w.rng.Uint32()
	m.created, m.updated = w.now, w.now
	m.assistant, m.lang = uint8(c.assistant.number), c.language()
	c.messages = append(c.messages, m)
	return &c.messages[len(c.messages)-1]
}

// language is the language that is spoken in the chat.
func (c *chat) language() uint8 {
	for i := range c.members {
		if ch := c.members[i].channel; ch != nil {
			return ch.contact.language
		}
	}
	return c.org.language
}

// ask is a message of the customer. It reopens a chat.
func (w *World) ask(c *chat, says textKind) {
	m := message{role: roleUser, says: says, member: c.customer(w.rng.Uint64()), version: -1}
	if says != sayThanks {
		switch x := w.rng.Float64(); {
		case x < 0.05:
			m.attach = attachImage
		case x < 0.07:
			m.attach = attachPDF
		case x < 0.08:
			m.attach = attachSeveral
		case x < 0.11:
			m.attach, m.says = attachAudio, sayNothing
		case x < 0.1115:
			m.says = sayPasted
		case x < 0.1115+w.cfg.Quirks.UnknownTypes*0.3:
			m.attach, m.says = attachUnknown, sayNothing
		}
	}
	w.write(c, m)
	c.state = stateOpen
	c.adminUnseen++
	c.userUnseen = 0
	c.lastContact = w.now
	c.followUp = 0
}

// version is the assistant's version that writes now.
func (w *World) version(c *chat) int16 { return int16(len(c.assistant.versions) - 1) }

// running finds the message the assistant is writing, or nil.
func (c *chat) running() *message {
	for i := len(c.messages) - 1; i >= 0 && i > len(c.messages)-8; i-- {
		if c.messages[i].status == statusRunning {
			return &c.messages[i]
		}
	}
	return nil
}

// answer is the life of an AI's message: RUNNING with a part of the text, then COMPLETED, FAILED or CANCELED.
func (w *World) answer(c *chat, what action) bool {
	if what == doStartAnswer {
		if !c.aiEnabled || c.state == stateSnoozed || c.running() != nil {
			return false
		}
		w.write(c, message{
			role: roleAssistant, status: statusRunning, says: sayAnswer, share: 30, member: noMember, version: w.version(c),
			toolCalls: w.chance(0.12),
		})
		c.status = statusRunning
		return true
	}
	m := c.running()
	if m == nil {
		return false
	}
	w.touch(c)
	m.updated = w.now
	switch what {
	case doContinueAnswer:
		m.share = 70
	case doFinishAnswer:
		m.share, m.status, c.status = 0, statusCompleted, statusCompleted
		c.userUnseen++
	case doFailAnswer:
		m.share, m.status, c.status = 10, statusFailed, statusFailed
	case doCancelAnswer:
		m.status, c.status = statusCanceled, statusCanceled
	}
	return true
}

// event writes a message of the vendor's own about what happened.
func (w *World) event(c *chat, says textKind) {
	w.write(c, message{role: roleEvent, says: says, member: noMember, version: -1})
}

// hand moves the chat between the assistant and the team, or within the team.
func (w *World) hand(c *chat, what action) bool {
	switch what {
	case doHandOff:
		if !c.aiEnabled {
			return false
		}
		w.stopRunning(c)
		w.event(c, sayHandoff)
		c.aiEnabled = false
	case doAssign, doReassign:
		a := w.someone(c.org, c.assigned)
		if what == doAssign && c.assigned != nil && !c.assigned.deleted {
			return false
		}
		w.event(c, sayAssigned)
		w.agentMember(c, a)
		c.assigned, c.assignedAt = a, w.now
		c.aiEnabled = false
	case doUnassign:
		if c.assigned == nil {
			return false
		}
		w.event(c, sayUnassigned)
		c.assigned, c.assignedAt = nil, 0
	case doBackToAI:
		if c.aiEnabled {
			return false
		}
		w.event(c, sayBackToAI)
		c.aiEnabled = true
		c.assigned, c.assignedAt = nil, 0
	}
	return true
}

// stopRunning gives up an unfinished answer when somebody else takes over.
func (w *World) stopRunning(c *chat) {
	if m := c.running(); m != nil {
		w.touch(c)
		m.status, m.updated, c.status = statusCanceled, w.now, statusCanceled
	}
}

// someone picks an active agent other than not.
func (w *World) someone(o *organization, not *agent) *agent {
	for i := w.rng.IntN(len(o.agents)); ; i++ {
		a := o.agents[i%len(o.agents)]
		if !a.deleted && a != not {
			return a
		}
	}
}

// human is a message of the team: an answer, or a note that the customer does not see.
func (w *World) human(c *chat, note bool) {
	a := c.assigned
	if a == nil || a.deleted || w.chance(0.1) {
		a = w.someone(c.org, a)
	}
	m := message{role: roleAssistant, says: sayHuman, member: w.agentMember(c, a), version: -1}
	if w.chance(0.3) {
		m.role = roleUser
	}
	if w.chance(0.04) {
		m.attach = attachPDF
	}
	if note {
		m.role, m.says, m.attach = roleNote, sayNote, attachNothing
		w.write(c, m)
		return
	}
	w.stopRunning(c)
	w.write(c, m)
	c.aiEnabled = false
	c.adminUnseen = 0
	c.userUnseen++
}

// setState snoozes, wakes, closes or reopens a chat.
func (w *World) setState(c *chat, what action) bool {
	to, says := stateOpen, sayReopened
	switch what {
	case doSnooze:
		to, says = stateSnoozed, saySnoozed
		if w.chance(w.cfg.Quirks.UnknownTypes * 3) {
			to = stateUnknown
		}
	case doClose:
		to, says = stateClosed, sayClosed
	case doWake:
		if c.state == stateClosed {
			return false
		}
		says = sayNothing
	}
	if c.state == to {
		return false
	}
	w.stopRunning(c)
	if says != sayNothing && w.chance(0.4) {
		w.event(c, says)
	} else {
		w.touch(c)
	}
	c.state = to
	if to == stateClosed {
		c.followUp, c.adminUnseen = 0, 0
	}
	return true
}

// score sets the rating, or changes it.
func (w *World) score(c *chat, again bool) bool {
	old := c.csat
	if again && old == 0 {
		return false
	}
	x := int8([...]int{1, 2, 3, 4, 4, 5, 5, 5, 5, 5}[w.rng.IntN(10)])
	if again && x == old {
		x = old%5 + 1
	}
	w.touch(c)
	c.csat = x
	return true
}

// prepare gets a closed chat ready for a new conversation: who will answer, and under which conversation.
func (w *World) prepare(c *chat, ai bool) {
	if c.state == stateClosed {
		c.conversation++
		if ai || w.chance(0.5) {
			c.assigned, c.assignedAt = nil, 0
		}
	}
	c.aiEnabled = ai
}

// see resets an unseen count. In a world of patches that may be all that is sent.
func (w *World) see(c *chat, customer bool) (bool, patch) {
	count := &c.adminUnseen
	if customer {
		count = &c.userUnseen
	}
	if *count == 0 {
		return false, 0
	}
	*count = 0
	return true, w.patched(c, patchUnseen)
}

// patched decides whether a change is sent as a bare patch; if not, the chat's clock moves on as for any other.
func (w *World) patched(c *chat, p patch) patch {
	if !c.dirty && c.sent && w.chance(w.cfg.Quirks.Patches) {
		return p
	}
	w.touch(c)
	return 0
}
