package spool

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Damage is a place where Open found bytes that are no records, or records missing. As long as the segments before and
// after it are there, every Open reports again that records are missing, so that a crash before it is on record loses
// nothing: expect to see the same AfterSeq more than once.
type Damage struct {
	Segment string // name of the file
	Offset  int64  // where in it
	Bytes   int64  // how many were set aside; 0 when records are missing altogether
	// SetAside is the name of the file that now holds these bytes; empty when there are none.
	SetAside string
	// AfterSeq is the seq of the last record before the damage. Records after AfterSeq and up to ThroughSeq may be lost;
	// none when they are equal. ThroughSeq is exact where a segment follows, else the most that the bytes can have held.
	AfterSeq, ThroughSeq int64
	// After and Until are when whatever is lost was received: after the last record before it, and not later than
	// the next segment was begun, or, at the end of the log, than now. After is zero when there was no record before.
	After, Until time.Time
}

// Recovered says what Open found damaged, oldest first; empty after a clean start. Whoever keeps the ledger of gaps
// records it there.
func (s *Spool) Recovered() []Damage { return slices.Clone(s.damage) }

// recover brings the spool from what is in the directory to where Append and Next can go on.
func (s *Spool) recover() error {
	found, err := s.list()
	if err != nil {
		return err
	}
	s.reserved = true // it may be, of the run before
	s.giveWay()       // what follows may need room
	rc := &recovery{s: s}
	for _, f := range found {
		if err := rc.segment(f); err != nil {
			return fmt.Errorf("recovering segment %s: %w", f.name, err)
		}
	}
	if err := rc.finish(); err != nil {
		return err
	}
	for _, d := range s.damage {
		s.opts.Log.Warn("spool damage found", "segment", d.Segment, "offset", d.Offset, "bytes", d.Bytes,
			"set_aside", d.SetAside, "after_seq", d.AfterSeq, "through_seq", d.ThroughSeq)
	}
	return nil
}

// found is a segment as its name and its header describe it.
type found struct {
	name   string
	size   int64
	header header
	intact bool // the header is; else only stream and first are known, from the name
}

// list reads all headers and refuses what it must not touch before anything is changed.
func (s *Spool) list() ([]found, error) {
	entries, err := os.ReadDir(s.dir) // sorted by name, so by seq
	if err != nil {
		return nil, fmt.Errorf("reading the directory: %w", err)
	}
	var all []found
	for _, e := range entries {
		first, stream, ok := parseSegmentName(e.Name())
		if !ok || !e.Type().IsRegular() {
			continue
		}
		f, err := s.readHeader(e.Name(), first, stream)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 && all[0].header.stream != stream {
			return nil, fmt.Errorf("segments %s and %s are of different streams: move the ones that do not belong here elsewhere", all[0].name, f.name)
		}
		all = append(all, f)
	}
	return all, nil
}

func (s *Spool) readHeader(name string, first int64, stream uuid.UUID) (found, error) {
	file, err := s.disk.open(s.path(name), os.O_RDONLY)
	if err != nil {
		return found{}, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return found{}, err
	}
	b := make([]byte, headerSize)
	n, err := s.disk.readAt(file, b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return found{}, err
	}
	f := found{name: name, size: info.Size()}
	h, version, ok := decodeHeader(b[:n])
	switch {
	case !ok:
		f.header = header{stream: stream, first: first}
	case version != formatVersion:
		return found{}, fmt.Errorf("%w: segment %s has version %d, this program knows %d: run the newer program, or let it drain the spool first",
			ErrVersion, name, version, formatVersion)
	case h.stream != stream || h.first != first:
		return found{}, fmt.Errorf("segment %s was renamed: by its header it is %s", name, segmentName(h.first, h.stream))
	default:
		f.header, f.intact = h, true
	}
	return f, nil
}

// recovery is what has been learned from the segments so far.
type recovery struct {
	s        *Spool
	last     int64 // seq of the last good record
	bound    int64 // no seq above this one can have been used so far
	received int64 // latest ReceivedAt, in µs
	durable  int64 // by the headers, all up to here was fsynced
	open     bool  // the last damage is at the end of what has been read

	// What cuts off or takes away damaged bytes. It is done last, when a new segment says on disk which seqs they can have
	// held: were it done before, a crash between the two would let these seqs be used again.
	later []func() error
}

