package simulator

import (
	"bytes"
	"cmp"
	"slices"
)

// Chat gives the chat as the REST list would give it now.
func (w *World) Chat(orgID, chatID string) ([]byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byChat[chatID]
	if c == nil || c.deleted || c.org.id != orgID {
		return nil, false
	}
	return w.show(c, w.moment()), true
}

// Chats gives the chats of an organization in the order of the REST list; without the deleted ones.
func (w *World) Chats(orgID string) [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list [][]byte
	for _, c := range w.listed(orgID, "") {
		list = append(list, w.show(c, w.moment()))
	}
	return list
}

// ChatIDs gives the ids of Chats, in the same order.
func (w *World) ChatIDs(orgID string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, c := range w.listed(orgID, "") {
		ids = append(ids, c.id)
	}
	return ids
}

// DeletedChatIDs gives the ids of the chats that were deleted, oldest first. Empty without [Quirks.Deletions].
func (w *World) DeletedChatIDs(orgID string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	if o := w.byOrg[orgID]; o != nil {
		for _, c := range o.chats {
			if c.deleted {
				ids = append(ids, c.id)
			}
		}
	}
	return ids
}

// Messages gives the messages of a chat in the order of the REST list, oldest first; without the deleted ones. An event
// shows only a chat's last message, so even in the plain reading some of this never goes over the socket: imported
// messages, edits of a message that was not the last, and the end of an answer that somebody wrote after.
func (w *World) Messages(chatID string) [][]byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byChat[chatID]
	if c == nil {
		return nil
	}
	var list [][]byte
	for _, m := range w.thread(c, 0) {
		list = append(list, w.showMessage(c, m))
	}
	return list
}

// DeletedMessageIDs gives the ids of the messages of a chat that were deleted, in the order they were written.
func (w *World) DeletedMessageIDs(chatID string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byChat[chatID]
	if c == nil {
		return nil
	}
	var ids []string
	for i := range c.messages {
		if c.messages[i].deleted {
			ids = append(ids, w.id(idMessage, uint64(c.messages[i].n)))
		}
	}
	return ids
}

// listed gives the chats of an organization, those of one integration when one is named, in the list's order: the last
// changed first.
func (w *World) listed(orgID, integration string) []*chat {
	o := w.byOrg[orgID]
	if o == nil {
		return nil
	}
	list := make([]*chat, 0, len(o.chats))
	for _, c := range o.chats {
		if !c.deleted && (integration == "" || c.kind.id == integration) {
			list = append(list, c)
		}
	}
	if w.cfg.Quirks.UnsortedLists {
		slices.SortFunc(list, func(a, b *chat) int { return cmp.Compare(mix(a.n), mix(b.n)) })
		return list
	}
	slices.SortFunc(list, func(a, b *chat) int {
		return cmp.Or(cmp.Compare(b.updated, a.updated), cmp.Compare(a.n, b.n))
	})
	return list
}

// thread gives the messages of a chat that were created at from or later, oldest first.
func (w *World) thread(c *chat, from int64) []*message {
	var list []*message
	for i := range c.messages {
		if m := &c.messages[i]; !m.deleted && m.created >= from {
			list = append(list, m)
		}
	}
	if w.cfg.Quirks.UnsortedLists {
		slices.SortFunc(list, func(a, b *message) int { return cmp.Compare(mix(uint64(a.n)), mix(uint64(b.n))) })
	}
	return list
}

// show renders a chat as of a moment.
func (w *World) show(c *chat, at moment) []byte {
	w.view.begin(w, at, c.n)
	w.view.chat(c)
	return bytes.Clone(w.view.b)
}

func (w *World) showMessage(c *chat, m *message) []byte {
	w.view.begin(w, w.moment(), uint64(m.n))
	w.view.item()
	w.view.message(c, m)
	w.view.end()
	return bytes.Clone(w.view.b)
}
