package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// asideMark is in the name of each file that holds what was set aside, behind that of the segment it was in.
const asideMark = ".corrupt-"

// IsSetAside says whether a file of a spool's directory, by its name, is one that Open set aside. Nothing reads it, and it
// counts for no quota.
func IsSetAside(name string) bool { return strings.Contains(name, asideMark) }

// copyAside copies part of a segment to a file of its own, and has it on disk before the part is cut off.
func (s *Spool) copyAside(file *os.File, name string, off, n int64) (aside string, err error) {
	base := fmt.Sprintf("%s%s%d", name, asideMark, off)
	aside = base
	for i := 1; ; i++ {
		to, err := s.disk.open(s.path(aside), os.O_CREATE|os.O_EXCL|os.O_RDWR)
		if err == nil {
			defer to.Close()
			return aside, s.fillAside(to, aside, file, off, n)
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		// Other bytes set aside before are kept. The same ones are there when an Open was cut short.
		if same, err := s.sameBytes(aside, file, off, n); same || err != nil {
			return aside, err
		}
		aside = fmt.Sprintf("%s-%d", base, i)
	}
}

func (s *Spool) fillAside(to *os.File, aside string, file *os.File, off, n int64) error {
	if err := s.copy(to, 0, file, off, n); err != nil {
		return errors.Join(err, s.disk.remove(s.path(aside)))
	}
	if err := s.disk.sync(to); err != nil {
		return errors.Join(err, s.disk.remove(s.path(aside)))
	}
	return s.disk.syncDir(s.dir)
}

// sameBytes says whether the file of that name holds just this part of file.
func (s *Spool) sameBytes(name string, file *os.File, off, n int64) (bool, error) {
	other, err := s.disk.open(s.path(name), os.O_RDONLY)
	if err != nil {
		return false, err
	}
	defer other.Close()
	if info, err := other.Stat(); err != nil || info.Size() != n {
		return false, err
	}
	a, b := make([]byte, min(n, 1<<20)), make([]byte, min(n, 1<<20))
	for done := int64(0); done < n; done += int64(len(a)) {
		a, b = a[:min(n-done, int64(len(a)))], b[:min(n-done, int64(len(b)))]
		if _, err := s.disk.readAt(file, a, off+done); err != nil {
			return false, err
		}
		if _, err := s.disk.readAt(other, b, done); err != nil {
			return false, err
		}
		if !bytes.Equal(a, b) {
			return false, nil
		}
	}
	return true, nil
}

func (s *Spool) copy(to *os.File, toOff int64, from *os.File, fromOff, n int64) error {
	buf := make([]byte, min(n, 1<<20))
	for done := int64(0); done < n; {
		b := buf[:min(n-done, int64(len(buf)))]
		if _, err := s.disk.readAt(from, b, fromOff+done); err != nil {
			return err
		}
		if err := s.disk.writeAt(to, b, toOff+done); err != nil {
			return err
		}
		done += int64(len(b))
	}
	return nil
}
