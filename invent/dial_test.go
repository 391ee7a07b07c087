package invent

import (
	"bufio"
	"context"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serve starts an HTTP server that is gone at the end of the test.
func serve(t testing.TB, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server
}

// serveSocket starts a server that upgrades every request and runs talk on the socket.
func serveSocket(t testing.TB, opts *websocket.AcceptOptions, talk func(context.Context, *websocket.Conn)) *httptest.Server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var talks sync.WaitGroup
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, opts)
		if err != nil {
			return
		}
		talks.Add(1)
		defer talks.Done()
		defer ws.CloseNow()
		talk(ctx, ws)
	})
	t.Cleanup(func() { cancel(); talks.Wait() })
	return server
}

// serveBytes starts a server that accepts the upgrade and then leaves the bare connection to
// talk. It is closed when talk returns, or at the end of the test.
func serveBytes(t testing.TB, start func(http.Handler) *httptest.Server, talk func(net.Conn, *bufio.Reader)) *httptest.Server {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	var talks sync.WaitGroup
	server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("taking over the connection: %v", err)
			return
		}
		defer conn.Close()
		mu.Lock()
		conns = append(conns, conn)
		talks.Add(1)
		mu.Unlock()
		defer talks.Done()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		talk(conn, rw.Reader)
	}))
	t.Cleanup(func() {
		server.Close()
		mu.Lock()
		for _, conn := range conns {
			conn.Close()
		}
		mu.Unlock()
		talks.Wait()
	})
	return server
}

// dialTo opens a socket that is gone at the end of the test.
func dialTo(t testing.TB, client *Client) *Conn {
	t.Helper()
	conn, err := client.Dial(t.Context(), "org-1")
	if err != nil {
		t.Fatalf("dialing: %v", err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return conn
}

func TestTheHandshakeCarriesTheKeyAndDeclinesCompression(t *testing.T) {
	asked := make(chan *http.Request, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Clone(context.Background())
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionContextTakeover})
		if err == nil {
			ws.CloseNow()
		}
	})
	client := connectTo(t, server.URL+"/v1", func(c *Config) { c.UserAgent = "archiver/1.2" })
	conn, err := client.Dial(t.Context(), "org/1 ä")
	if err != nil {
		t.Fatalf("dialing: %v", err)
	}
	defer conn.CloseNow()
	r := <-asked
	if got, want := r.URL.EscapedPath(), "/v1/orgs/org%2F1%20%C3%A4/inbox/ws"; got != want {
		t.Errorf("the path should be %s, got %s", want, got)
	}
	for name, want := range map[string]string{
		"Authorization":            "Bearer " + testKey,
		"User-Agent":               "archiver/1.2",
		"Sec-Websocket-Extensions": "",
		"Upgrade":                  "websocket",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("the header %s should be %q, got %q", name, want, got)
		}
	}
}

func TestAHandshakeThatIsAnsweredOtherwiseSaysWhatToCheck(t *testing.T) {
	for _, c := range []struct {
		status  int
		header  string
		refused bool
		wait    time.Duration
		names   []string
	}{
		{status: 200, names: []string{"--api-url"}},
		{status: 400, names: []string{"--api-url"}},
		{status: 401, refused: true, names: []string{"INVENT_API_KEY", "--api-key-file"}},
		{status: 403, refused: true, names: []string{"--org"}},
		{status: 404, refused: true, names: []string{"--org", "--api-url"}},
		{status: 429, header: "7", wait: 7 * time.Second, names: []string{"7s"}},
		{status: 500, names: []string{"later"}},
		{status: 503, header: "90", wait: 90 * time.Second, names: []string{"1m30s"}},
		{status: 599, names: []string{"599", "later"}},
	} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if c.header != "" {
				w.Header().Set("Retry-After", c.header)
			}
			w.WriteHeader(c.status)
			fmt.Fprint(w, "canary Jane Doe, +49 30 1234, "+r.Header.Get("Authorization"))
		})
		client := connectTo(t, server.URL)
		_, dialErr := client.Dial(t.Context(), "c")
		_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
		errs := map[string]error{"/orgs/c/inbox/ws": dialErr, "/orgs/c/inbox": pageErr}
		if c.status == 200 {
			delete(errs, "/orgs/c/inbox")
		}
		for path, err := range errs {
			status, ok := errors.AsType[*StatusError](err)
			if !ok {
				t.Errorf("%d to %s should be a StatusError, got %v", c.status, path, err)
				continue
			}
			if status.Status != c.status || status.Refused() != c.refused || status.RetryAfter != c.wait || status.Path != path {
				t.Errorf("%d to %s should have refused=%v and wait=%s, got %+v", c.status, path, c.refused, c.wait, *status)
			}
			for _, name := range append(c.names, path) {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("the sentence for %d should contain %q: %v", c.status, name, err)
				}
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the sentence for %d should hold nothing of the body and not the key: %v", c.status, err)
			}
		}
	}
}

