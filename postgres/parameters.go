package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// encodeInPlace has a session encode parameters of the types below from where they are in memory. By itself pgx copies
// every element of an array by reflection, and writes a uuid.UUID as text to read it again.
func encodeInPlace(_ context.Context, conn *pgx.Conn) error {
	m := conn.TypeMap()
	m.TryWrapEncodePlanFuncs = append([]pgtype.TryWrapEncodePlanFunc{planInPlace}, m.TryWrapEncodePlanFuncs...)
	return nil
}

// planInPlace is asked what to do with a value that the codec of the column does not take as it is.
func planInPlace(value any) (pgtype.WrappedEncodePlanNextSetter, any, bool) {
	taken := inPlace(value)
	return &planned{}, taken, taken != nil
}

// planned encodes values of one type with the codec that takes what inPlace makes of them.
type planned struct{ next pgtype.EncodePlan }

// SetNext is for pgx.
func (p *planned) SetNext(next pgtype.EncodePlan) { p.next = next }

// Encode is for pgx.
func (p *planned) Encode(value any, buf []byte) ([]byte, error) {
	return p.next.Encode(inPlace(value), buf)
}

// inPlace is the same value as a type that a codec reads without a copy; nil for the types that are left to pgx.
func inPlace(value any) any {
	switch v := value.(type) {
	case *string:
		return (*text)(v)
	case *time.Time:
		return (*instant)(v)
	case *bool:
		return (*boolean)(v)
	case *int64:
		return (*integer)(v)
	case *uuid.UUID:
		return (*identifier)(v)
	case uuid.UUID:
		return (*identifier)(&v)
	case []string:
		return values[string](v)
	case []time.Time:
		return values[time.Time](v)
	case []bool:
		return values[bool](v)
	case []int64:
		return values[int64](v)
	case []uuid.UUID:
		return values[uuid.UUID](v)
	case []*string:
		return pointers[string](v)
	case []*time.Time:
		return pointers[time.Time](v)
	case []*bool:
		return pointers[bool](v)
	case []*int64:
		return pointers[int64](v)
	case []*uuid.UUID:
		return pointers[uuid.UUID](v)
	}
	return nil
}

// values is an array parameter without NULLs.
type values[T any] []T

// Dimensions is for pgx.
func (a values[T]) Dimensions() []pgtype.ArrayDimension { return dimensions(a == nil, len(a)) }

// Index is a pointer to the element, which costs nothing to make.
func (a values[T]) Index(i int) any { return &a[i] }

// IndexType is for pgx.
func (a values[T]) IndexType() any { return new(T) }

// pointers is an array parameter, in which nil is NULL.
type pointers[T any] []*T

// Dimensions is for pgx.
func (a pointers[T]) Dimensions() []pgtype.ArrayDimension { return dimensions(a == nil, len(a)) }

// Index is for pgx.
func (a pointers[T]) Index(i int) any { return a[i] }

// IndexType is for pgx.
func (a pointers[T]) IndexType() any { return new(T) }

func dimensions(isNull bool, length int) []pgtype.ArrayDimension {
	if isNull {
		return nil
	}
	return []pgtype.ArrayDimension{{Length: int32(length), LowerBound: 1}}
}

// What codecs ask a value for.
type (
	text       string
	instant    time.Time
	boolean    bool
	integer    int64
	identifier uuid.UUID
)

// TextValue is for pgx.
func (v *text) TextValue() (pgtype.Text, error) {
	return pgtype.Text{String: string(*v), Valid: true}, nil
}

// TimestamptzValue is for pgx.
func (v *instant) TimestamptzValue() (pgtype.Timestamptz, error) {
	return pgtype.Timestamptz{Time: time.Time(*v), Valid: true}, nil
}

// BoolValue is for pgx.
func (v *boolean) BoolValue() (pgtype.Bool, error) {
	return pgtype.Bool{Bool: bool(*v), Valid: true}, nil
}

// Int64Value is for pgx.
func (v *integer) Int64Value() (pgtype.Int8, error) {
	return pgtype.Int8{Int64: int64(*v), Valid: true}, nil
}

// UUIDValue is for pgx.
func (v *identifier) UUIDValue() (pgtype.UUID, error) {
	return pgtype.UUID{Bytes: *v, Valid: true}, nil
}
