package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"archiver/invent"
)

// subOrgsEvery is how often an org's list of sub-orgs is read: names change rarely, and frames do not carry them.
const subOrgsEvery = 24 * time.Hour

// subOrgList is when an org's list of sub-orgs is to be read next.
type subOrgList struct {
	nextAt    time.Time
	isRefused bool // the key may not read it, as was said in the log
}

// listSubOrgs reads the org's list of sub-orgs into the spool when it is due. A key that may not read it is no failure:
// the orgs then stay without names.
func (r *reconciler) listSubOrgs(ctx context.Context, s *session, l *subOrgList) {
	if time.Now().Before(l.nextAt) {
		return
	}
	err := r.sweepOf(s).subOrgs(ctx)
	var status *invent.StatusError
	l.nextAt = time.Now().Add(subOrgsEvery)
	switch {
	case err == nil:
		l.isRefused = false
	case errors.As(err, &status) && (status.Refused() || status.Status == http.StatusGone):
		if !l.isRefused {
			s.log.Info("the list of sub-orgs is not for this key; names and parents of orgs stay unknown", "status", status.Status, "asked_again_in", subOrgsEvery)
		}
		l.isRefused = true
	default:
		l.nextAt = time.Now().Add(repairEvery)
		if ctx.Err() == nil {
			s.log.Warn("the list of sub-orgs could not be read; it is tried again", "error", describeError(err), "retry_in", repairEvery)
		}
	}
}

// subOrgs reads the list of the org's sub-orgs.
func (p *sweep) subOrgs(ctx context.Context) error {
	return p.read(ctx, list{
		kind: KindOrgsPage,
		page: func(ctx context.Context, number int) (*invent.Page, error) {
			return p.client.OrgsPage(ctx, p.orgID, number, invent.MaxTake)
		},
		entries: func(page *invent.Page) (all []entry) {
			orgs, _ := p.decoder.Orgs(page.Body)
			for i := range orgs {
				all = append(all, entry{id: strings.Clone(orgs[i].ID.V)})
			}
			return all
		},
	})
}
