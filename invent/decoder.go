package invent

import (
	"bytes"
	"errors"
	"slices"
)

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
	scan  scanner
	body  []byte
	name  []byte // the member name last read by next
	err   error  // the first syntactic error; everything after it is a no-op
	flaws []string
	// objects counts those that were read in lists
	objects  int
	zeros    addedZeros
	repeated repeated
	unread   *[]passed    // where to note what is passed over; nil when nobody asks
	seen     [8192]string // short strings of earlier values, by their hash
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
	d.scan.reset(body)
	decode()
	if d.err == nil && !d.scan.atEnd() {
		d.err = errors.New("more than one value")
	}
	return d.err == nil
}
