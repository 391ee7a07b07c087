package spool

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// faults makes chosen operations of a spool's disk fail.
type faults struct {
	mu    sync.Mutex
	op    string // which to fail; none when empty
	path  string // part of the path
	skip  int    // how many of these to let pass first
	short int    // bytes that a failing write writes all the same
	err   error
	hits  int
}

func (f *faults) disk() *disk {
	return &disk{fault: func(op, path string, n int) (int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if op != f.op || !strings.Contains(path, f.path) {
			return 0, nil
		}
		if f.skip--; f.skip >= 0 {
			return 0, nil
		}
		f.hits++
		return min(n, f.short), f.err
	}}
}

func (f *faults) set(op string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.op, f.err, f.path, f.skip, f.short, f.hits = op, err, "", 0, 0, 0
}

func TestAFullDiskLeavesWholeRecordsAndAUsableSpool(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		for _, size := range []int{100, 2 * inlineBytes} { // written in one piece and in several
			for _, short := range []int{0, 1, 60, 150} {
				for piece := range 2 {
					dir, f := scratch(t), faults{}
					s := open(t, dir, Options{disk: f.disk()})
					want := []Record{add(t, s, sample(1))}
					read(t, s, 0)
					f.set(opWrite, errno)
					f.short, f.skip = short, piece
					r := Record{Request: []byte("{}"), Body: fill(1, size)}
					err := s.Append(&r)
					if f.hits == 0 {
						f.set("", nil) // a small record is one piece
						want = append(want, r)
					} else if !errors.Is(err, ErrFull) || !errors.Is(err, errno) || r.Seq != 0 {
						t.Fatalf("Append on a full disk: %v, seq %d, expected ErrFull wrapping %v", err, r.Seq, errno)
					}
					f.set("", nil)
					if got, want := stat(t, s.path(s.active().name)).Size(), s.Stats().Bytes; got != want {
						t.Errorf("after the failed write the file has %d bytes, expected %d", got, want)
					}
					want = append(want, add(t, s, sample(2)))
					if got := want[len(want)-1].Seq; got != int64(len(want)) {
						t.Errorf("the next record has seq %d, expected %d", got, len(want))
					}
					equal(t, read(t, s, 0), want)
					mustClose(t, s)
					s = open(t, dir, Options{})
					equal(t, read(t, s, 0), want)
					if len(s.Recovered()) != 0 {
						t.Errorf("damage %+v, expected none", s.Recovered())
					}
					mustClose(t, s)
				}
			}
		}
	}
}

func TestAFullDiskWhenASegmentIsBegunLeavesAUsableSpool(t *testing.T) {
	for _, op := range []string{opOpen, opWrite} {
		dir, f := scratch(t), faults{}
		s := open(t, dir, Options{SegmentBytes: 300, disk: f.disk()})
		want := []Record{add(t, s, Record{Body: fill(1, 100)})}
		f.set(op, syscall.ENOSPC)
		f.short = 10
		if err := s.Append(&Record{Body: fill(2, 200)}); !errors.Is(err, ErrFull) {
			t.Errorf("%s fails: %v, expected ErrFull", op, err)
		}
		f.set("", nil)
		if n := len(names(t, dir, ".seg")); n != 1 {
			t.Errorf("%s fails: %d segments, expected the one before", op, n)
		}
		want = append(want, add(t, s, Record{Body: fill(2, 200)}))
		equal(t, read(t, s, 0), want)
		if err := s.Stats().Failure; err != nil {
			t.Errorf("%s fails: the spool failed for good: %v", op, err)
		}
		mustClose(t, s)
	}
}

func TestTrimGivesAFullDiskItsRoomBack(t *testing.T) {
	f := faults{}
	s := open(t, scratch(t), Options{disk: f.disk()})
	add(t, s, sample(1))
	read(t, s, 0)
	must(t, s.Trim(1))
	if s.Stats().FirstSeq != 1 {
		t.Fatal("a small active segment was replaced without need")
	}
	f.set(opWrite, syscall.ENOSPC)
	if err := s.Append(&Record{}); !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	if err := s.Trim(1); !errors.Is(err, ErrFull) {
		t.Errorf("Trim without room for a new segment: %v, expected ErrFull", err)
	}
	f.set("", nil)
	must(t, s.Trim(1))
	eventually(t, func() bool { return s.Stats().Bytes == headerSize }, "the committed segment is deleted")
}

