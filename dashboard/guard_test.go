package dashboard_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"archiver/dashboard"
	"archiver/postgres"
)

// answerTo asks a dashboard in some way of its own.
func answerTo(t *testing.T, method, url string, change func(*http.Request)) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(request)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return response.StatusCode, response.Header, string(content)
}

func TestOnlyWhoKnowsThePasswordIsAnsweredAndGuessingIsSlow(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	url := a.serve("", dashboard.Config{Password: "correct horse battery staple"})
	with := func(authorization string) int {
		status, _, body := answerTo(t, "GET", url+"/", func(r *http.Request) {
			if authorization != "" {
				r.Header.Set("Authorization", authorization)
			}
		})
		if status != 200 && strings.Contains(body, "Organization") {
			t.Errorf("an answer %d shows the page", status)
		}
		return status
	}
	basic := func(password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte("anybody:"+password))
	}
	for _, path := range []string{"/", "/volume", "/csv/agents.csv", "/sql/agents", "/icon.svg", "/nowhere", "/?password=correct+horse+battery+staple", "/?token=correct+horse+battery+staple"} {
		if status, _, _ := answerTo(t, "GET", url+path, nil); status != 401 {
			t.Errorf("%s without a password answers %d, want 401", path, status)
		}
	}
	if status, _, body := answerTo(t, "GET", url+"/healthz", nil); status != 200 || body != "ok\n" {
		t.Errorf("/healthz without a password answers %d %q, want ok and nothing more", status, body)
	}
	if got := with(basic("correct horse battery staple")); got != 200 {
		t.Errorf("the right password answers %d, want 200", got)
	}
	if got := with("Bearer correct horse battery staple"); got != 200 {
		t.Errorf("the right token answers %d, want 200", got)
	}
	refused := 0
	for i := range 30 {
		if got := with(basic(fmt.Sprint("guess ", i))); got == 429 {
			refused++
		} else if got != 401 {
			t.Fatalf("a wrong password answers %d, want 401 or 429", got)
		}
	}
	if refused < 10 {
		t.Errorf("of 30 guesses in a row %d were not even looked at, want 10 or more", refused)
	}
	if got := with(basic("correct horse battery staple")); got != 429 {
		t.Errorf("right after 30 guesses the right password answers %d, want 429: a guesser must not learn of it", got)
	}
}

func TestItAnswersUnderItsOwnNamesToReadersOnly(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	url := a.serve("", dashboard.Config{Hosts: []string{"Inbox.Example.com"}})
	for host, want := range map[string]int{
		"localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "10.0.0.7:8080": 200, "inbox.example.com": 200, "INBOX.example.com.:443": 200,
		"evil.example": 421, "localhost.evil.example": 421, "inbox.example.com.evil.example": 421, "127.0.0.1.evil.example": 421, "": 421,
	} {
		status, _, _ := answerTo(t, "GET", url+"/", func(r *http.Request) {
			r.Host = host
			if host == "" {
				r.Host = "x y"
			}
		})
		if host == "" && status == 400 {
			continue // refused before
		}
		if status != want {
			t.Errorf("under the name %q it answers %d, want %d", host, status, want)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		if status, _, _ := answerTo(t, method, url+"/", nil); status != 405 {
			t.Errorf("%s answers %d, want 405", method, status)
		}
	}
	for name, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
		if status, _, _ := answerTo(t, "POST", url+"/", func(r *http.Request) { r.Header.Set(name, value) }); status != 403 {
			t.Errorf("POST with %s %s answers %d, want 403", name, value, status)
		}
	}
	if status, header, body := answerTo(t, "HEAD", url+"/", nil); status != 200 || body != "" || header.Get("Content-Length") == "" {
		t.Errorf("HEAD answers %d with %d bytes, want what GET does without the body", status, len(body))
	}
	_, header, _ := answerTo(t, "GET", url+"/", nil)
	if cookies := header.Values("Set-Cookie"); len(cookies) > 0 {
		t.Errorf("it sets cookies, which it has no use for: %q", cookies)
	}
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if !strings.HasPrefix(header.Get(name), want) {
			t.Errorf("%s is %q, want %s", name, header.Get(name), want)
		}
	}
	if policy := header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("the policy is %q", policy)
	}
}

