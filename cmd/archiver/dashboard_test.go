package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

var dashboardAddress = regexp.MustCompile(`http://[0-9.:]+/`) // the others that are printed have no slash at the end

// dashboardURL waits until the dashboard says where it is.
func dashboardURL(t *testing.T, stdout *output) (url string) {
	t.Helper()
	until(t, "the address of the dashboard is printed", func() bool {
		url = dashboardAddress.FindString(stdout.String())
		return url != ""
	})
	return url
}

func TestTheDashboardIsShownToNobodyElseWithoutAPassword(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":8080", "[::]:8080", "192.168.1.7:8080", "inbox.example.com:8080", "127.0.0.1.example.com:8080", "8080"} {
		o := runToEnd(t, nil, "dashboard", "--listen", listen)
		if o.code != exitUsage || !strings.Contains(o.stderr, "--listen") || !strings.Contains(o.stderr, listen) {
			t.Errorf("--listen %s exits %d and says %q, want %d and what to do", listen, o.code, o.stderr, exitUsage)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, empty + "-which-is-not-there"} {
		o := runToEnd(t, []string{"ARCHIVER_DASHBOARD_PASSWORD=x"}, "dashboard", "--listen", "0.0.0.0:0", "--password-file", file)
		if o.code != exitUsage || !strings.Contains(o.stderr, "--password-file") {
			t.Errorf("a password file that is of no use exits %d and says %q, want %d", o.code, o.stderr, exitUsage)
		}
	}
}

func TestTheDashboardServesPagesUntilItIsToldToStop(t *testing.T) {
	t.Parallel()
	database := "DATABASE_URL=" + dbtest.NewURL(t)
	p := start(t, []string{database}, "dashboard", "--listen", "127.0.0.1:0")
	if status, body := get(t, dashboardURL(t, p.stdout)); status != http.StatusOK || !strings.Contains(body, "The archive is empty") {
		t.Errorf("the dashboard of an empty archive answers %d:\n%s", status, body)
	}
	p.stopAndWait()

	const password = "canary-of-the-dashboard"
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{database, "ARCHIVER_DASHBOARD_PASSWORD_FILE=" + file, "ARCHIVER_DASHBOARD_HOSTS=inbox.example.com, other.example.com", "ARCHIVER_LOG_LEVEL=debug"}
	p = start(t, env, "dashboard", "--listen", "127.0.0.1:0")
	url := dashboardURL(t, p.stdout)
	ask := func(host, password string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		request.SetBasicAuth("anybody", password)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, c := range []struct {
		host, password string
		want           int
	}{{"other.example.com", password, 200}, {"other.example.com", "guessed", 401}, {"another.example.com", password, 421}} {
		if got := ask(c.host, c.password); got != c.want {
			t.Errorf("%s with the password %q answers %d, want %d", c.host, c.password, got, c.want)
		}
	}
	if o := p.stopAndWait(); strings.Contains(o.stderr+o.stdout, password) {
		t.Error("the output holds the password")
	}
	o := runToEnd(t, []string{database}, "dashboard", "--listen", "127.0.0.1:0", "--role", "nobody_of_that_name")
	if o.code != exitUsage || !strings.Contains(o.stderr, "--role") {
		t.Errorf("a role that does not exist exits %d and says %q, want %d and what to do", o.code, o.stderr, exitUsage)
	}
}
