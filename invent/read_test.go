package invent

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const (
	opContinuation = 0x0
	opText         = 0x1
	fin            = 0x80
)

// wireFrame is a server's frame as it goes over the wire.
func wireFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// hold keeps a connection open, answering nothing, until the other side drops it.
func hold(r io.Reader) { io.Copy(io.Discard, r) }

// impatient makes a watchdog that a test can wait for.
func impatient(c *Config) { c.PingInterval, c.IdleTimeout = 50*time.Millisecond, 400*time.Millisecond }

func TestFramesComeInOrderAndUnchanged(t *testing.T) {
	frames := []string{`{"a":1}`, ``, "\xff\x00 not json", strings.Repeat("ä", 70_000), `{"b":2}`}
	server := serveSocket(t, nil, func(ctx context.Context, ws *websocket.Conn) {
		for _, f := range frames {
			ws.Write(ctx, websocket.MessageText, []byte(f))
		}
		ws.Write(ctx, websocket.MessageBinary, []byte{1, 2, 3})
		<-ctx.Done()
	})
	conn := dialTo(t, connectTo(t, server.URL))
	var buf []byte
	for i, want := range frames {
		typ, frame, err := conn.Read(buf[:0])
		if err != nil || typ != FrameText || string(frame) != want {
			t.Fatalf("frame %d should be %d bytes of text as sent, got %d of type %d, %v", i, len(want), len(frame), typ, err)
		}
		buf = frame
	}
	typ, frame, err := conn.Read([]byte("kept "))
	if err != nil || typ != FrameBinary || string(frame) != "kept \x01\x02\x03" {
		t.Errorf("the binary frame should follow what the buffer holds, got %q of type %d, %v", frame, typ, err)
	}
}

func TestAMessageInFragmentsIsOneFrame(t *testing.T) {
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		conn.Write(wireFrame(opText, []byte("one ")))
		conn.Write(wireFrame(fin|0x9, []byte("ping in between")))
		conn.Write(wireFrame(opContinuation, nil))
		conn.Write(wireFrame(opContinuation, []byte("two ")))
		conn.Write(wireFrame(fin|opContinuation, []byte("three")))
		hold(r)
	})
	_, frame, err := dialTo(t, connectTo(t, server.URL)).Read(nil)
	if err != nil || string(frame) != "one two three" {
		t.Errorf("the fragments should be one frame, got %q, %v", frame, err)
	}
}

func TestAFrameOverTheLimitEndsTheConnectionAndItsBeginningIsKept(t *testing.T) {
	const limit = 100_000
	for _, size := range []int{limit + 1, limit + 2, 3 * limit} {
		payload := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		code := make(chan websocket.StatusCode, 1)
		server := serveSocket(t, nil, func(ctx context.Context, ws *websocket.Conn) {
			ws.SetReadLimit(-1)
			ws.Write(ctx, websocket.MessageText, payload[:limit])
			go ws.Write(ctx, websocket.MessageText, payload)
			_, _, err := ws.Read(ctx)
			code <- websocket.CloseStatus(err)
		})
		conn := dialTo(t, connectTo(t, server.URL, func(c *Config) { c.MaxFrameBytes = limit }))
		_, frame, err := conn.Read(nil)
		if err != nil || len(frame) != limit {
			t.Fatalf("a frame of just the limit should be read, got %d bytes, %v", len(frame), err)
		}
		typ, frame, err := conn.Read([]byte("kept "))
		if large, ok := errors.AsType[*TooLargeError](err); !ok || large.Limit != limit || !strings.Contains(err.Error(), "--max-frame-bytes") {
			t.Fatalf("%d bytes should be a TooLargeError that names --max-frame-bytes, got %v", size, err)
		}
		if typ != FrameText || string(frame) != "kept "+string(payload[:limit]) {
			t.Errorf("the first %d bytes of the frame should be handed out, got %d of type %d", limit, len(frame)-5, typ)
		}
		if cap(frame) > 2*limit {
			t.Errorf("no more memory than twice the limit should be taken, got %d", cap(frame))
		}
		if _, again, err2 := conn.Read(frame[:0]); err2 != err || len(again) != 0 {
			t.Errorf("the connection should be over with the same error, got %d bytes, %v", len(again), err2)
		}
		<-code // the server has been let go
	}
}

