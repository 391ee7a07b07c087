package analytics

import (
	"context"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ahead is what was read of the chats that come next while those before were being written: over a connection of its own, since
// reading and deriving take as long as writing. It may be behind by the time it is used: see facts.
type ahead struct {
	done    chan struct{}
	grounds string // all that the facts depend on beside the chats
	chats   map[string]derived
	stored  *Facts // what is stored of these chats; nil: it was not read
}

// derived is what was made of a chat as it was when it had this mark.
type derived struct {
	dirtyAt time.Time
	facts   *Facts // none when the chat is not there any more
}

// readAhead begins to read the next marked chats, and to derive their facts for the org as a transaction found it.
func readAhead(ctx context.Context, pool *pgxpool.Pool, p *refresh, next cursor) *ahead {
	a := &ahead{done: make(chan struct{}), grounds: p.grounds, chats: map[string]derived{}}
	org, orgID := p.org, p.orgID
	go func() {
		defer close(a.done)
		// What could not be read is read by the transaction that needs it, which also says why not.
		_ = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			return a.read(ctx, tx, org, orgID, next)
		})
	}()
	return a
}

// read reads the marks first: a chat that changes while it is read has another one then.
func (a *ahead) read(ctx context.Context, tx pgx.Tx, org *Org, orgID string, next cursor) error {
	q := db.New(tx)
	marked, err := next.marks(ctx, q, orgID)
	if err != nil {
		return err
	}
	ids := make([]string, len(marked))
	for i, m := range marked {
		ids[i] = m.ChatID
	}
	chats, err := loadChats(ctx, q, orgID, ids)
	if err != nil {
		return err
	}
	for _, m := range marked {
		a.chats[m.ChatID] = derived{m.DirtyAt, &Facts{}}
	}
	for _, c := range chats {
		a.chats[c.ChatID] = derived{a.chats[c.ChatID].dirtyAt, Derive(c, org)}
	}
	stored, err := readFacts(ctx, tx, orgID, ids)
	if err != nil {
		return err
	}
	a.stored = stored
	return nil
}

// wait waits until nothing is read any more.
func (a *ahead) wait() {
	if a != nil {
		<-a.done
	}
}

// facts are those of a marked chat; false when it was not read, or was read before it was marked like this, or when what all
// facts depend on was otherwise. A mark that is as it was says that the chat is, too, and that no other refresher has done it.
func (a *ahead) facts(grounds string, m db.GetDirtyChatsRow) (*Facts, bool) {
	if a == nil || a.grounds != grounds {
		return nil, false
	}
	d, ok := a.chats[m.ChatID]
	return d.facts, ok && d.dirtyAt.Equal(m.DirtyAt)
}

// factsStored are what is stored of so many marked chats, when facts was true for each of them; false when they are not all that
// was read. A chat's facts are written by whoever takes its mark away.
func (a *ahead) factsStored(chats int) (*Facts, bool) {
	if a == nil || a.stored == nil || len(a.chats) != chats {
		return nil, false
	}
	return a.stored, true
}