// segment takes over one segment, oldest first: keeps its good beginning, sets the rest aside.
func (rc *recovery) segment(f found) error {
	s := rc.s
	file, err := s.disk.open(s.path(f.name), os.O_RDWR)
	if err != nil {
		return err
	}
	defer file.Close()
	h := f.header
	if !f.intact {
		h.prev, h.received, h.durable = h.first-1, rc.received, rc.durable
	}
	if n := len(s.segments); n > 0 && h.first <= s.segments[n-1].last {
		return fmt.Errorf("it begins at seq %d, which segment %s has already", h.first, s.segments[n-1].name)
	}
	sc, err := s.scan(file, h, f.size)
	if err != nil {
		return err
	}
	if !f.intact && sc.last < h.first {
		return rc.drop(file, f)
	}
	rc.settle(h)
	rc.received = max(rc.received, h.received)
	if !f.intact {
		rc.last = h.first - 1
		if err := rc.restoreHeader(file, f, h); err != nil {
			return err
		}
	}
	rc.last, rc.bound = sc.last, sc.last
	rc.received = max(rc.received, sc.received)
	rc.durable = max(rc.durable, h.durable)
	if sc.end < f.size {
		if err := rc.cut(file, f, sc.end); err != nil {
			return err
		}
	}
	s.segments = append(s.segments, &segment{name: f.name, first: h.first, last: sc.last, size: sc.end})
	s.bytes += sc.end
	s.stream = h.stream
	return nil
}

// scanned is how far a segment makes sense.
type scanned struct{ end, last, received int64 }

// scan reads a segment's records up to the first that is not right. A record is streamed through a small buffer, so a
// damaged length cannot make it allocate.
func (s *Spool) scan(file *os.File, h header, size int64) (scanned, error) {
	sc := scanned{end: headerSize, last: h.first - 1}
	seed := crc32.Checksum(h.stream[:], castagnoli)
	br := bufio.NewReaderSize(io.NewSectionReader(fileAt{s.disk, file}, headerSize, max(0, size-headerSize)), readStep)
	for {
		head, err := br.Peek(headSize)
		if errors.Is(err, io.EOF) {
			return sc, nil
		} else if err != nil {
			return sc, err
		}
		n, ok := sizeOf(head)
		if !ok || n > size-sc.end || !partsFit(head, n) || int64(le.Uint64(head[8:])) != sc.last+1 {
			return sc, nil
		}
		want, received := le.Uint32(head[4:]), int64(le.Uint64(head[16:]))
		sum := headSum(seed, head)
		br.Discard(prefixSize) // cannot fail: peeked
		for left := n - prefixSize; left > 0; {
			b, err := br.Peek(int(min(left, readStep)))
			if err != nil && !errors.Is(err, io.EOF) {
				return sc, err
			} else if len(b) == 0 {
				return sc, nil
			}
			sum = crc32.Update(sum, castagnoli, b)
			br.Discard(len(b))
			left -= int64(len(b))
		}
		if sum != want {
			return sc, nil
		}
		sc.end, sc.last, sc.received = sc.end+n, sc.last+1, max(sc.received, received)
	}
}

// drop sets a whole file aside that has neither a header nor a record.
func (rc *recovery) drop(file *os.File, f found) error {
	s := rc.s
	if len(s.segments) == 0 {
		rc.last = max(rc.last, f.header.first-1)
	}
	// Its name says that seqs up to its own first may have been used before it.
	rc.bound = max(rc.bound, f.header.first-1)
	rc.later = append(rc.later, func() error {
		if f.name == s.active().name {
			return nil // the new segment has taken its place
		}
		return s.disk.remove(s.path(f.name))
	})
	if f.size == 0 { // what a power loss leaves of a segment just begun
		if !rc.open && rc.bound > rc.last {
			rc.report(Damage{Segment: f.name, ThroughSeq: rc.bound})
		}
		return nil
	}
	aside, err := s.copyAside(file, f.name, 0, f.size)
	if err != nil {
		return err
	}
	rc.bound = max(rc.bound, f.header.first-1+max(0, f.size-headerSize)/headSize)
	rc.report(Damage{Segment: f.name, Bytes: f.size, SetAside: aside, ThroughSeq: rc.bound})
	return nil
}

// settle compares what a segment says came before it with what was found.
func (rc *recovery) settle(h header) {
	s := rc.s
	if n := len(s.segments); n > 0 && !rc.open && h.prev > rc.last {
		rc.report(Damage{Segment: s.segments[n-1].name, Offset: s.segments[n-1].size})
	}
	if rc.open {
		d := &s.damage[len(s.damage)-1]
		d.ThroughSeq = max(d.AfterSeq, h.prev)
		d.Until = fromMicro(max(h.received, rc.received))
	}
	rc.open = false
}

