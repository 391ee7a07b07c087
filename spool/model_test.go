package spool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnyHistoryOfUseAndCrashesKeepsItsPromises compares a spool with a list of records, through any sequence of
// appending, full disks, fsync, reading, trimming, skipping, restarts and crashes. A crash keeps of every file what
// was fsynced and any part of the rest, with or without rubbish after it.
func TestAnyHistoryOfUseAndCrashesKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{t: t, rt: rt, dir: scratch(t)}
		defer os.RemoveAll(m.dir)
		m.open()
		m.stream = m.s.StreamID().String()
		rt.Repeat(map[string]func(*rapid.T){
			"":         func(*rapid.T) { m.check() },
			"append":   func(*rapid.T) { m.append() },
			"append2":  func(*rapid.T) { m.append() }, // more often than the others
			"full":     func(*rapid.T) { m.fullDisk() },
			"fsync":    func(*rapid.T) { m.fsync() },
			"next":     func(*rapid.T) { m.next() },
			"read all": func(*rapid.T) { m.readAll() },
			"trim":     func(*rapid.T) { m.trim() },
			"skip":     func(*rapid.T) { m.skipTo() },
			"restart":  func(*rapid.T) { m.restart() },
			"crash":    func(*rapid.T) { m.crash() },
		})
		m.restart()
		m.readAll()
		m.s.Close()
	})
}

type model struct {
	t      *testing.T
	rt     *rapid.T
	dir    string
	stream string
	s      *Spool
	r      *Reader
	f      faults

	records   []Record // all that is not lost, trimmed ones included
	last      int64    // no seq up to here may be used again
	received  time.Time
	durable   int64
	delivered int64 // by m.r
	trimmed   int64
	skip      int64
}

const modelQuota = 12_000

func (m *model) open() {
	s, err := Open(m.dir, Options{SegmentBytes: 1500, MaxBytes: modelQuota, Log: quiet, groupDelay: time.Hour, disk: m.f.disk()})
	if err != nil {
		m.rt.Fatalf("opening: %v", err)
	}
	m.s, m.r = s, s.NewReader(m.trimmed)
	m.delivered = m.trimmed
}

// check compares what must hold at any time.
func (m *model) check() {
	st := m.s.Stats()
	if st.DurableSeq < m.durable || st.LastSeq < m.last || st.Bytes-int64(st.Segments)*headerSize > modelQuota || st.Failure != nil {
		m.rt.Fatalf("stats %+v, expected durable ≥ %d, last ≥ %d, within the quota", st, m.durable, m.last)
	}
	if id := m.s.StreamID().String(); id != m.stream {
		m.rt.Fatalf("stream %s, expected %s", id, m.stream)
	}
}

func (m *model) draw() Record {
	r := Record{OrgID: rapid.SampledFrom([]string{"", "a", "b"}).Draw(m.rt, "org"), Kind: "frame"}
	r.Body = fill(len(m.records), rapid.SampledFrom([]int{0, 1, 50, 300, 1400, 3000}).Draw(m.rt, "size"))
	if rapid.Bool().Draw(m.rt, "rest") {
		r.Request = []byte(`{"page":1}`)
		r.ReceivedAt = time.Unix(1_800_000_000, 0).Add(time.Duration(rapid.IntRange(-5, 5).Draw(m.rt, "clock")) * time.Second)
	}
	return r
}

func (m *model) append() {
	r := m.draw()
	before := m.s.Stats()
	err := m.s.Append(&r)
	if errors.Is(err, ErrFull) {
		if n, _ := recordSize(&r); before.Bytes+n+headerSize <= modelQuota {
			m.rt.Fatalf("a record of %d bytes was refused: %v", n, err)
		}
		return
	}
	if err != nil {
		m.rt.Fatalf("appending: %v", err)
	}
	if r.Seq <= max(m.last, m.skip) || !r.ReceivedAt.After(m.received) {
		m.rt.Fatalf("seq %d at %v, expected after %d, skipped %d, at %v", r.Seq, r.ReceivedAt, m.last, m.skip, m.received)
	}
	m.records = append(m.records, r)
	m.last, m.received = r.Seq, r.ReceivedAt
}

func (m *model) fullDisk() {
	r := m.draw()
	m.f.set(opWrite, syscall.ENOSPC)
	m.f.short = rapid.IntRange(0, 100).Draw(m.rt, "short")
	if err := m.s.Append(&r); !errors.Is(err, ErrFull) {
		m.rt.Fatalf("appending to a full disk: %v, expected ErrFull", err)
	}
	m.f.set("", nil)
}

func (m *model) fsync() {
	if err := m.s.sync(); err != nil {
		m.rt.Fatalf("fsync: %v", err)
	}
	if err := m.s.reap(); err != nil {
		m.rt.Fatalf("reap: %v", err)
	}
	m.durable = m.last
}

// due are the records with after < seq ≤ through.
func (m *model) due(after, through int64) []Record {
	var out []Record
	for _, r := range m.records {
		if r.Seq > after && r.Seq <= through {
			out = append(out, r)
		}
	}
	return out
}

