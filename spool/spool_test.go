package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestRecordsComeBackAsTheyWereAppendedAlsoAfterARestart(t *testing.T) {
	dir := scratch(t)
	s := open(t, dir, Options{SegmentBytes: 4096})
	stream := s.StreamID()
	var want []Record
	for i := range 100 {
		want = append(want, add(t, s, sample(i)))
	}
	equal(t, read(t, s, 0), want)
	equal(t, read(t, s, 37), want[37:])
	if got := s.Stats().Segments; got < 5 {
		t.Errorf("100 records are in %d segments of 4 KiB, expected several", got)
	}
	mustClose(t, s)

	s = open(t, dir, Options{SegmentBytes: 4096})
	if s.StreamID() != stream {
		t.Errorf("after a restart the stream is %s, expected still %s", s.StreamID(), stream)
	}
	if len(s.Recovered()) != 0 {
		t.Errorf("a clean restart reports damage: %+v", s.Recovered())
	}
	equal(t, read(t, s, 0), want)
	want = append(want, add(t, s, sample(100)))
	equal(t, read(t, s, 99), want[99:])
	mustClose(t, s)
}

func TestTheDirectoryAndItsFilesAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(scratch(t), "new", "lane-0")
	s := open(t, dir, Options{})
	add(t, s, sample(1))
	for _, p := range []string{filepath.Dir(dir), dir} {
		if mode := stat(t, p).Mode().Perm(); mode != 0o700 {
			t.Errorf("directory %s has mode %o, expected 700", p, mode)
		}
	}
	for _, name := range names(t, dir, "") {
		if mode := stat(t, filepath.Join(dir, name)).Mode().Perm(); mode != 0o600 {
			t.Errorf("file %s has mode %o, expected 600", name, mode)
		}
	}
}

func TestReceivedAtRisesEvenWhenTheClockGoesBack(t *testing.T) {
	dir := scratch(t)
	s := open(t, dir, Options{})
	noon := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
	at := func(received, observed time.Time) Record {
		return add(t, s, Record{ReceivedAt: received, ObservedAt: observed})
	}
	us := time.Microsecond
	a := at(noon, time.Time{})
	if want := noon.Truncate(us); a.ReceivedAt != want || a.ObservedAt != want {
		t.Errorf("received %v, observed %v, expected both %v", a.ReceivedAt, a.ObservedAt, want)
	}
	if b := at(noon, noon.Add(-time.Second)); b.ReceivedAt != a.ReceivedAt.Add(us) || b.ObservedAt != a.ReceivedAt.Add(-time.Second) {
		t.Errorf("clock stood still: received %v, observed %v", b.ReceivedAt, b.ObservedAt)
	}
	if c := at(noon.Add(-time.Hour), time.Time{}); c.ReceivedAt != a.ReceivedAt.Add(2*us) || c.ObservedAt != c.ReceivedAt {
		t.Errorf("clock went back: received %v, observed %v", c.ReceivedAt, c.ObservedAt)
	}
	mustClose(t, s)
	s = open(t, dir, Options{})
	if d := at(noon, time.Time{}); d.ReceivedAt != a.ReceivedAt.Add(3*us) {
		t.Errorf("after a restart: received %v, expected a microsecond after the last one", d.ReceivedAt)
	}
	// The same when nothing but the header of an empty segment is left to remember the time by.
	read(t, s, 0)
	s.refused = true
	must(t, s.Trim(4))
	eventually(t, func() bool { return s.Stats().FirstSeq == 0 }, "the committed segment is deleted")
	mustClose(t, s)
	s = open(t, dir, Options{})
	if e := at(noon, time.Time{}); e.ReceivedAt != a.ReceivedAt.Add(4*us) || e.Seq != 5 {
		t.Errorf("after trimming and a restart: seq %d received %v, expected 5, a microsecond after the last one", e.Seq, e.ReceivedAt)
	}
	if now := at(time.Time{}, time.Time{}); time.Since(now.ReceivedAt) > time.Hour {
		t.Errorf("a zero ReceivedAt became %v, expected the current time", now.ReceivedAt)
	}
	mustClose(t, s)
}