// restoreHeader writes a header anew of which only bytes were damaged: the records behind it are good.
func (rc *recovery) restoreHeader(file *os.File, f found, h header) error {
	s := rc.s
	aside, err := s.copyAside(file, f.name, 0, headerSize)
	if err != nil {
		return err
	}
	if err := s.disk.writeAt(file, h.encode(), 0); err != nil {
		return err
	}
	rc.report(Damage{Segment: f.name, Bytes: headerSize, SetAside: aside, ThroughSeq: rc.last})
	s.damage[len(s.damage)-1].Until = fromMicro(rc.received)
	rc.open = false
	return s.disk.sync(file)
}

// cut sets aside what follows the good beginning of a segment.
func (rc *recovery) cut(file *os.File, f found, end int64) error {
	s := rc.s
	aside, err := s.copyAside(file, f.name, end, f.size-end)
	if err != nil {
		return err
	}
	rc.later = append(rc.later, func() error { return s.shorten(f.name, end) })
	rc.bound = rc.last + (f.size-end)/headSize
	rc.report(Damage{Segment: f.name, Offset: end, Bytes: f.size - end, SetAside: aside, ThroughSeq: rc.bound})
	return nil
}

func (s *Spool) shorten(name string, size int64) error {
	file, err := s.disk.open(s.path(name), os.O_RDWR)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := s.disk.truncate(file, size); err != nil {
		return err
	}
	return s.disk.sync(file)
}

func (rc *recovery) report(d Damage) {
	d.AfterSeq, d.After = rc.last, fromMicro(rc.received)
	d.ThroughSeq = max(d.AfterSeq, d.ThroughSeq)
	rc.s.damage = append(rc.s.damage, d)
	rc.open = true
}

// finish makes what was kept durable and opens the segment to go on with.
func (rc *recovery) finish() error {
	s := rc.s
	if rc.open {
		d := &s.damage[len(s.damage)-1]
		d.ThroughSeq, d.Until = max(d.ThroughSeq, rc.bound), time.Now().UTC().Truncate(time.Microsecond)
	}
	s.received = rc.received
	if len(s.segments) == 0 {
		// Whatever was here, its seqs are unknown: a new stream cannot repeat one.
		rc.last, rc.bound = 0, 0
		s.stream = uuid.Must(uuid.NewV7()) // its first bits are the time, for BegunAt
	}
	s.seed = crc32.Checksum(s.stream[:], castagnoli)
	for i, seg := range s.segments {
		if seg.last > rc.durable || i == len(s.segments)-1 {
			if err := s.secure(seg); err != nil {
				return fmt.Errorf("securing segment %s: %w", seg.name, err)
			}
		}
		seg.durable = seg.size
	}
	s.last, s.durable = rc.bound, rc.bound
	// Within a segment seqs have no holes, so what follows a hole is a new segment.
	if len(s.segments) == 0 || rc.bound > rc.last {
		if err := s.beginDurable(s.last + 1); err != nil {
			return err
		}
	}
	for _, do := range rc.later {
		if err := do(); err != nil {
			return fmt.Errorf("taking away what was set aside: %w", err)
		}
	}
	if seg := s.active(); seg.file == nil {
		file, err := s.disk.open(s.path(seg.name), os.O_RDWR)
		if err != nil {
			return err
		}
		seg.file = file
	}
	return s.disk.syncDir(s.dir)
}

func (s *Spool) beginDurable(first int64) error {
	if err := s.begin(first); err != nil {
		return err
	}
	if err := s.disk.sync(s.active().file); err != nil {
		return err
	}
	if err := s.disk.syncDir(s.dir); err != nil {
		return err
	}
	s.active().durable = headerSize
	s.dirty, s.newFiles = false, false
	return nil
}

// secure writes a segment over itself and fsyncs it. What was read may exist in the kernel's memory only: after an
// fsync that failed in an earlier process the kernel takes these pages for written and another fsync would say so.
// Writing them again makes them dirty, so that this fsync means what it says. Only segments newer than the last known
// fsync are concerned, so this is at most about SegmentBytes, and usually the little that is not yet committed.
func (s *Spool) secure(seg *segment) error {
	file, err := s.disk.open(s.path(seg.name), os.O_RDWR)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := s.copy(file, 0, file, 0, seg.size); err != nil {
		return err
	}
	return s.disk.sync(file)
}

// fromMicro is the time of µs since 1970, the zero time for none.
func fromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
