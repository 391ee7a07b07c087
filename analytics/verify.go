package analytics

import (
	"context"
	"fmt"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// Verify works out the facts of some orgs, of all when none is named, and counts the rows that are stored otherwise, by table.
// It writes nothing. What is to be refreshed yet is left out: chats that are marked, and orgs whose settings or gaps have changed
// since their facts were made.
func (r *Refresher) Verify(ctx context.Context, orgIDs []string) (differences map[string]int64, err error) {
	if len(orgIDs) == 0 {
		if orgIDs, err = db.New(r.pool).GetFactOrgs(ctx); err != nil {
			return nil, fmt.Errorf("finding the orgs: %w", err)
		}
	}
	differences = map[string]int64{}
	for _, orgID := range orgIDs {
		for after, isOver := "", false; !isOver; {
			err := pgx.BeginTxFunc(ctx, r.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
				p := &refresh{q: db.New(tx), tx: tx, orgID: orgID, now: r.now().UTC()}
				var err error
				after, isOver, err = p.verify(ctx, after, differences)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("org %s: %w", orgID, err)
			}
		}
	}
	return differences, nil
}

// verify compares the facts of the next chats.
func (p *refresh) verify(ctx context.Context, after string, differences map[string]int64) (last string, isOver bool, err error) {
	if err := p.load(ctx); err != nil {
		return "", false, err
	}
	past, err := p.q.GetRefresh(ctx, p.orgID)
	if err != nil {
		return "", false, fmt.Errorf("reading analytics.refreshes: %w", err)
	}
	if len(past) == 0 {
		return "", true, nil
	}
	if since, _, err := p.changed(&past[0]); err != nil || since != nil {
		return "", true, err
	}
	page, err := p.q.GetSettledChatsAfter(ctx, db.GetSettledChatsAfterParams{OrgID: p.orgID, AfterChatID: after, Chats: chatsAtOnce})
	if err != nil || len(page) == 0 {
		return "", true, err
	}
	chats, err := loadChats(ctx, p.q, p.orgID, page)
	if err != nil {
		return "", false, err
	}
	var facts []*Facts
	for _, c := range chats {
		facts = append(facts, Derive(c, p.org))
	}
	tables, err := byTable(facts)
	if err != nil {
		return "", false, err
	}
	for _, t := range tables {
		var n int64
		if err := p.tx.QueryRow(ctx, t.compareSQL, p.orgID, page, t.rows).Scan(&n); err != nil {
			return "", false, fmt.Errorf("comparing analytics.%s: %w", t.name, err)
		}
		if n > 0 {
			differences[t.name] += n
		}
	}
	return page[len(page)-1], len(page) < chatsAtOnce, nil
}
