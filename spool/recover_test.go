package spool

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// log is a closed spool of small records and where each of them ends in its only segment.
type log struct {
	dir, segment string
	bytes        []byte
	records      []Record
	ends         []int // ends[i]: where record i+1 begins
}

func small(t testing.TB, n int) log {
	t.Helper()
	l := log{dir: scratch(t)}
	s := open(t, l.dir, Options{})
	l.ends = []int{headerSize}
	for i := range n {
		l.records = append(l.records, add(t, s, Record{OrgID: "org", Source: "socket", Kind: "frame", Body: fill(i, 10+i)}))
		l.ends = append(l.ends, int(s.Stats().Bytes))
	}
	mustClose(t, s)
	l.segment = names(t, l.dir, ".seg")[0]
	l.bytes = must1(os.ReadFile(filepath.Join(l.dir, l.segment)))
	return l
}

// damaged is a new directory with the segment's bytes as given.
func (l log) damaged(t testing.TB, b []byte) string {
	t.Helper()
	dir := scratch(t)
	must(t, os.WriteFile(filepath.Join(dir, l.segment), b, 0o600))
	return dir
}

// intact is how many records end at or before size.
func (l log) intact(size int) int {
	n := 0
	for n < len(l.records) && l.ends[n+1] <= size {
		n++
	}
	return n
}

// expect opens a damaged directory and checks that the first n records are there, no others, that what was cut is
// set aside byte by byte, and that appending and reading go on, also after another restart.
func (l log) expect(t *testing.T, dir string, damaged []byte, n int, what string) {
	t.Helper()
	s := open(t, dir, Options{})
	defer s.Close()
	equal(t, readThrough(t, s, 0, int64(n)), l.records[:n])
	lost := len(damaged) - l.ends[n]
	if lost > 0 {
		d := s.Recovered()
		if len(d) != 1 || d[0].Offset != int64(l.ends[n]) || d[0].Bytes != int64(lost) || d[0].AfterSeq != int64(n) || d[0].ThroughSeq < int64(l.intact(len(damaged))) || d[0].Segment != l.segment {
			t.Fatalf("%s: damage %+v, expected one at %d of %d bytes after seq %d", what, d, l.ends[n], lost, n)
		}
		aside := filepath.Join(dir, fmt.Sprintf("%s.corrupt-%d", l.segment, l.ends[n]))
		if d[0].SetAside != filepath.Base(aside) || !bytes.Equal(must1(os.ReadFile(aside)), damaged[l.ends[n]:]) {
			t.Fatalf("%s: %s does not hold the %d bytes that were cut off", what, aside, lost)
		}
		if mode := stat(t, aside).Mode().Perm(); mode != 0o600 {
			t.Fatalf("%s: mode %o, expected 600", aside, mode)
		}
	} else if len(s.Recovered()) != 0 {
		t.Fatalf("%s: damage %+v, expected none", what, s.Recovered())
	}
	a := add(t, s, sample(1))
	if most := l.intact(len(damaged)); a.Seq <= int64(most) {
		t.Fatalf("%s: the next seq is %d, which may have been used: there were %d", what, a.Seq, most)
	}
	if n > 0 && !a.ReceivedAt.After(l.records[n-1].ReceivedAt) {
		t.Fatalf("%s: received at %v, expected after %v", what, a.ReceivedAt, l.records[n-1].ReceivedAt)
	}
	mustClose(t, s)

	s = open(t, dir, Options{})
	defer s.Close()
	b := add(t, s, sample(2))
	equal(t, readThrough(t, s, 0, b.Seq), append(l.records[:n:n], a, b))
	mustClose(t, s)
}

func TestATornTailIsSetAsideWhereverItIsTorn(t *testing.T) {
	t.Parallel()
	l := small(t, 4)
	for size := headerSize; size <= len(l.bytes); size++ {
		l.expect(t, l.damaged(t, l.bytes[:size]), l.bytes[:size], l.intact(size), fmt.Sprintf("cut at %d", size))
	}
}