func TestASecondOpenerIsRefused(t *testing.T) {
	dir := scratch(t)
	s := open(t, dir, Options{})
	_, err := Open(dir, Options{})
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second Open: %v, expected ErrLocked with the directory's name", err)
	}
	mustClose(t, s)
	mustClose(t, open(t, dir, Options{}))
}

func TestBatchesKeepTheirLimitsAndTwoCanAlternate(t *testing.T) {
	t.Parallel()
	s := open(t, scratch(t), Options{SegmentBytes: 100_000})
	var want []Record
	for i := range 300 {
		want = append(want, add(t, s, Record{OrgID: "o", Source: "socket", Kind: "frame", Body: fill(i, i*7%900)}))
	}
	huge := fill(7, 3<<20)
	want = append(want, add(t, s, Record{OrgID: "o", Request: []byte(`{"page":1}`), Body: huge}), add(t, s, sample(1)))
	s.Seal()
	r := s.NewReader(0)
	var batches [2]Batch
	var held []Record // of the batch before: still valid
	var got []Record
	for i := 0; ; i++ {
		b := &batches[i%2]
		err := r.Next(t.Context(), b, 7, 4000)
		got = append(got, clone(held)...)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		if len(b.Records) > 7 || b.Bytes > 4000 && len(b.Records) > 1 {
			t.Fatalf("a batch of %d records, %d bytes, expected at most 7 and 4000", len(b.Records), b.Bytes)
		}
		held = b.Records
	}
	equal(t, got, want)
}

func TestTheMemoryOfAHugeRecordIsGivenBack(t *testing.T) {
	s := open(t, scratch(t), Options{})
	add(t, s, Record{Body: make([]byte, 20<<20)})
	add(t, s, sample(1))
	r, b := s.NewReader(0), Batch{}
	must(t, r.Next(t.Context(), &b, 1, 1000))
	must(t, r.Next(t.Context(), &b, 1, 1000))
	if cap(b.buf) > 4<<20 {
		t.Errorf("the batch holds %d bytes for a small record", cap(b.buf))
	}
}

func TestNextWaitsForARecordAndForItsContext(t *testing.T) {
	s := open(t, scratch(t), Options{})
	r, b := s.NewReader(0), Batch{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Next(ctx, &b, 10, 1000) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Next of a cancelled context: %v", err)
	}
	go func() { done <- r.Next(t.Context(), &b, 10, 1000) }()
	want := add(t, s, sample(3))
	must(t, <-done)
	equal(t, b.Records, []Record{want})
	go func() { done <- r.Next(t.Context(), &b, 10, 1000) }()
	mustClose(t, s)
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Next while the spool is closed: %v, expected ErrClosed", err)
	}
}

func TestOnlyDurableRecordsAreDelivered(t *testing.T) {
	s := open(t, scratch(t), Options{groupDelay: time.Hour})
	want := []Record{add(t, s, sample(1)), add(t, s, sample(2))}
	if st := s.Stats(); st.LastSeq != 2 || st.DurableSeq != 0 {
		t.Fatalf("before any fsync: %+v, expected last 2, durable 0", st)
	}
	r, b := s.NewReader(0), Batch{}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := r.Next(ctx, &b, 10, 1000); !errors.Is(err, context.DeadlineExceeded) || len(b.Records) > 0 {
		t.Fatalf("Next delivered what was not fsynced: %v, %d records", err, len(b.Records))
	}
	must(t, s.sync())
	add(t, s, sample(3))
	must(t, r.Next(t.Context(), &b, 10, 100_000))
	equal(t, b.Records, want)
}

