package analytics

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"archiver/db"

	"github.com/jackc/pgx/v5"
)

// The statements here are put together from the columns of the tables, which sqlc cannot do.

// errVerified ends a transaction that has seen enough and must not be kept.
var errVerified = errors.New("nothing is to be kept")

// verifyDays compares what is stored of the days that are over with what the facts give, a month at a time. The views themselves work
// out the days: in a transaction that forgets that these are stored, and that is rolled back. Meanwhile nobody else writes the
// org's facts.
func (r *Refresher) verifyDays(ctx context.Context, v *verification) error {
	before := time.Time{}
	for isOver := false; !isOver; {
		err := r.inTime(ctx, func(ctx context.Context, tx pgx.Tx) error {
			p := &refresh{q: db.New(tx), tx: tx, orgID: v.orgID}
			if _, err := p.lock(ctx, true); err != nil {
				return err
			}
			days, err := p.forgetDays(ctx, &before)
			if err != nil {
				return err
			}
			isOver = len(days) == 0
			for _, name := range slices.Sorted(maps.Keys(days)) {
				n, err := p.differingDays(ctx, name, days[name])
				if err != nil {
					return err
				}
				v.add("stored_"+name, n)
			}
			return errVerified
		})
		if !errors.Is(err, errVerified) {
			return err
		}
	}
	return nil
}

// forgetDays forgets that the newest days before a day are stored, a month of them, says of which views they are, and makes
// before the first of them.
func (p *refresh) forgetDays(ctx context.Context, before *time.Time) (days map[string][]time.Time, err error) {
	forgotten, err := p.q.ForgetStoredDays(ctx, db.ForgetStoredDaysParams{OrgID: p.orgID, Before: orNone(*before), Days: storedAtOnce})
	if err != nil {
		return nil, fmt.Errorf("reading the days that are stored: %w", err)
	}
	days = map[string][]time.Time{}
	for _, d := range forgotten {
		days[d.Summary] = append(days[d.Summary], d.LocalDate)
		if before.IsZero() || d.LocalDate.Before(*before) {
			*before = d.LocalDate
		}
	}
	return days, nil
}

func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// differingDays counts the rows of a view that are stored otherwise than the view works them out, and those that are on one side
// only. Sums and means are of floating point numbers, whose last digits depend on the order they are added in.
func (p *refresh) differingDays(ctx context.Context, name string, days []time.Time) (n int64, err error) {
	columns, err := p.q.GetStoredColumns(ctx, "stored_"+name)
	if err != nil {
		return 0, fmt.Errorf("reading the columns of analytics.stored_%s: %w", name, err)
	}
	key, numbers := []string{"t.local_date"}, []string{"0"}
	for _, c := range columns {
		column := "t." + pgx.Identifier{c.Name}.Sanitize()
		if c.IsFloat {
			numbers = append(numbers, column)
		} else {
			key = append(key, column)
		}
	}
	side := func(relation string) string {
		return fmt.Sprintf("select row(%s)::text as key, array[%s]::float8[] as numbers from analytics.%s as t where t.org_id = $1::text and t.local_date = any($2::date[])",
			strings.Join(key, ", "), strings.Join(numbers, ", "), relation)
	}
	err = p.tx.QueryRow(ctx, fmt.Sprintf(`
select count(*)
from (%s) as s
full join (%s) as d on d.key = s.key
where s.key is null or d.key is null or exists (
    select from unnest(s.numbers, d.numbers) as n (was, is_now)
    where (n.was is null) <> (n.is_now is null) or abs(n.was - n.is_now) > 1e-9 * greatest(abs(n.was), abs(n.is_now))
)`, side("stored_"+name), side(name+"_daily")), p.orgID, days).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("comparing analytics.stored_%s: %w", name, err)
	}
	return n, nil
}
