package ingest

import (
	"time"

	"archiver/db"
)

// history is the columns of a state whose changes are kept (chat_state_changes).
type history struct {
	state, integrationID, assistantID, assistantIntegrationID *string
	aiEnabled                                                 *bool
	assignedUserID                                            *string
	assignedAt                                                *time.Time
	assistantConfigID                                         *string
	followUpAt, mutedUntil                                    *time.Time
	csatScore                                                 *int32
}

func historyOf(s *db.InboxChatState) history {
	return history{
		s.State, s.IntegrationID, s.AssistantID, s.AssistantIntegrationID, s.AiEnabled, s.AssignedUserID, s.AssignedAt,
		s.AssistantConfigID, s.FollowUpAt, s.MutedUntil, s.CsatScore,
	}
}

func (h *history) equal(o *history) bool {
	return equal(h.state, o.state) && equal(h.integrationID, o.integrationID) &&
		equal(h.assistantID, o.assistantID) && equal(h.assistantIntegrationID, o.assistantIntegrationID) &&
		equal(h.aiEnabled, o.aiEnabled) && equal(h.assignedUserID, o.assignedUserID) &&
		equalTime(h.assignedAt, o.assignedAt) && equal(h.assistantConfigID, o.assistantConfigID) &&
		equalTime(h.followUpAt, o.followUpAt) && equalTime(h.mutedUntil, o.mutedUntil) &&
		equal(h.csatScore, o.csatScore)
}

func equalTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// riseOf is by how much the count of messages that the team has not seen rose from one version to the next; nil where that
// is no more than the one message a version shows.
func riseOf(before, now *int64) *int64 {
	if before == nil || now == nil || *before < 0 || *now-*before < 2 {
		return nil
	}
	return new(*now - *before)
}

// change is the row that says the state became h with the version described by d. The change itself happened after
// the last version that still had the old values: between two versions the socket shows nothing.
func (h *history) change(c *chat, d *description, clock *time.Time, rise *int64) db.InboxChatStateChange {
	seen := d.seen.time()
	return db.InboxChatStateChange{
		OrgID: c.key.orgID, ChatID: c.key.chatID, ChangedAt: *clock, StreamID: d.stream, Seq: d.seen.seq,
		UnchangedUntil: c.row.StateVersionAt,
		State:          h.state, IntegrationID: h.integrationID, AssistantID: h.assistantID,
		AssistantIntegrationID: h.assistantIntegrationID, AiEnabled: h.aiEnabled, AssignedUserID: h.assignedUserID,
		AssignedAt: h.assignedAt, AssistantConfigID: h.assistantConfigID, FollowUpAt: h.followUpAt,
		MutedUntil: h.mutedUntil, CsatScore: h.csatScore, UnseenRise: rise,
		FirstSeenAt: seen, LastSeenAt: seen, VersionAt: clock,
	}
}
