package reference

import (
	"slices"
	"time"
)

// version is something said, and the source's clock it goes by: its own, else that of the newest before it, on which
// it comes. Nil when there was none before it either.
type version[T any] struct {
	of    T
	clock *time.Time
}

// inOrder gives what was said, which comes in the order it was observed, from the oldest version to the newest. Of equal
// clocks the one observed later is the newer; no clock is before every clock.
func inOrder[T any](said []T, clock func(T) *time.Time) []version[T] {
	var all []version[T]
	var newest *time.Time
	for _, s := range said {
		at := clock(s)
		if at == nil {
			at = newest
		}
		if at != nil && (newest == nil || at.After(*newest)) {
			newest = at
		}
		all = append(all, version[T]{s, at})
	}
	slices.SortStableFunc(all, func(a, b version[T]) int {
		switch {
		case a.clock == nil && b.clock == nil:
			return 0
		case a.clock == nil:
			return -1
		case b.clock == nil:
			return 1
		}
		return a.clock.Compare(*b.clock)
	})
	return all
}
