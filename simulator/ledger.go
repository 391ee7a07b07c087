package simulator

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Sent is one frame of an organization as the server dealt with it: one entry for each client it was meant for, or one with
// connection 0 when there was none.
type Sent struct {
	// Index counts the organization's frames from 0, the fast-forwarded ones included; injected frames take one too.
	Index int
	// Connection is the number of the connection (from 1, over all organizations), or 0.
	Connection int
	ChatID     string
	// At is the frame's simulated time; for an injected frame the world's time.
	At     time.Time
	Size   int
	SHA256 [32]byte
	// Written says that the frame was handed to the kernel whole. It may still not have reached the client.
	Written  bool
	Injected bool
}

// Request is one HTTP request as answered, the WebSocket upgrades included. Query is as sent; keys are never kept.
type Request struct {
	At     time.Time
	Method string
	Path   string
	Query  string
	Status int
}

// Ledger lists what was sent to the clients of an organization so far, in order of sending. Fast-forwarded frames are not
// in it.
func (s *Server) Ledger(orgID string) []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.ledger[orgID])
}

// Requests lists the requests so far, in order of their answers.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Clients says how many clients an organization has.
func (s *Server) Clients(orgID string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients[orgID])
}

// WaitForClients returns when an organization has at least n connected clients, or with ctx's error.
func (s *Server) WaitForClients(ctx context.Context, orgID string, n int) error {
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.clients[orgID]) < n && ctx.Err() == nil {
		s.changed.Wait()
	}
	return ctx.Err()
}

// wake wakes all who wait for a change that was not made under the lock. Taking the lock first means that a waiter has
// either not looked yet or is already waiting.
func (s *Server) wake() {
	s.mu.Lock()
	s.mu.Unlock() //nolint:staticcheck // empty on purpose, see above
	s.changed.Broadcast()
}

// note adds an entry to the ledger and gives its place; -1 without a ledger. The lock is held.
func (s *Server) note(orgID string, sent Sent) int {
	if s.opts.NoLedger {
		return -1
	}
	s.ledger[orgID] = append(s.ledger[orgID], sent)
	return len(s.ledger[orgID]) - 1
}

// written completes a ledger entry.
func (s *Server) written(c *client, f queued, ok bool) {
	s.mu.Lock()
	if ok && f.entry >= 0 {
		s.ledger[c.orgID][f.entry].Written = true
	}
	c.waiting.Add(-1)
	s.mu.Unlock()
	s.changed.Broadcast()
}

func (s *Server) record(r *http.Request, status int) {
	if s.opts.NoLedger {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, Request{
		At: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Status: status,
	})
}
