package analytics

import (
	"context"
	"fmt"
	"strings"

	"archiver/db"
)

// loadChats reads what inbox holds of some chats of an org, in the order of their ids. One that is not there any more is
// left out.
func loadChats(ctx context.Context, q *db.Queries, orgID string, ids []string) ([]*Chat, error) {
	rows, err := q.GetFactChats(ctx, db.GetFactChatsParams{OrgID: orgID, ChatIds: ids})
	if err != nil {
		return nil, fmt.Errorf("reading chats: %w", err)
	}
	byID := make(map[string]*Chat, len(rows))
	var chats []*Chat
	for _, r := range rows {
		c := &Chat{
			OrgID: orgID, ChatID: r.ChatID, DeletedAt: r.DeletedAt, CompleteFrom: r.MessagesCompleteFrom,
			CompleteThrough: r.MessagesCompleteThrough, LastContactMessageAt: r.LastContactMessageAt,
		}
		byID[r.ChatID], chats = c, append(chats, c)
	}
	for _, load := range []func(context.Context, *db.Queries, string, []string, map[string]*Chat) error{
		loadMessages, loadChanges, loadReferrals,
	} {
		if err := load(ctx, q, orgID, ids, byID); err != nil {
			return nil, err
		}
	}
	return chats, nil
}

func loadMessages(ctx context.Context, q *db.Queries, orgID string, ids []string, byID map[string]*Chat) error {
	rows, err := q.GetFactMessages(ctx, db.GetFactMessagesParams{OrgID: orgID, ChatIds: ids})
	if err != nil {
		return fmt.Errorf("reading messages: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		c := byID[r.ChatID]
		if c == nil {
			continue
		}
		if r.CreatedAt == nil {
			c.Timeless++
			continue
		}
		m := Message{
			ID: r.MessageID, At: *r.CreatedAt, Sender: r.Sender, IsDeleted: r.DeletedAt != nil, UserID: r.UserID,
			Model: short(r.Model), ChannelType: short(r.ChannelType), ContactID: r.ContactID,
		}
		if r.InputTokens != nil || r.OutputTokens != nil || r.TotalTokens != nil {
			m.Usage = &Usage{
				Input: orZero(r.InputTokens), Output: orZero(r.OutputTokens), Total: orZero(r.TotalTokens),
				CacheRead: orZero(r.InputTokensCacheRead), CacheWrite: orZero(r.InputTokensCacheWrite),
			}
		}
		if r.Status != nil {
			m.Status = *r.Status
		}
		c.Messages = append(c.Messages, m)
	}
	return nil
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func loadChanges(ctx context.Context, q *db.Queries, orgID string, ids []string, byID map[string]*Chat) error {
	rows, err := q.GetFactChanges(ctx, db.GetFactChangesParams{OrgID: orgID, ChatIds: ids})
	if err != nil {
		return fmt.Errorf("reading the history of states: %w", err)
	}
	for i := range rows {
		r := &rows[i]
		if c := byID[r.ChatID]; c != nil {
			c.Changes = append(c.Changes, Change{At: r.ChangedAt, UnchangedUntil: r.UnchangedUntil, UnseenRise: r.UnseenRise, State: State{
				State: r.State, AIEnabled: r.AiEnabled, AssignedUserID: r.AssignedUserID, AssignedAt: r.AssignedAt,
				CSATScore: r.CsatScore, AssistantID: r.AssistantID, AssistantConfigID: r.AssistantConfigID,
				IntegrationID: short(r.IntegrationID), HasAutoCSAT: r.EnableAutoCsat,
			}})
		}
	}
	return nil
}

func loadReferrals(ctx context.Context, q *db.Queries, orgID string, ids []string, byID map[string]*Chat) error {
	rows, err := q.GetFactReferrals(ctx, db.GetFactReferralsParams{OrgID: orgID, ChatIds: ids})
	if err != nil {
		return fmt.Errorf("reading referrals: %w", err)
	}
	for _, r := range rows {
		if c := byID[r.ChatID]; c != nil {
			c.Referrals = append(c.Referrals, Referral{ID: r.ReferralID, AdID: r.AdID, SeenAt: r.SeenAt})
		}
	}
	return nil
}

// shortBytes bounds what facts are broken down by: it is part of indexes, which take no value of any length.
const shortBytes = 200

// short is a value of the vendor, cut off where it is longer than any that means something.
func short(value *string) *string {
	if value == nil || len(*value) <= shortBytes {
		return value
	}
	cut := strings.ToValidUTF8((*value)[:shortBytes], "")
	return &cut
}
