//go:build faults

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// point is what happens at one place.
type point struct {
	left   atomic.Int64 // how often it is still to be come to
	signal syscall.Signal
}

var (
	points    = map[string]*point{}
	durations = map[string]time.Duration{}
)

func init() {
	for entry := range strings.SplitSeq(os.Getenv("ARCHIVER_FAILPOINTS"), ",") {
		if err := set(entry); err != nil {
			panic(err) // a test asks for something that is not there
		}
	}
}

func set(entry string) error {
	name, what, ok := strings.Cut(entry, "=")
	if entry == "" {
		return nil
	}
	count, action, isPoint := strings.Cut(what, ":")
	switch {
	case ok && !isPoint:
		d, err := time.ParseDuration(what)
		durations[name] = d
		return err
	case ok && (action == "kill" || action == "stop"):
		n, err := strconv.ParseInt(count, 10, 64)
		p := &point{signal: syscall.SIGKILL}
		if action == "stop" {
			p.signal = syscall.SIGSTOP
		}
		p.left.Store(n)
		points[name] = p
		return err
	}
	return fmt.Errorf("ARCHIVER_FAILPOINTS: %q is neither name=count:kill, name=count:stop nor name=duration", entry)
}

// Hit is the point of that name.
func Hit(name string) {
	p := points[name]
	if p == nil || p.left.Add(-1) != 0 {
		return
	}
	if err := syscall.Kill(syscall.Getpid(), p.signal); err != nil {
		panic(err)
	}
	// The signal may be taken by another thread first; this one is not to get further before.
	time.Sleep(50 * time.Millisecond)
}

// Duration is d, or what the environment says instead.
func Duration(name string, d time.Duration) time.Duration {
	if other, ok := durations[name]; ok {
		return other
	}
	return d
}
