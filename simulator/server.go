package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// DefaultKey is the bearer key of a server that was given none; it belongs to the first organization.
const DefaultKey = "simulator-key"

// ServerOptions say how the world is served. The zero value serves it to DefaultKey as fast as clients read.
type ServerOptions struct {
	// Keys are the accepted bearer keys with the id of the organization each belongs to. The agency's key also opens
	// its sub-organizations. Default: DefaultKey for the first organization.
	Keys map[string]string
	// ForeignStatus answers a key that does not open the organization asked for: 403, the default, or 404.
	ForeignStatus int
	// RateLimit is the number of requests an address may make in RateWindow (default one minute); 0 is no limit.
	RateLimit  int
	RateWindow time.Duration
	// Rate is frames a second over all organizations; Speed is simulated seconds a second. With both 0 the world plays as
	// fast as its clients read, and waits for the slowest; with either, a client that falls far behind is dropped.
	Rate, Speed float64
	// Live stamps events with the real time instead of the simulated one; the order stays (see World.NextAt). It needs a Rate.
	Live bool
	// HoldWithoutClient stops the world while the organization of the next frame has no client: nothing is missed.
	HoldWithoutClient bool
	// PingEvery makes the server ping its clients; 0 is never. A client that does not answer is dropped.
	PingEvery time.Duration
	// NoLedger keeps no record of frames and requests, for servers that run for days.
	NoLedger bool
	// Log gets connections and faults; nil is silence.
	Log *slog.Logger
}

// Server puts a World behind the vendor's endpoints. It is an http.Handler; Run serves it on a listener.
type Server struct {
	world *World
	opts  ServerOptions
	log   *slog.Logger
	mux   *http.ServeMux

	mu          sync.Mutex
	changed     sync.Cond // clients came or went, a queue moved, or a waiter's context ended
	keys        map[string]string
	clients     map[string][]*client // by organization
	stalled     map[string]bool
	frames      map[string]int // index of the next frame, by organization
	ledger      map[string][]Sent
	requests    []Request
	connections int
	closed      bool
	serving     sync.WaitGroup // one for each WebSocket connection
	faults      faults
	windows     map[string]*window // of the rate limit, by address
}

// NewServer makes a server of w; nothing happens until FastForward or Play.
func NewServer(w *World, opts ServerOptions) *Server {
	s := &Server{
		world: w, opts: opts, log: opts.Log,
		keys:    map[string]string{},
		clients: map[string][]*client{},
		stalled: map[string]bool{},
		frames:  map[string]int{},
		ledger:  map[string][]Sent{},
		windows: map[string]*window{},
	}
	s.changed.L = &s.mu
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opts.RateWindow <= 0 {
		s.opts.RateWindow = time.Minute
	}
	if s.opts.ForeignStatus == 0 {
		s.opts.ForeignStatus = http.StatusForbidden
	}
	for key, orgID := range opts.Keys {
		s.keys[key] = orgID
	}
	if len(s.keys) == 0 {
		s.keys[DefaultKey] = w.Orgs()[0].ID
	}
	s.mux = s.routes()
	return s
}

// Run serves on ln until ctx is done, then closes every connection and returns nil.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	server := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		s.Close()
		return fmt.Errorf("serving the simulator on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	err := server.Close()
	s.Close()
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("stopping the simulator on %s: %w", ln.Addr(), err)
	}
	return nil
}

// Close cuts all WebSocket connections, without a close frame, takes no new ones, and returns when all of their goroutines
// have ended. An http.Server does not do that by itself: the connections are hijacked.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, o := range s.world.Orgs() {
		s.Drop(o.ID, 0, "")
	}
	s.serving.Wait()
}
