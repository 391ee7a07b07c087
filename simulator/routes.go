package simulator

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (s *Server) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orgs/{org_id}/inbox/ws", s.inOrg(s.serveSocket))
	mux.HandleFunc("GET /orgs/{org_id}/inbox", s.inOrg(s.serveInbox))
	mux.HandleFunc("GET /orgs/{org_id}/orgs", s.inOrg(s.serveOrgs))
	mux.HandleFunc("GET /orgs/{org_id}/orgs/usage", s.inOrg(s.serveUsage))
	mux.HandleFunc("GET /orgs/{org_id}/broadcasts", s.inOrg(s.serveBroadcasts))
	mux.HandleFunc("GET /orgs/{org_id}/broadcasts/{broadcast_id}/recipients", s.inOrg(s.serveRecipients))
	mux.HandleFunc("GET /chats/{chat_id}/messages", s.serveMessages)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "no such endpoint") })
	return mux
}

// answer remembers the status of a response for the record of requests.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// ServeHTTP answers the vendor's endpoints: first the scripted faults, then the rate limit and the key, then the call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	upgrade := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
	a := &answer{ResponseWriter: w}
	defer func() {
		if !upgrade || a.status != http.StatusSwitchingProtocols {
			s.record(r, a.status)
		}
	}()
	if s.fail(a, r, upgrade) || s.limited(a, r) {
		return
	}
	if s.keyOrg(r) == "" {
		refuse(a, http.StatusUnauthorized, "missing or invalid API key")
		return
	}
	s.mux.ServeHTTP(a, r)
}

// keyOrg gives the id of the organization that the request's key belongs to; empty when it opens nothing.
func (s *Server) keyOrg(r *http.Request) string {
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[key]
}

// inOrg resolves the organization of a path ("c" is the key's own) and refuses those that the key does not open.
func (s *Server) inOrg(serve func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		own, orgID := s.keyOrg(r), r.PathValue("org_id")
		if orgID == "c" {
			orgID = own
		}
		switch {
		case s.world.parentOf(orgID) == nil:
			refuse(w, http.StatusNotFound, "no such organization")
		case !s.opens(own, orgID):
			refuse(w, s.opts.ForeignStatus, "this key does not open the organization")
		default:
			serve(w, r, orgID)
		}
	}
}

// opens says whether a key of own also opens orgID.
func (s *Server) opens(own, orgID string) bool {
	parent := s.world.parentOf(orgID)
	return own == orgID || parent != nil && *parent == own
}

// window counts the requests of an address in the current stretch of the rate limit.
type window struct {
	ends  time.Time
	count int
}

// limited answers 429 when the address has used up its requests.
func (s *Server) limited(w http.ResponseWriter, r *http.Request) bool {
	if s.opts.RateLimit <= 0 {
		return false
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	win := s.windows[host]
	if win == nil || !now.Before(win.ends) {
		win = &window{ends: now.Add(s.opts.RateWindow)}
		s.windows[host] = win
	}
	win.count++
	if win.count <= s.opts.RateLimit {
		return false
	}
	retryAfter(w, win.ends.Sub(now))
	refuse(w, http.StatusTooManyRequests, "too many requests")
	return true
}

func retryAfter(w http.ResponseWriter, d time.Duration) {
	if d > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
	}
}

func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"statusCode": status, "message": message})
}

// paging is the part of a list that was asked for.
type paging struct{ page, take int }

func parsePaging(r *http.Request) (paging, error) {
	p := paging{page: 1, take: 20}
	q := r.URL.Query()
	for _, field := range []struct {
		name string
		to   *int
		most int
	}{{"page", &p.page, math.MaxInt32}, {"take", &p.take, 100}} {
		text := q.Get(field.name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > field.most {
			return p, fmt.Errorf("%s must be a whole number from 1 to %d", field.name, field.most)
		}
		*field.to = n
	}
	return p, nil
}

// of gives the bounds of the page in a list of count entries.
func (p paging) of(count int) (from, to int) {
	from = min((p.page-1)*p.take, count)
	return from, min(from+p.take, count)
}

// respond writes a page of a list; count is the number of entries of the whole list.
func (p paging) respond(w http.ResponseWriter, count int, entries [][]byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("pagination-count", strconv.Itoa(count))
	h.Set("pagination-page", strconv.Itoa(p.page))
	h.Set("pagination-take", strconv.Itoa(p.take))
	w.WriteHeader(http.StatusOK)
	body := []byte{'['}
	for i, entry := range entries {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, entry...)
	}
	_, _ = w.Write(append(body, ']'))
}
