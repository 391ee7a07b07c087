package invent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// FrameType tells a text frame from a binary one.
type FrameType int

const (
	// FrameText is what Invent sends: JSON in UTF-8.
	FrameText FrameType = FrameType(websocket.MessageText)
	// FrameBinary is not expected of Invent.
	FrameBinary FrameType = FrameType(websocket.MessageBinary)
)

const (
	// firstGrowth is what an empty buffer starts with: more than most snapshots have.
	firstGrowth = 16 << 10
	// patience is how long one write of a control frame may take, and how long
	// Close waits for the other side to say goodbye, too.
	patience = 5 * time.Second
	// watchTicks is in how many steps an idle timeout is watched.
	watchTicks = 8
)

// Conn is the open inbox socket of one org. One goroutine reads; the other
// methods may be called from any.
type Conn struct {
	ws       *websocket.Conn
	wire     *wire
	maxFrame int64
	err      error // of the Read that ended the connection

	// reads is odd while a Read waits: it is counted up when one begins and when it ends.
	reads   atomic.Uint64
	silent  atomic.Bool // the watchdog cut the connection
	closing atomic.Bool // Close or CloseNow was called

	ping, idle time.Duration
	stop       context.CancelFunc
	keepers    sync.WaitGroup
}

func newConn(c *Client, ws *websocket.Conn, w *wire) *Conn {
	ctx, cancel := context.WithCancel(context.Background())
	conn := &Conn{ws: ws, wire: w, maxFrame: c.maxFrame, ping: c.pingInterval, idle: c.idleInterval, stop: cancel}
	conn.keepers.Go(func() { conn.sendPings(ctx) })
	conn.keepers.Go(func() { conn.watch(ctx) })
	return conn
}

// Read waits for the next frame, appends it to buf and returns the longer slice;
// a message in several fragments is one frame. With a buffer that has been
// grown by earlier frames (pass frame[:0] back in) it allocates nothing.
//
// Any error is the end of the connection and is returned by every later Read;
// buf comes back as it was, but for [*TooLargeError]: then the slice holds the
// first Config.MaxFrameBytes bytes of the frame, and FrameType is its type, for
// whoever can still make use of them. Errors:
//   - [*CloseError]: the server sent a close frame
//   - [ErrSilent]: nothing was heard for Config.IdleTimeout
//   - [*TooLargeError]: the frame has more than Config.MaxFrameBytes
//   - [net.ErrClosed]: Close or CloseNow was called here
//   - [io.ErrUnexpectedEOF]: the connection ended without a close frame
//   - else: what the network said, or a breach of the protocol
//
// Read takes no context: CloseNow ends it. Time between two Reads, in which the
// caller is busy or waits, is never held against the server.
func (c *Conn) Read(buf []byte) (typ FrameType, frame []byte, err error) {
	if c.err != nil {
		return 0, buf, c.err
	}
	c.reads.Add(1)
	defer c.reads.Add(1)

	// A context that can end would cost allocations and, ending, the connection.
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		c.err = c.end(err, 0)
		return 0, buf, c.err
	}
	frame, err = c.appendAll(buf, r)
	if err == nil {
		return FrameType(kind), frame, nil
	}
	got := len(frame) - len(buf)
	c.err = c.end(err, got)
	if _, ok := errors.AsType[*TooLargeError](c.err); ok {
		return FrameType(kind), frame[:len(buf)+min(got, int(c.maxFrame))], c.err
	}
	return 0, frame[:len(buf)], c.err
}

