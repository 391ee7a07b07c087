package analytics

import (
	"context"
	"fmt"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// ofDays are the parameters of the queries below, whose generated types differ in their names alone.
type ofDays struct {
	OrgID      string
	LocalDates []time.Time
}

// summary drops what is stored of some days of a daily view, and stores what the view says of them.
type summary struct {
	drop, store func(context.Context, *db.Queries, ofDays) error
}

func summaryOf[D, S ~struct {
	OrgID      string
	LocalDates []time.Time
}](drop func(*db.Queries, context.Context, D) error, store func(*db.Queries, context.Context, S) error) summary {
	return summary{
		func(ctx context.Context, q *db.Queries, days ofDays) error { return drop(q, ctx, D(days)) },
		func(ctx context.Context, q *db.Queries, days ofDays) error { return store(q, ctx, S(days)) },
	}
}

// summaries are the daily views whose rows are stored once a day is over (analytics.stored_days), by their names there. What is
// stored is what the view says when it is asked; where it is not stored, the view works it out. So a view never says
// anything else than the facts, and a transaction that changes a fact of a day takes away that the day is stored.
var summaries = map[string]summary{
	"response_times": summaryOf((*db.Queries).DropStoredResponseTimes, (*db.Queries).StoreResponseTimes),
	"csat":           summaryOf((*db.Queries).DropStoredCsat, (*db.Queries).StoreCsat),
	"agents":         summaryOf((*db.Queries).DropStoredAgents, (*db.Queries).StoreAgents),
	"assistants":     summaryOf((*db.Queries).DropStoredAssistants, (*db.Queries).StoreAssistants),
	"channels":       summaryOf((*db.Queries).DropStoredChannels, (*db.Queries).StoreChannels),
	"coverage":       summaryOf((*db.Queries).DropStoredCoverage, (*db.Queries).StoreCoverage),
}

// storedAtOnce bounds a transaction that stores days: so many days of one view.
const storedAtOnce = 200

// storeDays stores what the daily views say of the org's days that are over and not stored, a month in a transaction: while it
// lasts nobody else writes the org's facts.
func (r *Refresher) storeDays(ctx context.Context, orgID string) error {
	for {
		began := time.Now()
		isOver := false
		err := r.inTime(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
			p := &refresh{q: db.New(tx), tx: tx, orgID: orgID, now: r.now().UTC()}
			isOver, err = p.storeDays(ctx)
			return err
		})
		if err != nil || isOver {
			return err
		}
		if r.isRunning && !sleep(ctx, rest*time.Since(began)) {
			return ctx.Err()
		}
	}
}

// storeDays is one transaction. isOver says that nothing is left to do, or another refresher is at the org.
func (p *refresh) storeDays(ctx context.Context) (isOver bool, err error) {
	isOurs, err := p.lock(ctx, false)
	if err != nil || !isOurs {
		return true, err
	}
	settings, err := LoadSettings(ctx, p.tx, p.orgID)
	if err != nil {
		return false, err
	}
	// Today changes all the time; what the views make of it themselves is a thirtieth of a month.
	live, err := p.q.GetLiveDays(ctx, db.GetLiveDaysParams{
		OrgID: p.orgID, Since: firstDay, Before: settings.LocalDate(p.now), Days: storedAtOnce,
	})
	if err != nil {
		return false, fmt.Errorf("looking for days that are not stored: %w", err)
	}
	if len(live) == 0 {
		return true, nil
	}
	days := map[string][]time.Time{}
	keep := db.KeepStoredDaysParams{OrgID: p.orgID}
	for _, d := range live {
		days[d.Summary] = append(days[d.Summary], d.LocalDate)
		keep.Summaries, keep.LocalDates = append(keep.Summaries, d.Summary), append(keep.LocalDates, d.LocalDate)
	}
	for name, of := range days {
		if err := summaries[name].drop(ctx, p.q, ofDays{p.orgID, of}); err != nil {
			return false, fmt.Errorf("dropping the stored days of %s_daily: %w", name, err)
		}
		if err := summaries[name].store(ctx, p.q, ofDays{p.orgID, of}); err != nil {
			return false, fmt.Errorf("storing the days of %s_daily: %w", name, err)
		}
	}
	if err := p.q.KeepStoredDays(ctx, keep); err != nil {
		return false, fmt.Errorf("noting the days that are stored: %w", err)
	}
	return len(live) < storedAtOnce, nil
}

// touched are the days of which a daily view says something else once facts are written.
type touched map[touchedDay]bool

type touchedDay struct {
	summary string
	day     time.Time
}

func (t touched) add(day time.Time, names ...string) {
	for _, name := range names {
		t[touchedDay{name, day}] = true
	}
}

// facts adds the days of a fact that is new or gone, or was like this or is.
func (t touched) fact(row any) {
	switch row := row.(type) {
	case *Case:
		t.add(row.OpenedLocalDate.Time, "assistants", "channels", "coverage")
		if row.ClosedLocalDate != nil {
			t.add(row.ClosedLocalDate.Time, "csat", "agents", "channels", "coverage")
		}
	case *Turn:
		if row.RepliedLocalDate != nil {
			t.add(row.RepliedLocalDate.Time, "response_times", "agents", "channels", "coverage")
		}
	case *Rating:
		t.add(row.RatedLocalDate.Time, "csat", "agents", "channels", "coverage")
	case *Handoff:
		t.add(row.HandedOffLocalDate.Time, "agents", "channels", "coverage")
	}
}

// drop takes away that these days are stored.
func (t touched) drop(ctx context.Context, q *db.Queries, orgID string) error {
	if len(t) == 0 {
		return nil
	}
	p := db.DropStoredDaysParams{OrgID: orgID}
	for d := range t {
		p.Summaries, p.LocalDates = append(p.Summaries, d.summary), append(p.LocalDates, d.day)
	}
	if err := q.DropStoredDays(ctx, p); err != nil {
		return fmt.Errorf("dropping stored days: %w", err)
	}
	return nil
}
