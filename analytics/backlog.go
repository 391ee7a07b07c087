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

// firstDay is where the backlog begins, as analytics.calendar does: a chat that says it is open since the year 1 is not
// counted on each day since.
var firstDay = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

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
	day := s.LocalDate(span.BeganAt)
	if day.Before(firstDay) {
		day = firstDay
	}
	for ; !day.After(through); day = day.AddDate(0, 0, 1) {
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
		if state == "SNOOZED" {
			m.snoozed += n
		} else {
			m.open += n
		}
		if span.AssignedUserID == nil {
			m.unassigned += n
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

// countBacklog counts the backlog of some days, the last one included, by the spans that are stored.
func countBacklog(ctx context.Context, q *db.Queries, s *Settings, orgID string, from, through time.Time) (backlog, error) {
	b := backlog{}
	var days, ats []time.Time
	for day := from; !day.After(through); day = day.AddDate(0, 0, 1) {
		days, ats = append(days, day), append(ats, s.midnight(day))
	}
	if len(days) == 0 {
		return b, nil
	}
	rows, err := q.CountBacklog(ctx, db.CountBacklogParams{OrgID: orgID, Ats: ats})
	if err != nil {
		return nil, fmt.Errorf("counting the backlog: %w", err)
	}
	for _, r := range rows {
		if m := (midnight{open: r.OpenChats, snoozed: r.SnoozedChats, unassigned: r.UnassignedChats}); m != (midnight{}) {
			b[days[r.N-1]] = &m
		}
	}
	return b, nil
}

// countAllDays counts the backlog of all days there are spans of.
func countAllDays(ctx context.Context, q *db.Queries, s *Settings, orgID string, through time.Time) (backlog, error) {
	began, err := q.GetFirstSpan(ctx, orgID)
	if err != nil {
		return nil, fmt.Errorf("looking for the first open chat: %w", err)
	}
	if began == nil {
		return backlog{}, nil
	}
	from := s.LocalDate(*began)
	if from.Before(firstDay) {
		from = firstDay
	}
	return countBacklog(ctx, q, s, orgID, from, through)
}

// storedBacklog is what is stored of all days.
func storedBacklog(ctx context.Context, q *db.Queries, orgID string) (backlog, error) {
	rows, err := q.GetBacklog(ctx, orgID)
	if err != nil {
		return nil, fmt.Errorf("reading analytics.backlog_daily: %w", err)
	}
	b := backlog{}
	for _, r := range rows {
		b[r.LocalDate] = &midnight{open: r.OpenChats, snoozed: r.SnoozedChats, unassigned: r.UnassignedChats}
	}
	return b, nil
}

// differences counts the days that differ.
func (b backlog) differences(other backlog) (n int64) {
	for day, m := range b {
		if o := other[day]; o == nil || *o != *m {
			n++
		}
	}
	for day := range other {
		if b[day] == nil {
			n++
		}
	}
	return n
}

// midnight is when a local day begins: where its midnight does not exist, the first moment after.
func (s *Settings) midnight(day time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, s.zone())
}
