package spool

import (
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// A disk of a fixed size that nothing but the spool is on: what the reserve takes up is the room that there is in the end.
func TestADiskThatTheSpoolHasFilledAloneIsGivenBackByTrim(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	var isFull atomic.Bool
	isKept := func() bool { _, err := os.Stat(dir + "/" + reserveName); return err == nil }
	s := open(t, dir, Options{disk: &disk{fault: func(op, path string, n int) (int, error) {
		if isFull.Load() && (isKept() || strings.HasSuffix(path, reserveName)) && (op == opOpen || op == opWrite) {
			return 0, syscall.ENOSPC
		}
		return 0, nil
	}}})
	want := []Record{add(t, s, sample(1))}
	read(t, s, 0)
	isFull.Store(true)
	if err := s.Append(&Record{Body: fill(1, 100)}); !errors.Is(err, ErrFull) {
		t.Fatalf("Append on a full disk: %v, expected ErrFull", err)
	}
	if err := s.Trim(want[0].Seq); err != nil {
		t.Fatalf("Trim on a disk that the spool has filled: %v, expected that the reserve makes way", err)
	}
	eventually(t, func() bool { return s.Stats().Bytes == headerSize }, "the committed segment is deleted")
	isFull.Store(false)
	must(t, s.Trim(want[0].Seq))
	if !isKept() {
		t.Error("there is no reserve, expected that it is made again when there is room")
	}
	add(t, s, sample(2))
	mustClose(t, s)

	must(t, os.Remove(dir+"/"+reserveName))
	s = open(t, dir, Options{})
	if !isKept() {
		t.Error("there is no reserve, expected that Open makes it")
	}
	if n := len(s.Recovered()); n != 0 {
		t.Errorf("%d damages, expected none", n)
	}
	mustClose(t, s)
}
