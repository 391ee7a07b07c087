package ingest

import (
	"context"
	"fmt"

	"archiver/db"
)

// loads are the queries for what is known in Postgres of the chats and messages that the batch speaks of, as far as it is
// not remembered.
func (b *batch) loads() (reads []step) {
	if missing := b.known(); len(missing.OrgIds) > 0 {
		reads = append(reads, b.loadChats(missing), b.loadStates(missing), b.loadMembers(missing))
	}
	if keys := b.described(); len(keys.OrgIds) > 0 {
		reads = append(reads, b.loadMessages(keys), b.loadFiles(db.GetMessageFilesParams(keys)))
	}
	if partly := b.partly(); len(partly) > 0 {
		reads = append(reads, b.loadIDs(partly))
	}
	return reads
}

// maxPartly is of how many chats it is read which messages they have, in one batch.
const maxPartly = 64

// partly are the chats that are remembered but for which messages they have. A chat that was read is one until it is spoken of again: most
// of those that an inbox knows are spoken of once in a long while.
func (b *batch) partly() (chats []*chat) {
	for _, c := range b.chats {
		if len(chats) == maxPartly {
			break // in a flood after a restart all are; what is read of them is to stay small
		}
		if !c.isNew() && !c.isWhole && !c.isLong {
			chats = append(chats, c)
		}
	}
	return chats
}

// loadIDs reads which messages chats have, so that their next ones need not be looked for.
func (b *batch) loadIDs(chats []*chat) step {
	p := db.GetMessageIDsParams{AtMost: maxStored + 1}
	for _, c := range chats {
		p.OrgIds, p.ChatIds = append(p.OrgIds, c.key.orgID), append(p.ChatIds, c.key.chatID)
	}
	return func(ctx context.Context, q *db.Queries) error {
		rows, err := q.GetMessageIDs(ctx, p)
		if err != nil {
			return fmt.Errorf("reading which messages chats have: %w", err)
		}
		for _, r := range rows {
			c := b.chats[chatKey{r.OrgID, r.ChatID}]
			c.stored = append(c.stored, hashOf(r.MessageID))
		}
		for _, c := range chats { // before there is a result too, which then puts it right
			c.isLong = len(c.stored) > maxStored
			c.isWhole = !c.isLong
		}
		return nil
	}
}

// known takes the chats that are remembered and returns the keys of the others, which it takes to be new.
func (b *batch) known() (missing db.GetChatsParams) {
	clear(b.chats)
	for _, e := range b.events {
		for i := range e.chats {
			key := chatKey{e.chats[i].orgID, e.chats[i].chatID}
			if b.chats[key] != nil {
				continue
			}
			if known, ok := b.lane.chats.Get(key); ok {
				b.chats[key] = known.unpack(key)
				continue
			}
			c := newChat(key)
			c.isWhole = true
			b.chats[key] = c
			missing.OrgIds, missing.ChatIds = append(missing.OrgIds, key.orgID), append(missing.ChatIds, key.chatID)
		}
	}
	return missing
}

func (b *batch) loadChats(p db.GetChatsParams) step {
	return func(ctx context.Context, q *db.Queries) error {
		chats, err := q.GetChats(ctx, p)
		if err != nil {
			return fmt.Errorf("reading chats that are described anew: %w", err)
		}
		for i := range chats {
			c := b.chats[chatKey{chats[i].OrgID, chats[i].ChatID}]
			c.row, c.isWhole = chats[i], false
		}
		return nil
	}
}

func (b *batch) loadStates(p db.GetChatsParams) step {
	return func(ctx context.Context, q *db.Queries) error {
		states, err := q.GetChatStates(ctx, db.GetChatStatesParams(p))
		if err != nil {
			return fmt.Errorf("reading states of chats that are described anew: %w", err)
		}
		for i := range states {
			b.chats[chatKey{states[i].OrgID, states[i].ChatID}].state = &states[i]
		}
		return nil
	}
}

func (b *batch) loadMembers(p db.GetChatsParams) step {
	return func(ctx context.Context, q *db.Queries) error {
		members, err := q.GetMembers(ctx, db.GetMembersParams(p))
		if err != nil {
			return fmt.Errorf("reading members of chats that are described anew: %w", err)
		}
		for i := range members {
			b.chats[chatKey{members[i].OrgID, members[i].ChatID}].members[members[i].MemberID] = &members[i]
		}
		return nil
	}
}

// described are the keys of the messages that have to be looked for: those that the batch says something of and Postgres may have.
func (b *batch) described() (keys db.GetMessagesParams) {
	for _, e := range b.events {
		for i := range e.chats {
			d := &e.chats[i]
			c := b.chats[chatKey{d.orgID, d.chatID}]
			for j := range d.messages {
				id := d.messages[j].ID.V
				if c.messages[id] != nil || c.repeats(&d.messages[j]) || !c.mayHave(id) {
					continue
				}
				keys.OrgIds = append(keys.OrgIds, d.orgID)
				keys.ChatIds = append(keys.ChatIds, d.chatID)
				keys.MessageIds = append(keys.MessageIds, id)
			}
		}
	}
	return keys
}

// loadMessages reads the messages that are described, as far as they are stored.
func (b *batch) loadMessages(keys db.GetMessagesParams) step {
	return func(ctx context.Context, q *db.Queries) error {
		messages, err := q.GetMessages(ctx, keys)
		if err != nil {
			return fmt.Errorf("reading messages that are described anew: %w", err)
		}
		for i := range messages {
			m := &messages[i]
			b.chats[chatKey{m.OrgID, m.ChatID}].setMessage(&storedMessage{row: *m})
		}
		return nil
	}
}

// loadFiles reads the files of the messages that are described.
func (b *batch) loadFiles(keys db.GetMessageFilesParams) step {
	return func(ctx context.Context, q *db.Queries) error {
		files, err := q.GetMessageFiles(ctx, keys)
		if err != nil {
			return fmt.Errorf("reading files of messages that are described anew: %w", err)
		}
		for i := range files {
			f := &files[i]
			m := b.chats[chatKey{f.OrgID, f.ChatID}].messages[f.MessageID]
			if m == nil {
				continue // written since the messages were read, by somebody whose turn it is not: this transaction will fail
			}
			if m.files == nil {
				m.files = map[string]*db.InboxMessageFile{}
			}
			m.files[f.FileID] = f
		}
		return nil
	}
}
