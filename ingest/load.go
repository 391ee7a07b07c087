package ingest

import (
	"context"
	"fmt"

	"archiver/db"
)

// load gathers what is known of the chats and messages that the batch speaks of: from the cache, else from Postgres.
func (b *batch) load(ctx context.Context, q *db.Queries) error {
	missing := b.known()
	if err := b.loadChats(ctx, q, missing); err != nil {
		return fmt.Errorf("reading chats that are described anew: %w", err)
	}
	if err := b.loadMessages(ctx, q); err != nil {
		return fmt.Errorf("reading messages that are described anew: %w", err)
	}
	return nil
}

// known takes the chats that are remembered and returns the keys of the others, which it takes to be new.
func (b *batch) known() (missing []chatKey) {
	for _, e := range b.events {
		for i := range e.chats {
			key := chatKey{e.chats[i].orgID, e.chats[i].chatID}
			if b.chats[key] != nil {
				continue
			}
			if c, ok := b.lane.chats.Get(key); ok {
				b.chats[key] = c.clone()
				continue
			}
			b.chats[key] = newChat(key)
			missing = append(missing, key)
		}
	}
	return missing
}

func (b *batch) loadChats(ctx context.Context, q *db.Queries, missing []chatKey) error {
	if len(missing) == 0 {
		return nil
	}
	var orgIDs, chatIDs []string
	for _, key := range missing {
		orgIDs, chatIDs = append(orgIDs, key.orgID), append(chatIDs, key.chatID)
	}
	chats, err := q.GetChats(ctx, db.GetChatsParams{OrgIds: orgIDs, ChatIds: chatIDs})
	if err != nil || len(chats) == 0 {
		return err
	}
	for i := range chats {
		b.chats[chatKey{chats[i].OrgID, chats[i].ChatID}].row = chats[i]
	}
	states, err := q.GetChatStates(ctx, db.GetChatStatesParams{OrgIds: orgIDs, ChatIds: chatIDs})
	if err != nil {
		return err
	}
	for i := range states {
		b.chats[chatKey{states[i].OrgID, states[i].ChatID}].state = &states[i]
	}
	members, err := q.GetMembers(ctx, db.GetMembersParams{OrgIds: orgIDs, ChatIds: chatIDs})
	if err != nil {
		return err
	}
	for i := range members {
		b.chats[chatKey{members[i].OrgID, members[i].ChatID}].members[members[i].MemberID] = &members[i]
	}
	return nil
}

// loadMessages reads the messages that are described, as far as they are stored; those of new chats cannot be.
func (b *batch) loadMessages(ctx context.Context, q *db.Queries) error {
	var keys db.GetMessagesParams
	for _, e := range b.events {
		for i := range e.chats {
			d := &e.chats[i]
			if b.chats[chatKey{d.orgID, d.chatID}].isNew() {
				continue
			}
			for j := range d.messages {
				keys.OrgIds = append(keys.OrgIds, d.orgID)
				keys.ChatIds = append(keys.ChatIds, d.chatID)
				keys.MessageIds = append(keys.MessageIds, d.messages[j].ID.V)
			}
		}
	}
	if len(keys.OrgIds) == 0 {
		return nil
	}
	messages, err := q.GetMessages(ctx, keys)
	if err != nil || len(messages) == 0 {
		return err
	}
	var stored db.GetMessageFilesParams
	for i := range messages {
		m := &messages[i]
		b.chats[chatKey{m.OrgID, m.ChatID}].messages[m.MessageID] = &storedMessage{row: *m}
		stored.OrgIds = append(stored.OrgIds, m.OrgID)
		stored.ChatIds = append(stored.ChatIds, m.ChatID)
		stored.MessageIds = append(stored.MessageIds, m.MessageID)
	}
	files, err := q.GetMessageFiles(ctx, stored)
	if err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		m := b.chats[chatKey{f.OrgID, f.ChatID}].messages[f.MessageID]
		if m.files == nil {
			m.files = map[string]*db.InboxMessageFile{}
		}
		m.files[f.FileID] = f
	}
	return nil
}
