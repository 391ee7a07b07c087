package spool

import "errors"

// Seal ends the intake: Append returns ErrClosed from now on, and readers get io.EOF after the last record, as soon as
// that is durable. Trim goes on working, so that the spool can be drained. Sealing twice does nothing.
func (s *Spool) Seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seal()
}

func (s *Spool) seal() {
	if s.sealed {
		return
	}
	s.sealed = true
	close(s.sealing) // the syncer need not wait for more
	s.announce()
}

// Close makes durable what was appended, closes the files and gives up the lock. Readers that wait get ErrClosed. It
// returns the failure if the spool has failed. Closing twice does nothing.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.seal()
	s.closed = true
	s.announce()
	s.mu.Unlock()

	close(s.stop)
	<-s.syncerDone
	s.reaping.Lock() // a Trim that is deleting comes to its end
	defer s.reaping.Unlock()
	err := s.sync()

	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.release())
}
