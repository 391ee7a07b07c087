package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"archiver/dashboard"
	"archiver/postgres"

	"github.com/jackc/pgx/v5/pgxpool"
)

// pageTime is what a page of the dashboard may take, in ms.
const pageTime = 300

// pages measures what a visitor of the dashboard waits for each page, as it is when nothing is chosen: the last thirty days of the
// large org. It is the median of five visits after one that is not measured, with an empty cache of the browser and a full one of
// the server.
func (b *bench) pages(ctx context.Context, pool *pgxpool.Pool) (err error) {
	reader, err := postgres.Connect(ctx, pool.Config().ConnString(), dashboard.Reading(""))
	if err != nil {
		return err
	}
	defer reader.Close()
	board, err := dashboard.New(dashboard.Config{Pool: reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening for the dashboard: %w", err)
	}
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- board.Serve(serving, listener) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()
	for _, path := range dashboard.Pages() {
		b.plan.Progress("visiting " + path)
		address := "http://" + listener.Addr().String() + path + "?org=" + url.QueryEscape(largeOrg)
		var times []float64
		for run := range 6 {
			took, err := visit(ctx, address)
			if err != nil {
				return err
			}
			if run > 0 {
				times = append(times, float64(took.Microseconds())/1000)
			}
		}
		b.report.add("facts", "page "+path, "ms", times...).atMost(pageTime)
	}
	return nil
}

// visit reads a page to its end.
func visit(ctx context.Context, address string) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, fmt.Errorf("asking for %s: %w", address, err)
	}
	began := time.Now()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("asking for a page: %w", err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, fmt.Errorf("reading %s: %w", address, err)
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("asking for %s: %s", address, response.Status)
	}
	return time.Since(began), nil
}
