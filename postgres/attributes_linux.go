package postgres

import "syscall"

// useGuard is off: the kernel does it.
var useGuard = false

// attributes put the child into a process group of its own (a Ctrl-C is not for it), under the
// server's account, and have the kernel interrupt it when the thread that started it ends.
func attributes(credential *syscall.Credential) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Credential: credential}
	if !useGuard {
		attr.Pdeathsig = syscall.SIGINT
	}
	return attr
}
