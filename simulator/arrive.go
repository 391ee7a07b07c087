package simulator

// lifetime is how long a chat goes on having conversations, on average.
const lifetime = 35 * day

// settling is how long it takes at the beginning until the usual number of chats is there.
const settling = 10 * day

// arrive makes a new chat, begins its first conversation, and plans the next arrival.
func (w *World) arrive(o *organization) {
	c := w.newChat(o)
	o.chats = append(o.chats, c)
	w.byChat[c.id] = c
	w.open(c)
	w.act(c)

	gap := float64(lifetime) / float64(w.cfg.Chats)
	if w.simulated < w.cfg.Start.UnixMilli()+settling {
		gap = float64(settling) / float64(w.cfg.Chats)
	}
	next := w.exponential(gap)
	if next > 10*minute {
		next = w.awake(w.simulated+next, languages[o.language].offset) - w.simulated
	}
	w.plan(happening{kind: happensArrival, org: o}, next)
}

// newChat makes a chat with its customer.
func (w *World) newChat(o *organization) *chat {
	w.chats++
	c := &chat{
		n: w.chats, id: w.id(idChat, w.chats), org: o, created: w.now, updated: w.now, aiEnabled: true,
		lifeEnds: w.simulated + w.exponential(float64(lifetime)) + 3*day, pace: w.pareto(), temporary: w.chance(0.02),
	}
	x := w.rng.IntN(100)
	for i := range integrationKinds {
		if x -= integrationKinds[i].weight; x < 0 {
			c.kind, c.via = &integrationKinds[i], uint8(i)
			break
		}
	}
	c.assistant = w.anAssistant(o)
	c.members = append(c.members, w.newCustomer(o, c.kind))
	switch c.kind.channel {
	case "whatsapp", "messenger", "instagram", "tiktok", "web":
		if w.chance(0.15) {
			c.referral = w.rng.Uint32() | 1
		}
	}
	if w.chance(0.5) {
		c.title = w.rng.Uint32() | 1
	}
	return c
}

// newCustomer is a contact, known or new; on the web mostly a visitor who may become one.
func (w *World) newCustomer(o *organization, kind *integrationKind) member {
	w.members++
	m := member{n: w.members}
	if kind.web {
		w.sessions++
		m.session = w.sessions
		if w.chance(0.6) {
			return m
		}
	}
	if len(o.contacts) > 0 && w.chance(0.12) {
		if known := o.contacts[w.rng.IntN(len(o.contacts))]; !known.now().blocked {
			m.channel = w.reach(known, kind)
			return m
		}
	}
	lang := o.language
	if w.chance(0.4) {
		lang = uint8(w.rng.IntN(len(languages)))
	}
	m.channel = w.reach(w.meet(o, lang), kind)
	return m
}

// open plans the first conversation: begun by an old history, the business, the assistant's welcome, or the customer.
func (w *World) open(c *chat) {
	w.converse(c)
	var first []step
	switch {
	case c.kind.imports && w.chance(0.12):
		first = []step{{do: doImport}}
		c.plan[0].after = w.between(hour, 5*day)
	case w.chance(0.05):
		first = []step{{do: doHuman}}
		c.plan[0].after = w.between(10*minute, 2*day)
	case w.chance(0.6):
		first = []step{{do: doWelcome}}
		c.plan[0].after = w.between(second, minute)
	default:
		return
	}
	c.plan = append(first, c.plan...)
}

// upkeep changes something that many chats share. Nothing is sent for it: the next event of each chat shows it.
func (w *World) upkeep(o *organization) {
	switch x := w.rng.Float64(); {
	case x < 0.30:
		w.changeAgent(o)
	case x < 0.60:
		w.changeSomeAssistant(o)
	case x < 0.80:
		w.changeIntegration(o)
	case x < 0.84:
		w.dismiss(o)
	}
	w.plan(happening{kind: happensUpkeep, org: o}, w.between(4*hour, 2*day))
}

func (w *World) changeAgent(o *organization) {
	a := w.someone(o, nil)
	v := *a.asOf(w.moment())
	v.since = w.revision
	if w.chance(0.3) {
		v.name = personName(o.language, w.rng.Uint64())
	} else {
		v.avatar = avatarURL(w.rng.Uint64())
	}
	a.versions = append(a.versions, v)
}

