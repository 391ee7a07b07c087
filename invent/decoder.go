package invent

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxIDBytes bounds the vendor's ids. They are index keys in Postgres, whose entries hold about 2,700 bytes and up to
// four ids; a longer id is flawed and counts as missing, so that it can never fail an insert.
const MaxIDBytes = 512

// maxFlaws bounds what one event records: past it the count is worth more than the list.
const maxFlaws = 64

// maxPathBytes bounds the path in a flaw. Names are the sender's, and may be of any length.
const maxPathBytes = 256

// maxDepth bounds the nesting of what is stored. The vendor nests some fifteen levels; Postgres' limit depends on its
// stack, so a value deeper than this is left out of the payload before it can fail an insert.
const maxDepth = 1000

// maxObjects bounds the objects in lists that are read of one frame or page. In memory they take up to two hundred times
// the bytes they came in, so without a bound one frame could be the end of the process, and again after each restart.
const maxObjects = 100_000

// errTooMuch says that there are more than maxObjects. Where they are does not matter, so that the order of keys, which
// jsonb changes, makes no difference.
var errTooMuch = errors.New("too many objects")

// errNotStorable says that the bytes are JSON and yet nothing for jsonb: a number it cannot hold, or too many levels.
var errNotStorable = errors.New("JSON that Postgres cannot store")

// Reading is what decoding says of the bytes themselves.
type Reading struct {
	// Payload is JSON that Postgres can store and that decodes to the same objects: the bytes themselves, or a repaired
	// copy when Faithful is false. Nil when the bytes are no JSON. A payload with more than 100,000 objects in lists
	// decodes to nothing, with a flaw.
	Payload []byte
	// Faithful is false when the bytes hold what jsonb cannot: duplicate keys, NUL, invalid UTF-8, lone surrogates,
	// numbers beyond its range, a thousand levels of nesting.
	Faithful bool
	// Flaws names what was wrong, one text each: path and reason (state.csat_score: not a number). Paths begin at the
	// chat, the message or the array that was decoded; [2] is the third element of an array. Never a value. At most 64,
	// then one that says that there are more.
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
	// objects counts those that were read in lists
	objects int
	zeros   addedZeros
	unread  *[]passed   // where to note what is passed over; nil when nobody asks
	seen    [512]string // short strings of earlier values, by their hash
}

