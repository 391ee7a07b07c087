package invent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// Dial opens the inbox socket of an org: its id, or `c` for the org the key
// belongs to. Compression is declined: it costs more than the bandwidth saved.
//
// Errors: [*StatusError] when the server answers with anything but the upgrade,
// [*RedirectError], or what the network said. It gives up after Config.HandshakeTimeout;
// ctx bounds the handshake only, the connection lives until it is closed.
func (c *Client) Dial(ctx context.Context, orgID string) (*Conn, error) {
	u, err := c.url("orgs", orgID, "inbox", "ws")
	if err != nil {
		return nil, fmt.Errorf("dialing the inbox socket: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, c.handshake)
	defer cancel()

	w := &wire{dialer: newDialer()}
	transport := c.transport(w.dial)
	transport.DisableKeepAlives = true // one connection, for this handshake only
	ws, resp, err := websocket.Dial(limited, u.String(), &websocket.DialOptions{
		HTTPClient:      &http.Client{Transport: upgrade{transport}, CheckRedirect: refuseRedirect},
		HTTPHeader:      c.header(),
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		w.cut()
		return nil, c.dialError(ctx, limited, u, resp, err)
	}
	ws.SetReadLimit(c.maxFrame)
	return newConn(c, ws, w), nil
}

// dialError turns what the library says into what the operator needs to know.
func (c *Client) dialError(ctx, limited context.Context, u *url.URL, resp *http.Response, err error) error {
	var redirect *RedirectError
	switch {
	case errors.As(err, &redirect):
		return redirect
	case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		return newStatusError(resp, u.EscapedPath(), time.Now())
	case ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		return fmt.Errorf("dialing %s: no WebSocket after %s (HandshakeTimeout): %w", u.EscapedPath(), c.handshake, context.DeadlineExceeded)
	default:
		return fmt.Errorf("dialing %s: %w", u.EscapedPath(), withoutURL(err))
	}
}

// withoutURL returns what went wrong underneath a request: the wrapping of
// net/http repeats the whole address, which the caller has named already.
func withoutURL(err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// upgrade hands the library a stream that ends in an error. At the plain end of the
// stream the library reports the end of a message, even in mid-frame, and
// a frame cut short would pass for a whole one.
type upgrade struct{ *http.Transport }

func (u upgrade) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if rwc, ok := resp.Body.(io.ReadWriteCloser); ok && resp.StatusCode == http.StatusSwitchingProtocols {
		resp.Body = endless{rwc}
	}
	return resp, nil
}

// endless is a stream whose end is always unexpected: a WebSocket ends with a
// close frame, not with its stream.
type endless struct{ io.ReadWriteCloser }

func (e endless) Read(p []byte) (int, error) {
	n, err := e.ReadWriteCloser.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// wire is the TCP connection below TLS, frames and pongs, where every byte that
// arrives is seen, also those of a message that is not complete yet.
type wire struct {
	dialer *net.Dialer

	lastByte atomic.Int64  // Unix nanoseconds, wall clock
	arrivals atomic.Uint64 // reads that brought something
	muted    atomic.Bool   // what arrives is thrown away and no longer counts

	mu    sync.Mutex
	conns []net.Conn
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, conn)
	return bufferedConn{conn, bufio.NewReaderSize(heardConn{conn, w}, bufferBytes)}, nil
}

// cut closes the connection without a word, which ends any Read or Write that is
// stuck in it at once; the layers above would first try to say goodbye.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, conn := range w.conns {
		_ = conn.Close() // nothing is left to be done about a connection given up
	}
}

// bufferBytes is how much is read at once. The library alone would ask the kernel twice for each frame, however many wait there.
const bufferBytes = 32 << 10

type bufferedConn struct {
	net.Conn
	in *bufio.Reader
}

func (b bufferedConn) Read(p []byte) (int, error) { return b.in.Read(p) }

type heardConn struct {
	net.Conn
	wire *wire
}

func (h heardConn) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if n > 0 && !h.wire.muted.Load() {
		h.wire.lastByte.Store(time.Now().UnixNano())
		h.wire.arrivals.Add(1)
	}
	return n, err
}
