package dashboard

import (
	"context"
	"fmt"
	"net/url"
)

// AskedTwice asks every panel that shares a view with others of its page, of the shared rows and by itself, and gives the rows of
// both by the panel's id.
func (s *Server) AskedTwice(ctx context.Context, query url.Values) (map[string][2]string, error) {
	v, err := s.arrive(ctx, "/", query)
	if err != nil {
		return nil, err
	}
	asked := map[string][2]string{}
	for _, pg := range pages {
		views := share(pg.panels)
		for view, into := range views {
			s.readShared(ctx, v, view, into)
		}
		for _, p := range pg.panels {
			if views[p.sharedView()] == nil {
				continue
			}
			var rows [2]string
			for i, of := range []map[string]*shared{views, nil} {
				a, err := s.askPanel(ctx, v, p, of)
				if err != nil {
					return nil, fmt.Errorf("panel %s: %w", p.id, err)
				}
				rows[i] = fmt.Sprint(a.columns, a.rows)
			}
			asked[p.id] = rows
		}
	}
	return asked, nil
}
