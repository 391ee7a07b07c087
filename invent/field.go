package invent

// Presence tells the three things a JSON object can say about a field.
type Presence uint8

const (
	Absent Presence = iota // the object does not name the field
	Null                   // the field is null, or had a value that could not be read (a flaw says so)
	Given                  // the field has a value
)

// Field is one field of the vendor's JSON. V is meaningful only when the field is Given.
type Field[T any] struct {
	V        T
	Presence Presence
}

// Named reports whether the object names the field at all, be it with null.
func (f *Field[T]) Named() bool { return f.Presence != Absent }

// Given reports whether the field has a value.
func (f *Field[T]) Given() bool { return f.Presence == Given }

// Ptr returns the value, or nil when there is none.
func (f *Field[T]) Ptr() *T {
	if f.Presence != Given {
		return nil
	}
	return &f.V
}

func (f *Field[T]) set(v T) { f.V, f.Presence = v, Given }

func (f *Field[T]) clear() { *f = Field[T]{Presence: Null} }
