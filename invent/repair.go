package invent

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// errTooDeep says that the nesting is deeper than jsontext reads.
var errTooDeep = errors.New("nested too deeply")

// deepest is how deep jsontext reads.
const deepest = 10_000

// repair rewrites JSON that Postgres could not store as jsonb, or would store as something else: of duplicate keys the
// last one is kept; invalid UTF-8, lone surrogates and NUL become U+FFFD; numbers beyond Postgres' range and values
// nested deeper than maxDepth become null. flaws says where; they are empty when there was nothing to repair. The error
// says that the bytes are no JSON at all.
func repair(body []byte) (payload []byte, flaws []string, err error) {
	r := repairer{
		dec: jsontext.NewDecoder(bytes.NewBuffer(body),
			jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		out: make([]byte, 0, len(body)),
	}
	if err := r.value(); err != nil {
		if r.dec.StackDepth() >= deepest {
			return nil, nil, errTooDeep
		}
		return nil, nil, err
	}
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("more than one value")
	}
	return r.compact(), r.flaws, nil
}

type repairer struct {
	dec   *jsontext.Decoder
	out   []byte
	cuts  []span // of out: members that a later one of the same name replaces
	flaws []string
	zeros addedZeros
}

type span struct{ begin, end int }

func (r *repairer) flaw(reason string) {
	if len(r.flaws) <= maxFlaws {
		r.flaws = appendFlaw(r.flaws, path(r.dec.StackPointer())+": "+reason)
	}
}

func (r *repairer) value() error {
	kind := r.dec.PeekKind()
	switch {
	case (kind == '{' || kind == '[') && r.dec.StackDepth() >= maxDepth:
		return r.tooDeep()
	case kind == '{':
		return r.object()
	case kind == '[':
		return r.array()
	case kind == '"':
		return r.string()
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	if kind == '0' && !r.zeros.fit(v) {
		r.flaw("number out of range")
		v = jsontext.Value("null")
	}
	r.out = append(r.out, v...)
	return nil
}

func (r *repairer) tooDeep() error {
	if err := r.dec.SkipValue(); err != nil {
		return err
	}
	r.flaw("nested too deeply")
	r.out = append(r.out, "null"...)
	return nil
}

// object writes every member, each with a comma after it. Members that turn out to be replaced are cut out at the end,
// all at once, so that no input makes this slower than its length.
func (r *repairer) object() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.out = append(r.out, '{')
	members := map[string]span{}
	for r.dec.PeekKind() != '}' {
		begin := len(r.out)
		if err := r.string(); err != nil {
			return err
		}
		name := string(r.out[begin:])
		r.out = append(r.out, ':')
		if err := r.value(); err != nil {
			return err
		}
		r.out = append(r.out, ',')
		if earlier, twice := members[name]; twice {
			r.flaw("duplicate key")
			r.cuts = append(r.cuts, earlier)
		}
		members[name] = span{begin, len(r.out)}
	}
	return r.end('}')
}

func (r *repairer) array() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	r.out = append(r.out, '[')
	for r.dec.PeekKind() != ']' {
		if err := r.value(); err != nil {
			return err
		}
		r.out = append(r.out, ',')
	}
	return r.end(']')
}

// end closes an object or array; the last member, which no other replaces, loses its comma.
func (r *repairer) end(bracket byte) error {
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	if last := len(r.out) - 1; r.out[last] == ',' {
		r.out = r.out[:last]
	}
	r.out = append(r.out, bracket)
	return nil
}

func (r *repairer) string() error {
	v, err := r.dec.ReadValue()
	if err != nil {
		return err
	}
	plain, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		r.flaw("invalid UTF-8 or lone surrogate")
	}
	if bytes.IndexByte(plain, 0) >= 0 {
		r.flaw("NUL character")
		plain = bytes.ReplaceAll(plain, []byte{0}, []byte("\uFFFD"))
	}
	r.out, err = jsontext.AppendQuote(r.out, bytes.ToValidUTF8(plain, []byte("\uFFFD")))
	return err
}

// compact returns what was written without what is to be cut.
func (r *repairer) compact() []byte {
	if len(r.cuts) == 0 {
		return r.out
	}
	slices.SortFunc(r.cuts, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	kept, from := r.out[:0], 0
	for _, cut := range r.cuts {
		if cut.end <= from {
			continue // within a member that is cut already
		}
		kept = append(kept, r.out[from:cut.begin]...)
		from = cut.end
	}
	return append(kept, r.out[from:]...)
}
