package simulator

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Frame is one event as it goes over the socket.
type Frame struct {
	OrgID, ChatID string
	// At is when the event is sent, in simulated time; it never goes back from one frame to the next.
	At time.Time
	// Bytes is the frame's JSON; the caller owns it.
	Bytes []byte
}

// Org is an organization of the world. ParentID is empty for the agency itself.
type Org struct {
	ID, ParentID, Name string
}

// World is the simulated vendor: its organizations, chats and messages, and the events to come. Its methods may be called
// from several goroutines. Times are UTC with a granularity of a millisecond.
type World struct {
	cfg Config

	mu     sync.Mutex
	rng    *rand.Rand
	orgs   []*organization
	byOrg  map[string]*organization
	byChat map[string]*chat

	simulated int64 // the time the schedule goes by
	now       int64 // the time that is stamped; the same, unless the world is shown live
	live      bool
	end       int64 // of the simulated time; 0: never
	revision  uint32
	schedule  schedule

	agents, contacts, channels, members, sessions uint64
	messages, broadcasts                          uint32
	chats, order                                  uint64

	out   outbox
	draw  rendering // for frames
	view  rendering // for lists, so that looking changes nothing
	steps []step    // scratch of the planner
}

// NewWorld makes the world that cfg describes, at its first moment.
func NewWorld(cfg Config) *World {
	cfg = cfg.withDefaults()
	w := &World{
		cfg:    cfg,
		rng:    rand.New(rand.NewPCG(cfg.Seed, 0x1ae7)),
		byOrg:  map[string]*organization{},
		byChat: map[string]*chat{},
		now:    cfg.Start.UnixMilli(),
	}
	w.simulated = w.now
	if !cfg.End.IsZero() {
		w.end = cfg.End.UnixMilli()
	}
	w.cast()
	for _, o := range w.orgs {
		w.plan(happening{kind: happensArrival, org: o}, w.exponential(float64(hour)))
		w.plan(happening{kind: happensUpkeep, org: o}, w.between(6*hour, 2*day))
		w.plan(happening{kind: happensBroadcast, org: o}, w.between(2*day, 6*day))
	}
	return w
}

// Next gives the next event in the order of simulated time; false when the world has ended.
func (w *World) Next() (Frame, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.next()
}

// NextAt is Next for a world that is shown live: the next event happens at now, whatever the simulated time. Everything
// it stamps (created_at, updated_at, …) is now, or a millisecond after the time before it when now does not move on.
func (w *World) NextAt(now time.Time) (Frame, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.live = true
	w.now = max(w.now, now.UnixMilli())
	return w.next()
}

// Now is the time of the last event.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.UnixMilli(w.now).UTC()
}

// Orgs lists the organizations, the agency first.
func (w *World) Orgs() []Org {
	list := make([]Org, 0, len(w.orgs))
	for _, o := range w.orgs {
		org := Org{ID: o.id, Name: o.name}
		if o.parent != nil {
			org.ParentID = o.parent.id
		}
		list = append(list, org)
	}
	return list
}

func (w *World) next() (Frame, bool) {
	for {
		if f, ok := w.out.take(); ok {
			return f, true
		}
		if !w.advance() && !w.out.flush(w.now) {
			return Frame{}, false
		}
	}
}

// nextUntil is next for fast-forwarding: false also when nothing more happens up to until.
func (w *World) nextUntil(until int64) (Frame, bool) {
	for {
		if f, ok := w.out.take(); ok {
			return f, true
		}
		if len(w.schedule) == 0 || w.schedule[0].at > until || !w.advance() {
			return Frame{}, false
		}
	}
}

// advance takes the earliest happening and lets it happen; false when the world has ended.
func (w *World) advance() bool {
	if len(w.schedule) == 0 || w.ended(w.schedule[0].at) {
		return false
	}
	h := w.schedule.pop()
	w.simulated = max(w.simulated, h.at)
	if !w.live {
		w.now = max(w.now, h.at)
	}
	w.revision++
	switch h.kind {
	case happensStep:
		if h.chat.turn == h.turn && !h.chat.deleted {
			w.act(h.chat)
		}
	case happensArrival:
		w.arrive(h.org)
	case happensUpkeep:
		w.upkeep(h.org)
	case happensBroadcast:
		w.broadcast(h.org)
	case happensDelivery:
		w.deliverBroadcast(h.chat, h.turn)
	case happensDismissal:
		w.dismissed(h.chat)
	case happensReading:
		w.read(h.chat)
	}
	return true
}

func (w *World) ended(at int64) bool { return w.end != 0 && at > w.end }

func (w *World) moment() moment { return moment{revision: w.revision, at: w.now} }
