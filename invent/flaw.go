package invent

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxFlaws bounds what one event records: past it the count is worth more than the list.
const maxFlaws = 64

// maxPathBytes bounds the path in a flaw. Names are the sender's, and may be of any length.
const maxPathBytes = 256

func (d *Decoder) flawUnlessNull(v []byte, reason string) {
	if v[0] != 'n' {
		d.flaw(reason)
	}
}

// require records that the object last read has no id.
func (d *Decoder) require(id *Field[string]) {
	if d.err == nil && !id.Given() && len(d.flaws) <= maxFlaws {
		d.missing(path(d.scan.pointer() + "/id"))
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
		d.flawAt(path(d.scan.pointer()), reason)
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
