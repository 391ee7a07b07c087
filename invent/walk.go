package invent

import (
	"bytes"
	"errors"
)

// maxDepth bounds the nesting of what is stored. The vendor nests some fifteen levels; Postgres' limit depends on its
// stack, so a value deeper than this is left out of the payload before it can fail an insert.
const maxDepth = 1000

// maxObjects bounds the objects in lists that are read of one frame or page. In memory they take up to two hundred times
// the bytes they came in, so without a bound one frame could be the end of the process, and again after each restart.
const maxObjects = 100_000

// errTooMuch says that there are more than maxObjects. Where they are does not matter, so that the order of keys, which
// jsonb changes, makes no difference.
var errTooMuch = errors.New("too many objects")

// open enters the object or array that object or array has found.
func (d *Decoder) open() {
	if d.err == nil {
		d.scan.token()
		d.err = d.scan.err
		d.checkDepth()
	}
}

func (d *Decoder) checkDepth() {
	if d.err == nil && d.scan.depth() > maxDepth {
		d.err = errNotStorable
	}
}

// next reads the next member's name into d.name; false at the end of the object, which it then leaves.
func (d *Decoder) next() bool {
	if !d.nextElement() {
		return false
	}
	if d.scan.token(); d.scan.err != nil {
		d.err = d.scan.err
		return false
	}
	d.name = d.scan.names[len(d.scan.names)-1]
	return true
}

// nextElement reports whether another element follows; at the end of the array or object it leaves it.
func (d *Decoder) nextElement() bool {
	if d.err != nil {
		return false
	}
	switch d.scan.kind() {
	case '}', ']':
		d.scan.token()
		d.err = d.scan.err
		return false
	}
	return true
}

func list[T any](d *Decoder, read func(*Decoder, *T)) []T {
	var all []T
	for d.open(); d.nextElement(); {
		var p Presence
		if !d.object(&p) {
			if d.err == nil && d.lastWasNull() {
				d.flaw("not an object")
			}
			continue
		}
		if d.objects++; d.objects > maxObjects && d.err == nil {
			d.err = errTooMuch
			break
		}
		var v T
		all = append(all, v)
		read(d, &all[len(all)-1])
	}
	return all
}

// lastWasNull reports whether the value last read was null: as an element of a list and as the whole frame, where there is
// nothing to be unset, it is a flaw, though as a field it is not.
func (d *Decoder) lastWasNull() bool {
	return bytes.HasSuffix(d.body[:d.offset()], []byte("null"))
}

// value reads the next value whole.
func (d *Decoder) value() []byte {
	if d.err != nil {
		return nil
	}
	if kind := d.scan.kind(); kind == '{' || kind == '[' {
		begin := d.offset()
		d.pass() // nothing that is read as one value is an object or an array
		return d.since(begin)
	}
	v := d.scan.token()
	switch {
	case d.scan.err != nil:
		d.err = d.scan.err
		return nil
	case isNumber(v) && !d.zeros.fit(v):
		d.err = errNotStorable
		return nil
	}
	return v
}

// skip passes over the next value, token by token, since Postgres will have to store all of it.
func (d *Decoder) skip() {
	if d.err != nil {
		return
	}
	for depth := d.scan.depth(); ; {
		if d.scan.kind() == '0' {
			d.value()
		} else {
			d.open()
		}
		if d.err != nil || d.scan.depth() <= depth {
			return
		}
	}
}

func (d *Decoder) offset() int { return d.scan.at }

// since returns the value that was read from begin on, without the punctuation before it.
func (d *Decoder) since(begin int) JSON {
	if d.err != nil {
		return nil
	}
	return bytes.TrimLeft(d.body[begin:d.offset()], " \t\r\n:,")
}