func TestAZeroedTailIsSetAside(t *testing.T) {
	t.Parallel()
	l := small(t, 4)
	for size := headerSize; size < len(l.bytes); size += 7 {
		b := append(bytes.Clone(l.bytes[:size]), make([]byte, 5000)...)
		l.expect(t, l.damaged(t, b), b, l.intact(size), fmt.Sprintf("zeros from %d", size))
	}
}

func TestAFlippedBitNeverDeliversAWrongRecord(t *testing.T) {
	t.Parallel()
	l := small(t, 4)
	for i := headerSize; i < len(l.bytes); i++ {
		b := bytes.Clone(l.bytes)
		b[i] ^= 1 << (i % 8)
		l.expect(t, l.damaged(t, b), b, l.intact(i), fmt.Sprintf("bit %d of byte %d", i%8, i))
	}
}

func TestADamagedHeaderCostsNoRecord(t *testing.T) {
	l := small(t, 3)
	for i := range headerSize {
		b := bytes.Clone(l.bytes)
		b[i] ^= 1 << (i % 8)
		dir := l.damaged(t, b)
		s := open(t, dir, Options{})
		equal(t, read(t, s, 0), l.records)
		d := s.Recovered()
		if len(d) != 1 || d[0].Bytes != headerSize || d[0].ThroughSeq != d[0].AfterSeq {
			t.Fatalf("byte %d: damage %+v, expected that of the header, with no record lost", i, d)
		}
		a := add(t, s, sample(1))
		mustClose(t, s)
		s = open(t, dir, Options{})
		if len(s.Recovered()) != 0 {
			t.Fatalf("byte %d: the header was not repaired: %+v", i, s.Recovered())
		}
		equal(t, read(t, s, 0), append(l.records[:3:3], a))
		mustClose(t, s)
	}
}

func TestASegmentWithNothingUsableBeginsANewStream(t *testing.T) {
	l := small(t, 2)
	_, stream, _ := parseSegmentName(l.segment)
	for _, b := range [][]byte{nil, make([]byte, 10), make([]byte, 1000), l.bytes[:headerSize-1]} {
		dir := l.damaged(t, b)
		s := open(t, dir, Options{})
		if s.StreamID() == stream {
			t.Errorf("%d unusable bytes: the stream goes on, though its last seq is not known", len(b))
		}
		a := add(t, s, sample(1))
		equal(t, read(t, s, 0), []Record{a})
		if aside := names(t, dir, ".corrupt-0"); len(b) > 0 && (len(aside) != 1 || len(s.Recovered()) != 1) {
			t.Errorf("%d unusable bytes: set aside %q, damage %+v", len(b), aside, s.Recovered())
		}
		mustClose(t, s)
		mustClose(t, open(t, dir, Options{}))
	}
}

