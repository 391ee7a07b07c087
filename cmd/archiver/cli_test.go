package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsageErrorsExitWith2AndSayWhatToChange(t *testing.T) {
	key := "INVENT_API_KEY=" + canaryKey
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
		args string
		want []string // in stderr
	}{
		{"no such command", nil, "ingets", []string{"ingets", "archiver --help"}},
		{"no such flag", nil, "ingest --lane 2", []string{"--lane", "archiver ingest --help"}},
		{"a number that is none", []string{key}, "ingest --lanes many", []string{"--lanes", `"many"`}},
		{"a variable that is none", []string{key, "ARCHIVER_LANES=many"}, "ingest", []string{"ARCHIVER_LANES", `"many"`}},
		{"too many lanes", []string{key}, "ingest --lanes 1000", []string{"--lanes", "ARCHIVER_LANES", "1000", "1 to 64"}},
		{"a level that is none", []string{key}, "ingest --log-level loud", []string{"--log-level", "loud", "warn"}},
		{"a format that is none", []string{key, "ARCHIVER_LOG_FORMAT=xml"}, "ingest", []string{"ARCHIVER_LOG_FORMAT", "xml", "json"}},
		{"no key", nil, "ingest", []string{"INVENT_API_KEY", "--api-key-file"}},
		{"a key file that is not there", nil, "ingest --api-key-file /nonexistent/key", []string{"--api-key-file", "/nonexistent/key"}},
		{"a key file that is empty", []string{"INVENT_API_KEY_FILE=" + empty}, "ingest", []string{"INVENT_API_KEY_FILE", "empty"}},
		{"a key with a space", []string{"INVENT_API_KEY=two words"}, "ingest", []string{"INVENT_API_KEY", "space"}},
		{"plain http to elsewhere", []string{key}, "ingest --api-url http://api.example.com", []string{"--api-url", "INVENT_API_URL", "plain http"}},
		{"no organization", []string{key}, "ingest --org=,", []string{"--org", "INVENT_ORG"}},
		{"a size that is none", []string{key}, "ingest --spool-max-bytes 10potatoes", []string{"--spool-max-bytes", "10potatoes", "10GiB"}},
		{"a spool smaller than a frame", []string{key}, "ingest --spool-max-bytes 1MiB", []string{"--spool-max-bytes", "1MiB", "--max-frame-bytes"}},
		{"frames larger than a value of Postgres", []string{key}, "ingest --max-frame-bytes 2GiB", []string{"--max-frame-bytes"}},
		{"no requests at all", []string{key}, "ingest --reconcile-rpm 0", []string{"--reconcile-rpm", "--reconcile off"}},
		{"an address that is none", []string{key}, "ingest --listen 9464", []string{"--listen", "ARCHIVER_LISTEN", `"9464"`}},
		{"a connection string that is none", []string{key}, "ingest --database-url postgres://u:canary-pw@:x/", []string{"--database-url", "DATABASE_URL"}},
		{"down without confirmation", nil, "migrate down", []string{"--yes", "backup"}},
		{"a quirk that is not known", nil, "simulate --quirks nope", []string{"--quirks", "nope", "equal-timestamps"}},
		{"a rate of nothing", nil, "simulate --rate 0", []string{"--rate"}},
		{"an import of nothing", nil, "import", []string{"<file>"}},
		{"a file that is not there", nil, "import /nonexistent/file", []string{"/nonexistent/file"}},
		{"own org where no key is", nil, "rebuild --org c", []string{"--org", "inbox.orgs"}},
		{"a day that is none", nil, "export --since yesterday", []string{"--since", "yesterday", "2026-05-01"}},
		{"no days", nil, "demo --days 0", []string{"--days"}},
		{"a status of no days", nil, "status --days 0", []string{"--days", "92"}},
		{"a moment that is none", nil, "drift --since soon", []string{"--since", "soon", "7d"}},
		{"a time that is none", nil, "demo --for soon", []string{"--for", "soon"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := runToEnd(t, c.env, strings.Fields(c.args)...)
			if o.code != exitUsage {
				t.Errorf("archiver %s exits %d, want %d", c.args, o.code, exitUsage)
			}
			for _, want := range c.want {
				if !strings.Contains(o.stderr, want) {
					t.Errorf("archiver %s does not say %q in: %s", c.args, want, o.stderr)
				}
			}
			if strings.Contains(o.stderr, "canary") {
				t.Errorf("archiver %s shows a secret: %s", c.args, o.stderr)
			}
		})
	}
}

