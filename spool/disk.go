package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is every operation on files that the spool does. The zero value is the real disk.
type disk struct {
	// fault, when set, is asked before each operation: on an error the operation is not done and fails with it, except
	// that a write first writes the given number of bytes (a short write). May be called by several goroutines at once.
	fault func(op string, path string, bytes int) (short int, err error)
}

// The operations that fault is asked about.
const (
	opMkdir    = "mkdir"
	opOpen     = "open"
	opRead     = "read"
	opWrite    = "write"
	opTruncate = "truncate"
	opSync     = "fsync"
	opSyncDir  = "fsync of directory"
	opRemove   = "remove"
)

func (d *disk) ask(op, path string, bytes int) (int, error) {
	if d.fault == nil {
		return 0, nil
	}
	short, err := d.fault(op, path, bytes)
	if err != nil {
		err = &fs.PathError{Op: op, Path: path, Err: err}
	}
	return short, err
}

// mkdir makes dir and what is missing above it, for the owner only, and sees to it that they survive a power loss.
func (d *disk) mkdir(dir string) error {
	if info, err := os.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is not a directory", dir)
		}
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := d.mkdir(parent); err != nil {
		return err
	}
	if _, err := d.ask(opMkdir, dir, 0); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncDir(parent)
}

// open opens a file, a new one for the owner only.
func (d *disk) open(path string, flag int) (*os.File, error) {
	if _, err := d.ask(opOpen, path, 0); err != nil {
		return nil, err
	}
	return os.OpenFile(path, flag, 0o600)
}

func (d *disk) readAt(f *os.File, b []byte, off int64) (int, error) {
	if _, err := d.ask(opRead, f.Name(), len(b)); err != nil {
		return 0, err
	}
	return f.ReadAt(b, off)
}

func (d *disk) writeAt(f *os.File, b []byte, off int64) error {
	if short, err := d.ask(opWrite, f.Name(), len(b)); err != nil {
		if short > 0 {
			if _, err := f.WriteAt(b[:short], off); err != nil {
				return err
			}
		}
		return err
	}
	_, err := f.WriteAt(b, off)
	return err
}

func (d *disk) truncate(f *os.File, size int64) error {
	if _, err := d.ask(opTruncate, f.Name(), 0); err != nil {
		return err
	}
	return f.Truncate(size)
}

func (d *disk) sync(f *os.File) error {
	if _, err := d.ask(opSync, f.Name(), 0); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes names that were created or removed in dir survive a power loss.
func (d *disk) syncDir(dir string) error {
	if _, err := d.ask(opSyncDir, dir, 0); err != nil {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *disk) remove(path string) error {
	if _, err := d.ask(opRemove, path, 0); err != nil {
		return err
	}
	return os.Remove(path)
}

// noSpace says whether a failed write is one that works again when there is room.
func noSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// fileAt is a file for io.SectionReader.
type fileAt struct {
	disk *disk
	file *os.File
}

func (f fileAt) ReadAt(b []byte, off int64) (int, error) { return f.disk.readAt(f.file, b, off) }
