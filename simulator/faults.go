package simulator

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// faults are the scripted ones that wait for their requests.
type faults struct {
	upgrades, lists refusal
	redirects       int
	location        string
	slow            time.Duration
}

// refusal answers the next few requests with a status.
type refusal struct {
	left, status int
	retryAfter   time.Duration
}

// fail answers a request with the fault that is scripted for it, if any.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, upgrade bool) bool {
	s.mu.Lock()
	f := &s.faults
	slow := f.slow
	if f.redirects > 0 {
		f.redirects--
		location := f.location
		s.mu.Unlock()
		http.Redirect(w, r, location, http.StatusTemporaryRedirect)
		return true
	}
	next := &f.lists
	if upgrade {
		next = &f.upgrades
	}
	var now refusal
	if next.left > 0 {
		now = *next
		next.left--
	}
	s.mu.Unlock()
	if now.left > 0 {
		retryAfter(w, now.retryAfter)
		refuse(w, now.status, "refused by the script")
		return true
	}
	if !upgrade && slow > 0 {
		return sleepUntil(r.Context(), time.Now().Add(slow)) != nil
	}
	return false
}

// Drop ends all connections of an organization and says how many. Code 0 cuts them without a close frame; any other code
// is sent in a close frame behind the frames already queued, and the client has five seconds to answer.
func (s *Server) Drop(orgID string, code websocket.StatusCode, reason string) int {
	s.mu.Lock()
	clients := s.clients[orgID]
	s.clients[orgID] = nil
	s.mu.Unlock()
	s.changed.Broadcast()
	var closing sync.WaitGroup
	for _, c := range clients {
		closing.Go(func() {
			if code != 0 {
				s.settle(c)
				_ = c.socket.Close(code, reason)
			}
			c.cut()
		})
	}
	closing.Wait()
	return len(clients)
}

// settle waits until a client's queue is empty, or the client gone or silent.
func (s *Server) settle(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c.waiting.Load() > 0 && !s.silent(c) {
		select {
		case <-c.gone:
			return
		default:
			s.changed.Wait()
		}
	}
}

// RefuseUpgrades answers the next n WebSocket upgrades with status. A retryAfter above 0 is sent as Retry-After, in whole
// seconds rounded up.
func (s *Server) RefuseUpgrades(n, status int, retryAfter time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.upgrades = refusal{left: n, status: status, retryAfter: retryAfter}
}

// RefuseLists answers the next n REST requests with status, as RefuseUpgrades does for upgrades.
func (s *Server) RefuseLists(n, status int, retryAfter time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.lists = refusal{left: n, status: status, retryAfter: retryAfter}
}

// Redirect answers the next n requests of any kind with a redirect to location.
func (s *Server) Redirect(n int, location string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.redirects, s.faults.location = n, location
}

// SlowLists makes every REST answer take d longer.
func (s *Server) SlowLists(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.slow = d
}

// SetKey makes key open orgID from now on; an empty orgID takes the key away. Open connections stay.
func (s *Server) SetKey(key, orgID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if orgID == "" {
		delete(s.keys, key)
		return
	}
	s.keys[key] = orgID
}

// Stall lets the clients of an organization, those to come included, stay connected and get nothing until Resume: the
// frames meanwhile are lost to them. Pings are still answered.
func (s *Server) Stall(orgID string) { s.setStalled(orgID, true) }

// Resume ends a Stall.
func (s *Server) Resume(orgID string) { s.setStalled(orgID, false) }

func (s *Server) setStalled(orgID string, stalled bool) {
	s.mu.Lock()
	s.stalled[orgID] = stalled
	s.mu.Unlock()
	s.changed.Broadcast()
}

// StallMidFrame lets the next frame to each present client of an organization stop after half its bytes, and then
// nothing more is read or written on these connections, which stay open.
func (s *Server) StallMidFrame(orgID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients[orgID] {
		c.net.midFrame.Store(true)
	}
}

// HalfOpen makes the present connections of an organization dead without closing them: nothing is read or written any more.
func (s *Server) HalfOpen(orgID string) {
	s.mu.Lock()
	for _, c := range s.clients[orgID] {
		c.net.kill()
	}
	s.mu.Unlock()
	s.changed.Broadcast()
}

// Inject sends bytes as they are, as one text or binary frame, to the clients of an organization, in order with the
// frames before it, and says to how many. A client whose queue is full is dropped.
func (s *Server) Inject(orgID string, typ websocket.MessageType, b []byte) int {
	now := s.world.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deal(Frame{OrgID: orgID, At: now, Bytes: b}, typ, true)
}

// InjectOversize sends a true snapshot of the organization's last changed chat, as size bytes: an unknown field fills it
// up. It says to how many clients; 0 also when there is no chat yet.
func (s *Server) InjectOversize(orgID string, size int) int {
	ids := s.world.ChatIDs(orgID)
	if len(ids) == 0 {
		return 0
	}
	data, ok := s.world.Chat(orgID, ids[0])
	if !ok {
		return 0
	}
	frame := append([]byte(`{"type":"update","data":`), data...)
	frame = append(frame, `,"padding":"`...)
	for len(frame) < size-2 {
		frame = append(frame, 'x')
	}
	return s.Inject(orgID, websocket.MessageText, append(frame, `"}`...))
}

// Ping pings the clients of an organization and returns when all have answered.
func (s *Server) Ping(ctx context.Context, orgID string) error {
	s.mu.Lock()
	clients := append([]*client(nil), s.clients[orgID]...)
	s.mu.Unlock()
	for _, c := range clients {
		if err := c.socket.Ping(ctx); err != nil {
			return fmt.Errorf("pinging connection %d: %w", c.number, err)
		}
	}
	return nil
}
