package ingest

import (
	"bytes"
	"time"

	"archiver/invent"

	"github.com/go-json-experiment/json/jsontext"
)

// The rule Absent and null, in its one place: what a description says of a field, and what becomes of the column.
//
// A snapshot unsets what it does not name; a patch, and every nested description, leaves it alone. A null unsets it.

// set gives a column the value a description has for it and reports whether the column changed.
func set[T comparable](snapshot bool, column **T, f *invent.Field[T]) bool {
	if !snapshot && !f.Named() {
		return false
	}
	return assign(column, f.Ptr())
}

// setTime is set for times, which compare by instant.
func setTime(snapshot bool, column **time.Time, f *invent.Field[time.Time]) bool {
	if !snapshot && !f.Named() {
		return false
	}
	return assignTime(column, f.Ptr())
}

// setJSON is set for jsonb columns, which compare by content.
func setJSON(snapshot bool, column *[]byte, f *invent.Field[invent.JSON]) bool {
	if !snapshot && !f.Named() {
		return false
	}
	return assignJSON(column, f.V, f.Given())
}

// assign copies the value, so that a row that is kept never holds on to the event it came from.
func assign[T comparable](column **T, value *T) bool {
	if value == nil || *column != nil && **column == *value {
		changed := value == nil && *column != nil
		if value == nil {
			*column = nil
		}
		return changed
	}
	*column = kept(value)
	return true
}

// smallNumbers and bothBools are what most counts and all flags are: their columns point here, none of them a copy.
var (
	smallNumbers = func() (n [64]int64) {
		for i := range n {
			n[i] = int64(i)
		}
		return n
	}()
	bothBools = [...]bool{false, true}
)

func kept[T comparable](value *T) *T {
	switch v := any(value).(type) {
	case *bool:
		return any(&bothBools[btoi(*v)]).(*T)
	case *int64:
		if 0 <= *v && *v < int64(len(smallNumbers)) {
			return any(&smallNumbers[*v]).(*T)
		}
	}
	copied := *value
	return &copied
}

func assignTime(column **time.Time, value *time.Time) bool {
	if value != nil && *column != nil && (*column).Equal(*value) {
		return false
	}
	return assign(column, value)
}

// shareTime is assignTime for a value that is a kept column's: both point to the same.
func shareTime(column **time.Time, value *time.Time) bool {
	return borrowTime(true, column, value)
}

// borrow, borrowTime and borrowJSON are assign for rows that are done with before the event is: a column points into
// the event.

func borrow[T comparable](named bool, column **T, value *T) bool {
	if !named || equal(*column, value) {
		return false
	}
	*column = value
	return true
}

func borrowTime(named bool, column **time.Time, value *time.Time) bool {
	if !named || equalTime(*column, value) {
		return false
	}
	*column = value
	return true
}

func borrowJSON(named bool, column *[]byte, value []byte, given bool) bool {
	switch {
	case !named:
		return false
	case !given:
		changed := *column != nil
		*column = nil
		return changed
	case bytes.Equal(*column, value):
		return false
	}
	changed := *column == nil || !bytes.Equal(canonical(*column), canonical(value))
	// Taken even when only the spelling differs: the next event has the same one, and compares at once.
	*column = value
	return changed
}

func assignJSON(column *[]byte, value []byte, given bool) bool {
	if given && bytes.Equal(*column, value) {
		return false
	}
	return borrowJSON(true, column, bytes.Clone(value), given)
}

// canonical is the JSON with sorted keys, no white space and one spelling of every number: equal for equal content,
// whether it comes from the wire or back from jsonb.
func canonical(b []byte) []byte {
	v := jsontext.Value(bytes.Clone(b))
	if err := v.Canonicalize(); err != nil {
		return b // no JSON: cannot come out of the decoder; it then equals itself only
	}
	return v
}
