package dashboard

import (
	"context"
	"fmt"
	"regexp"
)

// shareable are views of days which several panels of a page read, each with the same condition, and which take most of the time
// of these panels. A page reads such a view once, and its panels are asked of the rows.
var shareable = regexp.MustCompile(`analytics\.(volume_hourly|token_usage_daily|ad_funnel) as `)

// shared is one view that a page reads for its panels.
type shared struct {
	done chan struct{} // closed when it was read
	rows string        // as a JSON array
	err  error
}

// share finds the views that more than one of the panels reads.
func share(panels []*panel) map[string]*shared {
	readers := map[string]int{}
	for _, p := range panels {
		if view := p.sharedView(); view != "" {
			readers[view]++
		}
	}
	views := map[string]*shared{}
	for view, n := range readers {
		if n > 1 {
			views[view] = &shared{done: make(chan struct{})}
		}
	}
	return views
}

// sharedView is the view that the panel may share, without its schema; empty when it reads none.
func (p *panel) sharedView() string {
	m := shareable.FindStringSubmatch(p.sql())
	if m == nil {
		return ""
	}
	return m[1]
}

// readShared reads a view of the visit's days.
func (s *Server) readShared(ctx context.Context, v *visit, view string, into *shared) {
	defer close(into.done)
	a, err := s.ask(ctx, fmt.Sprintf(`select coalesce(jsonb_agg(to_jsonb(d)), '[]')::text as rows
		from analytics.%s as d where d.org_id = @org::text and d.local_date between @from::date and @to::date`, view), v.args())
	if err != nil {
		into.err = err
		return
	}
	into.rows = a.textAt(0, "rows")
}

// askPanel asks a panel's statement: of the rows of a view that its page reads for several panels, once these are there.
func (s *Server) askPanel(ctx context.Context, v *visit, p *panel, views map[string]*shared) (*answer, error) {
	from := views[p.sharedView()]
	if from == nil {
		return s.ask(ctx, p.inSteps(v.filter.step()), v.args())
	}
	select {
	case <-from.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if from.err != nil {
		return nil, from.err
	}
	args := v.args()
	args["shared"] = from.rows
	return s.ask(ctx, p.ofShared(v.filter.step()), args)
}

// ofShared is the panel's statement that reads the rows in argument shared instead of the view.
func (p *panel) ofShared(step string) string {
	return shareable.ReplaceAllString(p.inSteps(step), "jsonb_populate_recordset(null::analytics.$1, @shared::jsonb) as ")
}