// Frame decodes one text frame of the inbox socket. The event's Data is Given only when it is an object.
func (d *Decoder) Frame(body []byte) (Event, Reading) {
	var e Event
	r := d.read(body, func() {
		e = Event{}
		var p Presence
		if !d.object(&p) {
			if d.err == nil && d.lastWasNull() {
				d.flaw("not an object")
			}
			return
		}
		d.event(&e)
		if !e.Data.Given() {
			d.missing("data")
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
		var p Presence
		if d.object(&p) {
			d.assistantConfig(&c)
		}
	})
	return c, r
}

// Tools decodes a tools block (Chat.Tools, Message.Tools).
func (d *Decoder) Tools(block JSON) ([]Tool, Reading) {
	var tools []Tool
	r := d.read(block, func() {
		tools = nil
		var p Presence
		if d.array(&p) {
			tools = list(d, (*Decoder).tool)
		}
	})
	return tools, r
}

// page decodes a list of which only the elements with an id are of use.
func page[T any](d *Decoder, read func(*Decoder, *T), id func(*T) *Field[string]) []T {
	var p Presence
	if !d.array(&p) {
		return nil
	}
	all := list(d, read)
	kept := all[:0]
	for i := range all {
		if id(&all[i]).Given() {
			kept = append(kept, all[i])
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
	if err == nil && !d.run(payload, decode) {
		err = d.err
	}
	found := d.flaws
	if err != nil {
		d.run(nil, decode) // leaves what was decoded empty
	}
	switch {
	case err == nil:
	case errors.Is(err, errTooMuch):
		found = []string{"frame: too much to be read"}
	case errors.Is(err, errTooDeep):
		return Reading{Flaws: []string{"frame: nested too deeply to be read"}}
	default:
		return Reading{Flaws: []string{"frame: not JSON"}}
	}
	r.Flaws = slices.Clip(flaws)
	for _, flaw := range found {
		r.Flaws = appendFlaw(r.Flaws, flaw)
	}
	// \u0000 behind an escaped backslash is plain text: nothing was repaired.
	if len(flaws) > 0 {
		r.Payload, r.Faithful = payload, false
	}
	return r
}

func (d *Decoder) run(body []byte, decode func()) bool {
	d.body, d.err, d.flaws, d.name, d.objects, d.zeros = body, nil, nil, nil, 0, 0
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
		d.checkDepth()
	}
}

func (d *Decoder) checkDepth() {
	if d.err == nil && d.dec.StackDepth() > maxDepth {
		d.err = errNotStorable
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
	d.name = plain(v)
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
	if kind := d.dec.PeekKind(); kind == '{' || kind == '[' {
		begin := d.offset()
		d.pass() // nothing that is read as one value is an object or an array
		return d.since(begin)
	}
	v, err := d.dec.ReadValue()
	switch {
	case err != nil:
		d.err = err
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
	for depth := d.dec.StackDepth(); ; {
		if d.dec.PeekKind() == '0' {
			d.value()
		} else {
			d.open()
		}
		if d.err != nil || d.dec.StackDepth() <= depth {
			return
		}
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
	if kind == 'n' {
		d.skip()
		return false
	}
	d.pass()
	d.flaw(reason)
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
		f.set(d.string(plain(v)))
	default:
		f.clear()
		d.flawUnlessNull(v, "not a string")
	}
}

// maxShared is the length up to which equal strings share memory; a UUID has 36 bytes.
const maxShared = 40

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

func isNumber(v []byte) bool { return v[0] == '-' || '0' <= v[0] && v[0] <= '9' }

// parseInt reads a JSON number that is whole, exactly and however it is written: 3.0 and 3e0 are, and jsonb writes the
// one as it came and the other as 3.
func parseInt(v []byte) (n int64, reason string) {
	if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return n, ""
	}
	sign, whole, fraction, exponent := parts(v)
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent -= len(fraction)
	short := strings.TrimRight(digits, "0")
	exponent += len(digits) - len(short)
	switch {
	case short == "":
		return 0, ""
	case exponent < 0:
		return 0, "not a whole number"
	case len(short)+exponent > 19: // the digits of the largest int64
		return 0, "out of range"
	}
	n, err := strconv.ParseInt(sign+short+strings.Repeat("0", exponent), 10, 64)
	if err != nil {
		return 0, "out of range"
	}
	return n, ""
}

// maxZeros bounds the zeros that jsonb adds to one frame. It writes 1e100000 with all of them, and a text of more than
// 1 GB could be stored and never be read again.
const maxZeros = 16 << 20

// addedZeros counts those that jsonb adds to numbers with an exponent.
type addedZeros int

// fit reports whether jsonb can hold the number: up to 131,072 digits before the decimal point and 16,383 after it, as
// Postgres' numeric, and no more than maxZeros with the numbers before.
func (z *addedZeros) fit(v []byte) bool {
	if len(v) < 1000 && bytes.IndexByte(v, 'e') < 0 && bytes.IndexByte(v, 'E') < 0 {
		return true
	}
	_, whole, fraction, exponent := parts(v)
	added := addedZeros(max(exponent, -exponent))
	if len(whole)+exponent > 131072 || len(fraction)-exponent > 16383 || *z+added > maxZeros {
		return false
	}
	*z += added
	return true
}

// parts takes a JSON number apart. An exponent beyond a million is cut to that.
func parts(v []byte) (sign, whole, fraction string, exponent int) {
	const most = 1_000_000
	mantissa := string(v)
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		// What Atoi cannot hold, it returns as the nearest it can.
		exponent, _ = strconv.Atoi(mantissa[i+1:])
		exponent = min(max(exponent, -most), most)
		mantissa = mantissa[:i]
	}
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ = strings.Cut(mantissa, ".")
	return sign, whole, fraction, exponent
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

func (d *Decoder) flawUnlessNull(v []byte, reason string) {
	if v[0] != 'n' {
		d.flaw(reason)
	}
}

// require records that the object last read has no id.
func (d *Decoder) require(id *Field[string]) {
	if d.err == nil && !id.Given() && len(d.flaws) <= maxFlaws {
		d.missing(path(d.dec.StackPointer() + "/id"))
	}
}

// missing records that there is nothing at path, unless a flaw tells why already.
func (d *Decoder) missing(path string) {
	if !slices.ContainsFunc(d.flaws, func(f string) bool { return strings.HasPrefix(f, path+": ") }) {
		d.flawAt(path, "missing")
	}
}

// flaw records that the value last read is wrong.
func (d *Decoder) flaw(reason string) {
	if d.err == nil && len(d.flaws) <= maxFlaws {
		d.flawAt(path(d.dec.StackPointer()), reason)
	}
}

func (d *Decoder) flawAt(path, reason string) {
	if d.err == nil {
		d.flaws = appendFlaw(d.flaws, path+": "+reason)
	}
}

func appendFlaw(flaws []string, flaw string) []string {
	switch {
	case len(flaws) < maxFlaws:
		return append(flaws, flaw)
	case len(flaws) == maxFlaws:
		return append(flaws, "frame: more flaws than are listed")
	}
	return flaws
}

// path writes a JSON pointer as the archive's flaws do: data.state.csat_score as state.csat_score, members/0 as
// members[0]; the whole value is called frame.
func path(p jsontext.Pointer) string {
	var b strings.Builder
	for token := range p.Tokens() {
		if b.Len() > maxPathBytes {
			break
		}
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
	return shorten(strings.ReplaceAll(b.String(), "\x00", "\uFFFD"))
}

// shorten cuts a path that is too long, between characters.
func shorten(path string) string {
	if len(path) <= maxPathBytes {
		return path
	}
	cut := maxPathBytes
	for !utf8.RuneStart(path[cut]) {
		cut--
	}
	return path[:cut] + "…"
}
