package simulator

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// How many frames may wait for a client. As fast as clients read, a short queue is enough, since the world waits; at a
// pace of its own the world does not wait, and a client may fall some megabytes behind before it is dropped.
const (
	shortQueue = 256
	longQueue  = 8192
)

// client is one WebSocket connection. Frames go through its queue to the one goroutine that writes.
type client struct {
	orgID   string
	number  int
	socket  *websocket.Conn
	net     *faultyConn
	queue   chan queued
	waiting atomic.Int32  // frames in the queue and in the writer's hands
	gone    chan struct{} // closed when the connection is over
	once    sync.Once
}

// queued is a frame on its way to a client, with the place of its ledger entry (-1: none).
type queued struct {
	typ   websocket.MessageType
	bytes []byte
	entry int
}

// serveSocket upgrades the request and serves the connection until it ends.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request, orgID string) {
	hijack := &hijackWriter{ResponseWriter: w}
	socket, err := websocket.Accept(hijack, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		s.log.Debug("upgrade failed", "org_id", orgID, "error", err)
		return
	}
	s.record(r, http.StatusSwitchingProtocols)
	length := shortQueue
	if s.newPacer().paced() {
		length = longQueue
	}
	c := &client{orgID: orgID, socket: socket, net: hijack.conn, queue: make(chan queued, length), gone: make(chan struct{})}
	c.net.died = s.wake
	if !s.join(c) {
		c.cut()
		return
	}
	defer s.leave(c)

	// Data from a client is a protocol violation of the real socket too; reading is for pings, pongs and closes.
	reading := socket.CloseRead(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() { s.write(c) })
	if s.opts.PingEvery > 0 {
		writing.Go(func() { s.keepPinging(c) })
	}
	select {
	case <-reading.Done():
	case <-c.gone:
	}
	c.cut()
	writing.Wait()
}

// write hands a client's frames to its socket, in order.
func (s *Server) write(c *client) {
	for {
		select {
		case <-c.gone:
			return
		case f := <-c.queue:
			err := c.socket.Write(context.Background(), f.typ, f.bytes)
			s.written(c, f, err == nil)
			if err != nil {
				c.cut()
				return
			}
		}
	}
}

func (s *Server) keepPinging(c *client) {
	ticker := time.NewTicker(s.opts.PingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.gone:
			return
		case <-ticker.C:
			ctx, cancel := context.WithTimeout(context.Background(), s.opts.PingEvery)
			err := c.socket.Ping(ctx)
			cancel()
			if err != nil {
				c.cut()
				return
			}
		}
	}
}

// cut ends the connection at once, without a close frame.
func (c *client) cut() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.net.Close() // wakes reads and writes, also those that a fault holds
		_ = c.socket.CloseNow()
	})
}

// join adds a client to its organization's; false when the server is closed.
func (s *Server) join(c *client) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	s.serving.Add(1)
	s.connections++
	c.number = s.connections
	s.clients[c.orgID] = append(s.clients[c.orgID], c)
	s.mu.Unlock()
	s.changed.Broadcast()
	s.log.Info("client connected", "org_id", c.orgID, "connection", c.number)
	return true
}

func (s *Server) leave(c *client) {
	defer s.serving.Done()
	s.mu.Lock()
	s.forget(c)
	s.mu.Unlock()
	s.changed.Broadcast()
	s.log.Info("client gone", "org_id", c.orgID, "connection", c.number)
}

// forget takes a client off its organization's list; the lock is held.
func (s *Server) forget(c *client) {
	list := s.clients[c.orgID]
	for i, other := range list {
		if other == c {
			s.clients[c.orgID] = append(list[:i:i], list[i+1:]...)
			return
		}
	}
}

// hijackWriter puts a faultyConn between the WebSocket and the network, and a write buffer that takes most frames whole.
type hijackWriter struct {
	http.ResponseWriter
	conn *faultyConn
}

func (h *hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = newFaultyConn(conn)
	// What the HTTP server has read too much comes first; the WebSocket puts a reader of its own behind it.
	ahead, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	if len(ahead) > 0 {
		h.conn.ahead = append([]byte(nil), ahead...)
	}
	return h.conn, bufio.NewReadWriter(bufio.NewReaderSize(h.conn, 4096), bufio.NewWriterSize(h.conn, 32<<10)), nil
}

// faultyConn is a connection that can go dead without closing: its reads and writes then wait until it is closed.
type faultyConn struct {
	net.Conn
	ahead []byte

	closeOnce sync.Once
	closed    chan struct{}
	frozen    chan struct{} // closed when the connection goes dead
	freeze    sync.Once
	midFrame  atomic.Bool // the next write goes out by half, then the connection is dead
	died      func()      // called after the connection went dead by itself
}

func newFaultyConn(conn net.Conn) *faultyConn {
	return &faultyConn{Conn: conn, closed: make(chan struct{}), frozen: make(chan struct{})}
}

func (f *faultyConn) kill() { f.freeze.Do(func() { close(f.frozen) }) }

func (f *faultyConn) dead() bool {
	select {
	case <-f.frozen:
		return true
	default:
		return false
	}
}

func (f *faultyConn) Read(p []byte) (int, error) {
	if len(f.ahead) > 0 {
		n := copy(p, f.ahead)
		f.ahead = f.ahead[n:]
		return n, nil
	}
	n, err := f.Conn.Read(p)
	if f.dead() {
		<-f.closed
		return 0, io.ErrClosedPipe
	}
	return n, err
}

func (f *faultyConn) Write(p []byte) (int, error) {
	if f.midFrame.Load() && len(p) > 8 { // a data frame, not a pong
		f.kill()
		n, err := f.Conn.Write(p[:len(p)/2])
		f.died()
		if err == nil {
			<-f.closed
			err = io.ErrClosedPipe
		}
		return n, err
	}
	if f.dead() {
		<-f.closed
		return 0, io.ErrClosedPipe
	}
	return f.Conn.Write(p)
}

func (f *faultyConn) Close() error {
	err := f.Conn.Close()
	f.closeOnce.Do(func() { close(f.closed) })
	return err
}