// The library reports the end of the stream as the end of the message; this is what guards against it.
func TestAFrameCutShortIsNeverTakenForAWholeOne(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 300)
	whole := wireFrame(fin|opText, payload)
	fragmented := append(wireFrame(opText, payload[:100]), wireFrame(fin|opContinuation, payload[100:])...)
	for name, start := range map[string]func(http.Handler) *httptest.Server{"TCP": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		for _, sent := range [][]byte{whole, fragmented} {
			next := make(chan int, 1)
			server := serveBytes(t, start, func(conn net.Conn, r *bufio.Reader) { conn.Write(sent[:<-next]) })
			client := connectTo(t, server.URL)
			step := 1
			if name == "TLS" {
				client, step = clientOfTLS(t, server), 4 // 0, 4 and 104 end in between two reads
			}
			for cut := 0; cut <= len(sent); cut += step {
				next <- cut
				conn := dialTo(t, client)
				_, frame, err := conn.Read(make([]byte, 0, 64)) // the first read takes 64 bytes
				if cut == len(sent) {
					if err != nil || !bytes.Equal(frame, payload) {
						t.Fatalf("%s: the whole frame should be read, got %d bytes, %v", name, len(frame), err)
					}
					_, _, err = conn.Read(nil)
				}
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s: a connection that ended after %d of %d bytes should be an unexpected end, got %d bytes, %v", name, cut, len(sent), len(frame), err)
				}
				if cut < len(sent) && len(frame) != 0 {
					t.Fatalf("%s: the buffer should come back as it was, got %d bytes", name, len(frame))
				}
				conn.CloseNow()
			}
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	const frames = 600
	one := wireFrame(fin|opText, bytes.Repeat([]byte("x"), 5_000))
	all := bytes.Repeat(one, frames)
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		conn.Write(all)
		hold(r)
	})
	conn := dialTo(t, connectTo(t, server.URL))
	var buf []byte
	read := func() {
		_, frame, err := conn.Read(buf[:0])
		if err != nil || len(frame) != 5_000 {
			t.Fatalf("a frame of 5000 bytes should arrive, got %d, %v", len(frame), err)
		}
		buf = frame
	}
	for range 50 {
		read()
	}
	if allocs := testing.AllocsPerRun(500, read); allocs != 0 {
		t.Errorf("a Read with a grown buffer should allocate nothing, got %v allocations", allocs)
	}
}

func BenchmarkRead(b *testing.B) {
	batch := bytes.Repeat(wireFrame(fin|opText, bytes.Repeat([]byte("x"), 5_000)), 200)
	server := serveBytes(b, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := conn.Write(batch); err != nil {
				return
			}
		}
	})
	conn := dialTo(b, connectTo(b, server.URL))
	b.SetBytes(5_000)
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		_, frame, err := conn.Read(buf[:0])
		if err != nil {
			b.Fatal(err)
		}
		buf = frame
	}
	conn.CloseNow()
}

func TestTheServersCloseCodeIsReported(t *testing.T) {
	for _, c := range []struct {
		sent   []byte
		code   int
		reason string
	}{
		{[]byte("\x03\xe8"), 1000, ""},
		{[]byte("\x03\xf4restarting"), 1012, "restarting"},
		{[]byte("\x11\x31unknown org"), 4401, "unknown org"},
		{nil, 1005, ""},
	} {
		server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
			conn.Write(wireFrame(fin|opText, []byte("last words")))
			conn.Write(wireFrame(fin|0x8, c.sent))
			hold(r)
		})
		conn := dialTo(t, connectTo(t, server.URL))
		if _, frame, err := conn.Read(nil); err != nil || string(frame) != "last words" {
			t.Errorf("the frame before the close frame should be read, got %q, %v", frame, err)
		}
		_, _, err := conn.Read(nil)
		if code, reason, ok := CloseStatus(err); code != c.code || reason != c.reason || !ok {
			t.Errorf("the close should be %d %q, got %d %q %v (%v)", c.code, c.reason, code, reason, ok, err)
		}
	}
}

func TestABreachOfTheProtocolEndsTheConnection(t *testing.T) {
	for name, sent := range map[string][]byte{
		"reserved bits":          {fin | 0x70 | opText, 0},
		"unknown opcode":         {fin | 0x3, 0},
		"stray continuation":     {fin | opContinuation, 0},
		"fragmented ping":        {0x9, 0},
		"close code of one byte": {fin | 0x8, 1, 3},
		"negative length":        append([]byte{fin | opText, 127}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	} {
		server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
			conn.Write(sent)
			hold(r)
		})
		_, _, err := dialTo(t, connectTo(t, server.URL)).Read(nil)
		if err == nil || errors.Is(err, ErrSilent) {
			t.Errorf("%s: this should be an error of its own, got %v", name, err)
		}
	}
}

