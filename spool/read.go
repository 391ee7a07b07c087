package spool

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
)

// readStep is how much is read at a time: enough for sequential speed, little enough that reading past the end of a
// batch, which is read again for the next, costs nothing.
const readStep = 256 << 10

// Reader delivers a spool's durable records in order. It is for one goroutine; a spool can have several.
type Reader struct {
	s       *Spool
	after   int64    // seq of the last record delivered
	seg     *segment // where it reads, or nil
	file    *os.File // seg, opened for this reader; nil when not open
	off     int64    // in seg
	seq     int64    // of the record at off
	strings interned
}

// NewReader returns a reader of the records with a seq greater than after.
func (s *Spool) NewReader(after int64) *Reader {
	return &Reader{s: s, after: after, strings: make(interned)}
}

// Batch is what one call of Next delivers. It owns the memory its records' byte slices point into, and uses it again.
type Batch struct {
	Records []Record // in order of Seq
	Bytes   int      // their size on disk
	buf     []byte
}

// Next fills b with records that follow those of the call before: at most maxRecords, and at most maxBytes of them as
// they are on disk, but at least one. It blocks until there is a durable one. What b held before becomes invalid, so two
// batches can be used in turn. Errors: io.EOF when the spool is sealed and all of it is delivered, ErrClosed, the
// spool's failure once what was durable before is delivered, ErrCorrupt, fs.ErrNotExist for a segment that something else
// has deleted, that of ctx. Records that Trim was called for meanwhile are passed over.
func (r *Reader) Next(ctx context.Context, b *Batch, maxRecords int, maxBytes int) error {
	b.Records, b.Bytes = b.Records[:0], 0
	for {
		end, err := r.await(ctx)
		if err != nil {
			return err
		}
		if err := r.skip(end); err != nil {
			return r.wrap(err)
		}
		if r.off == end {
			continue // all of it was before what this reader is to deliver
		}
		if err := r.fill(b, int(min(end-r.off, int64(maxInt))), max(1, maxRecords), maxBytes); err != nil {
			return r.wrap(err)
		}
		return nil
	}
}

const maxInt = int(^uint(0) >> 1)

// Close closes the file the reader has open. A reader that got io.EOF has none open. The reader can be used on.
func (r *Reader) Close() error {
	file := r.file
	r.file, r.seg = nil, nil
	if file == nil {
		return nil
	}
	return file.Close()
}

func (r *Reader) wrap(err error) error {
	return fmt.Errorf("reading spool segment %s at %d: %w", r.s.path(r.seg.name), r.off, err)
}

// await waits until the reader's segment has durable bytes after r.off, and returns where they end.
func (r *Reader) await(ctx context.Context) (end int64, err error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		end, wait, err := r.locate()
		if err != nil {
			if errors.Is(err, io.EOF) {
				r.Close()
			}
			return 0, err
		}
		if wait == nil {
			err := r.open()
			if errors.Is(err, fs.ErrNotExist) {
				if r.isTrimmed() {
					continue
				}
				return 0, fmt.Errorf("a spool segment is gone that was not trimmed; something else has deleted it: %w", err)
			}
			return end, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
}

// locate finds the segment to read on in and how far it is durable, or what to wait for.
func (r *Reader) locate() (end int64, wait <-chan struct{}, err error) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, nil, ErrClosed
	}
	r.after = max(r.after, s.trimmed)
	i := sort.Search(len(s.segments), func(i int) bool { return s.segments[i].last > r.after })
	for i < len(s.segments) && s.segments[i].last < s.segments[i].first {
		i++ // empty: skipped or damaged seqs follow
	}
	if i < len(s.segments) {
		seg := s.segments[i]
		if seg != r.seg {
			r.Close()
			r.seg, r.off, r.seq = seg, headerSize, seg.first
		}
		if r.off < seg.durable {
			return seg.durable, nil, nil
		}
	}
	switch {
	case s.failed != nil:
		return 0, nil, s.failed
	case s.sealed && s.durable == s.last:
		return 0, nil, io.EOF
	}
	if s.advanced == nil {
		s.advanced = make(chan struct{})
	}
	return 0, s.advanced, nil
}

// isTrimmed reports whether the reader's segment need not be read any more.
func (r *Reader) isTrimmed() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.seg.last <= r.s.trimmed
}

func (r *Reader) open() error {
	if r.file != nil {
		return nil
	}
	file, err := r.s.disk.open(r.s.path(r.seg.name), os.O_RDONLY)
	if err != nil {
		return err
	}
	r.file = file
	return nil
}

// skip passes over records that need not be delivered, which there are only in the first segment a reader comes to.
func (r *Reader) skip(end int64) error {
	if r.seq > r.after {
		return nil
	}
	br := bufio.NewReaderSize(io.NewSectionReader(fileAt{r.s.disk, r.file}, r.off, end-r.off), readStep)
	for r.seq <= r.after && r.off < end {
		prefix, err := br.Peek(prefixSize)
		if err != nil {
			return shortened(err)
		}
		n, ok := sizeOf(prefix)
		if !ok || n > end-r.off {
			return ErrCorrupt
		}
		if _, err := br.Discard(int(n)); err != nil {
			return shortened(err)
		}
		r.off, r.seq = r.off+n, r.seq+1
	}
	return nil
}

// fill reads records from r.off on, where avail bytes are durable, and decodes them.
func (r *Reader) fill(b *Batch, avail, maxRecords, maxBytes int) error {
	if cap(b.buf) > 2*max(0, maxBytes)+4*readStep { // more than batches need: one huge record must not keep its memory for ever
		b.buf = nil
		clear(b.Records[:cap(b.Records)])
	}
	b.buf = b.buf[:0]
	used, count := 0, 0
	for count < maxRecords && used < avail {
		need := prefixSize
		if len(b.buf)-used >= prefixSize {
			n, ok := sizeOf(b.buf[used:])
			if !ok || n > int64(avail-used) {
				return ErrCorrupt
			}
			need = int(n)
			if count > 0 && used+need > maxBytes {
				break
			}
			if len(b.buf)-used >= need {
				used, count = used+need, count+1
				continue
			}
		}
		if err := r.more(b, min(avail, max(used+need, len(b.buf)+readStep))); err != nil {
			return err
		}
	}
	return r.decode(b, used)
}

// more reads on until the buffer holds size bytes.
func (r *Reader) more(b *Batch, size int) error {
	have := len(b.buf)
	b.buf = slices.Grow(b.buf, size-have)[:size]
	_, err := r.s.disk.readAt(r.file, b.buf[have:], r.off+int64(have))
	if err != nil {
		return shortened(err)
	}
	return nil
}

// decode turns the first used bytes of the buffer into records. The reader moves on only when all are good.
func (r *Reader) decode(b *Batch, used int) error {
	seq := r.seq
	for rest := b.buf[:used]; len(rest) > 0; seq++ {
		n, _ := sizeOf(rest)
		b.Records = append(b.Records, Record{})
		rec := &b.Records[len(b.Records)-1]
		if !decode(rest[:n], r.s.seed, rec, r.strings) || rec.Seq != seq {
			b.Records = b.Records[:0]
			return fmt.Errorf("%w: the record of seq %d does not check out", ErrCorrupt, seq)
		}
		rest = rest[n:]
	}
	b.Bytes = used
	r.off, r.seq, r.after = r.off+int64(used), seq, seq-1
	return nil
}

// shortened makes the end of a file before the end of what was written to it ErrCorrupt.
func shortened(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: the file has become shorter", ErrCorrupt)
	}
	return err
}