func TestHelpShowsExamplesDefaultsAndVariables(t *testing.T) {
	for args, wants := range map[string][]string{
		"":               {"Exit codes", "ARCHIVER_DATA_DIR", "DATABASE_URL", "default: info"},
		"ingest":         {"INVENT_API_KEY", "INVENT_API_KEY_FILE", "default: c;", "10GiB", "127.0.0.1:9464", "ARCHIVER_RECONCILE_RPM"},
		"demo":           {"--for", "default: 50"},
		"simulate":       {"127.0.0.1:8787", "equal-timestamps"},
		"migrate up":     {"--data-dir"},
		"migrate status": {},
		"migrate down":   {"--yes"},
		"postgres":       {},
		"rebuild":        {"--verify", "--org"},
		"export":         {"--since", "--org"},
		"import":         {"--org", "<file>"},
		"status":         {"--days", "default: 7", "ARCHIVER_SPOOL_DIR"},
		"doctor":         {"INVENT_API_KEY", "Exits 0"},
		"drift":          {"--since", "--format", "json"},
		"report":         {"--since", "--until", "docs/metrics.md", "md"},
	} {
		t.Run("archiver "+args, func(t *testing.T) {
			t.Parallel()
			o := runToEnd(t, nil, append(strings.Fields(args), "--help")...)
			if o.code != exitDone {
				t.Errorf("--help exits %d, want %d", o.code, exitDone)
			}
			for _, want := range append(wants, "Examples:", "    archiver") {
				// Help is wrapped to the terminal's width.
				if !strings.Contains(o.stdout, want) && !strings.Contains(strings.Join(strings.Fields(o.stdout), " "), want) {
					if want == "    archiver" && strings.Contains(o.stdout, " archiver "+args) {
						continue // with a variable before it
					}
					t.Errorf("the help of archiver %s lacks %q:\n%s", args, want, o.stdout)
				}
			}
		})
	}
}

func TestVersionIsPrinted(t *testing.T) {
	o := runToEnd(t, nil, "--version")
	if o.code != exitDone || !strings.HasPrefix(o.stdout, "archiver ") {
		t.Errorf("--version exits %d and prints %q, want 0 and the name with the version", o.code, o.stdout)
	}
}

func TestFlagsWinOverTheEnvironmentAndEmptyVariablesCountAsUnset(t *testing.T) {
	env := []string{"INVENT_API_KEY=k", "ARCHIVER_LANES=many", "INVENT_API_URL="}
	o := runToEnd(t, env, "ingest", "--lanes", "2", "--listen", "nonsense")
	if !strings.Contains(o.stderr, "--listen") {
		t.Errorf("the flag --lanes does not win over a bad ARCHIVER_LANES, or an empty INVENT_API_URL is taken for a URL: %s", o.stderr)
	}
}

func TestTheDataDirectoryFollowsFlagThenHome(t *testing.T) {
	for _, c := range []struct {
		name, flag string
		env        environment
		want       string
	}{
		{"the flag", "/some/where", environment{"XDG_DATA_HOME": "/xdg", "HOME": "/home/a"}, "/some/where"},
		{"XDG", "", environment{"XDG_DATA_HOME": "/xdg", "HOME": "/home/a"}, "/xdg/archiver"},
		{"home", "", environment{"HOME": "/home/a"}, "/home/a/.local/share/archiver"},
	} {
		got, err := dataDir(c.flag, c.env)
		want := c.want
		if os.Geteuid() == 0 && c.flag == "" {
			want = "/var/lib/archiver"
		}
		if err != nil || got != want {
			t.Errorf("%s: the data directory is %q (%v), want %q", c.name, got, err, want)
		}
	}
}

func TestSizesAreReadWithTheirUnits(t *testing.T) {
	for text, want := range map[string]byteSize{
		"10GiB": 10 << 30, "1.5 MiB": 3 << 19, "512mb": 512e6, "1048576": 1 << 20, "7B": 7,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is read as %d (%v), want %d", text, int64(got), err, int64(want))
		}
	}
	for _, text := range []string{"", "GiB", "0", "-1", "1e3", "10 potatoes", "9999999TiB", "1.2.3"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %d, want an error", text, int64(got))
		}
	}
	if got := byteSize(10 << 30).String(); got != "10GiB" {
		t.Errorf("10 GiB are written as %s", got)
	}
}

func TestAnAddressInUseIsNamed(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	address := listener.Addr().String()
	for _, c := range [][]string{{"ingest", "--listen", address}, {"simulate", "--listen", address}} {
		o := runToEnd(t, []string{"INVENT_API_KEY=" + canaryKey}, c...)
		if o.code != exitFailed || !strings.Contains(o.stderr, address) || !strings.Contains(o.stderr, "--listen") {
			t.Errorf("archiver %s exits %d saying %q, want %d and the address and the flag", c, o.code, o.stderr, exitFailed)
		}
	}
}
