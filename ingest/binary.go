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

func binaryTime(b []byte, v *time.Time) []byte {
	if v == nil {
		return binaryNull(b)
	}
	us := v.UnixMicro() - postgresEpoch
	return binaryInt8(b, &us)
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
		b, err := m.Encode(oids[i], pgtype.BinaryFormatCode, argument, p.buf)
		if err != nil {
			return fmt.Errorf("encoding parameter %d: %w", i+1, err)
		}
		if b != nil {
			p.buf = b
			b = b[at:]
		}
		p.values, p.formats = append(p.values, b), append(p.formats, pgtype.BinaryFormatCode)
	}
	return nil
}