// next takes one batch with the reader that trims go by.
func (m *model) next() {
	want := m.due(m.delivered, m.durable)
	if len(want) == 0 {
		return
	}
	n := rapid.IntRange(1, 5).Draw(m.rt, "records")
	b := Batch{}
	ctx, cancel := context.WithTimeout(m.t.Context(), 10*time.Second)
	defer cancel()
	if err := m.r.Next(ctx, &b, n, rapid.SampledFrom([]int{0, 500, 5000}).Draw(m.rt, "bytes")); err != nil {
		m.rt.Fatalf("Next after %d: %v", m.delivered, err)
	}
	if len(b.Records) < 1 || len(b.Records) > min(n, len(want)) || !slices.EqualFunc(b.Records, want[:len(b.Records)], same) {
		m.rt.Fatalf("after %d Next delivered %+v, expected up to %d of %+v", m.delivered, b.Records, n, want)
	}
	m.delivered = b.Records[len(b.Records)-1].Seq
}

// readAll reads with a new reader from anywhere, and finds no more than what is durable.
func (m *model) readAll() {
	after := rapid.Int64Range(m.trimmed, m.last).Draw(m.rt, "after")
	want := m.due(after, m.durable)
	var got []Record
	r, b := m.s.NewReader(after), Batch{}
	defer r.Close()
	for len(got) < len(want) {
		if err := r.Next(m.t.Context(), &b, 3, 2000); err != nil {
			m.rt.Fatalf("reading after %d: %v", after, err)
		}
		got = append(got, clone(b.Records)...)
	}
	if !slices.EqualFunc(got, want, same) {
		m.rt.Fatalf("after %d there are %+v, expected %+v", after, got, want)
	}
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Millisecond)
	defer cancel()
	if err := r.Next(ctx, &b, 3, 2000); !errors.Is(err, context.DeadlineExceeded) {
		m.rt.Fatalf("after the last durable record there is more: %+v, %v", b.Records, err)
	}
}

func (m *model) trim() {
	m.trimmed = rapid.Int64Range(m.trimmed, m.delivered).Draw(m.rt, "through")
	if err := m.s.Trim(m.trimmed); err != nil {
		m.rt.Fatalf("Trim(%d): %v", m.trimmed, err)
	}
}

func (m *model) skipTo() {
	m.skip = rapid.Int64Range(0, m.last+5).Draw(m.rt, "to")
	m.s.SkipTo(m.skip)
}

func (m *model) restart() {
	if err := m.s.Close(); err != nil {
		m.rt.Fatalf("closing: %v", err)
	}
	m.durable, m.skip = m.last, 0
	before := m.s.Recovered()
	m.open()
	for _, d := range m.s.Recovered() {
		if !slices.ContainsFunc(before, func(b Damage) bool { return b.AfterSeq <= d.AfterSeq && d.ThroughSeq <= b.ThroughSeq }) {
			m.rt.Fatalf("a clean restart finds new damage: %+v, before %+v", d, before)
		}
	}
}

func (m *model) crash() {
	dir := scratch(m.t)
	m.s.mu.Lock()
	for _, seg := range m.s.segments {
		m.crashFile(dir, seg)
	}
	m.s.mu.Unlock()
	m.s.Close()
	os.RemoveAll(m.dir)
	m.dir, m.skip = dir, 0
	m.open()

	// What was durable has survived, and of the rest whatever did is what was written, in order.
	last := int64(0)
	for _, seg := range m.s.segments {
		if seg.last >= seg.first {
			last = seg.last
		}
	}
	var got []Record
	if last > m.trimmed {
		got = readThrough(m.t, m.s, m.trimmed, last)
	}
	kept := m.due(0, m.trimmed)
	for _, r := range m.due(m.trimmed, m.last) {
		if len(got) > 0 && same(got[0], r) {
			kept, got = append(kept, r), got[1:]
			continue
		}
		if r.Seq <= m.durable {
			m.rt.Fatalf("seq %d is lost, though it was durable (through %d)", r.Seq, m.durable)
		}
		if r.Seq < last && !slices.ContainsFunc(m.s.Recovered(), func(d Damage) bool { return d.AfterSeq < r.Seq && r.Seq <= d.ThroughSeq }) {
			m.rt.Fatalf("seq %d is lost without being on record: %+v", r.Seq, m.s.Recovered())
		}
	}
	if len(got) > 0 {
		m.rt.Fatalf("after the crash there is %+v, which was never written, or not there", got[0])
	}
	m.records = kept
	m.last = max(m.durable, last)
	m.durable = m.last
	m.received = time.Time{}
	if n := len(kept); n > 0 {
		m.received = kept[n-1].ReceivedAt
	}
}

func (m *model) crashFile(dir string, seg *segment) {
	b := must1(os.ReadFile(m.s.path(seg.name)))
	if seg.durable < seg.size {
		if seg.durable == 0 && rapid.Bool().Draw(m.rt, "file is lost") {
			return
		}
		b = b[:rapid.Int64Range(seg.durable, seg.size).Draw(m.rt, "kept bytes")]
	}
	if seg.durable < seg.size || seg == m.s.active() {
		rubbish := rapid.SampledFrom([][]byte{nil, make([]byte, 10), make([]byte, 500), bytes.Repeat([]byte{0x5a}, 130)}).Draw(m.rt, "rubbish")
		b = append(b, rubbish...)
	}
	must(m.t, os.WriteFile(filepath.Join(dir, seg.name), b, 0o600))
}
