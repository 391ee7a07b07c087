package simulator

import "math"

// mix is splitmix64's finalizer: a bijection that spreads its input over all bits. Whatever is a pure function of a
// stored number (a text, an id, a phone number) goes through it, so that nothing needs to be kept.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// dice is a tiny stream of numbers from one seed, for pure functions that need several.
type dice uint64

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	return mix(uint64(*d))
}

// below gives a number in [0, n).
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// chance is true with probability p.
func (d *dice) chance(p float64) bool { return float64(d.next()>>11)/(1<<53) < p }

func pick[T any](d *dice, from []T) T { return from[d.below(len(from))] }

// chance is true with probability p, and draws nothing when p is 0: switching a quirk off leaves the world as it was.
func (w *World) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between draws a duration in milliseconds between lo and hi, small ones more often (log-uniform).
func (w *World) between(lo, hi int64) int64 {
	if lo < 1 {
		lo = 1
	}
	if hi <= lo {
		return lo
	}
	return int64(float64(lo) * math.Exp(w.rng.Float64()*math.Log(float64(hi)/float64(lo))))
}

// exponential draws the time to the next of events that come every mean milliseconds.
func (w *World) exponential(mean float64) int64 { return int64(w.rng.ExpFloat64()*mean) + 1 }
