package analytics

import (
	"context"
	"fmt"

	"archiver/db"
)

// cursor is where a round is among the marked chats: some hundred are read from there at a time. The zero value goes through
// them in the order of their ids.
//
// One that goes by place reads them as they lie in the table, which is about the order in which they began. Then the messages
// that are read lie together, and so do the facts that are written of a day. A chat whose row moves meanwhile may be left out.
type cursor struct {
	afterID    string // of the last that is done
	block, end int64  // from which page of the table on; end is 0 where it does not go by place
	blocks     int64  // how many pages at a time
}

// chatsByPlace is how many chats of those that go by place are about as many as a transaction takes.
const chatsByPlace = 1_500

// leastByPlace is how many marked chats make it worth going by place, which reads the chats of all orgs.
const leastByPlace = 4 * chatsAtOnce

// byPlace is a cursor by place, or one by id where the org has few chats.
func byPlace(ctx context.Context, q *db.Queries, orgID string) (cursor, error) {
	table, err := q.GetChatBlocks(ctx, db.GetChatBlocksParams{OrgID: orgID, Most: leastByPlace})
	if err != nil {
		return cursor{}, fmt.Errorf("measuring inbox.chats: %w", err)
	}
	if table.Marks < leastByPlace {
		return cursor{}, nil
	}
	return cursor{end: table.Blocks, blocks: 1}, nil
}

// marks reads the marks of the next chats.
func (c cursor) marks(ctx context.Context, q *db.Queries, orgID string) (marked []db.GetDirtyChatsRow, err error) {
	if c.end == 0 {
		marked, err = q.GetDirtyChats(ctx, db.GetDirtyChatsParams{OrgID: orgID, AfterChatID: c.afterID, Chats: chatsAtOnce})
	} else {
		var at []db.GetDirtyChatsAtRow
		at, err = q.GetDirtyChatsAt(ctx, db.GetDirtyChatsAtParams{OrgID: orgID, FromBlock: c.block, ToBlock: c.block + c.blocks})
		for _, m := range at {
			marked = append(marked, db.GetDirtyChatsRow(m))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading ops.dirty_chats: %w", err)
	}
	return marked, nil
}

// after is where the chats begin that come after these; isOver says that there are none.
func (c cursor) after(marked []db.GetDirtyChatsRow) (next cursor, isOver bool) {
	if c.end == 0 {
		if n := len(marked); n > 0 {
			c.afterID = marked[n-1].ChatID
		}
		return c, len(marked) < chatsAtOnce
	}
	c.block += c.blocks
	switch {
	case len(marked) < chatsByPlace/2:
		c.blocks *= 2
	case len(marked) > chatsByPlace:
		c.blocks = max(1, c.blocks/2)
	}
	return c, c.block >= c.end
}
