package simulator

// share makes a chat public, or private again.
func (w *World) share(c *chat) bool {
	w.touch(c)
	switch {
	case c.visibility != 0:
		c.visibility = 0
	case w.chance(w.cfg.Quirks.UnknownTypes * 4):
		c.visibility = 2
	default:
		c.visibility = 1
	}
	return true
}

// switchAssistant gives the chat to another assistant of the organization.
func (w *World) switchAssistant(c *chat) bool {
	a := c.org.assistants[w.rng.IntN(len(c.org.assistants))]
	if a == c.assistant || c.running() != nil {
		return false
	}
	w.touch(c)
	c.assistant = a
	return true
}

// block blocks the chat's contact, everywhere, and closes this chat.
func (w *World) block(c *chat, blocked bool) bool {
	for i := range c.members {
		ch := c.members[i].channel
		if ch == nil || ch.contact.now().blocked == blocked {
			continue
		}
		ch.contact.change(w.revision, func(v *contactVersion) { v.blocked = blocked })
		w.stopRunning(c)
		w.touch(c)
		if blocked {
			c.state, c.followUp, c.adminUnseen = stateClosed, 0, 0
			w.steps = append(w.steps[:0], step{do: doConverse, after: day})
			c.plan = append(c.plan[:0], w.steps...)
		}
		return true
	}
	return false
}

// profile changes a contact's name or picture. Neither is ever taken away again.
func (w *World) profile(c *chat) bool {
	for i := range c.members {
		if ch := c.members[i].channel; ch != nil {
			ch.contact.change(w.revision, func(v *contactVersion) {
				if v.name == 0 || w.chance(0.4) {
					v.name = w.rng.Uint32() | 1
				} else {
					v.avatar = w.rng.Uint32() | 1
				}
			})
			w.touch(c)
			return true
		}
	}
	return false
}

// identifyVisitor makes a web visitor a contact: the member stays and gets a channel.
func (w *World) identifyVisitor(c *chat) bool {
	for i := range c.members {
		m := &c.members[i]
		if m.session != 0 && m.channel == nil {
			w.touch(c)
			m.channel = w.reach(w.meet(c.org, c.language()), c.kind)
			return true
		}
	}
	return false
}

// leave takes a member other than the customer and the assigned agent out of the chat.
func (w *World) leave(c *chat) bool {
	for i := len(c.members) - 1; i > 0; i-- {
		m := &c.members[i]
		if m.left || m.agent != nil && m.agent == c.assigned {
			continue
		}
		w.event(c, sayLeft)
		c.members[i].left = true
		return true
	}
	return false
}

// join brings another contact into the chat.
func (w *World) join(c *chat) bool {
	if len(c.members) > 6 {
		return false
	}
	w.event(c, sayJoined)
	w.members++
	c.members = append(c.members, member{n: w.members, channel: w.reach(w.meet(c.org, c.language()), c.kind)})
	return true
}

// strange does what nobody documented: a member of an unknown role joins, or a message of an unknown role is written.
func (w *World) strange(c *chat) {
	if w.chance(0.4) && w.join(c) {
		c.members[len(c.members)-1].unknown = true
		return
	}
	w.write(c, message{role: roleUnknown, says: sayNote, member: noMember, version: -1, attach: attachUnknown})
}

// edit changes the text of one of the last messages.
func (w *World) edit(c *chat) bool {
	for i := len(c.messages) - 1; i >= 0 && i > len(c.messages)-4; i-- {
		m := &c.messages[i]
		if m.deleted || m.status != statusCompleted || m.broadcast != 0 || m.says != sayAsk && m.says != sayMore && m.says != sayHuman {
			continue
		}
		w.touch(c)
		m = &c.messages[i]
		m.seed, m.updated = w.rng.Uint32(), w.now
		return true
	}
	return false
}

// deleteMessage deletes one of the last messages, but not the customer's last, which last_contact_message_at names.
func (w *World) deleteMessage(c *chat) bool {
	for i := len(c.messages) - 1; i > 0 && i > len(c.messages)-6; i-- {
		m := &c.messages[i]
		if m.deleted || m.status != statusCompleted || m.created == c.lastContact || m.role > roleAssistant {
			continue
		}
		w.touch(c)
		m.deleted = true
		return true
	}
	return false
}

// importHistory brings old messages along that were written before the chat was here: up to six months of them. No event
// shows them but the last; the list of messages does.
func (w *World) importHistory(c *chat) {
	at := w.now - w.between(20*day, 180*day)
	old := make([]message, 0, 40)
	for n := 8 + w.rng.IntN(30); n > 0; n-- {
		at += w.between(minute, 3*day)
		if at >= c.created-hour {
			break
		}
		w.messages++
		m := message{
			n: w.messages, seed: w.rng.Uint32(), created: at, updated: at, says: sayImported, version: -1,
			lang: c.language(), assistant: uint8(c.assistant.number),
		}
		if w.chance(0.55) {
			m.member = c.customer(0)
			c.lastContact = at
		} else {
			m.role, m.says = roleAssistant, sayHuman
			m.member = w.agentMember(c, w.someone(c.org, nil))
		}
		old = append(old, m)
	}
	w.touch(c)
	c.messages = append(old, c.messages...)
}
