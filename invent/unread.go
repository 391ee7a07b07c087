package invent

// Which of the vendor's fields the archive does not read is asked of the decoder itself, so that no list of them can
// become wrong: with unread set, it notes where in the bytes it passes over something.

// passed is a part of the decoded bytes that was passed over.
type passed struct{ begin, end int }

// unreadIn decodes a payload once more and adds the values in it that nothing is read of.
func (d *Decoder) unreadIn(origin Origin, payload []byte, found []passed) []passed {
	d.unread = &found
	defer func() { d.unread = nil }()
	d.run(payload, func() {
		var p Presence
		switch {
		case origin == OfFrame && d.object(&p):
			d.event(&Event{})
		case origin == OfChats && d.array(&p):
			list(d, (*Decoder).chat)
		case origin == OfMessages && d.array(&p):
			list(d, (*Decoder).message)
		case origin == OfOrgs && d.array(&p):
			list(d, (*Decoder).org)
		}
	})
	return found
}

// pass passes over a value that is not read.
func (d *Decoder) pass() {
	if d.unread == nil {
		d.skip()
		return
	}
	begin := d.offset()
	d.skip()
	end := d.offset()
	*d.unread = append(*d.unread, passed{end - len(d.since(begin)), end})
}

// block is json for a value that is decoded later, once for each content; read is what then reads it.
func (d *Decoder) block(f *Field[JSON], want byte, read func(*Decoder)) {
	if d.unread == nil {
		d.repeatedJSON(f, want)
	} else if want == '{' && d.object(&f.Presence) || want == '[' && d.array(&f.Presence) {
		read(d)
	}
}

func (d *Decoder) readTools() { list(d, (*Decoder).tool) }

func (d *Decoder) readConfig() { d.assistantConfig(&AssistantConfig{}) }
