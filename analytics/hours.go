package analytics

import (
	"cmp"
	"slices"
	"time"
)

// Stretch is a part of a weekday in which a schedule is worked, by the clock on the wall.
type Stretch struct {
	Schedule  string
	ValidFrom time.Time     // first local day it holds for, at 00:00 UTC
	ValidTo   time.Time     // last local day it holds for, at 00:00 UTC; zero: until further notice
	Weekday   int           // 1 is Monday, 7 is Sunday
	Opens     time.Duration // since local midnight
	Closes    time.Duration // since local midnight, at most 24 h
}

// BusinessSeconds counts the seconds from one moment to another, to the microsecond, at which the clock on the org's wall
// shows a time that any of its schedules is open at. A local time that a clock change leaves out counts for nothing, one
// that it brings twice counts twice. It is 0 when all of the time is off hours, and when to is not after from.
//
// ok is false when no schedule says anything of the time: the org has no hours, or some of the local days lie before the
// first or after the last that any of them holds for.
func (s *Settings) BusinessSeconds(from, to time.Time) (seconds float64, ok bool) {
	if !s.hasHours(from, to) {
		return 0, false
	}
	// Between two clock changes the wall runs as time does, so its days are all of 24 hours there.
	var open int64
	for from.Before(to) {
		local := from.In(s.zone())
		_, offset := local.Zone()
		until := to
		if _, end := local.ZoneBounds(); !end.IsZero() && end.Before(to) {
			until = end
		}
		open += s.openBetween(onTheWall(from, offset), onTheWall(until, offset))
		from = until
	}
	return float64(open) / microsecondsInSecond, true
}

// LocalDate is the day of the org's zone that t lies in, as 00:00 UTC of that date.
func (s *Settings) LocalDate(t time.Time) time.Time {
	year, month, day := t.In(s.zone()).Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// LocalHour is the hour of the day that the clock shows in the org's zone at t, 0 to 23.
func (s *Settings) LocalHour(t time.Time) int { return t.In(s.zone()).Hour() }

func (s *Settings) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}

// hasHours reports whether the schedules reach over all local days from one moment to the other. Days in between on which
// none of them holds are days off.
func (s *Settings) hasHours(from, to time.Time) bool {
	last := s.LocalDate(from)
	if to.After(from) {
		last = s.LocalDate(to.Add(-time.Nanosecond))
	}
	begun, lasts := false, false
	for _, h := range s.Hours {
		begun = begun || !h.ValidFrom.After(s.LocalDate(from))
		lasts = lasts || h.ValidTo.IsZero() || !h.ValidTo.Before(last)
	}
	return begun && lasts
}

const (
	microsecondsInSecond = 1_000_000
	secondsInDay         = 24 * 60 * 60
	microsecondsInDay    = secondsInDay * microsecondsInSecond
)

// onTheWall is what a clock shows that is offset seconds ahead of UTC, in microseconds since it showed 1970-01-01 00:00.
func onTheWall(t time.Time, offset int) int64 {
	return t.UnixMicro() + int64(offset)*microsecondsInSecond
}

// openBetween counts the open microseconds of a wall clock that is not changed in between.
func (s *Settings) openBetween(from, to int64) (open int64) {
	var buffer [8]span
	for day := floorDays(from); day*microsecondsInDay < to; day++ {
		midnight := day * microsecondsInDay
		covered := from
		for _, o := range s.openOn(day, buffer[:0]) { // sorted by begin: what is covered already is not counted again
			begin, end := max(midnight+o.begin, covered), min(midnight+o.end, to)
			open += max(0, end-begin)
			covered = max(covered, end)
		}
	}
	return open
}

// span is a part of a day, in microseconds since its midnight.
type span struct{ begin, end int64 }

// openOn appends when the org is open on a day that begins so many days after 1970-01-01, sorted by begin.
func (s *Settings) openOn(day int64, open []span) []span {
	date := time.Unix(day*secondsInDay, 0).UTC()
	for _, h := range s.Holidays {
		if h.Day.Equal(date) {
			return nil
		}
	}
	for _, h := range s.Hours {
		if h.Weekday == weekdayOf(day) && !date.Before(h.ValidFrom) && (h.ValidTo.IsZero() || !date.After(h.ValidTo)) {
			open = append(open, span{h.Opens.Microseconds(), h.Closes.Microseconds()})
		}
	}
	slices.SortFunc(open, func(a, b span) int { return cmp.Compare(a.begin, b.begin) })
	return open
}

// weekdayOf is 1 for Monday to 7 for Sunday; 1970-01-01 was a Thursday.
func weekdayOf(day int64) int { return int(((day+3)%7+7)%7) + 1 }

// floorDays is the day a microsecond lies in, also before 1970.
func floorDays(microseconds int64) int64 {
	day := microseconds / microsecondsInDay
	if microseconds%microsecondsInDay < 0 {
		day--
	}
	return day
}
