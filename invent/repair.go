package invent

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// repair rewrites JSON that Postgres could not store as jsonb, or would store as something else: of duplicate keys the
// last one is kept, invalid UTF-8, lone surrogates and NUL become U+FFFD. flaws says where; they are empty when there
// was nothing to repair. The error says that the bytes are no JSON at all.
func repair(body []byte) (payload []byte, flaws []string, err error) {
	r := repairer{dec: jsontext.NewDecoder(bytes.NewBuffer(body),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	payload, err = r.value(nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := r.dec.ReadToken(); err != io.EOF {
		return nil, nil, errors.New("more than one value")
	}
	return payload, r.flaws, nil
}

type repairer struct {
	dec   *jsontext.Decoder
	flaws []string
}

func (r *repairer) flaw(reason string) {
	if len(r.flaws) < maxFlaws {
		r.flaws = append(r.flaws, strings.ReplaceAll(path(r.dec.StackPointer()), "\x00", "\uFFFD")+": "+reason)
	}
}

func (r *repairer) value(b []byte) ([]byte, error) {
	switch r.dec.PeekKind() {
	case '{':
		return r.object(b)
	case '[':
		return r.array(b)
	case '"':
		return r.string(b)
	}
	v, err := r.dec.ReadValue()
	return append(b, v...), err
}

func (r *repairer) object(b []byte) ([]byte, error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	var names []string
	values := map[string][]byte{}
	for r.dec.PeekKind() != '}' {
		name, err := r.string(nil)
		if err != nil {
			return nil, err
		}
		value, err := r.value(nil)
		if err != nil {
			return nil, err
		}
		if _, twice := values[string(name)]; twice {
			r.flaw("duplicate key")
		} else {
			names = append(names, string(name))
		}
		values[string(name)] = value
	}
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), values[name]...)
	}
	_, err := r.dec.ReadToken()
	return append(b, '}'), err
}

func (r *repairer) array(b []byte) ([]byte, error) {
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, err
	}
	b = append(b, '[')
	for i := 0; r.dec.PeekKind() != ']'; i++ {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = r.value(b); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.ReadToken()
	return append(b, ']'), err
}

func (r *repairer) string(b []byte) ([]byte, error) {
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	plain, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		r.flaw("invalid UTF-8 or lone surrogate")
	}
	if bytes.IndexByte(plain, 0) >= 0 {
		r.flaw("NUL character")
		plain = bytes.ReplaceAll(plain, []byte{0}, []byte("\uFFFD"))
	}
	return jsontext.AppendQuote(b, bytes.ToValidUTF8(plain, []byte("\uFFFD")))
}