func TestDamageInTheMiddleIsAHoleAndTheNextSegmentGoesOn(t *testing.T) {
	dir := scratch(t)
	var logged bytes.Buffer
	opts := Options{SegmentBytes: 1500, Log: slog.New(slog.NewTextHandler(&logged, nil))}
	s := open(t, dir, opts)
	var all []Record
	for i := range 40 {
		all = append(all, add(t, s, Record{Body: fmt.Appendf(nil, "secret %s", fill(i, 200))}))
	}
	read(t, s, 0)
	second, third := s.segments[1], s.segments[2]
	mustClose(t, s)

	path := filepath.Join(dir, second.name)
	b := must1(os.ReadFile(path))
	hit := int(second.size) / 2
	b[hit] ^= 4
	must(t, os.WriteFile(path, b, 0o600))

	s = open(t, dir, opts)
	d := s.Recovered()
	if len(d) != 1 || d[0].Segment != second.name || d[0].Offset > int64(hit) || d[0].Offset+d[0].Bytes != second.size {
		t.Fatalf("damage %+v, expected the rest of %s", d, second.name)
	}
	if d[0].AfterSeq < second.first || d[0].ThroughSeq != third.first-1 {
		t.Errorf("lost are seqs after %d through %d, expected from within the segment (%d) to its end (%d)", d[0].AfterSeq, d[0].ThroughSeq, second.first, third.first-1)
	}
	if before, last := all[d[0].AfterSeq-1].ReceivedAt, all[d[0].ThroughSeq-1].ReceivedAt; d[0].After != before || d[0].Until.Before(last) || d[0].Until.After(last.Add(time.Minute)) {
		t.Errorf("lost was received after %v until %v, expected %v and %v", d[0].After, d[0].Until, before, last)
	}
	want := append(all[:d[0].AfterSeq:d[0].AfterSeq], all[d[0].ThroughSeq:]...)
	equal(t, read(t, s, 0), want)
	equal(t, read(t, s, d[0].AfterSeq), all[d[0].ThroughSeq:])
	want = append(want, add(t, s, sample(1)))
	if want[len(want)-1].Seq != 41 {
		t.Errorf("the next seq is %d, expected 41", want[len(want)-1].Seq)
	}
	mustClose(t, s)
	if text := logged.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, second.name) || strings.Contains(text, "secret") {
		t.Errorf("logged %q, expected one line about %s without content", text, second.name)
	}

	// The hole stays on record as long as it can be seen.
	s = open(t, dir, Options{})
	again := s.Recovered()
	if len(again) != 1 || again[0].Bytes != 0 || again[0].AfterSeq != d[0].AfterSeq || again[0].ThroughSeq != d[0].ThroughSeq {
		t.Errorf("after another restart: %+v, expected the same hole", again)
	}
	equal(t, read(t, s, 0), want)
	must(t, s.Trim(third.last))
	mustClose(t, s)
	s = open(t, dir, Options{})
	if len(s.Recovered()) != 0 {
		t.Errorf("after trimming: %+v, expected no damage", s.Recovered())
	}
	mustClose(t, s)
}

func TestAMissingOrShortenedSegmentIsAHole(t *testing.T) {
	for _, how := range []string{"removed", "emptied", "zeroed", "cut after a record"} {
		dir := scratch(t)
		s := open(t, dir, Options{SegmentBytes: 1500})
		var all []Record
		for i := range 40 {
			all = append(all, add(t, s, Record{Body: fill(i, 200)}))
		}
		read(t, s, 0)
		first, second := s.segments[0], s.segments[1]
		mustClose(t, s)
		path := filepath.Join(dir, second.name)
		after := first.last
		switch how {
		case "removed":
			must(t, os.Remove(path))
		case "emptied":
			must(t, os.Truncate(path, 0))
		case "zeroed":
			must(t, os.WriteFile(path, make([]byte, second.size), 0o600))
		case "cut after a record":
			after = second.first
			must(t, os.Truncate(path, headerSize+headSize+200))
		}
		s = open(t, dir, Options{SegmentBytes: 1500})
		d := s.Recovered()
		if len(d) != 1 || d[0].AfterSeq != after || d[0].ThroughSeq != second.last {
			t.Errorf("a segment %s: damage %+v, expected seqs after %d through %d", how, d, after, second.last)
		}
		equal(t, read(t, s, 0), append(all[:after:after], all[second.last:]...))
		mustClose(t, s)
	}
}

func TestAReaderPassesSegmentsThatCrashesLeftEmpty(t *testing.T) {
	l := small(t, 2)
	want := l.records
	for range 3 {
		last := names(t, l.dir, ".seg")
		f := must1(os.OpenFile(filepath.Join(l.dir, last[len(last)-1]), os.O_APPEND|os.O_WRONLY, 0))
		must1(f.Write(make([]byte, 500)))
		must(t, f.Close())
		mustClose(t, open(t, l.dir, Options{}))
	}
	s := open(t, l.dir, Options{})
	want = append(want, add(t, s, sample(1)))
	equal(t, read(t, s, 0), want)
	mustClose(t, s)
}

