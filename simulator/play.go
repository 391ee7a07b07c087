package simulator

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/coder/websocket"
)

// FastForward plays the world up to and including simulated time until, to nobody, and says how many frames that were.
func (s *Server) FastForward(until time.Time) int {
	for n := 0; ; n++ {
		f, ok := s.world.nextBefore(until)
		if !ok {
			return n
		}
		s.mu.Lock()
		s.frames[f.OrgID]++
		s.mu.Unlock()
	}
}

// PlayUntil plays the world up to and including simulated time until, as fast as clients read, and returns when all of it
// was written; it says how many frames that were. It is the history before a Play that goes on live.
func (s *Server) PlayUntil(ctx context.Context, until time.Time) (int, error) {
	for n := 0; ; n++ {
		f, ok := s.world.nextBefore(until)
		if !ok {
			return n, s.drain(ctx)
		}
		if err := s.send(ctx, f, true); err != nil {
			return n, err
		}
	}
}

// Play drives the world until it ends (nil, after every queued frame was written) or ctx is done (its error).
func (s *Server) Play(ctx context.Context) error {
	if s.opts.Live && s.opts.Rate <= 0 {
		return errors.New("playing live: a Rate in frames a second is needed")
	}
	pace := s.newPacer()
	for {
		var f Frame
		var ok bool
		if s.opts.Live {
			if err := pace.tick(ctx); err != nil {
				return err
			}
			f, ok = s.world.NextAt(time.Now())
		} else {
			f, ok = s.world.Next()
		}
		if !ok {
			return s.drain(ctx)
		}
		if !s.opts.Live {
			if err := pace.wait(ctx, f.At); err != nil {
				return err
			}
		}
		if err := s.send(ctx, f, !pace.paced()); err != nil {
			return err
		}
	}
}

// nextBefore is Next for the events up to a simulated time.
func (w *World) nextBefore(until time.Time) (Frame, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nextUntil(until.UnixMilli())
}

// pacer says when the next frame is due.
type pacer struct {
	rate, speed float64
	began       time.Time // real time of the first frame
	first       time.Time // its simulated time
	frames      float64
}

func (s *Server) newPacer() *pacer { return &pacer{rate: s.opts.Rate, speed: s.opts.Speed} }

func (p *pacer) paced() bool { return p.rate > 0 || p.speed > 0 }

// wait waits until a frame of simulated time at is due.
func (p *pacer) wait(ctx context.Context, at time.Time) error {
	if p.speed <= 0 || p.rate > 0 {
		return p.tick(ctx)
	}
	if p.began.IsZero() {
		p.began, p.first = time.Now(), at
	}
	return sleepUntil(ctx, p.began.Add(time.Duration(float64(at.Sub(p.first))/p.speed)))
}

// tick waits until one more frame is due by rate.
func (p *pacer) tick(ctx context.Context) error {
	if p.rate <= 0 {
		return ctx.Err()
	}
	if p.began.IsZero() {
		p.began = time.Now()
	}
	due := p.began.Add(time.Duration(p.frames / p.rate * float64(time.Second)))
	if time.Since(due) > time.Second { // it was held up; what was not sent meanwhile is not made up for in a burst
		p.began, p.frames = time.Now(), 0
		due = p.began
	}
	p.frames++
	return sleepUntil(ctx, due)
}

func sleepUntil(ctx context.Context, at time.Time) error {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// send deals a frame to the clients of its organization. When patient it waits for those whose queue is full; otherwise
// they are dropped, as a busy server drops them.
func (s *Server) send(ctx context.Context, f Frame, patient bool) error {
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.opts.HoldWithoutClient && len(s.clients[f.OrgID]) == 0 && ctx.Err() == nil {
		s.changed.Wait()
	}
	if patient {
		for s.crowded(f.OrgID) && ctx.Err() == nil {
			s.changed.Wait()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.deal(f, websocket.MessageText, false)
	return nil
}

// crowded says whether a client of an organization has no room for another frame. Clients that a fault has silenced
// take none. The lock is held.
func (s *Server) crowded(orgID string) bool {
	for _, c := range s.clients[orgID] {
		if len(c.queue) == cap(c.queue) && !s.silent(c) {
			return true
		}
	}
	return false
}

// silent says that a client gets no frames for now. The lock is held.
func (s *Server) silent(c *client) bool { return s.stalled[c.orgID] || c.net.dead() }

// deal queues a frame for each client of its organization and notes it down. The lock is held.
func (s *Server) deal(f Frame, typ websocket.MessageType, injected bool) int {
	index := s.frames[f.OrgID]
	s.frames[f.OrgID]++
	sent := Sent{Index: index, ChatID: f.ChatID, At: f.At, Size: len(f.Bytes), Injected: injected}
	if !s.opts.NoLedger {
		sent.SHA256 = sha256.Sum256(f.Bytes)
	}
	clients := s.clients[f.OrgID]
	for _, c := range clients {
		sent.Connection = c.number
		q := queued{typ: typ, bytes: f.Bytes, entry: s.note(f.OrgID, sent)}
		if s.silent(c) {
			continue
		}
		c.waiting.Add(1)
		select {
		case c.queue <- q:
		default:
			c.waiting.Add(-1)
			s.log.Warn("client dropped: it reads too slowly", "org_id", c.orgID, "connection", c.number)
			go c.cut()
		}
	}
	if len(clients) == 0 {
		s.note(f.OrgID, sent)
	}
	return len(clients)
}

// drain waits until every queued frame was written, or its connection is over.
func (s *Server) drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, s.wake)
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy() && ctx.Err() == nil {
		s.changed.Wait()
	}
	return ctx.Err()
}

func (s *Server) busy() bool {
	for _, list := range s.clients {
		for _, c := range list {
			if c.waiting.Load() > 0 && !s.silent(c) {
				return true
			}
		}
	}
	return false
}
