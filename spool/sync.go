package spool

import (
	"fmt"
	"time"

	"archiver/internal/failpoint"
)

const (
	// groupDelay is how long, in a flood, the first write that is not yet on disk waits for others to share its fsync. An
	// fsync takes 0.5–5 ms on an SSD and about 10 ms on a spinning disk: waiting about as long adds little to what a record
	// waits anyway, and keeps a busy socket from asking for more than a few hundred of them a second.
	groupDelay = 3 * time.Millisecond
	// floodRecords is how many records in one group make a flood of it. With fewer a write waits only as long as keeps
	// fsyncs to a third of the time, and after a pause not at all.
	floodRecords = 3
	quietPause   = 2 // times as long as the last fsync took
)

// syncer fsyncs whenever something was written, until Close.
func (s *Spool) syncer() {
	defer close(s.syncerDone)
	for {
		select {
		case <-s.wakeSync:
		case <-s.stop:
			return
		}
		s.gather()
		if s.sync() == nil {
			_ = s.reap() // Trim tries again what could not be deleted, and says so
		}
	}
}

// gather lets a group of writes come together. What was written during a long fsync has waited already.
func (s *Spool) gather() {
	s.mu.Lock()
	var wait time.Duration
	switch {
	case s.opts.groupDelay > 0:
		wait = s.opts.groupDelay - time.Since(s.dirtyFrom)
	case s.group >= floodRecords:
		wait = groupDelay - time.Since(s.dirtyFrom)
	default:
		wait = min(groupDelay, quietPause*s.syncTook) - time.Since(s.synced)
	}
	s.mu.Unlock()
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.sealing:
	case <-s.stop:
	}
}

// syncTarget is a segment and how much of it there was when the fsync began.
type syncTarget struct {
	seg  *segment
	size int64
}

// sync makes durable all that was written before it was called. Only one goroutine at a time may call it: of two
// fsyncs of a file at once only one is told of an error.
func (s *Spool) sync() error {
	s.mu.Lock()
	if s.failed != nil || !s.dirty {
		defer s.mu.Unlock()
		return s.failed
	}
	targets := s.syncing[:0]
	for i := len(s.segments) - 1; i >= 0 && s.segments[i].file != nil; i-- {
		targets = append(targets, syncTarget{s.segments[i], s.segments[i].size})
	}
	last, newFiles, began := s.last, s.newFiles, time.Now()
	s.syncing, s.dirty, s.newFiles = targets, false, false
	s.mu.Unlock()

	err := s.flush(targets, newFiles)
	failpoint.Hit("fsynced")

	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return s.fail(err)
	}
	s.syncs++
	s.synced = time.Now()
	s.syncTook, s.group = s.synced.Sub(began), last-s.durable
	s.durable = last
	active := s.active()
	for i, t := range targets {
		t.seg.durable = t.size
		if t.seg != active && t.size == t.seg.size {
			_ = t.seg.file.Close() // fsynced: there is nothing left that a close could lose
			t.seg.file = nil
		}
		targets[i] = syncTarget{}
	}
	s.announce()
	return nil
}

func (s *Spool) flush(targets []syncTarget, newFiles bool) error {
	for _, t := range targets {
		if err := s.disk.sync(t.seg.file); err != nil {
			return fmt.Errorf("making segment %s durable: %w", t.seg.name, err)
		}
	}
	if newFiles {
		if err := s.disk.syncDir(s.dir); err != nil {
			return fmt.Errorf("making new segments durable: %w", err)
		}
	}
	return nil
}

// soil notes that something was written. The caller holds mu.
func (s *Spool) soil() {
	if s.dirty {
		return
	}
	s.dirty, s.dirtyFrom = true, time.Now()
	select {
	case s.wakeSync <- struct{}{}:
	default: // the syncer has not yet come to the last token; it will see this write as well
	}
}

// fail makes the spool fail for good and returns that failure. The caller holds mu.
func (s *Spool) fail(err error) error {
	if s.failed == nil {
		s.failed = fmt.Errorf("spool %s has failed and has to be opened anew: %w", s.dir, err)
		s.announce()
	}
	return s.failed
}

// announce wakes the readers that wait. The caller holds mu.
func (s *Spool) announce() {
	if s.advanced != nil {
		close(s.advanced)
		s.advanced = nil
	}
}
