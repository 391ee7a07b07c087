package invent

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errSyntax    = errors.New("not JSON")
	errDuplicate = errors.New("a name twice in one object")
	errText      = errors.New("text that is not Unicode")
)

// scanner goes through one JSON value that is wholly in memory, token by token. It takes what jsontext takes by default
// (unique names, valid UTF-8, no lone surrogates) and nothing else, in a fifth of the time.
type scanner struct {
	body  []byte
	at    int     // the end of the token last read
	tok   int     // where the next token begins, when isAhead
	ahead bool    // tok is known
	stack []level // of the objects and arrays that are open; the first is what holds the value
	names [][]byte
	err   error
}

// level is an object or an array that is open.
type level struct {
	isArray  bool
	hasName  bool                // of a member whose value comes next
	length   int                 // of the elements, or the members, begun
	names    int                 // where the object's names begin in scanner.names
	seen     uint64              // a bit for each of them
	isInMany map[string]struct{} // the names, once there are many
}

// manyNames is from how many names on an object's are looked up by their hash.
const manyNames = 64

func (s *scanner) reset(body []byte) {
	s.body, s.at, s.ahead, s.err = body, 0, false, nil
	s.stack = append(s.stack[:0], level{isArray: true})
	clear(s.names)
	s.names = s.names[:0]
}

// depth is how many objects and arrays are open.
func (s *scanner) depth() int { return len(s.stack) - 1 }

// kind tells what the next token is by its first byte, a number by 0. It is 0 itself where there is none.
func (s *scanner) kind() byte {
	if !s.ahead && !s.look() || s.tok >= len(s.body) {
		return 0
	}
	c := s.body[s.tok]
	if c == '-' || '0' <= c && c <= '9' {
		return '0'
	}
	return c
}

// look finds where the next token begins, past the comma or colon before it.
func (s *scanner) look() bool {
	if s.err != nil {
		return false
	}
	i := s.space(s.at)
	l := &s.stack[len(s.stack)-1]
	switch {
	case len(s.stack) == 1:
	case l.hasName:
		if i == len(s.body) || s.body[i] != ':' {
			return s.fail(errSyntax)
		}
		i = s.space(i + 1)
	case i == len(s.body):
	case s.body[i] == '}' || s.body[i] == ']':
	case l.length > 0:
		if s.body[i] != ',' {
			return s.fail(errSyntax)
		}
		if i = s.space(i + 1); i < len(s.body) && (s.body[i] == '}' || s.body[i] == ']') {
			return s.fail(errSyntax)
		}
	}
	s.tok, s.ahead = i, true
	return true
}

func (s *scanner) space(i int) int {
	for i < len(s.body) {
		switch s.body[i] {
		case ' ', '\n', '\t', '\r':
			i++
		default:
			return i
		}
	}
	return i
}

func (s *scanner) fail(err error) bool {
	if s.err == nil {
		s.err = err
	}
	s.ahead = false
	return false
}

// atEnd reports whether nothing follows the value.
func (s *scanner) atEnd() bool {
	return s.err == nil && len(s.stack) == 1 && s.stack[0].length == 1 && s.space(s.at) == len(s.body)
}

// token reads the next token, which it returns: a name, a string, a number or a literal whole; of an object or array only
// its bracket. It is nil after an error.
func (s *scanner) token() []byte {
	kind := s.kind()
	if s.err != nil {
		return nil
	}
	l := &s.stack[len(s.stack)-1]
	if kind == '}' || kind == ']' {
		return s.close(l, kind == ']')
	}
	if !l.isArray && !l.hasName {
		return s.name(l, kind)
	}
	begin, end := s.tok, s.tok+1
	switch kind {
	case '{', '[':
		s.begun(l)
		s.stack = append(s.stack, level{isArray: kind == '[', names: len(s.names)})
	case '"':
		end = s.text(begin + 1)
	case '0':
		end = s.number(begin)
	case 't':
		end = s.literal(begin, "true")
	case 'f':
		end = s.literal(begin, "false")
	case 'n':
		end = s.literal(begin, "null")
	default:
		s.fail(errSyntax)
	}
	if s.err != nil {
		return nil
	}
	if kind != '{' && kind != '[' {
		s.begun(l)
	}
	s.at, s.ahead = end, false
	return s.body[begin:end]
}

// begun counts an element or a member's value.
func (s *scanner) begun(l *level) {
	if l.hasName {
		l.hasName = false
	} else {
		l.length++
	}
}

func (s *scanner) close(l *level, isArray bool) []byte {
	if len(s.stack) == 1 || l.isArray != isArray || l.hasName {
		s.fail(errSyntax)
		return nil
	}
	s.names = s.names[:l.names]
	s.stack = s.stack[:len(s.stack)-1]
	begin := s.tok
	s.at, s.ahead = begin+1, false
	return s.body[begin:s.at]
}

