package ingest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"archiver/invent"
)

// turn waits until the budget allows another request.
func (p *sweep) turn(ctx context.Context) error {
	began := time.Now()
	defer func() { p.lane.metrics.restWaitSeconds.Add(time.Since(began).Seconds()) }()
	return p.budget.Wait(ctx)
}

// counted makes a request and counts how it went.
func (p *sweep) counted(request func() (*invent.Page, error)) (*invent.Page, error) {
	page, err := request()
	p.lane.metrics.restRequests.WithLabelValues(outcome(err)).Inc()
	return page, err
}

// The outcomes of a REST request.
const (
	answered = "answered"
	limited  = "limited" // 429: too many requests
	refused  = "refused" // 401, 403, 404
	failed   = "failed"  // anything else, and no answer
)

func outcome(err error) string {
	var status *invent.StatusError
	switch {
	case err == nil:
		return answered
	case !errors.As(err, &status):
		return failed
	case status.Status == http.StatusTooManyRequests:
		return limited
	case status.Refused():
		return refused
	}
	return failed
}
