package simulator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serve runs a server of w on a real socket for the length of the test and gives its URL.
func serve(t *testing.T, w *World, opts ServerOptions) (*Server, string) {
	t.Helper()
	s := NewServer(w, opts)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("expected the server to stop cleanly, got %v", err)
		}
	})
	return s, "http://" + ln.Addr().String()
}

// within gives a context that ends a test that hangs.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, url, orgID, key string) *websocket.Conn {
	t.Helper()
	conn, response, err := websocket.Dial(within(t), url+"/orgs/"+orgID+"/inbox/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + key}},
	})
	if err != nil {
		t.Fatalf("expected to be connected, got %v (%v)", err, response)
	}
	conn.SetReadLimit(64 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

func get(t *testing.T, url, key string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(within(t), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func expectStatus(t *testing.T, url, key string, status int) *http.Response {
	t.Helper()
	response, body := get(t, url, key)
	if response.StatusCode != status {
		t.Fatalf("expected %d from %s, got %d: %s", status, url, response.StatusCode, body)
	}
	return response
}

// read reads n frames.
func read(t *testing.T, conn *websocket.Conn, n int) [][]byte {
	t.Helper()
	var frames [][]byte
	for len(frames) < n {
		typ, b, err := conn.Read(within(t))
		if err != nil {
			t.Fatalf("expected frame %d of %d, got %v", len(frames)+1, n, err)
		}
		if typ != websocket.MessageText {
			t.Fatalf("expected a text frame, got %v", typ)
		}
		frames = append(frames, b)
	}
	return frames
}

func TestAClientReadsExactlyWhatTheLedgerSays(t *testing.T) {
	w := NewWorld(Config{Seed: 21, Orgs: 2, Chats: 30, End: time.Date(2025, 1, 12, 0, 0, 0, 0, time.UTC)})
	s, url := serve(t, w, ServerOptions{})
	a, b := w.Orgs()[0].ID, w.Orgs()[1].ID
	one, two, other := dial(t, url, a, DefaultKey), dial(t, url, "c", DefaultKey), dial(t, url, b, DefaultKey)
	ctx := within(t)
	for org, n := range map[string]int{a: 2, b: 1} {
		if err := s.WaitForClients(ctx, org, n); err != nil {
			t.Fatal(err)
		}
	}
	played := make(chan error, 1)
	go func() {
		played <- s.Play(ctx)
		s.Drop(a, websocket.StatusNormalClosure, "the end")
		s.Drop(b, websocket.StatusNormalClosure, "the end")
	}()
	got := make(chan [][32]byte, 3)
	for _, conn := range []*websocket.Conn{one, two, other} {
		go func() {
			var sums [][32]byte
			for {
				_, frame, err := conn.Read(ctx)
				if err != nil {
					got <- sums
					return
				}
				sums = append(sums, sha256.Sum256(frame))
			}
		}()
	}
	if err := <-played; err != nil {
		t.Fatalf("expected the world to be played to its end, got %v", err)
	}
	read := map[string]int{}
	for range 3 {
		for _, sum := range <-got {
			read[fmt.Sprintf("%x", sum)]++
		}
	}
	entries := 0
	for _, org := range []string{a, b} {
		last := map[int]int{}
		for _, sent := range s.Ledger(org) {
			entries++
			if !sent.Written {
				t.Fatalf("expected frame %d to have been written, its entry says not", sent.Index)
			}
			if read[fmt.Sprintf("%x", sent.SHA256)]--; read[fmt.Sprintf("%x", sent.SHA256)] < 0 {
				t.Fatalf("expected frame %d of connection %d to have been read, it was not", sent.Index, sent.Connection)
			}
			if before, seen := last[sent.Connection]; seen && sent.Index != before+1 {
				t.Fatalf("expected frame %d after %d on connection %d, got %d", before+1, before, sent.Connection, sent.Index)
			}
			last[sent.Connection] = sent.Index
		}
	}
	for sum, n := range read {
		if n != 0 {
			t.Fatalf("expected every frame read to be in the ledger, %s is %d times too often", sum, n)
		}
	}
	if entries < 500 {
		t.Fatalf("expected some hundred frames, got %d", entries)
	}
}

func TestFramesWithoutAClientAreMissedAndSaidToBe(t *testing.T) {
	w := NewWorld(Config{Seed: 22, Orgs: 1, Chats: 20, End: time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC)})
	s, url := serve(t, w, ServerOptions{})
	org := w.Orgs()[0].ID
	skipped := s.FastForward(time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC))
	if err := s.Play(within(t)); err != nil {
		t.Fatal(err)
	}
	ledger := s.Ledger(org)
	if skipped == 0 || len(ledger) == 0 || ledger[0].Index != skipped {
		t.Fatalf("expected the ledger to go on at frame %d after the fast-forward, got %d entries", skipped, len(ledger))
	}
	for _, sent := range ledger {
		if sent.Connection != 0 || sent.Written {
			t.Fatalf("expected frames to nobody, got %+v", sent)
		}
	}
	_, body := get(t, url+"/orgs/c/inbox?take=100", DefaultKey)
	var chats []json.RawMessage
	if err := json.Unmarshal(body, &chats); err != nil || len(chats) != len(w.ChatIDs(org)) {
		t.Fatalf("expected the list to show all %d chats of the moment, got %d (%v)", len(w.ChatIDs(org)), len(chats), err)
	}
}

func TestTheWorldWaitsForAClientWhenToldTo(t *testing.T) {
	w := NewWorld(Config{Seed: 22, Orgs: 1, Chats: 20})
	s, url := serve(t, w, ServerOptions{HoldWithoutClient: true})
	ctx, cancel := context.WithCancel(within(t))
	played := make(chan error, 1)
	go func() { played <- s.Play(ctx) }()
	first := read(t, dial(t, url, "c", DefaultKey), 1)[0]
	want, _ := NewWorld(Config{Seed: 22, Orgs: 1, Chats: 20}).Next()
	if !bytes.Equal(first, want.Bytes) {
		t.Fatalf("expected the first client to get the world's first frame, got %.100s", first)
	}
	cancel()
	if err := <-played; !errors.Is(err, context.Canceled) {
		t.Fatalf("expected Play to end with its context, got %v", err)
	}
}

func TestAFastHistoryIsFollowedByLiveFrames(t *testing.T) {
	start := time.Now().AddDate(0, 0, -10)
	w := NewWorld(Config{Seed: 23, Orgs: 1, Chats: 20, Start: start})
	s, url := serve(t, w, ServerOptions{HoldWithoutClient: true, Live: true, Rate: 500})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	now := time.Now()
	done := make(chan error, 1)
	var history int
	go func() {
		n, err := s.PlayUntil(ctx, now)
		history = n
		if err == nil {
			err = s.Play(ctx)
		}
		done <- err
	}()
	conn := dial(t, url, "c", DefaultKey)
	var stamp struct {
		Data struct {
			UpdatedAt time.Time `json:"updated_at"`
		}
	}
	for frames := 1; ; frames++ {
		if err := json.Unmarshal(read(t, conn, 1)[0], &stamp); err != nil {
			t.Fatal(err)
		}
		if stamp.Data.UpdatedAt.Before(now.Truncate(time.Millisecond)) {
			continue
		}
		cancel()
		<-done
		if history != frames-1 || history < 100 {
			t.Fatalf("expected the %d frames of the history to come before the first live one, got %d", history, frames-1)
		}
		return
	}
}

func TestKeysOpenTheirOrganizationAndItsSubOrganizations(t *testing.T) {
	w := NewWorld(Config{Seed: 24, Orgs: 3, Chats: 20})
	agency, sub, other := w.Orgs()[0].ID, w.Orgs()[1].ID, w.Orgs()[2].ID
	s, url := serve(t, w, ServerOptions{Keys: map[string]string{"of-agency": agency, "of-sub": sub}})
	s.FastForward(time.Date(2025, 1, 8, 0, 0, 0, 0, time.UTC))
	expectStatus(t, url+"/orgs/c/inbox", "", 401)
	expectStatus(t, url+"/orgs/c/inbox", "wrong", 401)
	expectStatus(t, url+"/orgs/c/inbox/ws", "wrong", 401)
	expectStatus(t, url+"/orgs/nowhere/inbox", "of-agency", 404)
	expectStatus(t, url+"/orgs/nowhere/inbox/ws", "of-agency", 404)
	for _, org := range []string{"c", agency, sub, other} {
		expectStatus(t, url+"/orgs/"+org+"/inbox", "of-agency", 200)
	}
	expectStatus(t, url+"/orgs/"+sub+"/inbox", "of-sub", 200)
	expectStatus(t, url+"/orgs/"+agency+"/inbox", "of-sub", 403)
	expectStatus(t, url+"/orgs/"+other+"/inbox/ws", "of-sub", 403)
	chat := w.ChatIDs(other)[0]
	expectStatus(t, url+"/chats/"+chat+"/messages", "of-agency", 200)
	expectStatus(t, url+"/chats/"+chat+"/messages", "of-sub", 404)
	expectStatus(t, url+"/chats/nothing/messages", "of-sub", 404)
	_, body := get(t, url+"/orgs/c/inbox?take=1", "of-sub")
	if !bytes.Contains(body, []byte(`"org_id":"`+sub+`"`)) {
		t.Fatalf("expected c to be the key's own organization, got %s", body)
	}
	s.SetKey("of-sub", "")
	expectStatus(t, url+"/orgs/"+sub+"/inbox", "of-sub", 401)
	s.SetKey("of-sub", other)
	expectStatus(t, url+"/orgs/"+other+"/inbox", "of-sub", 200)
	for _, r := range s.Requests() {
		if strings.Contains(r.Path+r.Query, "of-") {
			t.Fatalf("expected no key in the record of requests, got %+v", r)
		}
	}
}

func TestListsArePagedToTheirEnd(t *testing.T) {
	w := NewWorld(Config{Seed: 25, Orgs: 1, Chats: 150})
	s, url := serve(t, w, ServerOptions{})
	s.FastForward(time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC))
	org := w.Orgs()[0].ID
	want := w.Chats(org)
	var got []json.RawMessage
	for page := 1; ; page++ {
		response, body := get(t, fmt.Sprintf("%s/orgs/%s/inbox?page=%d&take=40", url, org, page), DefaultKey)
		for name, value := range map[string]int{"pagination-count": len(want), "pagination-page": page, "pagination-take": 40} {
			if response.Header.Get(name) != strconv.Itoa(value) {
				t.Fatalf("expected %s: %d on page %d, got %q", name, value, page, response.Header.Get(name))
			}
		}
		var entries []json.RawMessage
		if err := json.Unmarshal(body, &entries); err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		got = append(got, entries...)
	}
	if len(got) != len(want) || len(want) < 100 {
		t.Fatalf("expected %d chats over all pages, got %d", len(want), len(got))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("expected chat %d of the list to be %.100s, got %.100s", i, want[i], got[i])
		}
	}
	for _, query := range []string{"take=101", "take=0", "take=x", "page=0", "page=-1", "page=9999999999999999999"} {
		expectStatus(t, url+"/orgs/c/inbox?"+query, DefaultKey, 400)
	}
	expectStatus(t, url+"/orgs/c/inbox?take=100", DefaultKey, 200)

	response, body := get(t, url+"/orgs/c/inbox?take=100&integration_id=whatsapp_bot", DefaultKey)
	n, _ := strconv.Atoi(response.Header.Get("pagination-count"))
	if n == 0 || n == len(want) || bytes.Contains(body, []byte(`"integration_id":"custom"`)) {
		t.Fatalf("expected only the chats of one integration, got %d of %d", n, len(want))
	}
}