func TestAFailedWriteFailsTheSpoolForGood(t *testing.T) {
	for _, op := range []string{opWrite, opTruncate} {
		dir, f := scratch(t), faults{}
		s := open(t, dir, Options{disk: f.disk()})
		want := []Record{add(t, s, sample(1))}
		read(t, s, 0)
		f.set(opWrite, syscall.EIO)
		f.short = 30
		if op == opTruncate {
			d := *s.disk
			write := d.fault
			s.disk.fault = func(op, path string, n int) (int, error) { // the disk is full, and cutting back fails too
				if op == opTruncate {
					return 0, syscall.EIO
				}
				short, err := write(op, path, n)
				if err != nil {
					err = syscall.ENOSPC
				}
				return short, err
			}
		}
		sticky(t, s, syscall.EIO, want)
		s = open(t, dir, Options{})
		equal(t, read(t, s, 0), want)
		mustClose(t, s)
	}
}

func TestAfterAFailedFsyncNothingIsTakenForDurable(t *testing.T) {
	for _, op := range []string{opSync, opSyncDir} {
		dir, f := scratch(t), faults{}
		s := open(t, dir, Options{disk: f.disk(), SegmentBytes: 1000})
		want := []Record{add(t, s, sample(1))}
		read(t, s, 0)
		f.set(op, syscall.EIO)
		f.short = 30
		r, b, done := s.NewReader(1), Batch{}, make(chan error)
		go func() { done <- r.Next(t.Context(), &b, 10, 1000) }()
		lost := add(t, s, Record{Body: fill(1, 2000)}) // into a new segment
		if err := <-done; !errors.Is(err, syscall.EIO) || len(b.Records) > 0 {
			t.Fatalf("%s fails: a waiting reader got %v and %d records, expected the failure", op, err, len(b.Records))
		}
		f.set("", nil) // the next one would succeed, and lie
		sticky(t, s, syscall.EIO, want)

		// The process is started again. What the kernel still has is written anew before it counts.
		f.set(opWrite, syscall.EIO)
		if _, err := Open(dir, Options{disk: f.disk()}); !errors.Is(err, syscall.EIO) {
			t.Errorf("Open without writing the doubtful segment again: %v", err)
		}
		f.set("", nil)
		s = open(t, dir, Options{disk: f.disk()})
		equal(t, read(t, s, 0), append(want, lost))
		mustClose(t, s)
	}
}

// sticky expects that everything fails from now on with the given error, but for what was durable before.
func sticky(t *testing.T, s *Spool, is error, durable []Record) {
	t.Helper()
	var first error
	for range 3 {
		err := s.Append(&Record{})
		if !errors.Is(err, is) || first != nil && err != first || errors.Is(err, ErrFull) && is != syscall.EIO {
			t.Fatalf("Append: %v, expected %v again and again (first %v)", err, is, first)
		}
		first = err
	}
	r, b := s.NewReader(0), Batch{}
	must(t, r.Next(t.Context(), &b, 100, 1<<20))
	equal(t, b.Records, durable)
	s.Seal()
	if err := r.Next(t.Context(), &b, 100, 1<<20); !errors.Is(err, is) {
		t.Errorf("Next: %v, expected %v", err, is)
	}
	if st := s.Stats(); st.Failure == nil || st.DurableSeq != int64(len(durable)) {
		t.Errorf("stats %+v, expected the failure and durable seq %d", st, len(durable))
	}
	must(t, s.Trim(int64(len(durable))))
	if err := s.Close(); !errors.Is(err, is) {
		t.Errorf("Close: %v, expected %v", err, is)
	}
}

