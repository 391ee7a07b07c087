package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"
)

// feeder is the other end of the sockets: it plays reels to whoever has connected.
type feeder struct {
	mu      sync.Mutex
	changed sync.Cond
	clients map[string]net.Conn // by organization; the latest
}

// played is the answer to a request to play.
type played struct {
	Frames int       `json:"frames"`
	Began  time.Time `json:"began"`
}

// Feed serves the inbox sockets of any organization on a free port, whose address it writes to out, until ctx ends or
// in does. POST /play?reel=DIR&rate=N plays a reel: at N frames a second, or with 0 as fast as the clients read. The
// answer comes when all is written.
func Feed(ctx context.Context, in io.Reader, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("serving frames: %w", err)
	}
	f := &feeder{clients: map[string]net.Conn{}}
	f.changed.L = &f.mu
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orgs/{org}/inbox/ws", f.connect)
	mux.HandleFunc("POST /play", f.play)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, in) // ends with whoever started this process
		cancel()
	}()
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Fprintln(out, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving frames on %s: %w", listener.Addr(), err)
	}
	return nil
}

// connect upgrades a request. The library does the handshake and answers pings; frames are written past it, as they
// are in the reel, several at a time.
func (f *feeder) connect(w http.ResponseWriter, r *http.Request) {
	taken := &taker{ResponseWriter: w}
	socket, err := websocket.Accept(taken, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return // the client was told
	}
	org := r.PathValue("org")
	f.mu.Lock()
	f.clients[org] = taken.conn
	f.mu.Unlock()
	f.changed.Broadcast()
	<-socket.CloseRead(context.Background()).Done()
	f.mu.Lock()
	if f.clients[org] == taken.conn {
		delete(f.clients, org)
	}
	f.mu.Unlock()
	_ = socket.CloseNow()
}

// taker keeps the connection that is taken over from the HTTP server.
type taker struct {
	http.ResponseWriter
	conn net.Conn
}

func (t *taker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(t.ResponseWriter).Hijack()
	t.conn = conn
	return conn, rw, err
}

func (f *feeder) play(w http.ResponseWriter, r *http.Request) {
	rate, err := strconv.ParseFloat(r.FormValue("rate"), 64)
	if err != nil {
		http.Error(w, "rate: "+err.Error(), http.StatusBadRequest)
		return
	}
	p, err := f.playAll(r.Context(), r.FormValue("reel"), rate)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(p) // fails only when the one who asked has gone
}

// playAll plays a reel's files at the same time, each to its organization.
func (f *feeder) playAll(ctx context.Context, dir string, rate float64) (played, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return played{}, fmt.Errorf("playing frames: %w", err)
	}
	conns := make([]net.Conn, len(entries))
	for i, e := range entries {
		if conns[i] = f.await(ctx, e.Name()); conns[i] == nil {
			return played{}, fmt.Errorf("waiting for the client of %s: %w", e.Name(), ctx.Err())
		}
	}
	counts := make([]int, len(entries))
	p := played{Began: time.Now()}
	group, ctx := errgroup.WithContext(ctx)
	for i, e := range entries {
		group.Go(func() (err error) {
			counts[i], err = playFile(ctx, filepath.Join(dir, e.Name()), conns[i], rate/float64(len(entries)))
			return err
		})
	}
	err = group.Wait()
	for _, n := range counts {
		p.Frames += n
	}
	return p, err
}

// await waits for the client of an organization; nil when ctx ends first.
func (f *feeder) await(ctx context.Context, org string) net.Conn {
	stop := context.AfterFunc(ctx, f.changed.Broadcast)
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.clients[org] == nil && ctx.Err() == nil {
		f.changed.Wait()
	}
	return f.clients[org]
}

// writeBytes is about how much is written at once when nothing is paced.
const writeBytes = 64 << 10

func playFile(ctx context.Context, path string, conn net.Conn, rate float64) (frames int, err error) {
	file, err := os.Open(path) //nolint:gosec // the benchmark asks for its own files
	if err != nil {
		return 0, fmt.Errorf("playing frames: %w", err)
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	began := time.Now()
	var buf []byte
	for {
		var ended bool
		if buf, _, err = readFrame(in, buf); errors.Is(err, io.EOF) {
			ended = true
		} else if err != nil {
			return frames, err
		} else {
			frames++
		}
		if rate == 0 && !ended && len(buf) < writeBytes {
			continue
		}
		if rate > 0 && !ended {
			if err := sleepUntil(ctx, began.Add(time.Duration(float64(frames-1)/rate*float64(time.Second)))); err != nil {
				return frames, err
			}
		}
		if _, err := conn.Write(buf); err != nil {
			return frames, fmt.Errorf("writing frames: %w", err)
		}
		if ended || ctx.Err() != nil {
			return frames, ctx.Err()
		}
		buf = buf[:0]
	}
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
