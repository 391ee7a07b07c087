package invent

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxIDBytes bounds the vendor's ids. They are index keys in Postgres, whose entries hold about 2,700 bytes and up to
// four ids; a longer id is flawed and counts as missing, so that it can never fail an insert.
const MaxIDBytes = 512

// maxFlaws bounds what one event records: past it the count is worth more than the list.
const maxFlaws = 64

// Reading is what decoding says of the bytes themselves.
type Reading struct {
	// Payload is JSON that Postgres can store and that decodes to the same objects: the bytes themselves, or a repaired
	// copy when Faithful is false. Nil when the bytes are no JSON.
	Payload []byte
	// Faithful is false when the bytes hold what jsonb cannot: duplicate keys, NUL, invalid UTF-8, lone surrogates.
	Faithful bool
	// Flaws names what was wrong, one text each: path and reason (state.csat_score: not a number). Paths begin at the
	// chat, the message or the array that was decoded; [2] is the third element of an array. Never a value.
	Flaws []string
}

// Decoder reads the vendor's JSON tolerantly: a field with a wrong value becomes Null and leaves a flaw, everything
// around it is read as usual, unknown fields are passed over, names match by exact case. No input makes it panic or
// return an error. A Decoder may be used again and again, by one goroutine at a time; what it returns shares the memory
// of the bytes it was given.
type Decoder struct {
	dec   jsontext.Decoder
	buf   bytes.Buffer
	body  []byte
	name  []byte // the member name last read by next
	err   error  // the first syntactic error; everything after it is a no-op
	flaws []string
}

// Frame decodes one text frame of the inbox socket. The event's Data is Given only when it is an object.
func (d *Decoder) Frame(body []byte) (Event, Reading) {
	var e Event
	r := d.read(body, func() {
		e = Event{}
		var p Presence
		if !d.object(&p) {
			return
		}
		d.event(&e)
		if !e.Data.Named() {
			d.flawAt("data", "missing")
		} else if e.Data.Given() {
			d.require(&e.Data.V.ID, "/data")
		}
	})
	return e, r
}

// Chats decodes one page of the inbox list. Elements without a usable id are left out, with a flaw.
func (d *Decoder) Chats(body []byte) ([]Chat, Reading) {
	var chats []Chat
	r := d.read(body, func() {
		chats = page(d, (*Decoder).chat, func(c *Chat) *Field[string] { return &c.ID })
	})
	return chats, r
}

// Messages decodes one page of a chat's messages. Elements without a usable id are left out, with a flaw.
func (d *Decoder) Messages(body []byte) ([]Message, Reading) {
	var messages []Message
	r := d.read(body, func() {
		messages = page(d, (*Decoder).message, func(m *Message) *Field[string] { return &m.ID })
	})
	return messages, r
}

// Any only tells whether the bytes are JSON that Postgres can store.
func (d *Decoder) Any(body []byte) Reading { return d.read(body, d.skip) }

// AssistantConfig decodes a configuration block (State.AssistantConfig).
func (d *Decoder) AssistantConfig(block JSON) (AssistantConfig, Reading) {
	var c AssistantConfig
	r := d.read(block, func() {
		c = AssistantConfig{}
		d.assistantConfig(&c)
	})
	return c, r
}

// Tools decodes a tools block (Chat.Tools, Message.Tools).
func (d *Decoder) Tools(block JSON) ([]Tool, Reading) {
	var tools []Tool
	r := d.read(block, func() { tools = list(d, (*Decoder).tool) })
	return tools, r
}

func page[T any](d *Decoder, read func(*Decoder, *T), id func(*T) *Field[string]) []T {
	var p Presence
	if !d.array(&p) {
		return nil
	}
	all := list(d, read)
	kept := all[:0]
	for i := range all {
		f := id(&all[i])
		if f.Given() {
			kept = append(kept, all[i])
		} else {
			d.require(f, jsontext.Pointer("/"+strconv.Itoa(i)))
		}
	}
	return kept
}

// read runs the decoding of one value over body. Strict syntax is tried first, since it is what practically every
// event has; bytes that fail it are repaired, if they can be, and decoded again.
func (d *Decoder) read(body []byte, decode func()) Reading {
	r := Reading{Payload: body, Faithful: true}
	if !bytes.Contains(body, []byte(`\u0000`)) && d.run(body, decode) {
		r.Flaws = d.flaws
		return r
	}
	payload, flaws, err := repair(body)
	if err != nil || !d.run(payload, decode) {
		d.flaws = nil
		d.run(nil, decode) // leaves what was decoded empty
		return Reading{Flaws: []string{"frame: not JSON"}}
	}
	r.Flaws = append(flaws, d.flaws...)
	// \u0000 behind an escaped backslash is plain text: nothing was repaired.
	if len(flaws) > 0 {
		r.Payload, r.Faithful = payload, false
	}
	return r
}

func (d *Decoder) run(body []byte, decode func()) bool {
	d.body, d.err, d.flaws, d.name = body, nil, nil, nil
	d.buf = *bytes.NewBuffer(body)
	d.dec.Reset(&d.buf)
	decode()
	if d.err == nil {
		if _, err := d.dec.ReadToken(); !errors.Is(err, io.EOF) {
			d.err = errors.New("more than one value")
		}
	}
	return d.err == nil
}

// open enters the object or array that object or array has found.
func (d *Decoder) open() {
	if d.err == nil {
		_, d.err = d.dec.ReadToken()
	}
}

