package analytics

import (
	"context"
	"fmt"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// Verify works out the facts of some orgs, of all when none is named, and what the daily views say of the days that are stored, and
// counts the rows that are stored otherwise, by table. Nothing of what it writes is kept. What is to be refreshed yet is left out: chats that are marked, and orgs whose settings or gaps have changed
// since their facts were made.
func (r *Refresher) Verify(ctx context.Context, orgIDs []string) (differences map[string]int64, err error) {
	if len(orgIDs) == 0 {
		if orgIDs, err = db.New(r.pool).GetFactOrgs(ctx); err != nil {
			return nil, fmt.Errorf("finding the orgs: %w", err)
		}
	}
	differences = map[string]int64{}
	for _, orgID := range orgIDs {
		v := &verification{orgID: orgID, differences: differences}
		for !v.isOver {
			err := pgx.BeginTxFunc(ctx, r.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
				return v.next(ctx, &refresh{q: db.New(tx), tx: tx, orgID: orgID, now: r.now().UTC()})
			})
			if err != nil {
				return nil, fmt.Errorf("org %s: %w", orgID, err)
			}
		}
		if err := r.verifyDays(ctx, v); err != nil {
			return nil, fmt.Errorf("org %s: %w", orgID, err)
		}
	}
	return differences, nil
}

// verification goes through an org's chats in the order of their ids.
type verification struct {
	orgID       string
	after       string // the last chat that is done
	isOver      bool
	differences map[string]int64
}

// next compares the facts of the next chats, and after the last of them the backlog.
func (v *verification) next(ctx context.Context, p *refresh) error {
	past, err := p.asMade(ctx)
	if err != nil || past == nil {
		v.isOver = true
		return err
	}
	page, err := p.q.GetSettledChatsAfter(ctx, db.GetSettledChatsAfterParams{OrgID: v.orgID, AfterChatID: v.after, Chats: chatsAtOnce})
	if err != nil {
		return fmt.Errorf("reading the chats: %w", err)
	}
	if len(page) > 0 {
		v.after = page[len(page)-1]
		if err := v.compare(ctx, p, page); err != nil {
			return err
		}
	}
	if len(page) == chatsAtOnce {
		return nil
	}
	v.isOver = true
	return v.compareBacklog(ctx, p, past.BacklogThrough)
}

func (v *verification) compare(ctx context.Context, p *refresh, chatIDs []string) error {
	chats, err := loadChats(ctx, p.q, v.orgID, chatIDs)
	if err != nil {
		return err
	}
	var facts []*Facts
	for _, c := range chats {
		facts = append(facts, Derive(c, p.org))
	}
	all := gather(facts)
	for _, t := range allTables {
		name, n, err := t.differing(ctx, p.tx, v.orgID, chatIDs, all)
		if err != nil {
			return err
		}
		v.add(name, n)
	}
	return nil
}

// compareBacklog compares the days with what the spans that are stored give; these are compared with the chats.
func (v *verification) compareBacklog(ctx context.Context, p *refresh, through time.Time) error {
	counted, err := countAllDays(ctx, p.q, p.org.Settings, v.orgID, through)
	if err != nil {
		return err
	}
	stored, err := storedBacklog(ctx, p.q, v.orgID)
	if err != nil {
		return err
	}
	v.add("backlog_daily", counted.differences(stored))
	return nil
}

func (v *verification) add(table string, n int64) {
	if n > 0 {
		v.differences[table] += n
	}
}
