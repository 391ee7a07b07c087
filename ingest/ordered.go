package ingest

import (
	"bytes"
	"slices"
)

// jsonb keeps an object's keys by length and then by bytes, and sorts those of every object that it reads. It notices when
// they are in that order already. What is stored is the same either way.

const (
	// keptOrdered is how many blocks are remembered that come with every event.
	keptOrdered = 32
	// maxOrdered bounds such a block.
	maxOrdered = 32 << 10
)

// ordering puts the keys of JSON in the order of jsonb. The JSON must be valid.
type ordering struct {
	in      []byte
	out     []byte
	members []span // of the objects that are open, in out
	scratch []byte
	known   []orderedBlock // those met last come first
}

// span is a member, and where its name ends.
type span struct{ begin, name, end int }

type orderedBlock struct{ text, ordered []byte }

// order returns the same JSON with its keys in order. It is valid until the next call.
func (o *ordering) order(b []byte) []byte {
	o.in, o.out, o.members = b, o.out[:0], o.members[:0]
	o.value(o.space(0))
	o.in = nil
	return o.out
}

// value takes over the value that begins at i, and returns where it ends.
func (o *ordering) value(i int) int {
	switch o.in[i] {
	case '{':
		return o.object(i)
	case '[':
		return o.array(i)
	case '"':
		return o.take(i, endOfText(o.in, i))
	}
	end := i + 1
	for end < len(o.in) && o.in[end] > ' ' && o.in[end] != ',' && o.in[end] != '}' && o.in[end] != ']' {
		end++
	}
	return o.take(i, end)
}

func (o *ordering) take(begin, end int) int {
	o.out = append(o.out, o.in[begin:end]...)
	return end
}

func (o *ordering) array(i int) int {
	o.out = append(o.out, '[')
	for i = o.space(i + 1); o.in[i] != ']'; {
		i = o.space(o.value(i))
		if o.in[i] == ',' {
			o.out = append(o.out, ',')
			i = o.space(i + 1)
		}
	}
	o.out = append(o.out, ']')
	return i + 1
}

func (o *ordering) object(i int) int {
	o.out = append(o.out, '{')
	// Of a name that comes twice Postgres keeps the last one: such stay in the order they are in. With an escape in it a name may be
	// the same as another that is written otherwise, and the object is left as it is.
	first, isOrdered, isPlain := len(o.members), true, true
	for i = o.space(i + 1); o.in[i] != '}'; {
		m := span{begin: len(o.out)}
		i = o.take(i, endOfText(o.in, i))
		m.name = len(o.out)
		isPlain = isPlain && bytes.IndexByte(o.out[m.begin:m.name], '\\') < 0
		o.out = append(o.out, ':')
		i = o.space(o.space(i) + 1)
		if isBlock(o.out[m.begin:m.name]) {
			i = o.block(i)
		} else {
			i = o.value(i)
		}
		m.end = len(o.out)
		if n := len(o.members); n > first && isOrdered {
			isOrdered = o.compare(o.members[n-1], m) <= 0
		}
		o.members = append(o.members, m)
		if i = o.space(i); o.in[i] == ',' {
			o.out = append(o.out, ',')
			i = o.space(i + 1)
		}
	}
	if !isOrdered && isPlain {
		o.sort(o.members[first:])
	}
	o.members = o.members[:first]
	o.out = append(o.out, '}')
	return i + 1
}

// sort puts the members that are at the end of out in order.
func (o *ordering) sort(members []span) {
	from := members[0].begin
	slices.SortStableFunc(members, o.compare)
	sorted := o.scratch[:0]
	for i, m := range members {
		if i > 0 {
			sorted = append(sorted, ',')
		}
		sorted = append(sorted, o.out[m.begin:m.end]...)
	}
	o.out = append(o.out[:from], sorted...)
	o.scratch = sorted
}

func (o *ordering) compare(a, b span) int {
	if shorter := (a.name - a.begin) - (b.name - b.begin); shorter != 0 {
		return shorter
	}
	return bytes.Compare(o.out[a.begin:a.name], o.out[b.begin:b.name])
}

// isBlock reports whether a member of this name is one that comes with every event, byte for byte.
func isBlock(name []byte) bool {
	switch string(name) {
	case `"tools"`, `"assistant_config"`, `"config"`:
		return true
	}
	return false
}

// block is value for what may be known.
func (o *ordering) block(i int) int {
	for n, k := range o.known {
		if bytes.HasPrefix(o.in[i:], k.text) {
			copy(o.known[1:n+1], o.known[:n])
			o.known[0] = k
			o.out = append(o.out, k.ordered...)
			return i + len(k.text)
		}
	}
	begin := len(o.out)
	end := o.value(i)
	if c := o.in[i]; end-i > maxOrdered || c != '{' && c != '[' {
		return end
	}
	if len(o.known) < keptOrdered {
		o.known = append(o.known, orderedBlock{})
	}
	copy(o.known[1:], o.known)
	o.known[0] = orderedBlock{bytes.Clone(o.in[i:end]), bytes.Clone(o.out[begin:])}
	return end
}

func (o *ordering) space(i int) int {
	for i < len(o.in) && (o.in[i] == ' ' || o.in[i] == '\n' || o.in[i] == '\t' || o.in[i] == '\r') {
		i++
	}
	return i
}

// endOfText returns the end of the string that begins at i.
func endOfText(b []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(b[i:], '"')
		escapes := i
		for b[escapes-1] == '\\' {
			escapes--
		}
		if (i-escapes)%2 == 0 {
			return i + 1
		}
	}
}
