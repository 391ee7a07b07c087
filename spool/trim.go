package spool

import (
	"errors"
	"fmt"
	"slices"

	"archiver/internal/failpoint"
)

// rollBytes is from which size on a fully committed active segment is replaced, to give its disk back: rarely enough
// that a quiet inbox does not make and delete a file for every event.
const rollBytes = 1 << 20

// Trim says that all records up to seq through are in Postgres. Segments without any other record are deleted, at once
// or as soon as the segment after them is known to be on disk. An active segment that is fully committed is replaced by
// a new one when it is large enough or when Append was refused for lack of room. A lower number than before says that
// Postgres has lost some: what is on disk of those stays, and new readers deliver it. An error leaves the spool usable:
// the next Trim tries again.
func (s *Spool) Trim(through int64) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return ErrClosed
	}
	s.trimmed = min(through, s.last)
	err := s.rollCommitted()
	s.mu.Unlock()
	return errors.Join(err, s.reap())
}

// rollCommitted begins a new segment when all of the active one is committed and it is worth it.
func (s *Spool) rollCommitted() error {
	seg := s.active()
	if s.failed != nil || seg.last < seg.first || seg.last > s.trimmed || s.durable < seg.last {
		return nil
	}
	worth := min(rollBytes, s.opts.SegmentBytes/4, s.opts.MaxBytes/16)
	if seg.size < worth && !s.refused {
		return nil
	}
	if err := s.begin(s.last + 1); err != nil {
		return err
	}
	s.refused = false
	return nil
}

// reap deletes the segments that Trim has freed. The newest one that is durable always stays: the stream's id, seq and
// time are carried on in it. The directory is not fsynced: a segment that comes back after a power loss is read
// again and found committed.
func (s *Spool) reap() error {
	s.reaping.Lock()
	defer s.reaping.Unlock()
	defer s.reserve()
	for {
		s.mu.Lock()
		if s.closed || len(s.segments) < 2 {
			s.mu.Unlock()
			return nil
		}
		seg, next := s.segments[0], s.segments[1]
		free := seg.last <= s.trimmed && seg.file == nil && next.durable >= headerSize
		s.mu.Unlock()
		if !free {
			return nil
		}
		if err := s.disk.remove(s.path(seg.name)); err != nil {
			return fmt.Errorf("deleting a spool segment that is committed: %w", err)
		}
		failpoint.Hit("segment-deleted")
		s.mu.Lock()
		s.segments = slices.Delete(s.segments, 0, 1)
		s.bytes -= seg.size
		s.mu.Unlock()
	}
}
