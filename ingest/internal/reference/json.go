package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// object is a JSON object.
type object = map[string]any

// Parse reads JSON as jsonb would keep it: of duplicate keys the last, U+FFFD for NUL and for what is no Unicode, null
// for numbers beyond its range and for what is nested a thousand deep. ok is false for what is no JSON at all.
func Parse(body []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, false
	}
	return storable(v, 0), true
}

func storable(v any, depth int) any {
	const deepest = 1000
	switch v := v.(type) {
	case object:
		if depth >= deepest {
			return nil
		}
		kept := make(object, len(v))
		for name, of := range v {
			kept[strings.ReplaceAll(name, "\x00", "\uFFFD")] = storable(of, depth+1)
		}
		return kept
	case []any:
		if depth >= deepest {
			return nil
		}
		for i := range v {
			v[i] = storable(v[i], depth+1)
		}
		return v
	case string:
		return strings.ReplaceAll(v, "\x00", "\uFFFD")
	case json.Number:
		if i := strings.IndexAny(string(v), "eE"); i >= 0 {
			if e, err := strconv.Atoi(string(v[i+1:])); err != nil || e > 131_000 || e < -16_000 {
				return nil
			}
		}
		return v
	}
	return v
}

// Canonical spells a parsed value the one way of RFC 8785: sorted names, no space, numbers as doubles.
func Canonical(v any) JSON {
	var b strings.Builder
	canonical(&b, v)
	return JSON(b.String())
}

func canonical(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case json.Number:
		b.WriteString(canonicalNumber(v))
	case string:
		canonicalString(b, v)
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			canonical(b, e)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			canonicalString(b, name)
			b.WriteByte(':')
			canonical(b, v[name])
		}
		b.WriteByte('}')
	}
}

func canonicalNumber(n json.Number) string {
	f, _ := n.Float64()
	if math.IsInf(f, 0) {
		f = math.Copysign(math.MaxFloat64, f)
	}
	if f == 0 {
		return "0" // without a minus sign
	}
	out, _ := json.Marshal(f) // encoding/json writes numbers as ECMAScript does
	return string(out)
}

func canonicalString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 && strings.ContainsRune("\b\t\n\f\r", r):
			b.WriteByte('\\')
			b.WriteByte("btn?fr"[r-'\b'])
		case r < 0x20:
			b.WriteString(`\u00`)
			b.WriteString(hex.EncodeToString([]byte{byte(r)}))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
}

// hash is the id of what has none of its own.
func hash(v any) string {
	sum := sha256.Sum256([]byte(Canonical(v)))
	return hex.EncodeToString(sum[:])
}

// cell is what an object says of one field. A value that is not of the field's kind is a null.
type cell struct {
	named bool
	value any // nil for null
}

func (c cell) given() bool { return c.named && c.value != nil }

func cellOf(o object, name string, read func(any) any) cell {
	v, named := o[name]
	if !named {
		return cell{}
	}
	if v == nil {
		return cell{named: true}
	}
	return cell{named: true, value: read(v)}
}

func text(o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		if s, ok := v.(string); ok {
			return s
		}
		return nil
	})
}

func id(o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		if s, ok := v.(string); ok && s != "" && len(s) <= 512 && !strings.ContainsRune(s, utf8.RuneError) {
			return s
		}
		return nil
	})
}

func boolean(o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		if b, ok := v.(bool); ok {
			return b
		}
		return nil
	})
}

func integer(o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		n, ok := v.(json.Number)
		if !ok {
			return nil
		}
		r, ok := new(big.Rat).SetString(string(n))
		if !ok || !r.IsInt() || !r.Num().IsInt64() {
			return nil
		}
		return r.Num().Int64()
	})
}

func integer32(o object, name string) cell {
	c := integer(o, name)
	if n, ok := c.value.(int64); ok && int64(int32(n)) != n {
		c.value = nil
	}
	return c
}

func instant(o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		var t time.Time
		if err := t.UnmarshalText([]byte(s)); err != nil {
			return nil
		}
		t = t.UTC()
		if t.Year() < 1 || t.Year() > 9999 {
			return nil
		}
		return microseconds(t)
	})
}

func microseconds(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// nested is an object in a field; nil when there is none, whatever there is instead.
func nested(o object, name string) object {
	v, _ := o[name].(object)
	return v
}

// objects are those elements of an array in a field that are objects; ok is false when the field is no array.
func objects(o object, name string) (all []object, ok bool) {
	list, ok := o[name].([]any)
	for _, v := range list {
		if of, is := v.(object); is {
			all = append(all, of)
		}
	}
	return all, ok
}

// documentOf is an object or array in a field, kept as JSON.
func documentOf[T object | []any](o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		if of, ok := v.(T); ok {
			return Canonical(any(of))
		}
		return nil
	})
}

// hashOf is an object or array in a field, by the hash of its content.
func hashOf[T object | []any](o object, name string) cell {
	return cellOf(o, name, func(v any) any {
		if of, ok := v.(T); ok {
			return hash(any(of))
		}
		return nil
	})
}