func TestTheServersPingsAreAnswered(t *testing.T) {
	answered := make(chan error, 1)
	server := serveSocket(t, nil, func(ctx context.Context, ws *websocket.Conn) {
		ctx = ws.CloseRead(ctx)
		answered <- ws.Ping(ctx)
		ws.Write(ctx, websocket.MessageText, []byte("after the ping"))
		<-ctx.Done()
	})
	conn := dialTo(t, connectTo(t, server.URL))
	if _, _, err := conn.Read(nil); err != nil {
		t.Errorf("the frame after the ping should be read, got %v", err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the ping should be answered, got %v", err)
	}
}

func TestAServerThatNeverAnswersIsFoundSilent(t *testing.T) {
	t.Parallel()
	server := serveBytes(t, httptest.NewServer, func(_ net.Conn, r *bufio.Reader) { hold(r) })
	conn := dialTo(t, connectTo(t, server.URL, impatient))
	heard := conn.LastByteAt()
	_, _, err := conn.Read(nil)
	if !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), "between two frames") {
		t.Errorf("Read should end with ErrSilent between two frames, got %v", err)
	}
	if quiet := time.Since(heard); quiet < 350*time.Millisecond {
		t.Errorf("a silence of 400ms should be waited for, got %s", quiet)
	}
	if !conn.LastByteAt().Equal(heard) {
		t.Errorf("the last byte heard should be the handshake's at %s, got %s", heard, conn.LastByteAt())
	}
}

func TestAStallInMidFrameIsFoundSilent(t *testing.T) {
	t.Parallel()
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		conn.Write(wireFrame(fin|opText, make([]byte, 100_000))[:60_000])
		hold(r)
	})
	conn := dialTo(t, connectTo(t, server.URL, impatient))
	_, frame, err := conn.Read(nil)
	if !errors.Is(err, ErrSilent) || !strings.Contains(err.Error(), "bytes into a frame") || len(frame) != 0 {
		t.Errorf("Read should end with ErrSilent in mid-frame, got %d bytes, %v", len(frame), err)
	}
}

func TestAFrameThatTricklesInIsWaitedFor(t *testing.T) {
	t.Parallel()
	sent := wireFrame(fin|opText, bytes.Repeat([]byte("x"), 100))
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		for i := range sent {
			conn.Write(sent[i : i+1])
			time.Sleep(20 * time.Millisecond) // 2 s in all, twice the idle timeout
		}
		hold(r)
	})
	conn := dialTo(t, connectTo(t, server.URL, func(c *Config) { c.PingInterval, c.IdleTimeout = 100*time.Millisecond, time.Second }))
	if _, frame, err := conn.Read(nil); err != nil || len(frame) != 100 {
		t.Errorf("the frame should arrive whole, got %d bytes, %v", len(frame), err)
	}
}

func TestPongsKeepAQuietConnectionAlive(t *testing.T) {
	t.Parallel()
	var pings atomic.Int32
	enough := make(chan struct{})
	opts := &websocket.AcceptOptions{OnPingReceived: func(context.Context, []byte) bool {
		if pings.Add(1) == 20 {
			close(enough)
		}
		return true
	}}
	server := serveSocket(t, opts, func(ctx context.Context, ws *websocket.Conn) {
		ctx = ws.CloseRead(ctx)
		select {
		case <-enough: // 2 s, twice the idle timeout
			ws.Write(ctx, websocket.MessageText, []byte("still here"))
		case <-ctx.Done():
		}
		<-ctx.Done()
	})
	conn := dialTo(t, connectTo(t, server.URL, func(c *Config) { c.PingInterval, c.IdleTimeout = 100*time.Millisecond, time.Second }))
	opened := conn.LastByteAt()
	if _, frame, err := conn.Read(nil); err != nil || string(frame) != "still here" {
		t.Errorf("the quiet connection should be kept, got %q, %v", frame, err)
	}
	if !conn.LastByteAt().After(opened) {
		t.Errorf("LastByteAt should have moved on from %s, got %s", opened, conn.LastByteAt())
	}
}

