package spool

import (
	"errors"
	"fmt"
	"os"
	"time"

	"archiver/internal/failpoint"
)

// inlineBytes is up to which size a record is copied together to be written in one call. Longer ones are written in
// pieces straight from the caller's memory, so that the spool keeps no large buffer.
const inlineBytes = 64 << 10

// Append writes r at the end of the log, keeping nothing of it in memory, and sets its Seq, ReceivedAt and ObservedAt.
// It does not wait for the fsync. Errors, on which r is unchanged and no seq is used: ErrFull, ErrTooLarge, ErrClosed,
// or the failure that made the spool fail for good.
func (s *Spool) Append(r *Record) error {
	n, err := recordSize(r)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	if s.sealed {
		return ErrClosed
	}
	seq := max(s.last, s.skip) + 1
	if err := s.makeRoom(n, seq); err != nil {
		return err
	}
	received := s.receivedAt(r.ReceivedAt)
	observed := received
	if !r.ObservedAt.IsZero() {
		observed = r.ObservedAt.UnixMicro()
	}
	if err := s.write(r, n, seq, received, observed); err != nil {
		return err
	}
	failpoint.Hit("written")
	seg := s.active()
	seg.size, seg.last = seg.size+n, seq
	s.bytes += n
	s.last, s.received = seq, received
	s.soil()
	r.Seq, r.ReceivedAt, r.ObservedAt = seq, time.UnixMicro(received).UTC(), time.UnixMicro(observed).UTC()
	return nil
}

// SkipTo makes the next Append's seq greater than seq. Called with the stream's checkpoint at start, it keeps seqs
// from being used twice where the database has records that the disk has lost.
func (s *Spool) SkipTo(seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skip = max(s.skip, seq)
}

// makeRoom begins a new segment where a record of n bytes does not fit the active one, or where seqs were skipped.
func (s *Spool) makeRoom(n, seq int64) error {
	seg := s.active()
	roll := seq != seg.last+1 || seg.size > headerSize && seg.size+n > s.opts.SegmentBytes
	need := n
	if roll {
		need += headerSize
	}
	if s.bytes+need > s.opts.MaxBytes {
		if n+headerSize > s.opts.MaxBytes {
			return fmt.Errorf("%w: %d bytes, and the quota is %d", ErrTooLarge, n, s.opts.MaxBytes)
		}
		s.refused = true
		return fmt.Errorf("%w: %s holds %d bytes, the quota is %d", ErrFull, s.dir, s.bytes, s.opts.MaxBytes)
	}
	if roll {
		return s.begin(seq)
	}
	return nil
}

// begin begins a new segment with the given first seq. The one before is fsynced and closed by the syncer.
// On an error the spool is as before.
func (s *Spool) begin(first int64) error {
	seg := &segment{name: segmentName(first, s.stream), first: first, last: first - 1, size: headerSize}
	file, err := s.create(seg)
	if noSpace(err) && s.giveWay() {
		file, err = s.create(seg)
	}
	if noSpace(err) {
		s.refused = true
		err = fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err != nil {
		return fmt.Errorf("beginning segment %s: %w", s.path(seg.name), err)
	}
	failpoint.Hit("segment-begun")
	seg.file = file
	s.segments = append(s.segments, seg)
	s.bytes += headerSize
	s.newFiles = true
	s.soil()
	return nil
}

// create makes the file of a new segment with its header in it, or leaves nothing behind.
func (s *Spool) create(seg *segment) (*os.File, error) {
	path := s.path(seg.name)
	// Truncated, as only the remains of a failed attempt can be there: no record ever had a seq as high as its first.
	file, err := s.disk.open(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	h := header{stream: s.stream, first: seg.first, prev: s.last, received: s.received, durable: s.durable}
	if err := s.disk.writeAt(file, h.encode(), 0); err != nil {
		return nil, errors.Join(err, file.Close(), s.disk.remove(path))
	}
	return file, nil
}

// receivedAt makes t, or now, later than that of the record before.
func (s *Spool) receivedAt(t time.Time) int64 {
	if t.IsZero() {
		t = time.Now()
	}
	return max(t.UnixMicro(), s.received+1)
}

// write writes the record at the end of the active segment, all of it or nothing.
func (s *Spool) write(r *Record, n, seq, received, observed int64) error {
	buf := appendHead(s.buf[:0], r, n, seq, received, observed)
	request, body := r.Request, r.Body
	if n <= inlineBytes {
		buf = append(append(buf, request...), body...)
		request, body = nil, nil
	}
	s.buf = buf
	setSum(s.seed, buf, request, body)
	seg := s.active()
	off := seg.size
	for _, b := range [...][]byte{buf, request, body} {
		if len(b) == 0 {
			continue
		}
		if err := s.disk.writeAt(seg.file, b, off); err != nil {
			return s.undo(seg, n, err)
		}
		off += int64(len(b))
		failpoint.Hit("torn") // between the pieces of a long record
	}
	return nil
}

// undo cuts off what a failed write left behind the last whole record.
func (s *Spool) undo(seg *segment, n int64, err error) error {
	err = fmt.Errorf("writing %d bytes to %s at %d: %w", n, s.path(seg.name), seg.size, err)
	if terr := s.disk.truncate(seg.file, seg.size); terr != nil {
		return s.fail(errors.Join(err, fmt.Errorf("cutting back to the last whole record: %w", terr)))
	}
	if noSpace(err) {
		s.refused = true
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return s.fail(err)
}
