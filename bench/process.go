package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat; Linux gives it to programs as 1/100 s on every machine.
const tick = 10 * time.Millisecond

// stat is what /proc/PID/stat says of a process.
type stat struct {
	parent int
	own    time.Duration // user and system time
	reaped time.Duration // of its children that have ended
}

func readStat(pid string) (s stat, err error) {
	text, err := os.ReadFile(filepath.Join("/proc", pid, "stat"))
	if err != nil {
		return s, fmt.Errorf("reading the CPU time of process %s (bench needs Linux' /proc): %w", pid, err)
	}
	// The name, in parentheses, may hold anything; fields are counted from behind it: state is the first.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 15 {
		return s, fmt.Errorf("reading /proc/%s/stat: it has %d fields after the name, expected 15 or more", pid, len(fields))
	}
	number := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel writes numbers there
		return time.Duration(n) * tick
	}
	s.parent, _ = strconv.Atoi(fields[1])
	s.own, s.reaped = number(11)+number(12), number(13)+number(14)
	return s, nil
}

// cpuTime is what a process has used so far.
func cpuTime(pid int) (time.Duration, error) {
	s, err := readStat(strconv.Itoa(pid))
	return s.own, err
}

// treeTime is what a process and its children have used so far, those included that have ended. It looks again when a
// child ended meanwhile, which would count twice or not at all.
func treeTime(pid int) (time.Duration, error) {
	for {
		before, err := readStat(strconv.Itoa(pid))
		if err != nil {
			return 0, err
		}
		stats, err := filepath.Glob("/proc/[0-9]*/stat")
		if err != nil {
			return 0, fmt.Errorf("listing processes: %w", err)
		}
		var children time.Duration
		for _, path := range stats {
			s, err := readStat(filepath.Base(filepath.Dir(path)))
			if err == nil && s.parent == pid { // one that has ended meanwhile is in the next look
				children += s.own + s.reaped
			}
		}
		after, err := readStat(strconv.Itoa(pid))
		if err != nil {
			return 0, err
		}
		if after.reaped == before.reaped {
			return after.own + after.reaped + children, nil
		}
	}
}

// memory is what a process holds, in bytes.
type memory struct {
	now, peak int64
}

func readMemory(pid int) (m memory, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		to := map[string]*int64{"VmRSS": &m.now, "VmHWM": &m.peak}[name]
		if to == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("reading %s of process %d: %w", name, pid, err)
		}
		*to = kib << 10
	}
	if m.now == 0 {
		return m, errors.Join(fmt.Errorf("process %d has no VmRSS: it has ended", pid))
	}
	return m, nil
}