func TestTimeTheCallerTakesIsNoSilenceOfTheServer(t *testing.T) {
	t.Parallel()
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		conn.Write(wireFrame(fin|opText, []byte("first")))
		conn.Write(wireFrame(fin|opText, bytes.Repeat([]byte("x"), 50_000)))
		hold(r)
	})
	conn := dialTo(t, connectTo(t, server.URL, func(c *Config) { c.PingInterval, c.IdleTimeout = 20*time.Millisecond, 160*time.Millisecond }))
	if _, _, err := conn.Read(nil); err != nil {
		t.Fatalf("the first frame should be read, got %v", err)
	}
	time.Sleep(640 * time.Millisecond) // four idle timeouts in which nobody reads
	if _, frame, err := conn.Read(nil); err != nil || len(frame) != 50_000 {
		t.Errorf("the frame that waited should be read, got %d bytes, %v", len(frame), err)
	}
}

func TestCloseNowEndsAReadThatWaits(t *testing.T) {
	server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
		conn.Write(wireFrame(fin|opText, make([]byte, 1000))[:500])
		hold(r)
	})
	conn := dialTo(t, connectTo(t, server.URL))
	time.AfterFunc(20*time.Millisecond, func() { conn.CloseNow() })
	if _, _, err := conn.Read(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read should end with net.ErrClosed, got %v", err)
	}
	for range 2 {
		if err := conn.CloseNow(); err != nil {
			t.Errorf("CloseNow should be repeatable, got %v", err)
		}
	}
}

func TestCloseNowCutsAGoodbyeShort(t *testing.T) {
	server := serveBytes(t, httptest.NewServer, func(_ net.Conn, r *bufio.Reader) { hold(r) })
	conn := dialTo(t, connectTo(t, server.URL))
	start, done := time.Now(), make(chan struct{})
	go func() { conn.Close(1000, ""); close(done) }()
	time.Sleep(20 * time.Millisecond)
	conn.CloseNow()
	<-done
	if took := time.Since(start); took >= patience {
		t.Errorf("CloseNow should not wait for the goodbye (%s), it took %s", patience, took)
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	for _, reading := range []bool{false, true} {
		got := make(chan error, 1)
		server := serveSocket(t, nil, func(ctx context.Context, ws *websocket.Conn) {
			ws.Write(ctx, websocket.MessageText, []byte("hello"))
			_, _, err := ws.Read(ctx)
			got <- err
		})
		conn := dialTo(t, connectTo(t, server.URL))
		if _, _, err := conn.Read(nil); err != nil {
			t.Fatal(err)
		}
		heard := conn.LastByteAt()
		read := make(chan error, 1)
		if reading {
			go func() { _, _, err := conn.Read(nil); read <- err }()
		}
		if err := conn.Close(1001, "standing down"); err != nil {
			t.Errorf("closing (while reading: %v): %v", reading, err)
		}
		if code, reason := websocket.CloseStatus(<-got), "standing down"; code != 1001 {
			t.Errorf("the server should be told 1001 %s, got %d", reason, code)
		}
		if !conn.LastByteAt().Equal(heard) {
			t.Errorf("the goodbye should not count as heard: %s, then %s", heard, conn.LastByteAt())
		}
		if !reading {
			go func() { _, _, err := conn.Read(nil); read <- err }()
		}
		if err := <-read; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read (begun before: %v) should end with net.ErrClosed, got %v", reading, err)
		}
	}
}

func TestManyConnectionsLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("connections", func(t *testing.T) {
		var n atomic.Int32
		server := serveBytes(t, httptest.NewServer, func(conn net.Conn, r *bufio.Reader) {
			switch n.Add(1) % 4 {
			case 0: // ends without a word
			case 1:
				conn.Write(wireFrame(fin|0x8, []byte("\x03\xe9")))
				hold(r)
			case 2:
				conn.Write(wireFrame(fin|opText, make([]byte, 5000)))
				hold(r)
			case 3:
				hold(r)
			}
		})
		refusing := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, strings.Repeat("no ", 2000))
		})
		client := connectTo(t, server.URL, func(c *Config) {
			c.MaxFrameBytes, c.PingInterval, c.IdleTimeout = 4000, time.Millisecond, 20*time.Millisecond
		})
		refused := connectTo(t, refusing.URL)
		for i := range 200 {
			conn, err := client.Dial(t.Context(), "c")
			if err != nil {
				t.Fatalf("dial %d: %v", i, err)
			}
			if i%10 == 9 {
				conn.CloseNow()
			} else if _, _, err := conn.Read(nil); err == nil { // Read alone has to clean up
				t.Fatalf("connection %d should end with an error", i)
			}
			if _, err := refused.Dial(t.Context(), "c"); err == nil {
				t.Fatalf("dial %d should be refused", i)
			}
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for runtime.NumGoroutine() > before+2 {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("no goroutine should be left: %d before, %d after\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}
