package spool

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
)

var (
	// ErrLocked is returned by Open when another process, or this one, has the directory open.
	ErrLocked = errors.New("spool is in use")
	// ErrFull is returned by Append when the quota is reached or the disk is full. Nothing was written, no seq was used
	// and the spool can be used on: appending works again when Trim has given room back.
	ErrFull = errors.New("spool is full")
	// ErrClosed is returned by Append after Seal or Close, and by Next and Trim after Close.
	ErrClosed = errors.New("spool is closed")
	// ErrTooLarge is returned by Append for a record that can never be stored: longer than MaxRecordBytes or than the
	// quota, or with an org id, a source or a kind longer than its length field can say. Nothing was written.
	ErrTooLarge = errors.New("record is too large for the spool")
	// ErrCorrupt is returned by Next for a record that was good when it was written or recovered and no longer is.
	// Opening the spool anew sets it aside.
	ErrCorrupt = errors.New("spool is corrupt")
	// ErrVersion is returned by Open for a directory written by a newer program.
	ErrVersion = errors.New("spool has a newer format")
)

// Record is one thing received, in the bytes it came in.
type Record struct {
	// Seq is the record's place in the stream, from 1, set by Append. It only ever rises; it has holes where SkipTo or
	// damage made them.
	Seq int64
	// ReceivedAt is the archiver's clock when the whole frame or response had arrived, in microseconds. Append takes
	// the current time when it is zero, and makes it strictly increasing within the stream: where the clock stood still
	// or went back, it is a microsecond after the record before.
	ReceivedAt time.Time
	// ObservedAt is what the content is at least as fresh as, in microseconds. Zero stands for ReceivedAt, and Append
	// fills it in.
	ObservedAt time.Time
	// ConnectionID is uuid.Nil when there was none.
	ConnectionID uuid.UUID
	// OrgID is the org the connection or request stands for; at most 65,535 bytes.
	OrgID string
	// Source and Kind say where the record is from ("socket", "rest", "import") and what it is ("frame",
	// "chats_page", …); the spool does not interpret them. At most 255 bytes each.
	Source, Kind string
	// Request is JSON that describes the REST request; nil when there was none.
	Request []byte
	// Body is any bytes, as they came; may be empty.
	Body []byte
}

// Options of Open. The zero value is ready to use.
type Options struct {
	// SegmentBytes is the size at which a segment is full (default 64 MiB). A single record may be longer.
	SegmentBytes int64
	// MaxBytes is the quota over all segments (default 10 GiB). What was set aside as corrupt does not count.
	MaxBytes int64
	// Log is told about damage found by Open, in sizes, never in content (default slog.Default()).
	Log *slog.Logger

	// groupDelay is how long every write waits for others, disk replaces the real disk. For tests.
	groupDelay time.Duration
	disk       *disk
}

const (
	defaultSegmentBytes = 64 << 20
	defaultMaxBytes     = 10 << 30
)

func (o Options) withDefaults() Options {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.disk == nil {
		o.disk = &disk{}
	}
	return o
}

// Spool is an open spool directory. Its methods may be called from any number of goroutines.
type Spool struct {
	dir    string
	opts   Options
	disk   *disk
	lock   *os.File
	stream uuid.UUID
	seed   uint32 // of every record's checksum: the CRC of the stream id
	damage []Damage

	wakeSync   chan struct{} // there is something to fsync; holds one token
	sealing    chan struct{} // closed by Seal: fsync without delay
	stop       chan struct{} // closed by Close
	syncerDone chan struct{}
	syncing    []syncTarget // reused by sync, which one goroutine at a time runs
	reaping    sync.Mutex   // held while segments are deleted

	mu        sync.Mutex // guards all below; held for a write, never for an fsync
	segments  []*segment // in order of seq; the last one is written to; never empty
	bytes     int64      // of all segments
	last      int64      // the last seq handed out
	durable   int64      // the last seq known to be on disk
	skip      int64      // seqs up to here must not be handed out
	trimmed   int64      // seqs up to here are in Postgres
	received  int64      // ReceivedAt of the last record, in µs
	syncs     int64      // rounds of fsync
	synced    time.Time  // when the last of them ended
	syncTook  time.Duration
	group     int64     // records that it made durable
	dirty     bool      // something was written since the last round began
	dirtyFrom time.Time // when the first of that was written
	newFiles  bool      // the directory has entries that are not known to be on disk
	reserved  bool      // the reserve is there
	refused   bool      // Append returned ErrFull since the last time Trim made room
	sealed    bool
	closed    bool
	failed    error         // sticky
	advanced  chan struct{} // closed when a waiting Reader should look again; nil while none waits
	buf       []byte        // Append's
}

// segment is one file of the log. Guarded by Spool.mu, but for name and first, which never change.
type segment struct {
	name    string
	first   int64    // seq of its first record
	last    int64    // seq of its last record; first - 1 while there is none
	size    int64    // bytes of whole records, header included
	durable int64    // bytes of them that are fsynced; 0: the file itself may vanish
	file    *os.File // open for writing while anything may have to be fsynced
}

func (s *Spool) active() *segment { return s.segments[len(s.segments)-1] }

// StreamID is the id of the stream, minted once for a directory and kept in every segment.
func (s *Spool) StreamID() uuid.UUID { return s.stream }

// BegunAt is when the stream's id was minted, to the millisecond: no record was received before.
func (s *Spool) BegunAt() time.Time {
	return time.Unix(s.stream.Time().UnixTime()).UTC()
}

// Stats describe a spool at one moment.
type Stats struct {
	Bytes    int64 // of all segments, headers included
	MaxBytes int64 // the quota
	Segments int   // files; at least 1
	FirstSeq int64 // of the oldest record on disk; 0 when there is none
	LastSeq  int64 // the last seq handed out; 0 when there was none
	// DurableSeq is the last seq known to be on disk; readers see up to here.
	DurableSeq int64
	// LastReceivedAt is the ReceivedAt of the last record of the stream; zero when there was none.
	LastReceivedAt time.Time
	// Syncs counts rounds of fsync since Open.
	Syncs int64
	// Failure is what made the spool fail for good, or nil.
	Failure error
}

// Stats returns the spool's numbers. They also work after Close.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Bytes: s.bytes, MaxBytes: s.opts.MaxBytes, Segments: len(s.segments),
		LastSeq: s.last, DurableSeq: s.durable, Syncs: s.syncs, Failure: s.failed,
	}
	for _, seg := range s.segments {
		if seg.last >= seg.first {
			st.FirstSeq = seg.first
			break
		}
	}
	if s.received > 0 {
		st.LastReceivedAt = time.UnixMicro(s.received).UTC()
	}
	return st
}