func TestItsConnectionsCannotWriteAndReadWhatTheRoleMay(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.exec(`insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at) values ('ours', 'Ours', false, now(), now()), ('theirs', 'Theirs', false, now(), now())`)
	role := fmt.Sprintf("archiver_dashboard_%d_%08x", os.Getpid(), rand.Uint32())
	a.exec("create role " + role)
	t.Cleanup(func() {
		_, _ = a.pool.Exec(t.Context(), "drop owned by "+role)
		_, _ = a.pool.Exec(t.Context(), "drop role "+role)
	})
	if _, err := postgres.Grant(t.Context(), a.pool, role, "ours"); err != nil {
		t.Fatalf("granting the reader: %v", err)
	}
	pool, err := postgres.Connect(t.Context(), a.database, dashboard.Reading(role))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(t.Context(), "create temporary table x (n int)"); err == nil || !strings.Contains(err.Error(), "25006") && !strings.Contains(err.Error(), "read-only") {
		t.Errorf("writing fails with %v, want a read-only transaction", err)
	}
	var role2, timeout, jit string
	if err := pool.QueryRow(t.Context(), "select current_user::text, current_setting('statement_timeout'), current_setting('jit')").Scan(&role2, &timeout, &jit); err != nil {
		t.Fatal(err)
	}
	if role2 != role || timeout != "10s" || jit != "off" {
		t.Errorf("a session is of role %s, with a timeout of %s and jit %s, want %s, 10s, off", role2, timeout, jit, role)
	}
	a.url = a.serve(role, dashboard.Config{})
	body := a.get("/")
	if !strings.Contains(body, "Ours") || strings.Contains(body, "Theirs") {
		t.Error("a role that was granted one organization should see that one and no other")
	}
	if status, _, _ := answerTo(t, "GET", a.url+"/?org=theirs", nil); status != 404 {
		t.Errorf("another organization answers %d, want 404", status)
	}
	for _, id := range pageIDs {
		if strings.Contains(a.get("/"+id), `class="error"`) {
			t.Errorf("/%s shows an error to a granted role", id)
		}
	}
}

func TestWhatIsWrongIsSaidWithoutTellingWhatTheDatabaseHolds(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	if body := a.get("/volume"); !strings.Contains(body, "The archive is empty") {
		t.Errorf("an empty archive shows\n%s", body)
	}
	var log bytes.Buffer
	url := a.serve("", dashboard.Config{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	a.exec(`insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at) values ('secret-org', 'Secret', false, now(), now())`)
	for _, path := range []string{"/volume?from=yesterday", "/?org=%00", "/?agent=%ff", "/?from=0001-01-01"} {
		if status, _, body := answerTo(t, "GET", url+path, nil); status != 400 || !strings.Contains(body, "cannot be read") {
			t.Errorf("%s answers %d, want 400 and why", path, status)
		}
	}
	if status, _, _ := answerTo(t, "GET", url+"/volume?org=secret-org&agent=secret-agent&from=2026-03-09&to=2026-03-01&channel='%3B--", nil); status != 200 {
		t.Errorf("days that are the wrong way round answer %d, want 200", status)
	}
	a.exec(`alter table analytics.handoffs rename to hidden`)
	status, _, body := answerTo(t, "GET", url+"/volume?org=secret-org", nil)
	if status != 200 || !strings.Contains(body, `class="error"`) || strings.Contains(body, "SQLSTATE") || strings.Contains(body, "relation") {
		t.Errorf("a panel that cannot be read answers %d\n%s", status, body)
	}
	if text := log.String(); !strings.Contains(text, "could not be shown") || strings.Contains(text, "secret") {
		t.Errorf("the log should tell of the failure, and nobody's ids:\n%s", text)
	}
}
