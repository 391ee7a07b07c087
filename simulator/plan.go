package simulator

import "math"

// action is what a step of a plan does; see act.go.
type action uint8

const (
	doNothing action = iota
	doConverse
	doWelcome
	doAsk
	doAskMore
	doThank
	doStartAnswer
	doContinueAnswer
	doFinishAnswer
	doFailAnswer
	doCancelAnswer
	doToolMessage
	doSystemMessage
	doHandOff
	doAssign
	doReassign
	doUnassign
	doHuman
	doNote
	doSee
	doCustomerSees
	doSnooze
	doWake
	doClose
	doReopen
	doAskRating
	doRate
	doRateAgain
	doBackToAI
	doPlanFollowUp
	doFollowUp
	doMute
	doUnmute
	doBlock
	doUnblock
	doEdit
	doDelete
	doPin
	doTitle
	doShare
	doIdentify
	doProfile
	doLeave
	doJoin
	doImport
	doSwitchAssistant
	doStrange
	doDeleteChat
	doPrepareAI
	doPrepareTeam
	actionCount
)

// step is one thing a chat is going to do, after milliseconds from the step before.
type step struct {
	do    action
	after int64
}

// planner writes the steps of one conversation, so that every way a conversation can go occurs.
type planner struct {
	w     *World
	c     *chat
	steps []step
}

// add plans a step between lo and hi milliseconds after the one before.
func (p *planner) add(do action, lo, hi int64) {
	p.steps = append(p.steps, step{do: do, after: p.w.between(lo, hi)})
}

func (p *planner) chance(x float64) bool { return p.w.chance(x) }

// converse plans a chat's next conversation, which begins with the customer, and the pause after it.
func (w *World) converse(c *chat) {
	p := planner{w: w, c: c, steps: w.steps[:0]}
	if c.blocked() {
		p.blocked()
	} else {
		p.conversation()
	}
	w.steps = p.steps
	c.plan = append(c.plan[:0], p.steps...)
	c.turn++
}

// resume puts what is planned next on the schedule.
func (w *World) resume(c *chat) {
	if len(c.plan) == 0 {
		c.plan = nil
		return
	}
	next := c.plan[0]
	at := w.simulated + next.after
	if next.after > 10*minute {
		switch next.do {
		case doConverse, doAsk, doAskMore, doThank, doRate, doRateAgain, doIdentify, doProfile:
			at = w.awake(at, languages[c.language()].offset)
		case doHuman, doAssign, doReassign, doClose, doSnooze, doNote, doSee:
			at = w.working(at, languages[c.org.language].offset)
		}
	}
	w.plan(happening{kind: happensStep, chat: c, turn: c.turn}, at-w.simulated)
}

func (p *planner) blocked() {
	if p.w.cfg.Quirks.OmitFalse || p.chance(0.5) {
		return
	}
	p.add(doUnblock, 2*day, 20*day)
	p.pause()
}

func (p *planner) conversation() {
	ai := p.c.assistant.now().enabled && !p.chance(0.12)
	if ai {
		p.add(doPrepareAI, 0, 0)
	} else {
		p.add(doPrepareTeam, 0, 0)
	}
	p.burst()
	p.aside()
	switch {
	case !ai:
		p.team(p.chance(0.6))
		p.close()
	default:
		p.answers(1 + p.w.rng.IntN(3))
		switch x := p.w.rng.Float64(); {
		case x < 0.40:
			p.resolvedByAI()
		case x < 0.70:
			p.handOff()
			p.close()
		case x < 0.74: // assigned, which takes it from the assistant
			p.team(false)
			p.close()
		case x < 0.84:
			p.followUp()
			p.close()
		case x < 0.90: // taken over without a handoff
			p.add(doSee, 20*second, 10*minute)
			p.add(doHuman, 10*second, 5*minute)
			p.close()
		default:
			p.snooze()
			p.close()
		}
	}
	p.epilogue()
	p.pause()
}

