package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"archiver/ingest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// listener is where the process tells about itself; nil for nowhere.
type listener = net.Listener

// listen takes the address of --listen.
func (c *ingestCommand) listen() (listener, error) {
	if c.Listen == "" {
		return nil, nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return nil, usagef("--listen or ARCHIVER_LISTEN is %q: write it as host:port, as 127.0.0.1:9464, or leave it empty for none", c.Listen)
	}
	return listenOn(c.Listen, "--listen or ARCHIVER_LISTEN")
}

// listenOn takes an address; flag is what to change when somebody else has it.
func listenOn(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use by another process: stop it, or choose another with %s", address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("listening on %s, as %s says: %w", address, flag, err)
	}
	return l, nil
}

// serve answers on l until the returned function is called, which waits for the answers that are under way.
func serve(l net.Listener, h http.Handler, log *slog.Logger) (stop func()) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics and health are not answered any more", "address", l.Addr().String(), "error", err)
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // somebody reads too slowly to be waited for
		}
		<-done
	}
}

// handler answers /metrics, /healthz and /readyz.
func handler(status func() ingest.Status, metrics prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "the process lives; whether it does its work is told by /readyz")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answerReady(w, status()) })
	return mux
}

// readiness is the body of /readyz.
type readiness struct {
	Ready      bool     `json:"ready"`
	Reasons    []string `json:"reasons"` // why not; empty when it is
	Received   int64    `json:"received_frames"`
	Committed  int64    `json:"committed_events"`
	Pending    int64    `json:"pending_events"`
	LagSeconds float64  `json:"lag_seconds"`
}

func answerReady(w http.ResponseWriter, s ingest.Status) {
	r := readiness{
		Ready: len(s.Reasons) == 0, Reasons: append([]string{}, s.Reasons...),
		Received: s.Received, Committed: s.Committed, Pending: s.Pending, LagSeconds: s.Lag.Seconds(),
	}
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r) // fails only when the one who asked has gone
}
