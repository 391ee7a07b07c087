package invent

import (
	"bytes"
	"strings"
)

// keptWalked is how many values are remembered of a path.
const keptWalked = 8

// repeatedPaths end like this: what stands there comes again with every event, byte for byte.
var repeatedPaths = []string{".tools", ".state.assistant_config", ".state.assistant.config"}

func isRepeated(path string) bool {
	for _, end := range repeatedPaths {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

// walkedValue is a value and all that it counts, so that one that comes again is counted without going through it.
type walkedValue struct {
	text        []byte
	counts      []walkedCount
	count       int64 // how often it came since that was last told the tallies
	first, last int64 // when, µs since 1970
}

type walkedCount struct {
	tally *tally
	times int64
}

// repeated is visit for a value of a path where the same ones come again and again.
func (w *walk) repeated(p *seenPath, i, depth int, visit func(p *seenPath, i, depth int) int) int {
	for n := range p.walked {
		if v := &p.walked[n]; bytes.HasPrefix(w.body[i:], v.text) {
			v.came(w.at)
			end := i + len(v.text)
			if n > 0 {
				p.walked[n-1], p.walked[n] = p.walked[n], p.walked[n-1] // those that come often are found soon
			}
			return end
		}
	}
	if w.s.notes != nil {
		return visit(p, i, depth) // within another
	}
	var notes []*tally
	w.s.notes = &notes
	end := visit(p, i, depth)
	w.s.notes = nil
	if end-i > maxRepeated {
		return end
	}
	if len(p.walked) == keptWalked {
		p.walked[keptWalked-1].settle()
		p.walked = p.walked[:keptWalked-1]
	}
	p.walked = append(p.walked, walkedValue{text: bytes.Clone(w.body[i:end]), counts: countEach(notes)})
	return end
}

// countEach counts how often each tally is there.
func countEach(notes []*tally) (counts []walkedCount) {
	at := map[*tally]int{}
	for _, t := range notes {
		n, known := at[t]
		if !known {
			n, at[t] = len(counts), len(counts)
			counts = append(counts, walkedCount{tally: t})
		}
		counts[n].times++
	}
	return counts
}

func (v *walkedValue) came(at int64) {
	if v.count == 0 {
		v.first, v.last = at, at
	}
	v.count++
	v.first, v.last = min(v.first, at), max(v.last, at)
}

// settle tells the tallies how often the value came.
func (v *walkedValue) settle() {
	if v.count == 0 {
		return
	}
	for _, c := range v.counts {
		c.tally.count += c.times * v.count
		c.tally.first, c.tally.last = min(c.tally.first, v.first), max(c.tally.last, v.last)
	}
	v.count = 0
}
