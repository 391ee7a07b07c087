// Package spool is the log on disk between the reader of the inbox socket and the writer to Postgres.
//
// Received means on disk: whatever comes in, a frame, a REST response or an imported line, is appended here before
// anything looks inside it, and leaves only when Postgres has it. The spool knows nothing of what is in a record.
// One spool is one directory, one stream (a UUID) and one writing lane.
//
//	s, err := spool.Open(dir, spool.Options{})   // locks, recovers; s.Recovered() says what was lost
//	s.SkipTo(committed)                          // what the database already holds of s.StreamID()
//	s.Append(&rec)                               // many goroutines; mints seq and received_at, writes, returns
//	r := s.NewReader(committed)                  // one goroutine
//	r.Next(ctx, &batch, 500, 8<<20)              // blocks for records that are fsynced
//	s.Trim(lastSeq)                              // after COMMIT: gives the disk back
//	s.Seal()                                     // intake ends; Next gives io.EOF when all is delivered
//	s.Close()
//
// # The way of a record
//
// Append encodes the record and writes it to the end of the newest segment in one go, with nothing kept in memory. A
// goroutine of the spool fsyncs soon after the first write that is not yet on disk, in a flood a few milliseconds after it,
// once for all that was written meanwhile, and only then may a Reader see these records: nothing gets into Postgres that a power loss could
// still take back from the spool. A Reader reads the files from front to back into the buffer of a Batch, checking every
// checksum, so the backlog can grow to the quota without memory growing. Trim deletes segments whose records are all
// in Postgres; a segment still being written to is replaced by a new one when all of it is committed and it is worth it.
//
// # Failures
//
// A write that finds no room (quota, disk full, disk quota) is undone to the last whole record, Append returns ErrFull
// and the spool goes on. Where nothing but the spool fills the disk, the segment that has to be begun before the full one can
// be deleted takes the room of a file that is kept for it. After any other failed write, and after every failed fsync, the spool is failed for good:
// Append returns that failure, and Next does once the records that were durable before are delivered. A second fsync
// would report success for pages the kernel has given up on, so nothing is tried again: the process has to open the
// spool anew, and Open writes again all that was not known to be durable.
//
// # Files
//
// Next to each other in the directory (0700), all 0600:
//
//	lock                                      held with flock while the spool is open; never deleted
//	reserve                                   64 KiB that make way for a new segment's header on a full disk
//	<first seq, 20 digits>-<stream>.seg       segments, in the order of their names
//	<segment>.corrupt-<offset>[-<n>]          bytes that Open set aside; the spool never reads or deletes them
//
// Other names are left alone. There is always at least one segment, as the newest one carries the stream's id and its
// last seq and time over to the next start. A directory without a usable segment begins a new stream, so that a
// (stream, seq) is never used twice.
//
// # Format, version 1
//
// All integers are little endian. Times are microseconds since 1970 (UTC). CRC is CRC-32C (Castagnoli).
//
// A segment begins with a header of 64 bytes. Its size and its first 16 bytes are the same in every version.
//
//	 0  8  magic "ARCSPOOL"
//	 8  4  version
//	12  4  CRC of bytes 0–11 and 16–63
//	16 16  stream id
//	32  8  first seq: the seq of the first record of this segment
//	40  8  previous seq: the last one handed out before this segment; less than first seq − 1 after SkipTo
//	48  8  the received time of the record with that previous seq, or 0
//	56  8  durable seq: all records up to here were fsynced when the segment was begun
//
// Records follow without padding; within a segment their seqs have no holes.
//
//	 0  4  length of the record after these 8 bytes: 48 … MaxRecordBytes − 8
//	 4  4  CRC of the stream id (16 bytes), bytes 0–3 and bytes 8 to the end
//	 8  8  seq
//	16  8  received at
//	24  8  observed at
//	32 16  connection id, zeros when there was none
//	48  2  length of org id
//	50  1  length of source
//	51  1  length of kind
//	52  4  length of request
//	56     org id, source, kind, request, and the body to the end of the record
//
// # Recovery
//
// Open reads every segment. Where a segment stops making sense (torn, zeroed, a flipped bit) what came before is kept,
// the rest of that segment is copied aside, cut off, logged and listed by Recovered, and the next segment goes on. A
// header that does not check out is built again from the file's name, provided that the records behind it check out. The
// seqs of all records that the cut-off bytes can have held are not used again. An older program refuses a newer format.
package spool
