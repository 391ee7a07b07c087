//go:build unix

package postgres

import (
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
)

// guard interrupts the process pid when this one ends, in whatever way, on systems whose kernel
// does not offer to: a shell waits on a pipe of which only we hold the other end. It survives a
// Ctrl-C in the terminal by being in a process group of its own. release ends it; it must be called
// as soon as the process has ended, before its pid can mean another one.
func guard(pid int) (release func(), err error) {
	cmd := exec.Command("/bin/sh", "-c", `cat >/dev/null; kill -INT "$1"`, "sh", strconv.Itoa(pid))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the guard of the Postgres server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the guard of the Postgres server: %w", err)
	}
	return func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // the group: the shell first of all, and its cat
		_ = pipe.Close()
		_ = cmd.Wait() // it was killed
	}, nil
}