// burst is a customer's turn: one to four messages.
func (p *planner) burst() {
	p.add(doAsk, 0, 0)
	for range p.w.rng.IntN(5) / 2 {
		p.add(doAskMore, 2*second, 50*second)
	}
	if p.chance(0.08) {
		p.add(doAskMore, 2*second, 20*second)
	}
}

// aside is what happens beside the conversation now and then.
func (p *planner) aside() {
	switch x := p.w.rng.Float64(); {
	case x < 0.02:
		p.add(doPin, 5*second, 5*minute)
	case x < 0.06:
		p.add(doTitle, second, 20*second)
	case x < 0.07:
		p.add(doShare, 5*second, 5*minute)
	case x < 0.09:
		p.add(doMute, 5*second, 5*minute)
	case x < 0.11:
		p.add(doSystemMessage, 100, second)
	case x < 0.125:
		p.add(doJoin, 5*second, 5*minute)
	case x < 0.14:
		p.add(doLeave, 5*second, 5*minute)
	case x < 0.155:
		p.add(doProfile, 5*second, 5*minute)
	case x < 0.21:
		p.add(doIdentify, 5*second, 2*minute)
	case x < 0.22:
		p.add(doSwitchAssistant, 5*second, 2*minute)
	case x < 0.22+p.w.cfg.Quirks.UnknownTypes*0.5:
		p.add(doStrange, second, minute)
	}
	if p.c.mutedUntil != 0 && p.chance(0.5) {
		p.add(doUnmute, second, minute)
	}
	if p.chance(0.03) {
		p.add(doEdit, second, 2*minute)
	}
	if p.chance(0.025) {
		p.add(doDelete, second, 2*minute)
	}
}

// answer is one run of the assistant.
func (p *planner) answer() {
	p.add(doStartAnswer, 400, 3*second)
	if p.chance(0.35) {
		p.add(doContinueAnswer, 200, 2*second)
	}
	if p.chance(0.08) {
		p.add(doToolMessage, 100, 2*second)
	}
	switch x := p.w.rng.Float64(); {
	case x < 0.03:
		p.add(doFailAnswer, second, 30*second)
		p.add(doStartAnswer, second, 10*second)
		p.add(doFinishAnswer, 500, 8*second)
	case x < 0.05: // the customer writes on, the answer is given up
		if p.chance(0.5) {
			p.add(doAskMore, 200, 2*second)
			p.add(doCancelAnswer, 50, second)
		} else {
			p.add(doCancelAnswer, 200, 2*second)
			p.add(doAskMore, 50, second)
		}
		p.add(doStartAnswer, 400, 3*second)
		p.add(doFinishAnswer, 500, 8*second)
	default:
		p.add(doFinishAnswer, 300, 9*second)
	}
	if p.chance(0.3) {
		p.add(doCustomerSees, second, 10*minute)
	}
}

func (p *planner) answers(rounds int) {
	for i := range rounds {
		if i > 0 {
			p.add(doAskMore, 8*second, 25*minute)
			if p.chance(0.25) {
				p.add(doAskMore, 2*second, 40*second)
			}
		}
		p.answer()
	}
}

func (p *planner) resolvedByAI() {
	if p.chance(0.3) {
		p.add(doThank, 10*second, 20*minute)
		p.answer()
	}
	p.add(doClose, 20*minute, 30*hour)
	p.rating()
}

func (p *planner) handOff() {
	p.add(doHandOff, 100, 5*second)
	if p.chance(0.1) {
		p.add(doNote, minute, 2*hour)
		return // nobody answers
	}
	p.team(false)
}

