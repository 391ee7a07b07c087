package simulator

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

func (s *Server) serveInbox(w http.ResponseWriter, r *http.Request, orgID string) {
	p, err := parsePaging(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	count, entries := s.world.inboxPage(orgID, r.URL.Query().Get("integration_id"), p)
	p.respond(w, count, entries)
}

// inboxPage renders one page of an organization's chats. Under ShiftingLists the first chat of the next page is then
// read by an agent, which moves it to the top.
func (w *World) inboxPage(orgID, integration string, p paging) (count int, entries [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.listed(orgID, integration)
	from, to := p.of(len(list))
	for _, c := range list[from:to] {
		entries = append(entries, w.show(c, w.moment()))
	}
	if o := w.byOrg[orgID]; w.cfg.Quirks.ShiftingLists && to < len(list) && o.shifted < maxShifts {
		o.shifted++
		w.shift(list[to])
	}
	return len(list), entries
}

// maxShifts bounds how often an organization's list moves under its readers.
const maxShifts = 12

// shift changes a chat now; its event is the next one sent.
func (w *World) shift(c *chat) {
	if w.ended(w.simulated) {
		return
	}
	w.revision++
	w.read(c)
}

func (s *Server) serveMessages(w http.ResponseWriter, r *http.Request) {
	p, err := parsePaging(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	var from time.Time
	if text := r.URL.Query().Get("from_date"); text != "" {
		if from, err = time.Parse(time.RFC3339, text); err != nil {
			refuse(w, http.StatusBadRequest, "from_date must be a time as in RFC 3339")
			return
		}
	}
	chatID := r.PathValue("chat_id")
	orgID := s.world.orgOf(chatID)
	if orgID == "" || !s.opens(s.keyOrg(r), orgID) {
		refuse(w, http.StatusNotFound, "no such chat")
		return
	}
	count, entries := s.world.messagesPage(chatID, from, p)
	p.respond(w, count, entries)
}

func (w *World) messagesPage(chatID string, from time.Time, p paging) (count int, entries [][]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byChat[chatID]
	start := int64(0)
	if !from.IsZero() {
		start = from.UnixMilli()
		if w.cfg.Quirks.EqualTimestamps {
			start -= start % second // a message shows its whole second, and is found by it
		}
	}
	list := w.thread(c, start)
	first, last := p.of(len(list))
	for _, m := range list[first:last] {
		entries = append(entries, w.showMessage(c, m))
	}
	return len(list), entries
}

// orgOf gives the id of a chat's organization; empty when there is no such chat.
func (w *World) orgOf(chatID string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.byChat[chatID]
	if c == nil || c.deleted {
		return ""
	}
	return c.org.id
}

// parentOf gives the id of an organization's parent, empty for the agency; nil when there is no such organization.
func (w *World) parentOf(orgID string) *string {
	o := w.byOrg[orgID]
	if o == nil {
		return nil
	}
	id := ""
	if o.parent != nil {
		id = o.parent.id
	}
	return &id
}

func (s *Server) serveOrgs(w http.ResponseWriter, r *http.Request, orgID string) {
	s.serveList(w, r, func(each func(func(*writer))) {
		for _, o := range s.world.orgs {
			if o.parent == nil || o.parent.id != orgID {
				continue
			}
			each(func(e *writer) {
				e.str("id", o.id)
				e.str("name", o.name)
				e.str("parent_id", o.parent.id)
				e.time("created_at", s.world.cfg.Start.UnixMilli())
			})
		}
	})
}

// serveUsage is what the sub-organizations were billed: one line for each kind of event.
func (s *Server) serveUsage(w http.ResponseWriter, r *http.Request, orgID string) {
	s.serveList(w, r, func(each func(func(*writer))) {
		for _, o := range s.world.orgs {
			if o.id != orgID && (o.parent == nil || o.parent.id != orgID) {
				continue
			}
			answers, promotions := 0, 0
			for _, c := range o.chats {
				for i := range c.messages {
					switch m := &c.messages[i]; {
					case m.broadcast != 0:
						promotions++
					case m.says == sayAnswer && m.status == statusCompleted:
						answers++
					}
				}
			}
			for _, line := range []struct {
				name  string
				count int
				price int64
			}{{"message.ai", answers, 2}, {"message.broadcast", promotions, 5}} {
				each(func(e *writer) {
					e.str("org_id", o.id)
					e.str("event_name", line.name)
					e.int("amount_credits", int64(line.count)*line.price)
					e.float("amount_monetary", float64(int64(line.count)*line.price)/100)
				})
			}
		}
	})
}

func (s *Server) serveBroadcasts(w http.ResponseWriter, r *http.Request, orgID string) {
	s.serveList(w, r, func(each func(func(*writer))) {
		for _, b := range s.world.byOrg[orgID].broadcasts {
			var delivered, opened, failed int64
			for _, rec := range b.recipients {
				delivered += happened(rec.delivered, s.world.now)
				opened += happened(rec.opened, s.world.now)
				failed += happened(rec.fail, s.world.now)
			}
			each(func(e *writer) {
				e.id("id", s.world.cfg.Seed, idBroadcast, b.n)
				e.str("name", "Promotion "+strconv.FormatUint(b.n, 10))
				e.str("status", "SENT")
				e.str("integration_id", b.kind.id)
				e.time("created_at", b.at)
				e.time("sent_at", b.at)
				e.int("sent_count", int64(len(b.recipients)))
				e.int("delivered_count", delivered)
				e.int("opened_count", opened)
				e.int("failed_count", failed)
			})
		}
	})
}

func (s *Server) serveRecipients(w http.ResponseWriter, r *http.Request, orgID string) {
	s.serveList(w, r, func(each func(func(*writer))) {
		now := s.world.now
		for _, b := range s.world.byOrg[orgID].broadcasts {
			if s.world.id(idBroadcast, b.n) != r.PathValue("broadcast_id") {
				continue
			}
			for i, rec := range b.recipients {
				each(func(e *writer) {
					e.id("id", s.world.cfg.Seed, idRecipient, b.n<<32|uint64(i))
					e.str("chat_id", rec.chat.id)
					e.time("sent_at", rec.at)
					e.time("delivered_at", rec.delivered*happened(rec.delivered, now))
					e.time("opened_at", rec.opened*happened(rec.opened, now))
					e.time("failed_at", rec.fail*happened(rec.fail, now))
				})
			}
		}
	})
}

// happened is 1 for a time that is set and not to come.
func happened(at, now int64) int64 {
	if at != 0 && at <= now {
		return 1
	}
	return 0
}

// serveList answers with a page of a small list, whose entries are written with the world at rest.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request, list func(each func(func(*writer)))) {
	p, err := parsePaging(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	var entries [][]byte
	e := writer{seconds: s.world.cfg.Quirks.EqualTimestamps, nulls: s.world.cfg.Quirks.Nulls}
	s.world.mu.Lock()
	list(func(write func(*writer)) {
		e.b = append(e.b[:0], '{')
		write(&e)
		entries = append(entries, bytes.Clone(append(e.b, '}')))
	})
	s.world.mu.Unlock()
	from, to := p.of(len(entries))
	p.respond(w, len(entries), entries[from:to])
}
