package postgres

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// process is the running server, seen from its parent.
type process struct {
	cmd      *exec.Cmd
	stopping atomic.Bool   // we asked for the end
	done     chan struct{} // closed when it has ended
	err      error         // how it ended; to be read after done
}

// startProcess starts cmd so that it cannot outlive us.
func startProcess(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel's death signal is bound to the thread that started the child, not to the
		// process: the thread must live as long as the child, so this goroutine keeps it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	if useGuard {
		release, err := guard(p.pid())
		if err != nil {
			_ = p.stop() // the reason to stop it is the one to report
			return nil, err
		}
		go func() { <-p.done; release() }()
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop asks for the fast shutdown, then insists.
func (p *process) stop() error {
	p.stopping.Store(true)
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{
		{syscall.SIGINT, 30 * time.Second},  // fast shutdown: disconnects everyone, writes a checkpoint
		{syscall.SIGQUIT, 10 * time.Second}, // immediate shutdown: the next start recovers
		{syscall.SIGKILL, 10 * time.Second},
	} {
		_ = p.cmd.Process.Signal(step.signal) // fails only when it has ended, which the wait sees
		select {
		case <-p.done:
			return nil
		case <-time.After(step.wait):
		}
	}
	return fmt.Errorf("the Postgres server (process %d) does not stop, not even when killed", p.pid())
}