func TestASegmentThatCannotBeDeletedIsTriedAgain(t *testing.T) {
	f := faults{}
	s := open(t, scratch(t), Options{SegmentBytes: 300, disk: f.disk()})
	for range 5 {
		add(t, s, Record{Body: fill(1, 200)})
	}
	read(t, s, 0)
	f.set(opRemove, syscall.EACCES)
	if err := s.Trim(4); !errors.Is(err, syscall.EACCES) {
		t.Errorf("Trim: %v, expected EACCES", err)
	}
	if n := s.Stats().Segments; n != 5 {
		t.Errorf("%d segments, expected 5", n)
	}
	f.set("", nil)
	must(t, s.Trim(4))
	if n := s.Stats().Segments; n != 1 {
		t.Errorf("%d segments, expected 1", n)
	}
	mustClose(t, s)
}

func TestAReadErrorAndABitThatRotsWhileOpenAreReported(t *testing.T) {
	f := faults{}
	s := open(t, scratch(t), Options{disk: f.disk()})
	want := []Record{add(t, s, sample(8)), add(t, s, sample(9))}
	read(t, s, 0)
	r, b := s.NewReader(0), Batch{}
	f.set(opRead, syscall.EIO)
	if err := r.Next(t.Context(), &b, 10, 100_000); !errors.Is(err, syscall.EIO) {
		t.Errorf("Next: %v, expected EIO", err)
	}
	f.set("", nil)
	must(t, r.Next(t.Context(), &b, 1, 100_000)) // a later attempt may succeed
	equal(t, b.Records, want[:1])

	file := must1(os.OpenFile(filepath.Join(s.dir, s.active().name), os.O_RDWR, 0))
	defer file.Close()
	end := s.Stats().Bytes
	last := make([]byte, 1)
	must1(file.ReadAt(last, end-1))
	must1(file.WriteAt([]byte{last[0] ^ 1}, end-1))
	if err := r.Next(t.Context(), &b, 10, 100_000); !errors.Is(err, ErrCorrupt) || len(b.Records) > 0 {
		t.Errorf("Next: %v and %d records, expected ErrCorrupt and none", err, len(b.Records))
	}
	must(t, file.Truncate(end-1))
	if err := r.Next(t.Context(), &b, 10, 100_000); !errors.Is(err, ErrCorrupt) {
		t.Errorf("Next of a file cut short: %v, expected ErrCorrupt", err)
	}
	must1(file.WriteAt(last, end-1))
	must(t, r.Next(t.Context(), &b, 10, 100_000))
	equal(t, b.Records, want[1:])
}

func TestOpenFailsOrRecoversAtEveryFaultAndLosesNothing(t *testing.T) {
	t.Parallel()
	l := small(t, 3)
	torn := l.bytes[:len(l.bytes)-5]
	for _, op := range []string{opOpen, opRead, opWrite, opTruncate, opSync, opSyncDir, opRemove} {
		for skip := 0; ; skip++ {
			dir, f := l.damaged(t, torn), faults{}
			f.set(op, syscall.ENOSPC)
			f.skip, f.short = skip, 3
			s, err := Open(dir, Options{disk: f.disk(), Log: quiet})
			if err == nil {
				mustClose(t, s)
				if f.hits == 0 {
					break // this open has fewer of these operations
				}
			} else if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s number %d fails: %v, expected ENOSPC", op, skip, err)
			}
			s = open(t, dir, Options{})
			equal(t, readThrough(t, s, 0, 2), l.records[:2])
			if a := add(t, s, sample(1)); a.Seq <= 3 {
				t.Fatalf("%s number %d failed: the next seq is %d, which may have been used", op, skip, a.Seq)
			}
			s.Seal()
			b := Batch{}
			r := s.NewReader(2)
			must(t, r.Next(t.Context(), &b, 10, 1000))
			if err := r.Next(t.Context(), &b, 10, 1000); !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			mustClose(t, s)
			if len(names(t, dir, ".corrupt-")) == 0 {
				t.Fatalf("%s number %d failed: the torn tail was not set aside", op, skip)
			}
		}
	}
}

func TestASegmentThatSomethingElseDeletedIsAnError(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	s := open(t, dir, Options{})
	add(t, s, sample(0))
	read(t, s, 0)
	names, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	must(t, err)
	for _, name := range names {
		must(t, os.Remove(name))
	}
	var b Batch
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // for a reader that looks again for ever
	defer cancel()
	if err := s.NewReader(0).Next(ctx, &b, 1, 100_000); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("reading a segment that is gone gave %v, want fs.ErrNotExist", err)
	}
}
