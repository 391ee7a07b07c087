package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Open opens the spool in dir, making the directory (0700) when it is not there, and recovers what a crash left; see
// Recovered. It reads every segment, so it takes as long as the disk takes for the backlog. Errors: ErrLocked,
// ErrVersion, a directory that cannot be read or written, segments of different streams in one directory.
func Open(dir string, opts Options) (*Spool, error) {
	opts = opts.withDefaults()
	abs, err := filepath.Abs(dir) // a later chdir must not move the spool
	if err != nil {
		return nil, fmt.Errorf("opening spool %s: %w", dir, err)
	}
	dir = abs
	s := &Spool{
		dir: dir, opts: opts, disk: opts.disk,
		wakeSync:   make(chan struct{}, 1),
		sealing:    make(chan struct{}),
		stop:       make(chan struct{}),
		syncerDone: make(chan struct{}),
		buf:        make([]byte, 0, inlineBytes),
	}
	if err := s.acquire(); err != nil {
		return nil, fmt.Errorf("opening spool %s: %w", dir, err)
	}
	if err := s.recover(); err != nil {
		s.release()
		return nil, fmt.Errorf("opening spool %s: %w", dir, err)
	}
	s.reserve()
	go s.syncer()
	return s, nil
}

// acquire makes the directory and takes its lock. The kernel drops the lock with the process, however that ends.
func (s *Spool) acquire() error {
	if err := s.disk.mkdir(s.dir); err != nil {
		return fmt.Errorf("making the directory: %w", err)
	}
	f, err := s.disk.open(s.path("lock"), os.O_CREATE|os.O_RDWR)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("the directory must be writable by the user who runs archiver: %w", err)
		}
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("%w: another archiver has it open; stop that one or give this one its own directory", ErrLocked)
		}
		return fmt.Errorf("locking %s: %w", f.Name(), err)
	}
	s.lock = f
	return nil
}

// release closes every file, the lock last.
func (s *Spool) release() error {
	var errs []error
	for _, seg := range s.segments {
		if seg.file != nil {
			errs = append(errs, seg.file.Close())
			seg.file = nil
		}
	}
	errs = append(errs, s.lock.Close())
	return errors.Join(errs...)
}

func (s *Spool) path(name string) string { return filepath.Join(s.dir, name) }