func TestMessagesAreListedFromADate(t *testing.T) {
	w := NewWorld(Config{Seed: 26, Orgs: 1, Chats: 20})
	s, url := serve(t, w, ServerOptions{})
	s.FastForward(time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC))
	chat := w.ChatIDs(w.Orgs()[0].ID)[0]
	all := w.Messages(chat)
	var middle struct {
		CreatedAt string `json:"created_at"`
	}
	if err := json.Unmarshal(all[len(all)/2], &middle); err != nil {
		t.Fatal(err)
	}
	response, body := get(t, url+"/chats/"+chat+"/messages?take=100&from_date="+middle.CreatedAt, DefaultKey)
	var got []json.RawMessage
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	want := len(all) - len(all)/2
	if response.Header.Get("pagination-count") != strconv.Itoa(want) || !bytes.Equal(got[0], all[len(all)/2]) {
		t.Fatalf("expected %d messages from %s on, got %s", want, middle.CreatedAt, response.Header.Get("pagination-count"))
	}
	expectStatus(t, url+"/chats/"+chat+"/messages?from_date=yesterday", DefaultKey, 400)
}

func TestTheSmallListsAreServed(t *testing.T) {
	w := NewWorld(Config{Seed: 27, Orgs: 3, Chats: 50})
	s, url := serve(t, w, ServerOptions{})
	s.FastForward(time.Date(2025, 2, 20, 0, 0, 0, 0, time.UTC))
	list := func(path string) []map[string]any {
		_, body := get(t, url+path, DefaultKey)
		var entries []map[string]any
		if err := json.Unmarshal(body, &entries); err != nil {
			t.Fatalf("expected a list from %s, got %s", path, body)
		}
		return entries
	}
	orgs := list("/orgs/c/orgs")
	if len(orgs) != 2 || orgs[0]["id"] != w.Orgs()[1].ID || orgs[0]["parent_id"] != w.Orgs()[0].ID {
		t.Fatalf("expected the two sub-organizations, got %v", orgs)
	}
	if subs := list("/orgs/" + w.Orgs()[1].ID + "/orgs"); len(subs) != 0 {
		t.Fatalf("expected no organizations under a sub-organization, got %v", subs)
	}
	if usage := list("/orgs/c/orgs/usage"); len(usage) != 6 || usage[0]["amount_credits"].(float64) <= 0 {
		t.Fatalf("expected two lines of usage for each of three organizations, got %v", usage)
	}
	recipients := 0
	for _, b := range list("/orgs/c/broadcasts?take=100") {
		got := list(fmt.Sprintf("/orgs/c/broadcasts/%s/recipients?take=100", b["id"]))
		if float64(len(got)) != min(b["sent_count"].(float64), 100) {
			t.Fatalf("expected %v recipients, got %d", b["sent_count"], len(got))
		}
		recipients += len(got)
	}
	if recipients == 0 {
		t.Fatal("expected broadcasts with recipients, got none")
	}
}