func (w *World) changeSomeAssistant(o *organization) {
	a := o.assistants[w.rng.IntN(len(o.assistants))]
	w.changeAssistant(a, func(v *assistantVersion) {
		switch x := w.rng.Float64(); {
		case x < 0.2:
			v.name = assistantNames[w.rng.IntN(len(assistantNames))]
		case x < 0.6:
			v.seed = w.rng.Uint64() // instructions, tools and flags
			v.tools = w.toolCount(a)
		case x < 0.8:
			v.model = models[w.rng.IntN(len(models))]
		case x < 0.9:
			if w.cfg.Quirks.OmitFalse {
				return // nobody could see it come back
			}
			v.enabled = !v.enabled
		default:
			if len(o.assistants) > 1 && a.number > 1 {
				v.deleted = true
			}
		}
	})
}

func (w *World) changeIntegration(o *organization) {
	a := o.assistants[w.rng.IntN(len(o.assistants))]
	i := a.integrations[w.rng.IntN(len(a.integrations))]
	v := i.versions[len(i.versions)-1]
	v.since = w.revision
	switch {
	case w.cfg.Quirks.OmitFalse:
		v.connected = true
	case w.chance(0.5):
		v.connected = !v.connected
	default:
		v.enabled = !v.enabled
	}
	i.versions = append(i.versions, v)
}

// dismiss deletes an agent, whose open chats lose them one after the other, and hires another.
func (w *World) dismiss(o *organization) {
	gone := w.someone(o, nil)
	w.hire(o)
	gone.deleted = true
	after := int64(0)
	for _, c := range o.chats {
		if c.assigned == gone && c.state != stateClosed && !c.deleted {
			after += w.between(100, second)
			w.plan(happening{kind: happensDismissal, chat: c}, after)
		}
	}
}

// dismissed takes a deleted agent off a chat.
func (w *World) dismissed(c *chat) {
	if c.deleted || c.assigned == nil || !c.assigned.deleted {
		return
	}
	gone := c.assigned
	w.event(c, sayLeft)
	for i := range c.members {
		if c.members[i].agent == gone {
			c.members[i].left = true
		}
	}
	c.assigned, c.assignedAt = nil, 0
	if w.chance(0.6) {
		a := w.someone(c.org, nil)
		w.agentMember(c, a)
		c.assigned, c.assignedAt = a, w.now
	}
	w.emit(c, 0)
}

// read lets an agent look at a chat right now; that is what moves a chat while a list is being paged.
func (w *World) read(c *chat) {
	if c.deleted {
		return
	}
	w.touch(c)
	c.adminUnseen = 0
	w.emit(c, 0)
}

// broadcast sends a message to some of the quiet chats of one kind of channel.
func (w *World) broadcast(o *organization) {
	w.plan(happening{kind: happensBroadcast, org: o}, w.working(w.simulated+w.between(5*day, 14*day), languages[o.language].offset)-w.simulated)
	kind := &integrationKinds[w.rng.IntN(6)]
	w.broadcasts++
	b := &broadcast{n: uint64(w.broadcasts), at: w.now, kind: kind}
	after := int64(0)
	for _, c := range o.chats {
		if c.kind != kind || !c.idle() || c.blocked() || !w.chance(0.4) {
			continue
		}
		after += w.between(20, second)
		w.plan(happening{kind: happensDelivery, chat: c, turn: w.broadcasts}, after)
	}
	o.broadcasts = append(o.broadcasts, b)
}

// idle says that a chat waits for its next conversation, or for none.
func (c *chat) idle() bool {
	return !c.deleted && (len(c.plan) == 0 || c.plan[0].do == doConverse) && c.state != stateOpen
}

// deliverBroadcast writes the message into a chat. Some fail; some are answered, hours later.
func (w *World) deliverBroadcast(c *chat, n uint32) {
	if !c.idle() || c.blocked() {
		return
	}
	m := message{role: roleAssistant, says: sayPromotion, member: noMember, version: -1, broadcast: n}
	if w.chance(0.3) {
		m.member = w.agentMember(c, w.someone(c.org, nil))
	}
	failed := w.chance(0.04)
	if failed {
		m.status = statusFailed
	}
	w.write(c, m)
	rec := recipient{chat: c, at: w.now}
	if failed {
		rec.fail = w.now + w.between(second, minute)
	} else {
		c.userUnseen++
		if w.chance(0.95) {
			rec.delivered = w.now + w.between(second, hour)
			if w.chance(0.6) {
				rec.opened = rec.delivered + w.between(minute, day)
			}
		}
	}
	for _, b := range c.org.broadcasts {
		if b.n == uint64(n) {
			b.recipients = append(b.recipients, rec)
		}
	}
	w.emit(c, 0)
	if rec.opened != 0 && w.chance(0.4) {
		w.converse(c)
		c.plan[0].after = w.between(2*minute, 40*hour)
		w.resume(c)
	}
}
