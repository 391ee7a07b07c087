package invent

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxIDBytes bounds the vendor's ids. They are index keys in Postgres, whose entries hold about 2,700 bytes and up to
// four ids; a longer id is flawed and counts as missing, so that it can never fail an insert.
const MaxIDBytes = 512

func (d *Decoder) object(p *Presence) bool { return d.composite(p, '{', "not an object") }

func (d *Decoder) array(p *Presence) bool { return d.composite(p, '[', "not an array") }

func (d *Decoder) composite(p *Presence, want byte, reason string) bool {
	if d.err != nil {
		return false
	}
	kind := d.scan.kind()
	if kind == want {
		*p = Given
		return true
	}
	*p = Null
	if kind == 'n' {
		d.skip()
		return false
	}
	d.pass()
	d.flaw(reason)
	return false
}

// json keeps a value as it stands; want is the kind it must have, 0 for any.
func (d *Decoder) json(f *Field[JSON], want byte) {
	if want == '{' && !d.object(&f.Presence) || want == '[' && !d.array(&f.Presence) {
		return
	}
	if want == 0 && d.err == nil && d.scan.kind() == 'n' {
		f.clear()
		d.skip()
		return
	}
	begin := d.offset()
	d.skip()
	f.set(d.since(begin))
}

func (d *Decoder) text(f *Field[string]) {
	v := d.value()
	switch {
	case len(v) == 0:
	case v[0] == '"':
		f.set(d.string(plain(v)))
	default:
		f.clear()
		d.flawUnlessNull(v, "not a string")
	}
}

// maxShared is the length up to which equal strings share memory: ids, names, and most addresses of pictures.
const maxShared = 96

// string copies b. Events say the same ids, names and enumerated values again and again: where b is short and was read
// not long ago, that copy is returned.
func (d *Decoder) string(b []byte) string {
	if len(b) > maxShared {
		return string(b)
	}
	at := &d.seen[maphash.Bytes(seed, b)%uint64(len(d.seen))]
	if *at != string(b) {
		*at = string(b)
	}
	return *at
}

var seed = maphash.MakeSeed()

// id reads an id, of the object itself or of one it refers to. The empty string is how some senders write that there
// is none.
func (d *Decoder) id(f *Field[string]) {
	d.text(f)
	switch {
	case !f.Given():
	case f.V == "":
		f.clear()
	case len(f.V) > MaxIDBytes:
		f.clear()
		d.flaw("longer than " + strconv.Itoa(MaxIDBytes) + " bytes")
	case strings.ContainsRune(f.V, '\uFFFD'):
		// What was repaired might now equal another id.
		f.clear()
		d.flaw("not a usable id")
	}
}

func (d *Decoder) bool(f *Field[bool]) {
	v := d.value()
	switch {
	case len(v) == 0:
	case v[0] == 't' || v[0] == 'f':
		f.set(v[0] == 't')
	default:
		f.clear()
		d.flawUnlessNull(v, "not true or false")
	}
}

func (d *Decoder) time(f *Field[time.Time]) {
	v := d.value()
	switch {
	case len(v) == 0:
	case v[0] == '"':
		if t, ok := parseTime(plain(v)); ok {
			f.set(t)
			return
		}
		f.clear()
		d.flaw("not a time")
	default:
		f.clear()
		d.flawUnlessNull(v, "not a time")
	}
}

// parseTime reads an RFC 3339 time, cut to microseconds, which is what Postgres keeps. Years that UTC does not write
// with four digits are no times.
func parseTime(b []byte) (time.Time, bool) {
	var t time.Time
	if err := t.UnmarshalText(b); err != nil {
		return time.Time{}, false
	}
	t = t.UTC().Truncate(time.Microsecond)
	if t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}, false
	}
	return t, true
}

func (d *Decoder) int(f *Field[int64]) {
	v := d.value()
	switch {
	case len(v) == 0:
	case isNumber(v):
		n, reason := parseInt(v)
		if reason == "" {
			f.set(n)
			return
		}
		f.clear()
		d.flaw(reason)
	default:
		f.clear()
		d.flawUnlessNull(v, "not a number")
	}
}

func (d *Decoder) int32(f *Field[int32]) {
	var n Field[int64]
	d.int(&n)
	f.Presence = n.Presence
	if n.Given() {
		f.set(int32(n.V))
		if int64(f.V) != n.V {
			f.clear()
			d.flaw("out of range")
		}
	}
}

func (d *Decoder) float(f *Field[float64]) {
	v := d.value()
	switch {
	case len(v) == 0:
	case isNumber(v):
		n, err := strconv.ParseFloat(string(v), 64)
		if err == nil {
			f.set(n + 0) // a negative zero becomes the zero that jsonb makes of it
			return
		}
		f.clear()
		d.flaw("out of range")
	default:
		f.clear()
		d.flawUnlessNull(v, "not a number")
	}
}

// plain returns the text of a JSON string.
func plain(v []byte) []byte {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	inner, _ = jsontext.AppendUnquote(make([]byte, 0, len(inner)), v)
	return inner
}
