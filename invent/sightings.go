package invent

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// What bounds the memory of an org's sightings, and their rows.
const (
	// MaxPaths is how many paths of one org are told apart. A snapshot of the published schema has some 200.
	MaxPaths = 2_000
	// maxNames is how many names one object may show before it counts as a map, whose keys are data.
	maxNames = 128
	// maxNameBytes is the longest name that is taken for one.
	maxNameBytes = 64
	// maxSeenDepth is how deep values are looked into.
	maxSeenDepth = 32
)

// Origin is where a payload comes from; its paths begin there.
type Origin uint8

// The origins that are looked into. The paths of a frame begin at its top (type, data.title), those of a page at the
// page's kind (chats_page[].title).
const (
	OfFrame Origin = iota
	OfChats
	OfMessages
	OfOrgs
)

var originPaths = [...]string{OfFrame: "$", OfChats: "chats_page", OfMessages: "messages_page", OfOrgs: "orgs_page"}

// Sighting is a path that was seen with one type.
type Sighting struct {
	Path   string // data.members[].role; $ is a frame itself
	Parent string // the path of the object that holds it; empty where that is an array or nothing
	Type   string // string, number, boolean, object, array or null
	// Mapped says that the decoder reads it, or keeps it as part of a value that is stored as it stands.
	Mapped      bool
	First, Last time.Time
	Count       int64    // since it was last taken
	Values      []string // all that are known, sorted; nil but for enumerated paths
}

// Sightings gathers which fields the events of one org have. Names past MaxPaths, past 128 in one object, and such as no
// field has (with @, that begin with a digit, of more than 64 bytes) are gathered under the name *. Values are kept of the
// enumerated paths only.
type Sightings struct {
	roots  [len(originPaths)]*seenPath
	paths  []*seenPath
	fresh  []freshTally // of the payload that is walked
	walk   walk
	passed []passed
	known  []*seenPath // those of which values are remembered
	notes  *[]*tally   // where a value that is to be remembered notes what it counts; nil when none is
}

// seenPath is one path.
type seenPath struct {
	path, parent string
	types        [len(typeNames)]tally
	names        map[string]*seenPath
	rest         *seenPath // the name *
	element      *seenPath
	values       map[string]struct{} // nil where they are not kept
	isRepeated   bool                // the same values come with every event
	walked       []walkedValue       // of these, the last ones
}

// tally is what is known of one path and type.
type tally struct {
	count       int64
	first, last int64 // µs since 1970
	seen        bool
	mapped      bool
}

// jsonType is an index into typeNames.
type jsonType uint8

var typeNames = [...]string{"string", "number", "boolean", "object", "array", "null"}

const (
	aString jsonType = iota
	aNumber
	aBoolean
	anObject
	anArray
	aNull
)

// freshTally is a path and type that was not seen before, and where it is in the payload.
type freshTally struct {
	tally *tally
	at    int
}

// NewSightings returns the sightings of an org that has shown nothing yet.
func NewSightings() *Sightings {
	s := &Sightings{}
	for origin := range s.roots {
		s.roots[origin] = s.path(originPaths[origin], "")
	}
	return s
}

// Note looks at a payload that d has read (Reading.Payload), which was observed at the time, and reports whether it shows
// a path, a type or an enumerated value for the first time.
func (s *Sightings) Note(d *Decoder, origin Origin, payload []byte, at time.Time) (isNew bool) {
	s.walk = walk{s: s, body: payload, at: at.UnixMicro()}
	s.walk.value(s.roots[origin], s.walk.space(0), 0)
	if len(s.fresh) > 0 {
		s.passed = d.unreadIn(origin, payload, s.passed[:0])
		for _, f := range s.fresh {
			f.tally.mapped = !slices.ContainsFunc(s.passed, func(u passed) bool { return u.begin <= f.at && f.at < u.end })
		}
		s.fresh, s.walk.isNew = s.fresh[:0], true
	}
	s.walk.body = nil
	return s.walk.isNew
}

// Take returns what was seen since it was last called, sorted by path and type.
func (s *Sightings) Take() (all []Sighting) {
	for _, p := range s.known {
		for i := range p.walked {
			p.walked[i].settle()
		}
	}
	for _, p := range s.paths {
		for i := range p.types {
			t := &p.types[i]
			if t.count == 0 {
				continue
			}
			one := Sighting{
				Path: p.path, Parent: p.parent, Type: typeNames[i], Mapped: t.mapped, Count: t.count,
				First: time.UnixMicro(t.first).UTC(), Last: time.UnixMicro(t.last).UTC(),
			}
			if len(p.values) > 0 && jsonType(i) == aString {
				one.Values = slices.Sorted(maps.Keys(p.values))
			}
			all, t.count = append(all, one), 0
		}
	}
	slices.SortFunc(all, func(a, b Sighting) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Type, b.Type)
	})
	return all
}

func (s *Sightings) path(path, parent string) *seenPath {
	p := &seenPath{path: path, parent: parent}
	if IsEnumerated(path) {
		p.values = map[string]struct{}{}
	}
	if isRepeated(path) {
		p.isRepeated = true
		s.known = append(s.known, p)
	}
	s.paths = append(s.paths, p)
	return p
}

