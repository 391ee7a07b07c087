package postgres_test

import (
	"syscall"
	"testing"

	"archiver/postgres/dbtest"

	"golang.org/x/sys/unix"
)

func TestWhatAVanishedServerDoesNotAcknowledgeIsGivenUpAfterHalfAMinute(t *testing.T) {
	t.Parallel()
	conn, err := dbtest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	socket, ok := conn.Conn().PgConn().Conn().(syscall.Conn)
	if !ok {
		t.Fatalf("the tests' server should be reached over a socket, not %T", conn.Conn().PgConn().Conn())
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var limit int
	var failure error
	if err := raw.Control(func(fd uintptr) {
		limit, failure = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); err != nil || failure != nil {
		t.Fatal(err, failure)
	}
	if limit != 30_000 {
		t.Errorf("TCP_USER_TIMEOUT is %d ms, want 30,000", limit)
	}
}
