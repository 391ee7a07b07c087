package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5/pgxpool"
)

// heardLately is how old the mark of a connection's life may be: it is written every ledgerEvery.
const heardLately = 6 * ledgerEvery

// Standing is how the archiving of one org goes, as Postgres knows it.
type Standing struct {
	OrgID    string `json:"org_id"`
	Instance string `json:"instance"` // that holds it, or held it last
	// Connected says that the newest connection is open, and was heard of in the last half minute.
	Connected   bool       `json:"connected"`
	Since       *time.Time `json:"since"`         // when the newest connection was opened
	LastHeardAt *time.Time `json:"last_heard_at"` // the last byte
	LastFrameAt *time.Time `json:"last_frame_at"` // the last frame of the newest connection
	CloseReason *string    `json:"close_reason"`  // of the newest connection; nil while it is open
	OpenGaps    int        `json:"open_gaps"`     // not listened to right now
	Unrepaired  int        `json:"unrepaired"`    // what was sent meanwhile has not been fetched
	OldestGapAt *time.Time `json:"oldest_gap_at"` // of those two kinds
	// IncompleteChats is how many chats' messages are not known to be all there (ops.incomplete_chats).
	IncompleteChats int64 `json:"incomplete_chats"`
	// CompletionSeconds is how long their completion takes at the pace of the last hour; nil where none was completed.
	CompletionSeconds *float64 `json:"completion_seconds"`

	Days          []Day      `json:"days"`           // UTC, oldest first, today last
	LastCommitted *time.Time `json:"last_committed"` // received time of the newest event in Postgres, within Days
}

// Day is one UTC day of an org.
type Day struct {
	Date   string `json:"date"`
	Events int64  `json:"events"`
	Flawed int64  `json:"flawed"`
	// Coverage is the share of the day, from the first connection ever and until now, in which the inbox was listened to;
	// nil for a day before the first connection.
	Coverage *float64 `json:"coverage"`
}

// ReadStandings reports on each org that was ever listened to, or on some, over the last days.
func ReadStandings(ctx context.Context, pool *pgxpool.Pool, orgIDs []string, now time.Time, days int) ([]Standing, error) {
	if orgIDs == nil {
		orgIDs = []string{}
	}
	now = now.UTC()
	since := now.Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	q := db.New(pool)
	connections, err := q.GetLatestConnections(ctx, orgIDs)
	if err != nil {
		return nil, fmt.Errorf("reading ops.connections: %w", err)
	}
	gaps, err := q.GetGapsSince(ctx, db.GetGapsSinceParams{OrgIds: orgIDs, Since: since})
	if err != nil {
		return nil, fmt.Errorf("reading ops.gaps: %w", err)
	}
	counts, err := q.CountEventsByDay(ctx, db.CountEventsByDayParams{OrgIds: orgIDs, Since: since})
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	incomplete, completed, err := readCompletion(ctx, q, orgIDs, now)
	if err != nil {
		return nil, err
	}
	var all []Standing
	for i := range connections {
		c := &connections[i]
		s := Standing{
			OrgID: c.OrgID, Instance: c.Instance, Since: c.OpenedAt, LastHeardAt: c.HeardAt, LastFrameAt: c.LastFrameAt,
			CloseReason: c.CloseReason,
		}
		s.Connected = c.OpenedAt != nil && c.ClosedAt == nil && c.LastHeardAt != nil && now.Sub(*c.LastHeardAt) < heardLately
		away := s.gaps(gaps, now)
		if !s.Connected && c.HeardAt != nil {
			away = append(away, interval{*c.HeardAt, now}) // a process that died cannot say so
		}
		for d := range days {
			s.Days = append(s.Days, dayOf(since.AddDate(0, 0, d), now, c.FirstOpenedAt, away))
		}
		s.count(counts)
		if s.IncompleteChats = incomplete[c.OrgID]; completed[c.OrgID] > 0 {
			seconds := float64(s.IncompleteChats) / float64(completed[c.OrgID]) * completionPace.Seconds()
			s.CompletionSeconds = &seconds
		}
		all = append(all, s)
	}
	return all, nil
}

// completionPace is how far it is looked back for the pace of the completion of chats.
const completionPace = time.Hour

// readCompletion counts, by org, the chats whose messages are not known to be all there, and those that were completed lately.
func readCompletion(ctx context.Context, q *db.Queries, orgIDs []string, now time.Time) (incomplete, completed map[string]int64, err error) {
	incomplete, completed = map[string]int64{}, map[string]int64{}
	left, err := q.CountIncompleteChats(ctx, orgIDs)
	if err != nil {
		return nil, nil, fmt.Errorf("counting the chats whose messages are not complete: %w", err)
	}
	for _, r := range left {
		incomplete[r.OrgID] = r.Chats
	}
	done, err := q.CountCompletedChats(ctx, db.CountCompletedChatsParams{Since: now.Add(-completionPace), OrgIds: orgIDs})
	if err != nil {
		return nil, nil, fmt.Errorf("counting the chats that were completed: %w", err)
	}
	for _, r := range done {
		completed[r.OrgID] = r.Chats
	}
	return incomplete, completed, nil
}

// gaps counts the org's gaps and returns them.
func (s *Standing) gaps(rows []db.OpsGap, now time.Time) (away []interval) {
	for i := range rows {
		g := &rows[i]
		if g.OrgID != s.OrgID {
			continue
		}
		end := now
		if g.EndedAt != nil {
			end = *g.EndedAt
		}
		away = append(away, interval{g.BeganAt, end})
		switch {
		case g.EndedAt == nil:
			s.OpenGaps++
		case g.Status != gapRepaired:
			s.Unrepaired++
		default:
			continue
		}
		if s.OldestGapAt == nil {
			s.OldestGapAt = &g.BeganAt
		}
	}
	return away
}

func (s *Standing) count(rows []db.CountEventsByDayRow) {
	for i := range rows {
		r := &rows[i]
		at := slices.IndexFunc(s.Days, func(d Day) bool { return d.Date == r.Day })
		if r.OrgID != s.OrgID || at < 0 {
			continue
		}
		s.Days[at].Events, s.Days[at].Flawed = r.Events, r.Flawed
		s.LastCommitted = &r.LastReceivedAt
	}
}

// interval is a time in which nothing was listened to.
type interval struct{ begin, end time.Time }

// dayOf works out how much of a day was covered. Intervals may overlap.
func dayOf(day, now time.Time, firstOpened *time.Time, away []interval) Day {
	d := Day{Date: day.Format(time.DateOnly)}
	begin, end := day, day.AddDate(0, 0, 1)
	if end.After(now) {
		end = now
	}
	if firstOpened == nil || !firstOpened.Before(end) {
		return d
	}
	if firstOpened.After(begin) {
		begin = *firstOpened
	}
	slices.SortFunc(away, func(a, b interval) int { return a.begin.Compare(b.begin) })
	var missed time.Duration
	at := begin
	for _, a := range away {
		from, to := a.begin, a.end
		if from.Before(at) {
			from = at
		}
		if to.After(end) {
			to = end
		}
		if to.After(from) {
			missed += to.Sub(from)
			at = to
		}
	}
	share := 1 - float64(missed)/float64(end.Sub(begin))
	d.Coverage = &share
	return d
}