// member finds the path of an object's member.
func (s *Sightings) member(p *seenPath, name []byte) *seenPath {
	if found := p.names[string(name)]; found != nil {
		return found
	}
	if bytes.IndexByte(name, '\\') >= 0 {
		quoted := append(append([]byte{'"'}, name...), '"')
		name, _ = jsontext.AppendUnquote(nil, quoted)
		if found := p.names[string(name)]; found != nil {
			return found
		}
	}
	if len(s.paths) >= MaxPaths || len(p.names) >= maxNames || isData(name) {
		if p.rest == nil {
			p.rest = s.path(memberPath(p.path, "*"), p.path)
		}
		return p.rest
	}
	plain := string(name)
	found := s.path(memberPath(p.path, shownName(plain)), p.path)
	if p.names == nil {
		p.names = map[string]*seenPath{}
	}
	p.names[plain] = found
	return found
}

// isData reports whether a name looks like the key of a map, which may be personal (an address, a number, an id) and is no
// field's name.
func isData(name []byte) bool {
	return len(name) == 0 || len(name) > maxNameBytes || name[0] == '+' || '0' <= name[0] && name[0] <= '9' ||
		bytes.IndexByte(name, '@') >= 0
}

func memberPath(path, name string) string {
	if path == originPaths[OfFrame] {
		return name
	}
	return path + "." + name
}

// shownName quotes a name that could be taken for something else in a path.
func shownName(name string) string {
	isPlain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if isPlain {
		return name
	}
	return strconv.Quote(name)
}

// sight counts a path, of which a value begins at i.
func (s *Sightings) sight(p *seenPath, typ jsonType, i int, at int64) {
	t := &p.types[typ]
	if !t.seen {
		t.seen, t.first, t.last = true, at, at
		s.fresh = append(s.fresh, freshTally{t, i})
	}
	t.count++
	t.first, t.last = min(t.first, at), max(t.last, at)
	if s.notes != nil {
		*s.notes = append(*s.notes, t)
	}
}

// walk goes through one payload. It is JSON that was read before, so nothing is checked again.
type walk struct {
	s     *Sightings
	body  []byte
	at    int64
	isNew bool
}

// value notes the value that begins at i, and returns where it ends.
func (w *walk) value(p *seenPath, i, depth int) int {
	switch w.body[i] {
	case '"':
		w.s.sight(p, aString, i, w.at)
		end := w.text(i)
		if p.values != nil {
			w.enumerated(p, w.body[i+1:end-1])
		}
		return end
	case '{':
		if p.isRepeated {
			return w.repeated(p, i, depth, w.objectAt)
		}
		return w.objectAt(p, i, depth)
	case '[':
		if p.isRepeated {
			return w.repeated(p, i, depth, w.arrayAt)
		}
		return w.arrayAt(p, i, depth)
	case 't':
		w.s.sight(p, aBoolean, i, w.at)
		return i + len("true")
	case 'f':
		w.s.sight(p, aBoolean, i, w.at)
		return i + len("false")
	case 'n':
		w.s.sight(p, aNull, i, w.at)
		return i + len("null")
	}
	w.s.sight(p, aNumber, i, w.at)
	for i < len(w.body) && strings.IndexByte("+-.eE0123456789", w.body[i]) >= 0 {
		i++
	}
	return i
}

func (w *walk) objectAt(p *seenPath, i, depth int) int {
	w.s.sight(p, anObject, i, w.at)
	if depth == maxSeenDepth {
		return w.over(i)
	}
	return w.object(p, i, depth)
}

func (w *walk) arrayAt(p *seenPath, i, depth int) int {
	w.s.sight(p, anArray, i, w.at)
	if depth == maxSeenDepth {
		return w.over(i)
	}
	return w.array(p, i, depth)
}

func (w *walk) object(p *seenPath, i, depth int) int {
	for i = w.space(i + 1); w.body[i] != '}'; {
		end := w.text(i)
		member := w.s.member(p, w.body[i+1:end-1])
		i = w.space(w.value(member, w.space(w.space(end)+1), depth+1))
		if w.body[i] == ',' {
			i = w.space(i + 1)
		}
	}
	return i + 1
}

func (w *walk) array(p *seenPath, i, depth int) int {
	for i = w.space(i + 1); w.body[i] != ']'; {
		if p.element == nil {
			p.element = w.s.path(p.path+"[]", "")
		}
		i = w.space(w.value(p.element, i, depth+1))
		if w.body[i] == ',' {
			i = w.space(i + 1)
		}
	}
	return i + 1
}

// enumerated keeps a value as it stands between its quotes.
func (w *walk) enumerated(p *seenPath, value []byte) {
	if _, known := p.values[string(value)]; known || len(value) > MaxValueBytes || len(p.values) >= MaxValues {
		return
	}
	p.values[string(value)], w.isNew = struct{}{}, true
}

// text returns the end of the string that begins at i.
func (w *walk) text(i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(w.body[i:], '"')
		escapes := i
		for w.body[escapes-1] == '\\' {
			escapes--
		}
		if (i-escapes)%2 == 0 {
			return i + 1
		}
	}
}

// over returns the end of the object or array that begins at i.
func (w *walk) over(i int) int {
	for depth := 0; ; i++ {
		switch w.body[i] {
		case '"':
			i = w.text(i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

func (w *walk) space(i int) int {
	for i < len(w.body) && (w.body[i] == ' ' || w.body[i] == '\n' || w.body[i] == '\t' || w.body[i] == '\r') {
		i++
	}
	return i
}
