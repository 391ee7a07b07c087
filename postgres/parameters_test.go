package postgres_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"

	"archiver/postgres/dbtest"
)

// typeMap is the one of a session of a pool that Connect opened.
func typeMap(t *testing.T) *pgtype.Map {
	t.Helper()
	conn, err := dbtest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	return conn.Conn().TypeMap()
}

func TestParametersAreEncodedAsPgxDoesByItself(t *testing.T) {
	t.Parallel()
	ours, plain := typeMap(t), pgtype.NewMap()
	word, empty, yes, number, id := "a \"word\", ü", "", true, int64(-7), uuid.MustParse("0191f7a0-0000-7000-8000-0000000000ff")
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, c := range []struct {
		name  string
		oid   uint32
		value any
	}{
		{"text", pgtype.TextOID, &word},
		{"text NULL", pgtype.TextOID, (*string)(nil)},
		{"varchar", pgtype.VarcharOID, &word},
		{"timestamptz", pgtype.TimestamptzOID, &at},
		{"timestamptz NULL", pgtype.TimestamptzOID, (*time.Time)(nil)},
		{"timestamp", pgtype.TimestampOID, &at},
		{"date", pgtype.DateOID, &at},
		{"bool", pgtype.BoolOID, &yes},
		{"int8", pgtype.Int8OID, &number},
		{"int4", pgtype.Int4OID, &number},
		{"uuid", pgtype.UUIDOID, id},
		{"uuid by pointer", pgtype.UUIDOID, &id},
		{"uuid NULL", pgtype.UUIDOID, (*uuid.UUID)(nil)},
		{"uuid as text", pgtype.TextOID, id},
		{"jsonb", pgtype.JSONBOID, new(`{"a": 1}`)},
		{"text[]", pgtype.TextArrayOID, []string{word, empty}},
		{"text[] without elements", pgtype.TextArrayOID, []string{}},
		{"text[] NULL", pgtype.TextArrayOID, []string(nil)},
		{"varchar[] with NULL", pgtype.VarcharArrayOID, []*string{&word, nil, &empty}},
		{"timestamptz[]", pgtype.TimestamptzArrayOID, []time.Time{at, {}}},
		{"timestamptz[] with NULL", pgtype.TimestamptzArrayOID, []*time.Time{nil, &at}},
		{"date[]", pgtype.DateArrayOID, []time.Time{at}},
		{"bool[]", pgtype.BoolArrayOID, []bool{true, false}},
		{"bool[] with NULL", pgtype.BoolArrayOID, []*bool{&yes, nil}},
		{"int8[]", pgtype.Int8ArrayOID, []int64{1, -2}},
		{"int8[] with NULL", pgtype.Int8ArrayOID, []*int64{nil, &number}},
		{"uuid[]", pgtype.UUIDArrayOID, []uuid.UUID{id, uuid.Nil}},
		{"uuid[] with NULL", pgtype.UUIDArrayOID, []*uuid.UUID{&id, nil}},
	} {
		for _, format := range []int16{pgtype.TextFormatCode, pgtype.BinaryFormatCode} {
			got, err := ours.Encode(c.oid, format, c.value, nil)
			want, wantErr := plain.Encode(c.oid, format, c.value, nil)
			if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
				t.Errorf("%s, format %d: %q (%v), want %q (%v)", c.name, format, got, err, want, wantErr)
			}
		}
	}
}

func TestEncodingAnArrayDoesNotAllocateForEachElement(t *testing.T) {
	m := typeMap(t)
	const rows = 1000
	texts, times, ids := make([]*string, rows), make([]*time.Time, rows), make([]uuid.UUID, rows)
	for i := range rows {
		texts[i], times[i], ids[i] = new("a word"), new(time.Now()), uuid.New()
	}
	buf := make([]byte, 0, 64*rows)
	for _, c := range []struct {
		oid   uint32
		value any
	}{
		{pgtype.VarcharArrayOID, texts}, {pgtype.TimestamptzArrayOID, times}, {pgtype.UUIDArrayOID, ids},
	} {
		allocations := testing.AllocsPerRun(10, func() {
			if _, err := m.Encode(c.oid, pgtype.BinaryFormatCode, c.value, buf); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > 10 {
			t.Errorf("%T of %d elements takes %.0f allocations, want 10 at most", c.value, rows, allocations)
		}
	}
}