// name reads a member's name.
func (s *scanner) name(l *level, kind byte) []byte {
	if kind != '"' {
		s.fail(errSyntax)
		return nil
	}
	begin, end := s.tok, s.text(s.tok+1)
	if s.err != nil {
		return nil
	}
	v := s.body[begin:end]
	plain := plain(v)
	if !s.isNew(l, plain) {
		s.fail(errDuplicate)
		return nil
	}
	s.names = append(s.names, plain)
	l.length, l.hasName = l.length+1, true
	s.at, s.ahead = end, false
	return v
}

// isNew reports whether the object has no such name yet.
func (s *scanner) isNew(l *level, name []byte) bool {
	if len(s.names)-l.names >= manyNames {
		return l.isNewOfMany(s.names[l.names:], name)
	}
	hash := len(name)
	if hash > 0 {
		hash = hash*7 + int(name[0])*3 + int(name[len(name)-1])*5 + int(name[len(name)/2])
	}
	bit := uint64(1) << (hash & 63)
	if l.seen&bit != 0 {
		for _, other := range s.names[l.names:] {
			if string(other) == string(name) {
				return false
			}
		}
	}
	l.seen |= bit
	return true
}

func (l *level) isNewOfMany(names [][]byte, name []byte) bool {
	if l.isInMany == nil {
		l.isInMany = make(map[string]struct{}, 2*len(names))
		for _, other := range names {
			l.isInMany[string(other)] = struct{}{}
		}
	}
	if _, twice := l.isInMany[string(name)]; twice {
		return false
	}
	l.isInMany[string(name)] = struct{}{}
	return true
}

const (
	each   = 0x0101010101010101
	top    = 0x80 * each
	blank  = 0x20 * each
	quotes = '"' * each
	slants = '\\' * each
)

// text returns the end of the string of which the first byte after the quote is at i.
func (s *scanner) text(i int) int {
	b := s.body
	for {
		// Eight bytes at a time, as long as they are plain: no quote, no backslash, no control character, all ASCII.
		for i+8 <= len(b) {
			v := binary.LittleEndian.Uint64(b[i:])
			// A byte that is looked for has its top bit set then; so may bytes after it, but none before.
			found := (v | (v - blank) | ((v ^ quotes) - each) | ((v ^ slants) - each)) & top
			if found != 0 {
				i += bits.TrailingZeros64(found) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			s.fail(errSyntax)
			return i
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1
		case c == '\\':
			if i = s.escape(i); s.err != nil {
				return i
			}
		case c < ' ':
			s.fail(errSyntax)
			return i
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				s.fail(errText)
				return i
			}
			i += size
		}
	}
}

// escape returns the end of the escape that begins at i.
func (s *scanner) escape(i int) int {
	b := s.body
	if i+1 >= len(b) {
		s.fail(errSyntax)
		return i
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		s.fail(errSyntax)
		return i
	}
	r, ok := hex(b[i+2:])
	if !ok {
		s.fail(errSyntax)
		return i
	}
	i += len(`\u0000`)
	if !utf16.IsSurrogate(r) {
		return i
	}
	if i+1 >= len(b) || b[i] != '\\' || b[i+1] != 'u' {
		s.fail(errText)
		return i
	}
	low, ok := hex(b[i+2:])
	if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
		s.fail(errText)
		return i
	}
	return i + len(`\u0000`)
}

// hex reads four hexadecimal digits.
func hex(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case 'A' <= c && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// number returns the end of the number that begins at i.
func (s *scanner) number(i int) int {
	b := s.body
	if b[i] == '-' {
		i++
	}
	whole := i
	i = digits(b, i)
	if i == whole || b[whole] == '0' && i > whole+1 {
		s.fail(errSyntax)
		return i
	}
	if i < len(b) && b[i] == '.' {
		begin := i + 1
		if i = digits(b, begin); i == begin {
			s.fail(errSyntax)
			return i
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		begin := i
		if i = digits(b, begin); i == begin {
			s.fail(errSyntax)
		}
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func (s *scanner) literal(i int, want string) int {
	if len(s.body)-i < len(want) || string(s.body[i:i+len(want)]) != want {
		s.fail(errSyntax)
	}
	return i + len(want)
}

// passOver reads the next value as one token when it is the known one, byte for byte.
func (s *scanner) passOver(known []byte) bool {
	if s.kind() == 0 || !bytes.HasPrefix(s.body[s.tok:], known) {
		return false
	}
	s.begun(&s.stack[len(s.stack)-1])
	s.at, s.ahead = s.tok+len(known), false
	return true
}

// pointer tells where the token last read is.
func (s *scanner) pointer() jsontext.Pointer {
	var b strings.Builder
	for i := 1; i < len(s.stack); i++ {
		l := &s.stack[i]
		if l.length == 0 {
			break // only its bracket was read
		}
		b.WriteByte('/')
		if l.isArray {
			b.WriteString(strconv.Itoa(l.length - 1))
			continue
		}
		last := len(s.names) - 1
		if i+1 < len(s.stack) {
			last = s.stack[i+1].names - 1
		}
		b.WriteString(pointerEscapes.Replace(string(s.names[last])))
	}
	return jsontext.Pointer(b.String())
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")