// appendAll reads r to its end. The library stops it one byte after maxFrame.
func (c *Conn) appendAll(buf []byte, r io.Reader) ([]byte, error) {
	start := len(buf)
	for {
		if len(buf) == cap(buf) {
			got := len(buf) - start
			buf = slices.Grow(buf, min(max(got, firstGrowth), max(int(c.maxFrame)+1-got, 1)))
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// end shuts the connection down and says why it ended. got is how much of an
// unfinished frame had arrived.
func (c *Conn) end(err error, got int) error {
	silent, closing := c.silent.Load(), c.closing.Load()
	c.shut()
	where := "between two frames"
	if got > 0 {
		where = fmt.Sprintf("%d bytes into a frame", got)
	}
	closed, isClose := errors.AsType[websocket.CloseError](err)
	switch {
	case closing:
		return fmt.Errorf("reading the inbox socket: closed on this side: %w", net.ErrClosed)
	case isClose:
		return &CloseError{Code: int(closed.Code), Reason: closed.Reason}
	case silent:
		quiet := time.Since(c.LastByteAt()).Round(time.Millisecond)
		return fmt.Errorf("reading the inbox socket: %w: nothing heard for %s, not even an answer to pings (stopped %s)", ErrSilent, quiet, where)
	case errors.Is(err, websocket.ErrMessageTooBig):
		return &TooLargeError{Limit: c.maxFrame}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("reading the inbox socket: it ended %s without a close frame: %w", where, io.ErrUnexpectedEOF)
	default:
		return fmt.Errorf("reading the inbox socket (stopped %s): %w", where, err)
	}
}

// sendPings pings for as long as that can be written. An unanswered ping is no
// concern of it, the watchdog notices; and after a failed one there may still be
// frames to be read, so the connection is left alone.
func (c *Conn) sendPings(ctx context.Context) {
	ticker := time.NewTicker(c.ping)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// The wait for a pong may end without harm, a write that is cut off may not.
		answer, cancel := context.WithTimeout(ctx, max(c.ping, patience))
		err := c.ws.Ping(answer)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return
		}
	}
}

// watch cuts the connection when a Read has waited and nothing has arrived for the
// idle timeout. It counts its own ticks instead of comparing clocks, so a process
// that was stopped or starved, or a laptop that slept, does not on waking take its own absence
// for the server's and throw away what waits in the kernel.
func (c *Conn) watch(ctx context.Context) {
	ticker := time.NewTicker(max(c.idle/watchTicks, 1))
	defer ticker.Stop()
	arrivals, reads, quiet := c.wire.arrivals.Load(), c.reads.Load(), 0
	for quiet < watchTicks {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		a, r := c.wire.arrivals.Load(), c.reads.Load()
		waiting := r%2 == 1
		if waiting && a == arrivals && r == reads {
			quiet++
		} else {
			quiet = 0
		}
		arrivals, reads = a, r
	}
	c.silent.Store(true)
	c.wire.cut()
}

// LastByteAt is when anything last arrived, by this machine's clock: part of a frame,
// a pong, the answer to the handshake. It stays what it is once Close is called,
// because what arrives during a goodbye is thrown away.
func (c *Conn) LastByteAt() time.Time { return time.Unix(0, c.wire.lastByte.Load()) }

// CloseNow drops the connection at once and waits for its goroutines; a Read in
// another goroutine returns net.ErrClosed. It may be called any number of times.
func (c *Conn) CloseNow() error {
	c.closing.Store(true)
	c.shut()
	return nil
}

// Close says goodbye with a close code (1000: done, 1001: going away) and a reason of at most
// 123 bytes, waits up to 5 s for the answer, then does what CloseNow does. Frames that
// arrive meanwhile may be lost, so it is for a connection that is no longer wanted.
// The error says that the goodbye failed; the connection is closed all the same.
func (c *Conn) Close(code int, reason string) error {
	c.closing.Store(true)
	c.wire.muted.Store(true)
	overdue := time.AfterFunc(patience, c.wire.cut)
	err := c.ws.Close(websocket.StatusCode(code), reason)
	overdue.Stop()
	c.shut()
	if err != nil {
		return fmt.Errorf("closing the inbox socket: %w", err)
	}
	return nil
}

// shut leaves nothing behind. The wire goes first: the library's own CloseNow
// waits for a goodbye that is under way, and for TLS to say its own.
func (c *Conn) shut() {
	c.wire.cut()
	_ = c.ws.CloseNow() // its only news is that the connection is closed
	c.stop()
	c.keepers.Wait()
}
