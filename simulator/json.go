package simulator

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// writer appends JSON to a buffer by hand: the shapes are fixed, and a benchmark's source must not cost more than what it
// measures. A comma is put before a key or value by looking at the last byte.
type writer struct {
	b         []byte
	nulls     Nulls
	coin      uint64 // decides NullsMixed, field by field
	omitFalse bool
	seconds   bool // the source's clock has whole seconds
}

func (e *writer) comma() {
	if n := len(e.b); n > 0 {
		switch e.b[n-1] {
		case '{', '[', ':':
		default:
			e.b = append(e.b, ',')
		}
	}
}

func (e *writer) key(k string) {
	e.comma()
	e.b = append(e.b, '"')
	e.b = append(e.b, k...)
	e.b = append(e.b, '"', ':')
}

// unset writes a field without a value: not at all, or as null.
func (e *writer) unset(k string) {
	switch e.nulls {
	case NullsAbsent:
		return
	case NullsMixed:
		e.coin = mix(e.coin)
		if e.coin&1 == 0 {
			return
		}
	}
	e.key(k)
	e.b = append(e.b, "null"...)
}

func (e *writer) open(k string) { e.key(k); e.b = append(e.b, '{') }
func (e *writer) list(k string) { e.key(k); e.b = append(e.b, '[') }
func (e *writer) item()         { e.comma(); e.b = append(e.b, '{') }
func (e *writer) end()          { e.b = append(e.b, '}') }
func (e *writer) endList()      { e.b = append(e.b, ']') }

// raw writes a field whose value is JSON already.
func (e *writer) raw(k string, v []byte) { e.key(k); e.b = append(e.b, v...) }

// str writes a string field; an empty string is an empty string.
func (e *writer) str(k, v string) { e.key(k); e.b = appendQuoted(e.b, v) }

// opt writes a string field that is unset when empty.
func (e *writer) opt(k, v string) {
	if v == "" {
		e.unset(k)
		return
	}
	e.str(k, v)
}

func (e *writer) bool(k string, v bool) {
	if !v && e.omitFalse {
		return
	}
	e.key(k)
	e.b = strconv.AppendBool(e.b, v)
}

func (e *writer) int(k string, v int64) {
	if v == 0 && e.omitFalse {
		return
	}
	e.key(k)
	e.b = strconv.AppendInt(e.b, v, 10)
}

// float writes a number that may have a fraction (an offset in a recording, in seconds).
func (e *writer) float(k string, v float64) {
	if v == 0 && e.omitFalse {
		return
	}
	e.key(k)
	e.b = strconv.AppendFloat(e.b, v, 'f', -1, 64)
}

// id writes the id of the n-th object of a kind.
func (e *writer) id(k string, seed uint64, kind idKind, n uint64) {
	e.key(k)
	e.b = append(e.b, '"')
	e.b = appendID(e.b, seed, kind, n)
	e.b = append(e.b, '"')
}

// time writes a time in milliseconds since 1970; 0 is unset.
func (e *writer) time(k string, ms int64) {
	if ms == 0 {
		e.unset(k)
		return
	}
	e.key(k)
	e.b = append(e.b, '"')
	e.b = appendTime(e.b, ms, e.seconds)
	e.b = append(e.b, '"')
}

// appendTime appends RFC 3339 in UTC, with milliseconds or, where the clock is coarse, without a fraction.
func appendTime(b []byte, ms int64, seconds bool) []byte {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, byte('0'+year/1000), byte('0'+year/100%10), byte('0'+year/10%10), byte('0'+year%10), '-')
	b = append(b, byte('0'+month/10), byte('0'+month%10), '-', byte('0'+day/10), byte('0'+day%10), 'T')
	b = append(b, byte('0'+hour/10), byte('0'+hour%10), ':', byte('0'+minute/10), byte('0'+minute%10), ':')
	b = append(b, byte('0'+second/10), byte('0'+second%10))
	if !seconds {
		f := t.Nanosecond() / 1e6
		b = append(b, '.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10))
	}
	return append(b, 'Z')
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends the inside of a JSON string: what must be escaped is, everything else goes as UTF-8.
func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, s[from:]...)
}

// prefix gives about the first share of s, cut between runes.
func prefix(s string, share float64) string {
	n := int(float64(len(s)) * share)
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
