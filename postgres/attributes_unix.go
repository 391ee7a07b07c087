//go:build unix && !linux

package postgres

import "syscall"

// useGuard is on: these kernels have no death signal for children.
var useGuard = true

// attributes put the child into a process group of its own (a Ctrl-C is not for it) and under the
// server's account.
func attributes(credential *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: credential}
}