func TestARedirectIsRefusedAndTheKeyStaysHere(t *testing.T) {
	var reached atomic.Int32
	target := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{target.URL + "/orgs?token=canary", strings.Replace(target.URL, "http", "ws", 1)} {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(status)
			})
			client := connectTo(t, server.URL)
			_, dialErr := client.Dial(t.Context(), "c")
			_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
			for _, err := range []error{dialErr, pageErr} {
				if _, ok := errors.AsType[*RedirectError](err); !ok {
					t.Errorf("%d should be a RedirectError, got %v", status, err)
					continue
				}
				if host := strings.TrimPrefix(target.URL, "http://"); !strings.Contains(err.Error(), host) || !strings.Contains(err.Error(), "--api-url") {
					t.Errorf("the error should name %s and --api-url: %v", host, err)
				}
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the error should not quote path and query of the target: %v", err)
				}
			}
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("nothing should reach the target, %d requests did", n)
	}
}

func TestARedirectFromHTTPSToHTTPOnTheSameHostIsRefused(t *testing.T) {
	var reached atomic.Int32
	plain := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusMovedPermanently)
	}))
	defer server.Close()
	client := clientOfTLS(t, server)
	_, dialErr := client.Dial(t.Context(), "c")
	_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
	for _, err := range []error{dialErr, pageErr} {
		redirect, ok := errors.AsType[*RedirectError](err)
		if !ok || redirect.Target != plain.URL {
			t.Errorf("this should be a RedirectError to %s, got %v", plain.URL, err)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("nothing should be sent in the clear, %d requests were", n)
	}
}

func clientOfTLS(t *testing.T, server *httptest.Server) *Client {
	t.Helper()
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	client, err := newClient(Config{BaseURL: server.URL, APIKey: testKey}, &tls.Config{RootCAs: roots})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdle)
	return client
}

func TestAServerWithACertificateNobodyKnowsIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of us, rightly
	server.StartTLS()
	defer server.Close()
	client := connectTo(t, server.URL)
	_, dialErr := client.Dial(t.Context(), "c")
	_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
	for _, err := range []error{dialErr, pageErr} {
		if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
			t.Errorf("the certificate should be refused, got %v", err)
		}
	}
}

// listenDeaf listens on a port where connections are taken and nothing is ever said.
func listenDeaf(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return "http://" + listener.Addr().String()
}

func TestAServerThatDoesNotAnswerIsGivenUpByNamedTimeouts(t *testing.T) {
	client := connectTo(t, listenDeaf(t), func(c *Config) {
		c.HandshakeTimeout, c.RequestTimeout = 50*time.Millisecond, 50*time.Millisecond
	})
	_, dialErr := client.Dial(t.Context(), "c")
	_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
	for name, err := range map[string]error{"HandshakeTimeout": dialErr, "RequestTimeout": pageErr} {
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "50ms") {
			t.Errorf("the error should name %s and its 50ms, got %v", name, err)
		}
	}
}

func TestTheCallersContextEndsAHandshake(t *testing.T) {
	client := connectTo(t, listenDeaf(t))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := client.Dial(ctx, "c")
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "HandshakeTimeout") {
		t.Errorf("the error should be the caller's cancelling and no timeout, got %v", err)
	}
}

func TestTheCallersContextDoesNotEndAConnection(t *testing.T) {
	proceed := make(chan struct{})
	server := serveSocket(t, nil, func(ctx context.Context, ws *websocket.Conn) {
		<-proceed
		ws.Write(ctx, websocket.MessageText, []byte(`{}`))
		<-ctx.Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	conn, err := connectTo(t, server.URL).Dial(ctx, "c")
	if err != nil {
		t.Fatalf("dialing: %v", err)
	}
	defer conn.CloseNow()
	cancel()
	close(proceed)
	if _, frame, err := conn.Read(nil); err != nil || string(frame) != "{}" {
		t.Errorf("the frame should arrive after the dialing context ended, got %q, %v", frame, err)
	}
}

func TestAnUnreachableServerIsNamedWithoutTheKey(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	client := connectTo(t, "http://"+address)
	_, dialErr := client.Dial(t.Context(), "c")
	_, pageErr := client.InboxPage(t.Context(), "c", 1, 1)
	for _, err := range []error{dialErr, pageErr} {
		if err == nil || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), testKey) {
			t.Errorf("the error should name %s and not the key, got %v", address, err)
		}
	}
}