// next reads the next member's name into d.name; false at the end of the object, which it then leaves.
func (d *Decoder) next() bool {
	if !d.nextElement() {
		return false
	}
	v, err := d.dec.ReadValue()
	if err != nil {
		d.err = err
		return false
	}
	d.name = v[1 : len(v)-1]
	if bytes.IndexByte(d.name, '\\') >= 0 {
		d.name, _ = jsontext.AppendUnquote(nil, v)
	}
	return true
}

// nextElement reports whether another element follows; at the end of the array or object it leaves it.
func (d *Decoder) nextElement() bool {
	if d.err != nil {
		return false
	}
	switch d.dec.PeekKind() {
	case '}', ']':
		_, d.err = d.dec.ReadToken()
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
		var v T
		read(d, &v)
		if d.err == nil {
			all = append(all, v)
		}
	}
	return all
}

// lastWasNull reports whether the value last read was null: in a list, where a missing element means nothing, it is a
// flaw, though as a field it is not.
func (d *Decoder) lastWasNull() bool {
	return bytes.HasSuffix(d.body[:d.offset()], []byte("null"))
}

func (d *Decoder) value() []byte {
	if d.err != nil {
		return nil
	}
	v, err := d.dec.ReadValue()
	if err != nil {
		d.err = err
		return nil
	}
	return v
}

func (d *Decoder) skip() {
	if d.err == nil {
		d.err = d.dec.SkipValue()
	}
}

func (d *Decoder) offset() int { return int(d.dec.InputOffset()) }

// since returns the value that was read from begin on, without the punctuation before it.
func (d *Decoder) since(begin int) JSON {
	if d.err != nil {
		return nil
	}
	return bytes.TrimLeft(d.body[begin:d.offset()], " \t\r\n:,")
}

func (d *Decoder) object(p *Presence) bool { return d.composite(p, '{', "not an object") }

func (d *Decoder) array(p *Presence) bool { return d.composite(p, '[', "not an array") }

func (d *Decoder) composite(p *Presence, want jsontext.Kind, reason string) bool {
	if d.err != nil {
		return false
	}
	kind := d.dec.PeekKind()
	if kind == want {
		*p = Given
		return true
	}
	*p = Null
	d.skip()
	if kind != 'n' {
		d.flaw(reason)
	}
	return false
}

// json keeps a value as it stands; want is the kind it must have, 0 for any.
func (d *Decoder) json(f *Field[JSON], want jsontext.Kind) {
	if want == '{' && !d.object(&f.Presence) || want == '[' && !d.array(&f.Presence) {
		return
	}
	if want == 0 && d.err == nil && d.dec.PeekKind() == 'n' {
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
		f.set(unquote(v))
	default:
		f.clear()
		d.flawUnlessNull(v, "not a string")
	}
}

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
		if t, ok := parseTime(v[1 : len(v)-1]); ok {
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
			f.set(n)
			return
		}
		f.clear()
		d.flaw("out of range")
	default:
		f.clear()
		d.flawUnlessNull(v, "not a number")
	}
}

func isNumber(v []byte) bool { return v[0] == '-' || '0' <= v[0] && v[0] <= '9' }

// parseInt reads a JSON number that is whole; 3.0 and 3e0 are.
func parseInt(v []byte) (n int64, reason string) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err == nil {
		return n, ""
	}
	f, err := strconv.ParseFloat(string(v), 64)
	switch {
	case err != nil || f < -1<<53 || f > 1<<53:
		return 0, "out of range"
	case f != float64(int64(f)):
		return 0, "not a whole number"
	}
	return int64(f), ""
}

func unquote(v []byte) string {
	inner := v[1 : len(v)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	b, _ := jsontext.AppendUnquote(make([]byte, 0, len(inner)), v)
	return string(b)
}

func (d *Decoder) flawUnlessNull(v []byte, reason string) {
	if v[0] != 'n' {
		d.flaw(reason)
	}
}

// require records that the object at p has no id, unless a flaw tells why already.
func (d *Decoder) require(id *Field[string], p jsontext.Pointer) {
	name := path(p + "/id")
	if id.Given() || slices.ContainsFunc(d.flaws, func(f string) bool { return strings.HasPrefix(f, name+": ") }) {
		return
	}
	d.flawAt(name, "missing")
}

// flaw records that the value last read is wrong.
func (d *Decoder) flaw(reason string) { d.flawAt(path(d.dec.StackPointer()), reason) }

func (d *Decoder) flawAt(path, reason string) {
	switch {
	case d.err != nil:
	case len(d.flaws) < maxFlaws:
		d.flaws = append(d.flaws, path+": "+reason)
	case len(d.flaws) == maxFlaws:
		d.flaws = append(d.flaws, "frame: more flaws than are listed")
	}
}

// path writes a JSON pointer as the archive's flaws do: data.state.csat_score as state.csat_score, members/0 as
// members[0]; the whole value is called frame.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		_, err := strconv.Atoi(token)
		switch {
		case err == nil:
			b.WriteString("[" + token + "]")
		case b.Len() == 0 && token == "data" && strings.HasPrefix(string(p), "/data/"):
		case b.Len() == 0:
			b.WriteString(token)
		default:
			b.WriteString("." + token)
		}
	}
	if b.Len() == 0 {
		return "frame"
	}
	return b.String()
}