func TestSealLetsReadersDrainAndThenEnd(t *testing.T) {
	// With an hour to gather writes, only Seal's hurry can make the records durable.
	s := open(t, scratch(t), Options{groupDelay: time.Hour})
	want := []Record{add(t, s, sample(1)), add(t, s, sample(2))}
	r, b := s.NewReader(0), Batch{}
	done := make(chan error)
	go func() { done <- r.Next(t.Context(), &b, 10, 100_000) }()
	s.Seal()
	s.Seal()
	if err := s.Append(&Record{}); !errors.Is(err, ErrClosed) {
		t.Errorf("Append after Seal: %v, expected ErrClosed", err)
	}
	must(t, <-done)
	equal(t, b.Records, want)
	must(t, s.Trim(2))
	for range 2 {
		if err := r.Next(t.Context(), &b, 10, 1000); !errors.Is(err, io.EOF) {
			t.Errorf("Next after the last record: %v, expected io.EOF", err)
		}
	}
	mustClose(t, s)
	mustClose(t, s)
	if err := s.Trim(2); !errors.Is(err, ErrClosed) {
		t.Errorf("Trim after Close: %v, expected ErrClosed", err)
	}
}

func TestSealOfAnEmptySpoolEndsAWaitingReader(t *testing.T) {
	s := open(t, scratch(t), Options{})
	done := make(chan error)
	go func() { done <- s.NewReader(0).Next(t.Context(), new(Batch), 10, 1000) }()
	s.Seal()
	if err := <-done; !errors.Is(err, io.EOF) {
		t.Errorf("Next: %v, expected io.EOF", err)
	}
}

func TestSkipToKeepsSeqsFromBeingUsedTwice(t *testing.T) {
	dir := scratch(t)
	s := open(t, dir, Options{})
	a := add(t, s, sample(1))
	s.SkipTo(100)
	s.SkipTo(50)
	b := add(t, s, sample(2))
	c := add(t, s, sample(3))
	if a.Seq != 1 || b.Seq != 101 || c.Seq != 102 {
		t.Fatalf("seqs %d, %d, %d, expected 1, 101, 102", a.Seq, b.Seq, c.Seq)
	}
	equal(t, read(t, s, 0), []Record{a, b, c})
	equal(t, read(t, s, 100), []Record{b, c})
	mustClose(t, s)
	s = open(t, dir, Options{})
	if len(s.Recovered()) != 0 {
		t.Errorf("skipped seqs are taken for damage: %+v", s.Recovered())
	}
	s.SkipTo(102)
	d := add(t, s, sample(4))
	s.SkipTo(7)
	equal(t, read(t, s, 1), []Record{b, c, d})
	if d.Seq != 103 {
		t.Errorf("seq %d, expected 103", d.Seq)
	}
}

func TestAtTheQuotaNothingIsWrittenUntilTrimMakesRoom(t *testing.T) {
	for _, segment := range []int64{1000, 1 << 20} {
		s := open(t, scratch(t), Options{SegmentBytes: segment, MaxBytes: 10_000})
		var last int64
		for {
			r := Record{Body: fill(1, 400)}
			err := s.Append(&r)
			if err == nil {
				last = r.Seq
				continue
			}
			if !errors.Is(err, ErrFull) || r.Seq != 0 {
				t.Fatalf("Append at the quota: %v, seq %d, expected ErrFull and an unchanged record", err, r.Seq)
			}
			break
		}
		before := s.Stats()
		if before.Bytes > 10_000 || before.Bytes < 9_000 || before.LastSeq != last {
			t.Errorf("full: %+v, expected 9,000 to 10,000 bytes", before)
		}
		if err := s.Append(&Record{Body: fill(1, 20_000)}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a record larger than the quota: %v, expected ErrTooLarge", err)
		}
		read(t, s, 0)
		must(t, s.Trim(last))
		eventually(t, func() bool { return s.Append(&Record{Body: fill(1, 9000)}) == nil }, "there is room after Trim")
		if got := read(t, s, last); len(got) != 1 || got[0].Seq != last+1 {
			t.Errorf("after Trim: %d records, expected one with seq %d", len(got), last+1)
		}
	}
}

