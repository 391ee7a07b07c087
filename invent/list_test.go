package invent

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAPageComesWholeWithItsRequestAndItsCounts(t *testing.T) {
	var asked []*http.Request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r)
		w.Header().Set("pagination-count", "231")
		w.Header().Set("pagination-page", "3")
		w.Header().Set("pagination-take", "100")
		w.Header().Set("Date", "Sun, 01 Mar 2026 12:00:00 GMT")
		fmt.Fprint(w, ` [ {"id":"a"} ] `)
	})
	client := connectTo(t, server.URL)
	from := time.Date(2026, 3, 1, 10, 0, 0, 123_999_999, time.FixedZone("", 3600))
	for _, c := range []struct {
		ask         func() (*Page, error)
		path, query string
	}{
		{func() (*Page, error) { return client.InboxPage(t.Context(), "c", 3, 100) }, "/orgs/c/inbox", "page=3&take=100"},
		{func() (*Page, error) { return client.OrgsPage(t.Context(), "o 1", 1, 5) }, "/orgs/o%201/orgs", "page=1&take=5"},
		{func() (*Page, error) { return client.MessagesPage(t.Context(), "ch/1", from, 2, 50) }, "/chats/ch%2F1/messages", "from_date=2026-03-01T09%3A00%3A00.123Z&page=2&take=50"},
		{func() (*Page, error) { return client.MessagesPage(t.Context(), "ch", time.Time{}, 1, 1) }, "/chats/ch/messages", "page=1&take=1"},
	} {
		before := time.Now()
		p, err := c.ask()
		if err != nil {
			t.Errorf("GET %s: %v", c.path, err)
			continue
		}
		if p.Path != c.path || p.Query != c.query || p.Status != 200 {
			t.Errorf("the page should be of %s?%s with 200, got %s?%s with %d", c.path, c.query, p.Path, p.Query, p.Status)
		}
		if p.Count != 231 || p.Page != 3 || p.Take != 100 {
			t.Errorf("the counts should be 231, 3, 100, got %d, %d, %d", p.Count, p.Page, p.Take)
		}
		if string(p.Body) != ` [ {"id":"a"} ] ` {
			t.Errorf("the body should be as it was sent, got %q", p.Body)
		}
		if p.StartedAt.Before(before) || p.FinishedAt.Before(p.StartedAt) || time.Now().Before(p.FinishedAt) {
			t.Errorf("the times should be in order: %s, %s, %s", before, p.StartedAt, p.FinishedAt)
		}
		if want := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC); !p.ServerDate.Equal(want) {
			t.Errorf("the server's clock should be %s, got %s", want, p.ServerDate)
		}
		r := asked[len(asked)-1]
		if got := r.URL.EscapedPath() + "?" + r.URL.RawQuery; got != c.path+"?"+c.query {
			t.Errorf("the server should be asked for %s?%s, got %s", c.path, c.query, got)
		}
		if got := r.Header.Get("Authorization"); got != "Bearer "+testKey {
			t.Errorf("the key should be sent, got %q", got)
		}
	}
}

func TestCountsThatAreAbsentOrNoNumbersAreMinusOne(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("pagination-count", "many")
		w.Header().Set("pagination-page", "-2")
	})
	p, err := connectTo(t, server.URL).InboxPage(t.Context(), "c", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if p.Count != -1 || p.Page != -1 || p.Take != -1 || len(p.Body) != 0 {
		t.Errorf("counts should be -1 and the body empty, got %d, %d, %d, %q", p.Count, p.Page, p.Take, p.Body)
	}
}

func TestAChatThatIsGoneIsAPageOfMessagesAndNoError(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusGone} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"gone":true}`)
		})
		client := connectTo(t, server.URL)
		p, err := client.MessagesPage(t.Context(), "ch", time.Time{}, 1, 1)
		if err != nil || p.Status != status || string(p.Body) != `{"gone":true}` {
			t.Errorf("%d should be a page with its body, got %+v, %v", status, p, err)
		}
		if _, err := client.InboxPage(t.Context(), "c", 1, 1); err == nil {
			t.Errorf("%d for an inbox should be an error", status)
		}
		if _, err := client.OrgsPage(t.Context(), "c", 1, 1); err == nil {
			t.Errorf("%d for sub-organizations should be an error", status)
		}
	}
}

func TestACompressedPageIsUnpackedWithinItsBound(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := io.CopyN(z, zeros{}, 2<<20); err != nil {
		t.Fatal(err)
	}
	z.Close()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("gzip should be offered, got %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	})
	client := connectTo(t, server.URL)
	client.maxBody = 2 << 20
	if p, err := client.InboxPage(t.Context(), "c", 1, 1); err != nil || len(p.Body) != 2<<20 {
		t.Errorf("a body of just the bound should be read, got %v", err)
	}
	client.maxBody--
	_, err := client.InboxPage(t.Context(), "c", 1, 1)
	if large, ok := errors.AsType[*TooLargeError](err); !ok || large.Limit != client.maxBody || large.Path != "/orgs/c/inbox" {
		t.Errorf("a body one byte over the bound should be a TooLargeError, got %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestABodyCutShortIsAnError(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "[canary")
	})
	_, err := connectTo(t, server.URL).InboxPage(t.Context(), "c", 1, 1)
	if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "7 bytes") {
		t.Errorf("the error should be an unexpected end after 7 bytes, got %v", err)
	}
}

func TestABodyThatStallsIsGivenUpByTheRequestTimeout(t *testing.T) {
	stop := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "[")
		http.NewResponseController(w).Flush()
		<-stop
	})
	defer close(stop)
	client := connectTo(t, server.URL, func(c *Config) { c.RequestTimeout = 100 * time.Millisecond })
	_, err := client.InboxPage(t.Context(), "c", 1, 1)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "RequestTimeout") {
		t.Errorf("the error should name RequestTimeout, got %v", err)
	}
}

func TestTheCallersContextEndsARequest(t *testing.T) {
	client := connectTo(t, listenDeaf(t))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err := client.InboxPage(ctx, "c", 1, 1)
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "RequestTimeout") {
		t.Errorf("the error should be the caller's cancelling and no timeout, got %v", err)
	}
}

func TestPagesThatTheAPIDoesNotHaveAreNotAskedFor(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("no request should be made, got %s", r.URL) })
	client := connectTo(t, server.URL)
	for _, c := range [][2]int{{0, 1}, {-1, 1}, {1, 0}, {1, 101}} {
		if _, err := client.InboxPage(t.Context(), "c", c[0], c[1]); err == nil {
			t.Errorf("page %d with %d entries should be refused", c[0], c[1])
		}
	}
}
