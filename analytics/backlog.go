package analytics

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"archiver/db"
)

// backlog is how many chats stood how at each local midnight, or by how many that changed: analytics.backlog_daily is kept
// by adding what the new spans of a chat give and taking away what its old ones gave.
type backlog map[time.Time]*midnight

// midnight is the one a local day begins with.
type midnight struct{ open, snoozed, unassigned int64 }

// add adds a chat's span n times, at each midnight within it, up to the day through.
func (b backlog) add(s *Settings, span *Span, n int64, through time.Time) {
	if span.State == nil {
		return
	}
	state := strings.ToUpper(*span.State)
	if state != "OPEN" && state != "SNOOZED" {
		return
	}
	for day := s.LocalDate(span.BeganAt); !day.After(through); day = day.AddDate(0, 0, 1) {
		at := s.midnight(day)
		if at.Before(span.BeganAt) {
			continue
		}
		if span.EndedAt != nil && !span.EndedAt.After(at) {
			return
		}
		m := b[day]
		if m == nil {
			m = &midnight{}
			b[day] = m
		}
		switch {
		case state == "SNOOZED":
			m.snoozed += n
		case span.AssignedUserID == nil:
			m.open, m.unassigned = m.open+n, m.unassigned+n
		default:
			m.open += n
		}
	}
}

// save adds it to what is stored.
func (b backlog) save(ctx context.Context, q *db.Queries, orgID string) error {
	p := db.AddToBacklogParams{OrgID: orgID}
	for _, day := range slices.SortedFunc(maps.Keys(b), time.Time.Compare) {
		if m := b[day]; *m != (midnight{}) {
			p.LocalDates = append(p.LocalDates, day)
			p.OpenChats = append(p.OpenChats, m.open)
			p.SnoozedChats = append(p.SnoozedChats, m.snoozed)
			p.UnassignedChats = append(p.UnassignedChats, m.unassigned)
		}
	}
	if len(p.LocalDates) == 0 {
		return nil
	}
	if err := q.AddToBacklog(ctx, p); err != nil {
		return fmt.Errorf("adding to the backlog: %w", err)
	}
	if err := q.DropEmptyBacklog(ctx, orgID); err != nil {
		return fmt.Errorf("clearing the backlog: %w", err)
	}
	return nil
}

// countDay counts the backlog of a day that has begun since the last count.
func countDay(ctx context.Context, q *db.Queries, s *Settings, orgID string, day time.Time) error {
	rows, err := q.CountBacklog(ctx, db.CountBacklogParams{OrgID: orgID, At: s.midnight(day)})
	if err != nil || len(rows) == 0 {
		return err
	}
	b := backlog{day: {open: rows[0].OpenChats, snoozed: rows[0].SnoozedChats, unassigned: rows[0].UnassignedChats}}
	return b.save(ctx, q, orgID)
}

// midnight is when a local day begins: where its midnight does not exist, the first moment after.
func (s *Settings) midnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.zone())
}