func TestTooLongARecordIsRefusedAndTheSpoolGoesOn(t *testing.T) {
	s := open(t, scratch(t), Options{})
	endless := must1(syscall.Mmap(-1, 0, MaxRecordBytes, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)) // not to be read
	defer syscall.Munmap(endless)
	for _, r := range []Record{
		{OrgID: strings.Repeat("o", 65536)},
		{Source: strings.Repeat("s", 256)},
		{Kind: strings.Repeat("k", 256)},
		{Body: endless},
	} {
		if err := s.Append(&r); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Append: %v, expected ErrTooLarge", err)
		}
	}
	want := add(t, s, Record{OrgID: strings.Repeat("o", 65535), Source: strings.Repeat("s", 255), Kind: strings.Repeat("k", 255), Body: fill(1, inlineBytes)})
	equal(t, read(t, s, 0), []Record{want})
}

func TestTrimDeletesWhatIsCommittedAndAReopenGoesOn(t *testing.T) {
	dir := scratch(t)
	s := open(t, dir, Options{SegmentBytes: 2000})
	stream := s.StreamID()
	var all []Record
	for i := range 50 {
		all = append(all, add(t, s, sample(i)))
	}
	read(t, s, 0)
	must(t, s.Trim(30))
	st := s.Stats()
	if st.FirstSeq <= 20 || st.FirstSeq > 31 {
		t.Errorf("after Trim(30) the first seq is %d, expected 21 to 31", st.FirstSeq)
	}
	if files := names(t, dir, ".seg"); len(files) != st.Segments {
		t.Errorf("%d files, expected %d", len(files), st.Segments)
	}
	equal(t, read(t, s, 30), all[30:])
	equal(t, read(t, s, 0), all[30:]) // what is trimmed is not delivered, also where the file is still there
	mustClose(t, s)

	s = open(t, dir, Options{SegmentBytes: 2000})
	equal(t, read(t, s, 30), all[30:])
	must(t, s.Trim(1000)) // more than there is
	eventually(t, func() bool { st := s.Stats(); return st.FirstSeq == 0 && st.Segments == 1 }, "all is deleted")
	if st := s.Stats(); st.Bytes != headerSize || st.LastSeq != 50 || st.DurableSeq != 50 {
		t.Errorf("after trimming everything: %+v", st)
	}
	mustClose(t, s)

	s = open(t, dir, Options{SegmentBytes: 2000})
	r := add(t, s, sample(51))
	if r.Seq != 51 || s.StreamID() != stream {
		t.Errorf("after trimming everything and a restart: seq %d of stream %s, expected 51 of %s", r.Seq, s.StreamID(), stream)
	}
	equal(t, read(t, s, 0), []Record{r})
}

func TestAReaderThatLagsBehindTrimGoesOnAfterIt(t *testing.T) {
	s := open(t, scratch(t), Options{SegmentBytes: 2000})
	var all []Record
	for i := range 50 {
		all = append(all, add(t, s, sample(i)))
	}
	read(t, s, 0)
	r, b := s.NewReader(0), Batch{}
	must(t, r.Next(t.Context(), &b, 3, 100_000))
	must(t, s.Trim(40))
	must(t, r.Next(t.Context(), &b, 1, 100_000))
	equal(t, b.Records, all[40:41])
	must(t, r.Close())
	must(t, r.Next(t.Context(), &b, 1, 100_000))
	equal(t, b.Records, all[41:42])
}

