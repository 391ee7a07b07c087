package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownServerMark is a setting on the command line of every server that Start runs, and how it is
// told from one that somebody else runs on the same data.
const ownServerMark = "cluster_name=archiver"

// awaitEarlierServer waits until no server runs on the data directory any more. We hold the lock,
// so one that does was left by an archiver that was killed: it has been told to stop by then and is
// given the time; where it was not told, it is stopped.
func (h *home) awaitEarlierServer(ctx context.Context, opts Options) error {
	begin := time.Now()
	signals := []struct {
		after  time.Duration
		signal syscall.Signal
	}{{5 * time.Second, syscall.SIGINT}, {40 * time.Second, syscall.SIGQUIT}}
	for said := false; ; said = true {
		pid, orphan := h.earlierServer()
		if pid == 0 {
			return nil
		}
		if orphan {
			_ = syscall.Kill(pid, syscall.SIGTERM) // whether it went is seen in the next round
		}
		if isForeign(pid) {
			return fmt.Errorf("a Postgres server (process %d) that archiver did not start runs on %s: stop it, or set DATABASE_URL to use it", pid, h.data())
		}
		if !said {
			opts.Progress("Waiting for the Postgres server of an earlier archiver to stop")
		}
		waited := time.Since(begin)
		if len(signals) > 0 && waited > signals[0].after {
			if err := syscall.Kill(pid, signals[0].signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stopping the Postgres server (process %d) of an earlier archiver: %w", pid, err)
			}
			signals = signals[1:]
		}
		if waited > time.Minute {
			return fmt.Errorf("the Postgres server (process %d) of an earlier archiver still runs on %s and does not stop: stop it by hand", pid, h.data())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the Postgres server (process %d) of an earlier archiver to stop: %w", pid, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// earlierServer is the process of the server that postmaster.pid names, if it really runs on our
// data, or an orphan that it left behind: a worker that is busy does not notice the end of its
// server, and a new one does not start beside it. 0 when there is none.
func (h *home) earlierServer() (pid int, orphan bool) {
	lines := h.postmasterLines()
	if len(lines) == 0 {
		return 0, false
	}
	pid, err := strconv.Atoi(lines[0])
	exists := err == nil && pid > 1 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	if exists && h.runsOnData(pid) {
		return pid, false
	}
	if left := h.anyWorker(); left != 0 {
		return left, true
	}
	if exists {
		// The number belongs to another process now, as it soon does in a container. A new server
		// would take that one for its predecessor and refuse to start.
		h.removePostmasterFile()
	}
	return 0, false
}

// runsOnData says whether a process is a server on our data directory: that is its working
// directory. Where there is no /proc, its command line is taken for it.
func (h *home) runsOnData(pid int) bool {
	if runtime.GOOS == "linux" {
		return worksIn(pid, h.data())
	}
	return strings.Contains(commandLine(pid), "-D "+h.data())
}

// anyWorker looks through all processes for a server's worker on our data directory. Without /proc
// it finds none.
func (h *home) anyWorker() int {
	return processIn(h.data(), "postgres: ")
}

// processIn finds a process that works in dir and has name in its command line (others may be
// somebody's shell), or none any more: then it is about to end, but still holds its memory. 0 when
// there is no such process.
func processIn(dir, name string) int {
	entries, _ := filepath.Glob("/proc/[0-9]*") // the only error is a malformed pattern
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil || !worksIn(pid, dir) {
			continue
		}
		if line := commandLine(pid); line == "" || strings.Contains(line, name) {
			return pid
		}
	}
	return 0
}

func worksIn(pid int, dir string) bool {
	want, err := os.Stat(dir)
	if err != nil {
		return false
	}
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	return err == nil && os.SameFile(want, cwd)
}

// removePostmasterFile may be called only when no process of the server is left, which takes /proc
// to know. Elsewhere the file stays, and Postgres' own message says what to do.
func (h *home) removePostmasterFile() {
	if runtime.GOOS == "linux" {
		_ = os.Remove(filepath.Join(h.data(), "postmaster.pid")) // else the server says what is in its way
	}
}

// isForeign says whether a server was started by somebody else. One without a command line has
// ended, and workers ("postgres: …") are not servers.
func isForeign(pid int) bool {
	line := commandLine(pid)
	return line != "" && !strings.Contains(line, ownServerMark) && !strings.HasPrefix(line, "postgres: ")
}

func commandLine(pid int) string {
	if runtime.GOOS == "linux" {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			return ""
		}
		return strings.ReplaceAll(string(text), "\x00", " ")
	}
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "" // it has ended meanwhile
	}
	return strings.TrimSpace(string(out))
}
