package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// MaxRecordBytes bounds a whole record on disk, so that a damaged length is not taken for a record of that length.
const MaxRecordBytes = 1 << 30

const (
	formatVersion = 1
	headerSize    = 64 // of a segment
	prefixSize    = 8  // length and CRC of a record
	headSize      = 56 // fixed part of a record, prefix included: no record is shorter
)

var (
	magic      = [8]byte{'A', 'R', 'C', 'S', 'P', 'O', 'O', 'L'}
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	le         = binary.LittleEndian
)

// header is the beginning of a segment; doc.go has the layout.
type header struct {
	stream                         uuid.UUID
	first, prev, received, durable int64
}

func (h header) encode() []byte {
	b := make([]byte, headerSize)
	copy(b, magic[:])
	le.PutUint32(b[8:], formatVersion)
	copy(b[16:], h.stream[:])
	le.PutUint64(b[32:], uint64(h.first))
	le.PutUint64(b[40:], uint64(h.prev))
	le.PutUint64(b[48:], uint64(h.received))
	le.PutUint64(b[56:], uint64(h.durable))
	le.PutUint32(b[12:], headerSum(b))
	return b
}

// decodeHeader says not ok when b is not a whole, undamaged header. The version has to be looked at before the rest.
func decodeHeader(b []byte) (h header, version uint32, ok bool) {
	if len(b) < headerSize || [8]byte(b) != magic || le.Uint32(b[12:]) != headerSum(b) {
		return header{}, 0, false
	}
	h.stream = uuid.UUID(b[16:32])
	h.first = int64(le.Uint64(b[32:]))
	h.prev = int64(le.Uint64(b[40:]))
	h.received = int64(le.Uint64(b[48:]))
	h.durable = int64(le.Uint64(b[56:]))
	return h, le.Uint32(b[8:]), true
}

func headerSum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:12], castagnoli), castagnoli, b[16:headerSize])
}

// segmentName carries the stream and the first seq as well, so that a damaged header can be built again.
func segmentName(first int64, stream uuid.UUID) string {
	return fmt.Sprintf("%020d-%s.seg", first, stream)
}

var segmentNames = regexp.MustCompile(`^(\d{20})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.seg$`)

// parseSegmentName says not ok for a file that is none of the spool's.
func parseSegmentName(name string) (first int64, stream uuid.UUID, ok bool) {
	m := segmentNames.FindStringSubmatch(name)
	if m == nil {
		return 0, uuid.Nil, false
	}
	first, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || first < 1 {
		return 0, uuid.Nil, false
	}
	stream, err = uuid.Parse(m[2])
	return first, stream, err == nil
}

// recordSize is the size of r on disk, or ErrTooLarge.
func recordSize(r *Record) (int64, error) {
	if len(r.OrgID) > 1<<16-1 || len(r.Source) > 1<<8-1 || len(r.Kind) > 1<<8-1 {
		return 0, fmt.Errorf("%w: org id of %d, source of %d, kind of %d bytes, at most 65535, 255 and 255",
			ErrTooLarge, len(r.OrgID), len(r.Source), len(r.Kind))
	}
	n := headSize + int64(len(r.OrgID)) + int64(len(r.Source)) + int64(len(r.Kind)) + int64(len(r.Request)) + int64(len(r.Body))
	if n > MaxRecordBytes {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, MaxRecordBytes)
	}
	return n, nil
}

// appendHead appends the record up to where its request begins, with the CRC still to be set (setSum).
func appendHead(b []byte, r *Record, n, seq, received, observed int64) []byte {
	b = le.AppendUint32(b, uint32(n-prefixSize))
	b = le.AppendUint32(b, 0)
	b = le.AppendUint64(b, uint64(seq))
	b = le.AppendUint64(b, uint64(received))
	b = le.AppendUint64(b, uint64(observed))
	b = append(b, r.ConnectionID[:]...)
	b = le.AppendUint16(b, uint16(len(r.OrgID)))
	b = append(b, byte(len(r.Source)), byte(len(r.Kind)))
	b = le.AppendUint32(b, uint32(len(r.Request)))
	b = append(b, r.OrgID...)
	b = append(b, r.Source...)
	return append(b, r.Kind...)
}

// setSum sets the CRC of a record of which head is the beginning and more what follows.
func setSum(seed uint32, head, request, body []byte) {
	sum := crc32.Update(headSum(seed, head), castagnoli, head[prefixSize:])
	sum = crc32.Update(sum, castagnoli, request)
	sum = crc32.Update(sum, castagnoli, body)
	le.PutUint32(head[4:], sum)
}

// headSum begins a record's CRC. What is left to add is everything after the prefix.
func headSum(seed uint32, head []byte) uint32 {
	return crc32.Update(seed, castagnoli, head[:4])
}

// sizeOf reads the size of a record off its first bytes and says not ok when no record is that size.
func sizeOf(prefix []byte) (n int64, ok bool) {
	n = int64(le.Uint32(prefix)) + prefixSize
	return n, n >= headSize && n <= MaxRecordBytes
}

// partsFit says whether the lengths within a record's fixed part go with its size.
func partsFit(head []byte, n int64) bool {
	return headSize+int64(le.Uint16(head[48:]))+int64(head[50])+int64(head[51])+int64(le.Uint32(head[52:])) <= n
}

// decode fills r with a record whose size is that of b, its byte slices pointing into b. It says not ok when the
// checksum or anything else is wrong.
func decode(b []byte, seed uint32, r *Record, in interned) (ok bool) {
	if crc32.Update(headSum(seed, b), castagnoli, b[prefixSize:]) != le.Uint32(b[4:]) || !partsFit(b, int64(len(b))) {
		return false
	}
	org, source, kind, request := int(le.Uint16(b[48:])), int(b[50]), int(b[51]), int(le.Uint32(b[52:]))
	*r = Record{
		Seq:          int64(le.Uint64(b[8:])),
		ReceivedAt:   time.UnixMicro(int64(le.Uint64(b[16:]))).UTC(),
		ObservedAt:   time.UnixMicro(int64(le.Uint64(b[24:]))).UTC(),
		ConnectionID: uuid.UUID(b[32:48]),
	}
	b = b[headSize:]
	r.OrgID, b = in.string(b[:org]), b[org:]
	r.Source, b = in.string(b[:source]), b[source:]
	r.Kind, b = in.string(b[:kind]), b[kind:]
	if request > 0 {
		r.Request = b[:request:request]
	}
	r.Body = b[request:len(b):len(b)]
	return true
}

// interned keeps the strings that nearly every record repeats, so that reading a record allocates none.
type interned map[string]string

func (in interned) string(b []byte) string {
	if s, ok := in[string(b)]; ok { // the compiler makes no string for this lookup
		return s
	}
	if len(in) >= 10_000 { // more orgs, sources and kinds than anyone has; not without bound, though
		clear(in)
	}
	s := string(b)
	in[s] = s
	return s
}
