package ingest

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
)

// connection is one connection and its figures, for ops.connections.
type connection struct {
	id        uuid.UUID
	startedAt time.Time

	mu          sync.Mutex
	orgID       string
	openedAt    *time.Time
	lastFrameAt time.Time        // zero when there was none
	lastHeardAt func() time.Time // asks the open connection; nil before the handshake
	closedAt    *time.Time
	closeCode   *int32
	closeReason *string
	frames      int64
	bytes       int64
	largest     int64
	changed     bool
}

// opened is called when the handshake has succeeded; lastHeard tells when the last byte came.
func (c *connection) opened(lastHeard func() time.Time) time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.openedAt, c.lastHeardAt, c.changed = &now, lastHeard, true
	return now
}

// lastHeard is when the last byte was heard; nil when none was.
func (c *connection) lastHeard() *time.Time {
	if c.lastHeardAt == nil {
		return nil
	}
	at := c.lastHeardAt()
	return &at
}

// lastFrame is when the last frame came; nil when none did.
func (c *connection) lastFrame() *time.Time {
	if c.lastFrameAt.IsZero() {
		return nil
	}
	return new(c.lastFrameAt)
}

func (c *connection) frame(bytes int, orgID string) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames++
	c.bytes += int64(bytes)
	c.largest = max(c.largest, int64(bytes))
	c.lastFrameAt, c.orgID, c.changed = now, orgID, true
}

// end notes how the connection ended.
func (c *connection) end(err error) {
	now := time.Now()
	code, reason := describeEnd(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closedAt, c.closeCode, c.closeReason, c.changed = &now, code, &reason, true
}

// isOpen reports whether there is something to be written of it yet.
func (c *connection) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closedAt == nil || c.changed
}

// describeEnd says why a connection ended: the peer's close code, the status of a refused handshake, or in words. The
// reason a peer sends is its own text and not kept.
func describeEnd(err error) (code *int32, reason string) {
	var status *invent.StatusError
	switch n, _, ok := invent.CloseStatus(err); {
	case ok:
		c := int32(n)
		return &c, "closed by Invent"
	case errors.As(err, &status):
		c := int32(status.Status)
		return &c, "refused by Invent"
	case errors.Is(err, net.ErrClosed) || errors.Is(err, context.Canceled):
		return nil, "stopped by the archiver"
	case errors.Is(err, errLeaseLost), errors.Is(err, errDeaf):
		return nil, err.Error()
	case errors.Is(err, invent.ErrSilent):
		return nil, "nothing was heard any more"
	case errors.Is(err, spool.ErrFull):
		return nil, "the spool is full"
	}
	return nil, err.Error()
}
