package invent

import "bytes"

const (
	// keptRepeated is how many values a repeated remembers: an org has a few assistants, each with a few toolsets.
	keptRepeated = 32
	// maxRepeated bounds such a value, and with it the memory.
	maxRepeated = 32 << 10
)

// repeated remembers values that come again with every event, byte for byte: one that is known need not be read again to
// know that it is JSON, and where it ends.
type repeated []repeatedValue

type repeatedValue struct {
	text  []byte
	depth int // how deep it was read: what is deeper may be nested too deeply
}

// pass passes over the next value, if it is known.
func (r repeated) pass(s *scanner) bool {
	for i, v := range r {
		if s.depth() <= v.depth && s.passOver(v.text) {
			copy(r[1:i+1], r[:i]) // those met last come first
			r[0] = v
			return true
		}
	}
	return false
}

// add remembers a copy of a value.
func (r *repeated) add(v []byte, depth int) {
	if len(*r) < keptRepeated {
		*r = append(*r, repeatedValue{})
	}
	copy((*r)[1:], *r)
	(*r)[0] = repeatedValue{bytes.Clone(v), depth}
}

// repeatedJSON is json for a value that comes again with every event.
func (d *Decoder) repeatedJSON(f *Field[JSON], want byte) {
	if want == '{' && !d.object(&f.Presence) || want == '[' && !d.array(&f.Presence) {
		return
	}
	begin, zeros := d.offset(), d.zeros
	if d.repeated.pass(&d.scan) {
		f.set(d.since(begin))
		return
	}
	d.skip()
	v := d.since(begin)
	f.set(v)
	// Numbers that count against the bound of one frame count each time.
	if d.err == nil && len(v) <= maxRepeated && d.zeros == zeros {
		d.repeated.add(v, d.scan.depth())
	}
}
