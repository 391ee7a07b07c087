package simulator

import (
	"bytes"
	"time"
)

// outbox is the last stretch of an event's way: frames that are ready, and those that a quirk holds back.
type outbox struct {
	count uint64 // frames delivered in order so far
	ready []Frame
	first int // of ready
	held  []heldFrame
}

// heldFrame is released when count gets to due, or right after the next frame of the same chat.
type heldFrame struct {
	Frame
	due       uint64
	afterChat bool
}

func (o *outbox) take() (Frame, bool) {
	if o.first == len(o.ready) {
		o.ready, o.first = o.ready[:0], 0
		return Frame{}, false
	}
	f := o.ready[o.first]
	o.ready[o.first] = Frame{}
	o.first++
	return f, true
}

// put delivers f and whatever was waiting for it.
func (o *outbox) put(f Frame) {
	o.count++
	o.ready = append(o.ready, f)
	if len(o.held) == 0 {
		return
	}
	kept := o.held[:0]
	for _, h := range o.held {
		if h.due <= o.count || h.afterChat && h.ChatID == f.ChatID {
			h.At = f.At
			o.ready = append(o.ready, h.Frame)
		} else {
			kept = append(kept, h)
		}
	}
	clear(o.held[len(kept):])
	o.held = kept
}

// flush releases everything that is held; false when there was nothing.
func (o *outbox) flush(now int64) bool {
	if len(o.held) == 0 {
		return false
	}
	for _, h := range o.held {
		h.At = time.UnixMilli(now).UTC()
		o.ready = append(o.ready, h.Frame)
	}
	o.held = nil
	return true
}

// emit sends the chat as it is now. A patch, when there is one, is sent instead of the whole chat.
func (w *World) emit(c *chat, patch patch) {
	q := &w.cfg.Quirks
	at := w.moment()
	typ := "update"
	switch {
	case c.deleted:
		typ = "delete"
	case !c.sent:
		typ = "create"
	}
	r := &w.draw
	r.begin(w, at, mix(c.n)^uint64(w.revision))
	if w.chance(q.SparseMembers) {
		r.sparse = true
	}
	if w.chance(q.OmitParts) {
		for i := range partCount {
			if w.chance(0.35) {
				r.omit |= 1 << i
			}
		}
	}
	if q.NoLastMessage {
		r.omit |= partLastMessage
	}
	strange := w.chance(q.UnknownTypes)
	if strange {
		r.extra = w.chance(0.5)
	}

	r.item()
	switch {
	case strange && typ == "update" && w.chance(0.5):
		if w.chance(0.3) {
			break // no type at all
		}
		r.str("type", [...]string{"touch", "chat.updated", "typing"}[w.rng.IntN(3)])
	default:
		r.str("type", typ)
	}
	r.key("data")
	if patch != 0 && c.sent {
		r.patch(c, patch)
	} else {
		r.chat(c)
	}
	if r.extra {
		r.int("version", 2)
	}
	w.identify(r, c)
	r.end()

	c.sent, c.dirty, c.lastSent = true, false, at
	w.deliver(Frame{OrgID: c.org.id, ChatID: c.id, At: time.UnixMilli(w.now).UTC(), Bytes: bytes.Clone(r.b)})
}

func (w *World) identify(r *rendering, c *chat) {
	switch w.cfg.Quirks.IdentifierPer {
	case PerChat:
		r.id("identifier", w.cfg.Seed, idEvent, 1<<55|c.n)
	case PerSubscription:
		r.id("identifier", w.cfg.Seed, idConnection, uint64(c.org.n))
	default:
		r.id("identifier", w.cfg.Seed, idEvent, uint64(w.revision)<<20|w.out.count&(1<<20-1))
	}
}

// deliver sends a frame, or holds it back, or sends it now and again later, as the quirks have it.
func (w *World) deliver(f Frame) {
	q := &w.cfg.Quirks
	if w.chance(q.Repeats) {
		again := f
		again.Bytes = bytes.Clone(f.Bytes)
		w.out.held = append(w.out.held, heldFrame{Frame: again, due: w.out.count + uint64(w.between(2, 300))})
	}
	if w.chance(q.Unordered) {
		w.out.held = append(w.out.held, heldFrame{
			Frame: f, due: w.out.count + uint64(1+w.rng.IntN(5)), afterChat: w.chance(0.5),
		})
		if h := &w.out.held[len(w.out.held)-1]; h.afterChat {
			h.due += 200
		}
		return
	}
	w.out.put(f)
}

// patch is what a bare patch says has changed; 0 is no patch.
type patch uint8

const (
	patchUnseen patch = 1 << iota
	patchPinned
)

// patch writes a chat without its anchors, and only what changed. A patch says false and 0.
func (r *rendering) patch(c *chat, p patch) {
	r.omitFalse = false
	r.item()
	r.str("id", c.id)
	if p&patchPinned != 0 {
		r.bool("pinned", c.pinned)
	}
	r.str("org_id", c.org.id)
	if p&patchUnseen != 0 {
		r.open("state")
		r.int("admin_unseen_count", int64(c.adminUnseen))
		r.int("user_unseen_count", int64(c.userUnseen))
		r.end()
	}
	r.end()
}