func TestASegmentLeftEmptyAfterATornOneLosesNothingThatComesLater(t *testing.T) {
	for cut := range int64(headSize + 100) { // among them one after which the new segment gets the name of the empty one
		dir := scratch(t)
		s := open(t, dir, Options{SegmentBytes: 700})
		first := add(t, s, Record{Body: fill(1, 400)})
		second := add(t, s, Record{Body: fill(2, 100)})
		add(t, s, Record{Body: fill(3, 400)})
		read(t, s, 0)
		if n := len(s.segments); n != 2 {
			t.Fatalf("%d segments, expected 2", n)
		}
		torn, empty := s.segments[0], s.segments[1]
		mustClose(t, s)
		must(t, os.Truncate(filepath.Join(dir, torn.name), torn.size-cut))
		must(t, os.Truncate(filepath.Join(dir, empty.name), 0))
		want := []Record{first, second}
		if cut > 0 {
			want = want[:1]
		}
		s = open(t, dir, Options{SegmentBytes: 700})
		want = append(want, add(t, s, sample(4)))
		equal(t, read(t, s, 0), want)
		mustClose(t, s)
		s = open(t, dir, Options{SegmentBytes: 700})
		equal(t, read(t, s, 0), want)
		if got := want[len(want)-1].Seq; got < 3 {
			t.Fatalf("cut by %d: seq %d was used again", cut, got)
		}
		mustClose(t, s)
	}
}

func TestWhatWasSetAsideBeforeIsNotOverwritten(t *testing.T) {
	l := small(t, 2)
	dir := l.damaged(t, l.bytes[:l.ends[1]+20])
	mustClose(t, open(t, dir, Options{}))
	f := must1(os.OpenFile(filepath.Join(dir, l.segment), os.O_APPEND|os.O_WRONLY, 0))
	must1(f.WriteString("torn"))
	must(t, f.Close())
	mustClose(t, open(t, dir, Options{}))
	if aside := names(t, dir, ".corrupt-"); len(aside) != 2 || aside[1] != aside[0]+"-1" {
		t.Errorf("set aside are %q, expected two files", aside)
	}
}

func TestAHugeLengthIsNotBelieved(t *testing.T) {
	l := small(t, 2)
	for _, n := range []uint32{0, 1, headSize - prefixSize - 1, MaxRecordBytes - prefixSize, 1<<32 - 1} {
		b := bytes.Clone(l.bytes)
		le.PutUint32(b[l.ends[1]:], n)
		l.expect(t, l.damaged(t, b), b, 1, fmt.Sprintf("length %d", n))
	}
}

func FuzzOpenDeliversOnlyWhatItWrote(f *testing.F) {
	l := small(f, 4)
	f.Add(0, []byte{}, false)
	f.Add(100, []byte("ARCSPOOL"), true)
	f.Add(headerSize, l.bytes[headerSize:], true)
	f.Fuzz(func(t *testing.T, at int, junk []byte, cut bool) {
		b := bytes.Clone(l.bytes)
		at = int(uint(at) % uint(len(b)+1))
		if n := copy(b[at:], junk); n < len(junk) {
			b = append(b, junk[n:]...)
		} else if cut {
			b = b[:at+n]
		}
		s := open(t, l.damaged(t, b), Options{})
		defer s.Close()
		s.Seal()
		r, batch := s.NewReader(0), Batch{}
		for n := 0; r.Next(t.Context(), &batch, 1, 1) == nil; n++ {
			if n >= len(l.records) || !same(batch.Records[0], l.records[n]) {
				t.Fatalf("record %d is %+v, which was never written", n, batch.Records[0])
			}
		}
	})
}
