package spool

import "os"

const (
	// reserveName is a file that is there for the room it takes up. Where the spool has filled its disk by itself, all that
	// would give room back is deleting the active segment, and for that the next one has to be begun first: the reserve
	// makes way for it.
	reserveName = "reserve"
	// reserveBytes is a block of any file system in use, for the header of a segment, and some for names in the directory.
	reserveBytes = 64 << 10
)

// reserve makes the reserve when it is not there. Where it cannot be made the spool goes on without, until the next call.
// The caller is alone, or holds reaping.
func (s *Spool) reserve() {
	s.mu.Lock()
	isDone := s.reserved || s.closed
	s.mu.Unlock()
	if isDone || !s.makeReserve() {
		return
	}
	s.mu.Lock()
	s.reserved = true
	s.mu.Unlock()
}

func (s *Spool) makeReserve() bool {
	path := s.path(reserveName)
	file, err := s.disk.open(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR)
	if err != nil {
		return false
	}
	err = s.disk.writeAt(file, make([]byte, reserveBytes), 0) // written, as a file with a hole takes up no room
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = s.disk.remove(path) // what was written of it is room that others need
	}
	return err == nil
}

// giveWay gives the room of the reserve back to the disk, and says whether there was any. The caller holds mu, or is alone.
func (s *Spool) giveWay() bool {
	had := s.reserved
	s.reserved = false
	return had && s.disk.remove(s.path(reserveName)) == nil
}