func TestTooManyRequestsAreToldWhenToComeBack(t *testing.T) {
	w := NewWorld(Config{Seed: 28})
	_, url := serve(t, w, ServerOptions{RateLimit: 5})
	for range 5 {
		expectStatus(t, url+"/orgs/c/orgs", DefaultKey, 200)
	}
	response := expectStatus(t, url+"/orgs/c/inbox", DefaultKey, 429)
	if after, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || after < 1 || after > 60 {
		t.Fatalf("expected Retry-After within the minute, got %q", response.Header.Get("Retry-After"))
	}
	expectStatus(t, url+"/orgs/c/inbox/ws", DefaultKey, 429)
}

func TestTheListShiftsUnderItsReaderWhenToldTo(t *testing.T) {
	w := NewWorld(Config{Seed: 29, Orgs: 1, Chats: 60, Quirks: Quirks{ShiftingLists: true}})
	s, url := serve(t, w, ServerOptions{})
	s.FastForward(time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC))
	org := w.Orgs()[0].ID
	walk := func() map[string]bool {
		seen := map[string]bool{}
		for page := 1; ; page++ {
			_, body := get(t, fmt.Sprintf("%s/orgs/c/inbox?take=10&page=%d", url, page), DefaultKey)
			var entries []struct{ ID string }
			if err := json.Unmarshal(body, &entries); err != nil {
				t.Fatal(err)
			}
			if len(entries) == 0 {
				return seen
			}
			for _, e := range entries {
				seen[e.ID] = true
			}
		}
	}
	all := len(w.ChatIDs(org))
	if first := walk(); len(first) >= all {
		t.Fatalf("expected a reader who only walks forward to miss some of %d chats, it saw %d", all, len(first))
	}
	for range maxShifts {
		walk()
	}
	if again := walk(); len(again) != all {
		t.Fatalf("expected the list to come to rest, a walk saw %d of %d chats", len(again), all)
	}
}
