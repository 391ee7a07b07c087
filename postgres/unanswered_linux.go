package postgres

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unansweredTimeout is how long what was sent may go without the peer's acknowledgement. Keepalives are not sent while
// something is under way; without this the kernel sends it again for a quarter of an hour.
const unansweredTimeout = 30 * time.Second

// limitUnanswered is a net.Dialer's Control.
func limitUnanswered(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil // a Unix socket
	}
	var err error
	controlled := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unansweredTimeout.Milliseconds()))
	})
	if controlled != nil {
		err = controlled
	}
	if err != nil {
		return fmt.Errorf("setting TCP_USER_TIMEOUT: %w", err)
	}
	return nil
}
