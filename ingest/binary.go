package ingest

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// Postgres' binary format, of values with their length before them, as COPY and arrays have them. A nil pointer is NULL.

// jsonbVersion begins a jsonb value.
const jsonbVersion = 1

// postgresEpoch is where Postgres' times are counted from, in µs since 1970.
const postgresEpoch = 946_684_800_000_000

func binaryLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func binaryNull(b []byte) []byte { return append(b, 0xff, 0xff, 0xff, 0xff) }

func binaryBytes(b, v []byte) []byte { return append(binaryLength(b, len(v)), v...) }

func binaryText(b []byte, v *string) []byte {
	if v == nil {
		return binaryNull(b)
	}
	return append(binaryLength(b, len(*v)), *v...)
}

func binaryInt8(b []byte, v *int64) []byte {
	if v == nil {
		return binaryNull(b)
	}
	return binary.BigEndian.AppendUint64(binaryLength(b, 8), uint64(*v))
}

func binaryInt4(b []byte, v *int32) []byte {
	if v == nil {
		return binaryNull(b)
	}
	return binary.BigEndian.AppendUint32(binaryLength(b, 4), uint32(*v))
}

func binaryTime(b []byte, v *time.Time) []byte {
	if v == nil {
		return binaryNull(b)
	}
	us := v.UnixMicro() - postgresEpoch
	return binaryInt8(b, &us)
}

func binaryBool(b []byte, v *bool) []byte {
	if v == nil {
		return binaryNull(b)
	}
	return append(binaryLength(b, 1), byte(btoi(*v)))
}

func binaryUUID(b []byte, v *uuid.UUID) []byte {
	if v == nil {
		return binaryNull(b)
	}
	return binaryBytes(b, v[:])
}

// binaryArray writes an array; a nil one is NULL.
func binaryArray[T any](b []byte, element uint32, v []T, one func([]byte, *T) []byte) []byte {
	if v == nil {
		return binaryNull(b)
	}
	at := len(b)
	b = binaryHead(binaryLength(b, 0), element, len(v))
	for i := range v {
		b = one(b, &v[i])
	}
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// binaryHead begins an array: its dimensions, which are one or none, whether there are NULLs, which is read off the
// elements, and what they are.
func binaryHead(b []byte, element uint32, length int) []byte {
	b = binaryLength(b, min(1, length))
	b = binaryLength(b, 0)
	b = binary.BigEndian.AppendUint32(b, element)
	if length > 0 {
		b = binaryLength(binaryLength(b, length), 1) // the first element's index
	}
	return b
}

// parameters are a statement's, encoded. Their memory is used again for the next one's.
type parameters struct {
	buf     []byte
	values  [][]byte
	formats []int16
}

// keptParameters is how much memory is kept for the next statement: what a batch needs.
const keptParameters = 4 << 20

func (p *parameters) encode(m *pgtype.Map, oids []uint32, arguments []any) error {
	if cap(p.buf) > keptParameters {
		p.buf = nil
	}
	p.buf, p.values, p.formats = p.buf[:0], p.values[:0], p.formats[:0]
	if len(oids) != len(arguments) {
		return fmt.Errorf("a statement has %d parameters and was given %d", len(oids), len(arguments))
	}
	for i, argument := range arguments {
		at := len(p.buf)
		b, ok := binaryParameter(p.buf, oids[i], argument)
		if !ok {
			other, err := m.Encode(oids[i], pgtype.BinaryFormatCode, argument, p.buf)
			if err != nil {
				return fmt.Errorf("encoding parameter %d: %w", i+1, err)
			}
			b = other
		}
		if b != nil {
			p.buf = b
			b = b[at:]
		}
		p.values, p.formats = append(p.values, b), append(p.formats, pgtype.BinaryFormatCode)
	}
	return nil
}

// arrayElements are the arrays that are written here.
var arrayElements = map[uint32]uint32{
	pgtype.TextArrayOID: pgtype.TextOID, pgtype.VarcharArrayOID: pgtype.VarcharOID, pgtype.TimestamptzArrayOID: pgtype.TimestamptzOID,
	pgtype.BoolArrayOID: pgtype.BoolOID, pgtype.Int8ArrayOID: pgtype.Int8OID, pgtype.Int4ArrayOID: pgtype.Int4OID, pgtype.UUIDArrayOID: pgtype.UUIDOID,
}

// binaryParameter writes an array without its length; false for all that is left to pgx.
func binaryParameter(b []byte, oid uint32, v any) (_ []byte, ok bool) {
	element, known := arrayElements[oid]
	if !known {
		return nil, false
	}
	switch v := v.(type) {
	case []string:
		return elements(b, element, v, pgtype.TextOID, pgtype.VarcharOID, binaryText)
	case []*string:
		return pointers(b, element, v, pgtype.TextOID, pgtype.VarcharOID, binaryText)
	case []time.Time:
		return elements(b, element, v, pgtype.TimestamptzOID, 0, binaryTime)
	case []*time.Time:
		return pointers(b, element, v, pgtype.TimestamptzOID, 0, binaryTime)
	case []bool:
		return elements(b, element, v, pgtype.BoolOID, 0, binaryBool)
	case []*bool:
		return pointers(b, element, v, pgtype.BoolOID, 0, binaryBool)
	case []int64:
		return elements(b, element, v, pgtype.Int8OID, 0, binaryInt8)
	case []*int64:
		return pointers(b, element, v, pgtype.Int8OID, 0, binaryInt8)
	case []*int32:
		return pointers(b, element, v, pgtype.Int4OID, 0, binaryInt4)
	case []uuid.UUID:
		return elements(b, element, v, pgtype.UUIDOID, 0, binaryUUID)
	}
	return nil, false
}

func elements[T any](b []byte, element uint32, v []T, is, or uint32, one func([]byte, *T) []byte) ([]byte, bool) {
	if v == nil || element != is && element != or {
		return nil, false
	}
	b = binaryHead(b, element, len(v))
	for i := range v {
		b = one(b, &v[i])
	}
	return b, true
}

func pointers[T any](b []byte, element uint32, v []*T, is, or uint32, one func([]byte, *T) []byte) ([]byte, bool) {
	if v == nil || element != is && element != or {
		return nil, false
	}
	b = binaryHead(b, element, len(v))
	for i := range v {
		b = one(b, v[i])
	}
	return b, true
}
