package ingest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"archiver/invent"
)

const (
	// subOrgsEvery is how often an org's list of sub-orgs is read: names change rarely, and frames do not carry them.
	subOrgsEvery = 24 * time.Hour
	// maxSubOrgPages bounds one reading; an API that ignores the page number would go on for ever.
	maxSubOrgPages = 1000
)

// subOrgLists is when each org's list of sub-orgs is to be read next. The zero value is that all of them are due.
type subOrgLists struct {
	mu      sync.Mutex
	next    map[string]time.Time // by org
	refused map[string]bool      // orgs whose list the key may not read, as far as was said in the log
}

func (l *subOrgLists) isDue(orgID string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !now.Before(l.next[orgID])
}

// done notes a reading, and reports whether it is news that the list may not be read.
func (l *subOrgLists) done(orgID string, now time.Time, refused bool) (isNews bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next == nil {
		l.next, l.refused = map[string]time.Time{}, map[string]bool{}
	}
	isNews = refused && !l.refused[orgID]
	l.next[orgID], l.refused[orgID] = now.Add(subOrgsEvery), refused
	return isNews
}

// listSubOrgs reads the org's list of sub-orgs into the spool when it is due. A key that may not read it is no failure:
// the orgs then stay without names.
func (r *reconciler) listSubOrgs(ctx context.Context, s *session) {
	orgID := s.orgID()
	if !r.subOrgs.isDue(orgID, time.Now()) {
		return
	}
	p := &sweep{reconciler: r, orgID: orgID, lane: r.ingester.laneOf(orgID), log: s.log}
	err := p.subOrgPages(ctx)
	var status *invent.StatusError
	switch {
	case ctx.Err() != nil:
	case err == nil:
		r.subOrgs.done(orgID, time.Now(), false)
	case errors.As(err, &status) && (status.Refused() || status.Status == http.StatusGone):
		if r.subOrgs.done(orgID, time.Now(), true) {
			s.log.Info("the list of sub-orgs is not for this key; names and parents of orgs stay unknown", "status", status.Status, "asked_again_in", subOrgsEvery)
		}
	default:
		s.log.Warn("the list of sub-orgs could not be read; it is tried again", "error", describeError(err), "retry_in", repairEvery)
	}
}

// subOrgPages spools the list, page by page, until one brings no org that was not seen before.
func (p *sweep) subOrgPages(ctx context.Context) error {
	var decoder invent.Decoder
	seen := map[string]bool{}
	for page := 1; page <= maxSubOrgPages; page++ {
		got, err := p.ask(ctx, KindOrgsPage, func() (*invent.Page, error) {
			return p.ingester.config.Client.OrgsPage(ctx, p.orgID, page, invent.MaxTake)
		})
		if err != nil {
			return err
		}
		isNew := false
		orgs, _ := decoder.Orgs(got.Body)
		for i := range orgs {
			isNew = isNew || !seen[orgs[i].ID.V]
			seen[orgs[i].ID.V] = true
		}
		if !isNew || got.Count >= 0 && page*invent.MaxTake >= got.Count {
			return nil
		}
	}
	return nil
}
