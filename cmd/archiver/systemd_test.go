package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheUnitOfSystemdIsSoundAndRunsWhatThereIs has systemd check the unit, on machines that have it.
func TestTheUnitOfSystemdIsSoundAndRunsWhatThereIs(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("../../deploy/archiver.service")
	if err != nil {
		t.Fatal(err)
	}
	start := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/archiver (.+)$`).FindSubmatch(unit)
	if start == nil {
		t.Fatal("the unit starts no archiver")
	}
	var environ []string
	for _, line := range regexp.MustCompile(`(?m)^Environment=(.+)$`).FindAllSubmatch(unit, -1) {
		environ = append(environ, strings.Fields(string(line[1]))...)
	}
	if o := runToEnd(t, environ, append(strings.Fields(string(start[1])), "--help")...); o.code != exitDone {
		t.Errorf("archiver %s exits %d: %s", start[1], o.code, o.stderr)
	} else {
		for _, assignment := range environ {
			if name, _, _ := strings.Cut(assignment, "="); !strings.Contains(o.stdout, "$"+name) {
				t.Errorf("the unit sets %s, which archiver %s does not know", name, start[1])
			}
		}
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return
	}
	// The program need not be installed here for the unit to be checked.
	there := filepath.Join(t.TempDir(), "archiver.service")
	if err := os.WriteFile(there, []byte(strings.ReplaceAll(string(unit), "/usr/local/bin/archiver", "/bin/true")), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", there).CombinedOutput(); err != nil || strings.Contains(string(out), "archiver.service") {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
}
