package analytics

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// columnsOf are the columns of the table whose rows are of type R: the json tags of its fields.
func columnsOf[R any]() (names []string) {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[R]()) {
		names = append(names, f.Tag.Get("json"))
	}
	return names
}

// fields are pointers to the fields of a row, in the order of columnsOf: to read it into, to compare it, and to write it.
func fields[R any](row *R) []any {
	v := reflect.ValueOf(row).Elem()
	all := make([]any, v.NumField())
	for i := range all {
		all[i] = v.Field(i).Addr().Interface()
	}
	return all
}

// same reports whether two rows hold the same values.
func same[R any](a, b *R) bool {
	others := fields(b)
	for i, field := range fields(a) {
		if !sameValue(field, others[i]) {
			return false
		}
	}
	return true
}

// sameValue compares two fields of one type. NULL is the same as NULL alone.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case *string:
		return *a == *b.(*string)
	case *bool:
		return *a == *b.(*bool)
	case *int:
		return *a == *b.(*int)
	case *int16:
		return *a == *b.(*int16)
	case *int32:
		return *a == *b.(*int32)
	case *int64:
		return *a == *b.(*int64)
	case *time.Time:
		return a.Equal(*b.(*time.Time))
	case *Date:
		return a.Equal(b.(*Date).Time)
	case **string:
		return equal(*a, *b.(**string))
	case **bool:
		return equal(*a, *b.(**bool))
	case **int:
		return equal(*a, *b.(**int))
	case **int16:
		return equal(*a, *b.(**int16))
	case **int32:
		return equal(*a, *b.(**int32))
	case **float64:
		return equal(*a, *b.(**float64))
	case **time.Time:
		return sameOrNone(*a, *b.(**time.Time), time.Time.Equal)
	case **Date:
		return sameOrNone(*a, *b.(**Date), func(a, b Date) bool { return a.Equal(b.Time) })
	}
	panic("a field of a fact has a type that is not compared yet")
}

func sameOrNone[T any](a, b *T, equal func(a, b T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return equal(*a, *b)
}

// describe is rows as a JSON array of objects that leave out what is NULL, which is half of a row.
func describe[R any](rows []*R) ([]byte, error) {
	names := columnsOf[R]()
	text := []byte{'['}
	for i, row := range rows {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, '{')
		isFirst := true
		v := reflect.ValueOf(row).Elem()
		for j, name := range names {
			field := v.Field(j)
			if field.Kind() == reflect.Pointer && field.IsNil() {
				continue
			}
			value, err := json.Marshal(field.Interface())
			if err != nil {
				return nil, err
			}
			if !isFirst {
				text = append(text, ',')
			}
			isFirst = false
			text = append(append(append(append(text, '"'), name...), '"', ':'), value...)
		}
		text = append(text, '}')
	}
	return append(text, ']'), nil
}

// appendCopied appends a field as COPY takes it in its binary format: the number of bytes, -1 for NULL, then the value as Postgres
// sends it. The type of a field says that of its column: int is int4, int16 is int2.
func appendCopied(buf []byte, field any) []byte {
	switch v := field.(type) {
	case *string:
		return append(binary.BigEndian.AppendUint32(buf, uint32(len(*v))), *v...) //nolint:gosec // no text is of 4 GiB
	case *bool:
		if *v {
			return append(buf, 0, 0, 0, 1, 1)
		}
		return append(buf, 0, 0, 0, 1, 0)
	case *int:
		return appendInt4(buf, *v)
	case *int16:
		return binary.BigEndian.AppendUint16(append(buf, 0, 0, 0, 2), uint16(*v)) //nolint:gosec // its bits
	case *int32:
		return appendInt4(buf, int(*v))
	case *int64:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(*v)) //nolint:gosec // its bits
	case *float64:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), math.Float64bits(*v))
	case *time.Time:
		return binary.BigEndian.AppendUint64(append(buf, 0, 0, 0, 8), uint64(v.UnixMicro()-epoch*microsecondsInSecond)) //nolint:gosec // its bits
	case *Date:
		return appendInt4(buf, int((v.Unix()-epoch)/secondsInDay))
	case **string:
		return appendNullable(buf, *v)
	case **bool:
		return appendNullable(buf, *v)
	case **int:
		return appendNullable(buf, *v)
	case **int16:
		return appendNullable(buf, *v)
	case **int32:
		return appendNullable(buf, *v)
	case **float64:
		return appendNullable(buf, *v)
	case **time.Time:
		return appendNullable(buf, *v)
	case **Date:
		return appendNullable(buf, *v)
	}
	panic("a field of a fact has a type that is not written yet")
}

// epoch is 2000-01-01, from which Postgres counts, in seconds since 1970.
const epoch = 946_684_800

func appendInt4(buf []byte, n int) []byte {
	return binary.BigEndian.AppendUint32(append(buf, 0, 0, 0, 4), uint32(n)) //nolint:gosec // its bits
}

func appendNullable[T any](buf []byte, value *T) []byte {
	if value == nil {
		return append(buf, 0xff, 0xff, 0xff, 0xff)
	}
	return appendCopied(buf, value)
}

// ScanDate is for pgx.
func (d *Date) ScanDate(v pgtype.Date) error {
	d.Time = v.Time
	return nil
}