// team is the part of a conversation that people answer; own says that the AI was never on.
func (p *planner) team(own bool) {
	switch x := p.w.rng.Float64(); {
	case x < 0.45:
		p.add(doAssign, 50, 2*second) // at once, by rule
		p.add(doSee, 20*second, hour)
	case x < 0.65: // replies first, is assigned later
		p.add(doSee, 30*second, 2*hour)
		p.add(doHuman, 10*second, 10*minute)
		p.add(doAssign, second, 10*minute)
	default:
		p.add(doAssign, minute, 3*hour)
		p.add(doSee, second, 10*minute)
	}
	for range 1 + p.w.rng.IntN(3) {
		if p.chance(0.15) {
			p.add(doNote, 10*second, 10*minute)
		}
		if p.chance(0.12) {
			p.add(doReassign, 10*second, 2*hour)
		}
		p.add(doHuman, 15*second, 40*minute)
		if p.chance(0.3) {
			p.add(doHuman, 5*second, 2*minute)
		}
		if p.chance(0.04) {
			p.add(doEdit, 5*second, 5*minute)
		}
		if p.chance(0.03) {
			p.add(doDelete, 5*second, 5*minute)
		}
		if p.chance(0.4) {
			p.add(doCustomerSees, second, 20*minute)
		}
		if p.chance(0.7) {
			p.add(doAskMore, 10*second, 2*hour)
			p.add(doSee, 5*second, hour)
		}
	}
	switch x := p.w.rng.Float64(); {
	case x < 0.12 && !own:
		p.add(doBackToAI, 5*second, 30*minute)
		p.add(doAskMore, 10*second, hour)
		p.answer()
	case x < 0.16:
		p.add(doUnassign, minute, 3*hour)
	case x < 0.28:
		p.snooze()
	case x < 0.295:
		p.add(doBlock, minute, 30*minute)
	}
}

func (p *planner) snooze() {
	p.add(doSnooze, 2*minute, 4*hour)
	if p.chance(0.5) {
		p.add(doWake, 2*hour, 3*day)
		return
	}
	p.add(doAskMore, hour, 2*day) // the customer writes first
	if p.chance(0.5) {
		p.add(doHuman, minute, hour)
	}
}

func (p *planner) followUp() {
	p.add(doPlanFollowUp, second, minute)
	if p.chance(0.3) {
		p.add(doAskMore, 10*minute, 10*hour)
		p.answer()
		return
	}
	p.add(doFollowUp, 20*hour, 26*hour)
	if p.chance(0.4) {
		p.add(doAskMore, minute, 10*hour)
		p.answer()
	}
}

func (p *planner) close() {
	p.add(doClose, minute, 5*hour)
	p.rating()
}

// rating is what comes after a close: with luck a score, sometimes days later, sometimes changed.
func (p *planner) rating() {
	if !p.c.assistant.now().csat {
		return
	}
	if p.chance(0.6) {
		p.add(doAskRating, 200, 2*second)
	}
	switch x := p.w.rng.Float64(); {
	case x < 0.35:
		p.add(doRate, 20*second, hour)
	case x < 0.45:
		p.add(doRate, day, 4*day)
	default:
		return
	}
	if p.chance(0.15) {
		p.add(doRateAgain, minute, 2*day)
	}
}

// epilogue is a "thanks" after the close, which reopens the chat, and other late things.
func (p *planner) epilogue() {
	if p.chance(0.2) {
		p.add(doThank, 10*second, 20*minute)
		if p.chance(0.5) {
			p.answer()
		}
		p.add(doClose, 30*second, 3*hour)
	}
	if p.chance(0.03) {
		p.add(doReopen, hour, day)
		p.add(doHuman, second, 10*minute)
		p.add(doClose, 10*minute, hour)
	}
	if p.chance(0.03) {
		p.add(doProfile, hour, 2*day)
	}
}

// pause is the time to the next conversation, if the chat lives to see it.
func (p *planner) pause() {
	w := p.w
	gap := w.exponential(9 * float64(day) / (p.c.pace * w.cfg.Activity))
	gap = max(gap, 20*minute)
	if w.simulated+gap < p.c.lifeEnds {
		p.steps = append(p.steps, step{do: doConverse, after: gap})
		return
	}
	if w.cfg.Quirks.Deletions && p.chance(0.25) {
		p.add(doDeleteChat, hour, 3*day)
	}
}

// pareto draws how busy a chat is: most a little, a few very.
func (w *World) pareto() float64 {
	return min(0.4*math.Pow(1-w.rng.Float64(), -1/1.25), 40)
}
