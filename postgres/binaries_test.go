package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func TestWithoutBinariesTheErrorSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	for tool, want := range map[string]string{"apt-get": "apt-get install postgresql", "dnf": "dnf install postgresql-server", "": "postgresql"} {
		bin := t.TempDir()
		if tool != "" {
			script(t, filepath.Join(bin, tool), "exit 0")
		}
		if runtime.GOOS == "darwin" {
			want = "brew install postgresql@17"
		}
		_, err := findBinaries(onPath(bin), 0, nil)
		wantError(t, err, "no Postgres server found", want, "DATABASE_URL")
		if !errors.Is(err, ErrNoBinaries) {
			t.Errorf("%v should be ErrNoBinaries", err)
		}
	}
}

func TestPgConfigAndPathComeBeforeThePackagedPlacesOfWhichTheNewestWins(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, version := range []int{9, 15, 16, 17} {
		install(t, filepath.Join(root, fmt.Sprint(version), "bin"), version)
	}
	packaged := []string{filepath.Join(root, "*", "bin")}
	dir := func(version int) string { return filepath.Join(root, fmt.Sprint(version), "bin") }
	withPgConfig := t.TempDir()
	script(t, filepath.Join(withPgConfig, "pg_config"), "echo "+dir(15))
	clientOnly := t.TempDir()
	script(t, filepath.Join(clientOnly, "pg_config"), "echo "+clientOnly)

	for _, c := range []struct {
		name string
		path string
		want int // the cluster's version
		got  int
	}{
		{"the newest packaged one", "", 0, 17},
		{"pg_config", withPgConfig, 0, 15},
		{"a pg_config without a server", clientOnly, 0, 17},
		{"PATH", dir(16), 0, 16},
		{"too old on PATH", dir(9), 0, 17},
		{"the cluster's version", withPgConfig, 16, 16},
	} {
		b, err := findBinaries(onPath(c.path), c.want, packaged)
		if err != nil || b != (Binaries{Dir: dir(c.got), Version: c.got}) {
			t.Errorf("%s: found %+v (error: %v), want version %d", c.name, b, err, c.got)
		}
	}

	_, err := findBinaries(onPath(""), 18, packaged)
	wantError(t, err, "written by Postgres 18", "9 ("+dir(9)+"), 15 (", "17 ("+dir(17)+")")
	_, err = findBinaries(onPath(dir(9)), 0, nil)
	wantError(t, err, "needs version 15 or newer", "9 (")
}

func TestTheVersionIsReadFromReleasesAndBetas(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n": 15,
		"postgres (PostgreSQL) 19beta1":                          19,
		"postgres (PostgreSQL) 9.6.24":                           9,
		"something else 15":                                      0,
	} {
		if got, ok := majorVersion(line); got != want || ok != (want != 0) {
			t.Errorf("majorVersion(%q) = %d, %v, want %d", line, got, ok, want)
		}
	}
}

func onPath(dirs ...string) func(string) string {
	return func(name string) string {
		if name == "PATH" {
			return strings.Join(dirs, ":")
		}
		return ""
	}
}

// install puts programs where findBinaries looks that answer like a Postgres of that version.
func install(t *testing.T, dir string, version int) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	script(t, filepath.Join(dir, "postgres"), fmt.Sprintf("echo 'postgres (PostgreSQL) %d.1'", version))
	script(t, filepath.Join(dir, "initdb"), "exit 0")
}

func script(t *testing.T, path, body string) {
	t.Helper()
	// No other test may start a process meanwhile: it would inherit the open file for a moment, and
	// a file that is open for writing cannot be executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