func TestConcurrentAppendersAReaderAndTrim(t *testing.T) {
	t.Parallel()
	s := open(t, scratch(t), Options{SegmentBytes: 20_000, MaxBytes: 200_000})
	const appenders, each = 4, 500
	var wg sync.WaitGroup
	for a := range appenders {
		wg.Go(func() {
			for i := range each {
				r := Record{OrgID: fmt.Sprint(a), Body: fmt.Appendf(nil, "%d %s", i, fill(i, i%700))}
				for {
					err := s.Append(&r)
					if err == nil {
						break
					}
					if !errors.Is(err, ErrFull) {
						t.Errorf("Append: %v", err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	go func() { wg.Wait(); s.Seal() }()
	r := s.NewReader(0)
	var batches [2]Batch
	next := map[string]int{}
	var seq int64
	var at time.Time
	for n := 0; ; n++ {
		b := &batches[n%2]
		err := r.Next(t.Context(), b, 50, 30_000)
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		for _, rec := range b.Records {
			i := next[rec.OrgID]
			if want := fmt.Appendf(nil, "%d %s", i, fill(i, i%700)); rec.Seq != seq+1 || !rec.ReceivedAt.After(at) || !bytes.Equal(rec.Body, want) {
				t.Fatalf("after seq %d at %v: seq %d at %v, expected the next, later, with record %d of appender %s", seq, at, rec.Seq, rec.ReceivedAt, i, rec.OrgID)
			}
			next[rec.OrgID]++
			seq, at = rec.Seq, rec.ReceivedAt
		}
		must(t, s.Trim(seq))
	}
	if seq != appenders*each {
		t.Errorf("%d records were delivered, expected %d", seq, appenders*each)
	}
	mustClose(t, s)
}

func TestAForeignFileIsLeftAlone(t *testing.T) {
	dir := scratch(t)
	foreign := []string{"notes.txt", "00000000000000000001.seg", "x.seg", "00000000000000000000-" + uuid.NewString() + ".seg"}
	for _, name := range foreign {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600))
	}
	must(t, os.Mkdir(filepath.Join(dir, segmentName(5, uuid.New())), 0o700))
	s := open(t, dir, Options{})
	want := add(t, s, sample(1))
	equal(t, read(t, s, 0), []Record{want})
	mustClose(t, s)
	for _, name := range foreign {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != "mine" {
			t.Errorf("%s was touched: %q, %v", name, b, err)
		}
	}
}

func TestADirectoryThatCannotBeUsedIsAClearError(t *testing.T) {
	dir := scratch(t)
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("Open of %s: %v, expected an error with the path", path, err)
		}
	}
	refuse := &disk{fault: func(op, path string, _ int) (int, error) {
		if op == opOpen {
			return 0, os.ErrPermission
		}
		return 0, nil
	}}
	if _, err := Open(dir, Options{disk: refuse}); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "must be writable") {
		t.Errorf("Open without permission: %v, expected to be told to make it writable", err)
	}
}

func TestWhatDoesNotBelongTogetherIsRefusedUntouched(t *testing.T) {
	one := func() (dir, name string) {
		dir = scratch(t)
		s := open(t, dir, Options{})
		add(t, s, sample(1))
		mustClose(t, s)
		return dir, names(t, dir, ".seg")[0]
	}
	refused := func(dir string, is error, says string) {
		t.Helper()
		before := content(t, dir)
		_, err := Open(dir, Options{Log: quiet})
		if err == nil || is != nil && !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
			t.Errorf("Open: %v, expected a refusal saying %q", err, says)
		}
		if after := content(t, dir); !slices.Equal(before, after) {
			t.Errorf("a refused Open changed the directory: %q, before %q", after, before)
		}
	}

	dir, name := one()
	b := must1(os.ReadFile(filepath.Join(dir, name)))
	le.PutUint32(b[8:], formatVersion+1)
	le.PutUint32(b[12:], headerSum(b))
	must(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	refused(dir, ErrVersion, name)

	dir, name = one()
	_, stream, _ := parseSegmentName(name)
	must(t, os.Rename(filepath.Join(dir, name), filepath.Join(dir, segmentName(9, stream))))
	refused(dir, nil, "renamed")

	dir, _ = one()
	other, _ := one()
	second := open(t, other, Options{})
	second.SkipTo(100)
	add(t, second, sample(1))
	mustClose(t, second)
	otherName := names(t, other, ".seg")[1]
	must(t, os.Rename(filepath.Join(other, otherName), filepath.Join(dir, otherName)))
	refused(dir, nil, "different streams")
}

// scratch is a directory for one test. It is in memory where the system has that: what these tests are about is what is
// in the files, and a real disk would make them wait for thousands of fsyncs.
func scratch(t testing.TB) string {
	t.Helper()
	base := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "spool-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

var quiet = slog.New(slog.DiscardHandler)

func open(t testing.TB, dir string, opts Options) *Spool {
	t.Helper()
	if opts.Log == nil {
		opts.Log = quiet
	}
	s, err := Open(dir, opts)
	if err != nil {
		t.Fatalf("opening the spool: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t testing.TB, s *Spool, r Record) Record {
	t.Helper()
	if err := s.Append(&r); err != nil {
		t.Fatalf("appending: %v", err)
	}
	return r
}

// read returns all records after the given seq up to the last one appended, once they are durable.
func read(t testing.TB, s *Spool, after int64) []Record {
	t.Helper()
	return readThrough(t, s, after, s.Stats().LastSeq)
}

func readThrough(t testing.TB, s *Spool, after, last int64) []Record {
	t.Helper()
	r, b := s.NewReader(after), Batch{}
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // only a failing test takes that long
	defer cancel()
	var all []Record
	for after < last {
		if err := r.Next(ctx, &b, 10, 2000); err != nil {
			t.Fatalf("reading after seq %d of %d: %v", after, last, err)
		}
		all = append(all, clone(b.Records)...)
		after = all[len(all)-1].Seq
	}
	return all
}

func clone(records []Record) []Record {
	out := slices.Clone(records)
	for i := range out {
		out[i].Request, out[i].Body = slices.Clone(out[i].Request), bytes.Clone(out[i].Body)
	}
	return out
}

func equal(t testing.TB, got, want []Record) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d records, expected %d", len(got), len(want))
	}
	for i := range got {
		if !same(got[i], want[i]) {
			t.Fatalf("record %d of %d is %+v, expected %+v", i, len(got), got[i], want[i])
		}
	}
}

func same(a, b Record) bool {
	bodies := bytes.Equal(a.Body, b.Body) && bytes.Equal(a.Request, b.Request)
	return bodies && a.Seq == b.Seq && a.ReceivedAt.Equal(b.ReceivedAt) && a.ObservedAt.Equal(b.ObservedAt) &&
		a.ConnectionID == b.ConnectionID && a.OrgID == b.OrgID && a.Source == b.Source && a.Kind == b.Kind
}

// sample is a record of which every field depends on i.
func sample(i int) Record {
	r := Record{
		ConnectionID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, i)),
		OrgID:        fmt.Sprintf("org-%d", i%5),
		Source:       []string{"socket", "rest", "import", ""}[i%4],
		Kind:         []string{"frame", "chats_page", "other"}[i%3],
		Body:         fill(i, i*37%300),
	}
	if i%4 == 1 {
		r.Request = fmt.Appendf(nil, `{"page":%d}`, i)
		r.ObservedAt = time.UnixMicro(1_700_000_000_000_000 + int64(i)).UTC()
	}
	return r
}

func fill(seed, n int) []byte {
	rng := rand.New(rand.NewPCG(uint64(seed), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// names are the files of dir whose names contain part, sorted.
func names(t testing.TB, dir, part string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var out []string
	for _, e := range entries {
		if strings.Contains(e.Name(), part) && !e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out
}

func content(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for _, name := range names(t, dir, "") {
		out = append(out, name+" "+string(must1(os.ReadFile(filepath.Join(dir, name)))))
	}
	return out
}

func stat(t testing.TB, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	must(t, err)
	return info
}

// eventually waits for what the spool's own goroutine will do.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("expected that %s, within 30 s", what)
		}
	}
}

func mustClose(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("closing the spool: %v", err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must1[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
