package analytics_test

import (
	"fmt"
	"testing"
	"time"

	"archiver/analytics"

	"pgregory.net/rapid"
)

// The arithmetic stands beside each value. 2026-03-02 is a Monday; the clocks change in Europe on 2026-03-29 and 2026-10-25, in
// the United States on 2026-03-08 and 2026-11-01, on Lord Howe Island (by half an hour) on 2026-04-05 and 2026-10-04.
func TestBusinessSecondsAreCountedByTheClockOnTheWall(t *testing.T) {
	t.Parallel()
	nineToFive := everyDay(9*time.Hour, 17*time.Hour, 1, 2, 3, 4, 5)
	allDay := everyDay(0, 24*time.Hour, 1, 2, 3, 4, 5, 6, 7)
	night := everyDay(2*time.Hour, 3*time.Hour, 7)
	for _, c := range []struct {
		name     string
		zone     string
		hours    []analytics.Stretch
		from, to string // with their offsets
		want     time.Duration
	}{
		{"within a stretch: 10:00 to 11:30", "Europe/Berlin", nineToFive, "2026-03-02T10:00:00+01:00", "2026-03-02T11:30:00+01:00", 90 * time.Minute},
		{"to the microsecond", "Europe/Berlin", nineToFive, "2026-03-02T10:00:00.25+01:00", "2026-03-02T10:00:01.000001+01:00", 750_001 * time.Microsecond},
		{"begins before it opens: 9:00 to 10:00", "Europe/Berlin", nineToFive, "2026-03-02T06:00:00+01:00", "2026-03-02T10:00:00+01:00", time.Hour},
		{"ends after it closes: 16:00 to 17:00", "Europe/Berlin", nineToFive, "2026-03-02T16:00:00+01:00", "2026-03-02T23:00:00+01:00", time.Hour},
		{"off hours at both ends of a working day: 8 h", "Europe/Berlin", nineToFive, "2026-03-02T03:00:00+01:00", "2026-03-02T22:00:00+01:00", 8 * time.Hour},
		{"wholly off hours, one night", "Europe/Berlin", nineToFive, "2026-03-02T17:00:00+01:00", "2026-03-03T09:00:00+01:00", 0},
		{"wholly off hours, a weekend", "Europe/Berlin", nineToFive, "2026-03-06T17:00:00+01:00", "2026-03-09T09:00:00+01:00", 0},
		{"over a weekend: Friday 16:00 to 17:00, Monday 9:00 to 9:30", "Europe/Berlin", nineToFive, "2026-03-06T16:00:00+01:00", "2026-03-09T09:30:00+01:00", 90 * time.Minute},
		{"equal moments", "Europe/Berlin", nineToFive, "2026-03-02T10:00:00+01:00", "2026-03-02T10:00:00+01:00", 0},
		{"reversed moments", "Europe/Berlin", nineToFive, "2026-03-02T12:00:00+01:00", "2026-03-02T10:00:00+01:00", 0},
		{"closes at 24:00, over local midnight: 22:00 to 24:00 and 0:00 to 1:00", "Europe/Berlin", allDay, "2026-03-02T22:00:00+01:00", "2026-03-03T01:00:00+01:00", 3 * time.Hour},
		{"local midnight is the next day: open on Mondays only, 23:00 to 24:00", "Europe/Berlin", everyDay(0, 24*time.Hour, 1), "2026-03-02T23:00:00+01:00", "2026-03-03T02:00:00+01:00", time.Hour},
		{"a UTC day that is another local day: Tuesday 8:00 UTC is Monday 22:00", "Pacific/Honolulu", everyDay(21*time.Hour, 23*time.Hour, 1), "2026-03-03T08:00:00Z", "2026-03-03T10:00:00Z", time.Hour},

		{"overlapping schedules count once: 9:00 to 17:00 and 12:00 to 20:00 are 11 h", "Europe/Berlin", append(everyDay(12*time.Hour, 20*time.Hour, 1), nineToFive...), "2026-03-02T00:00:00+01:00", "2026-03-03T00:00:00+01:00", 11 * time.Hour},
		{"one within the other counts once", "Europe/Berlin", append(everyDay(10*time.Hour, 11*time.Hour, 1), nineToFive...), "2026-03-02T00:00:00+01:00", "2026-03-03T00:00:00+01:00", 8 * time.Hour},
		{"a stretch in the morning and one after lunch: 3 h and 4 h", "Europe/Berlin", append(everyDay(13*time.Hour, 17*time.Hour, 1), everyDay(9*time.Hour, 12*time.Hour, 1)...), "2026-03-02T00:00:00+01:00", "2026-03-03T00:00:00+01:00", 7 * time.Hour},

		{"the night of 23 hours, all of it", "Europe/Berlin", allDay, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 23 * time.Hour},
		{"the hour that is left out", "Europe/Berlin", night, "2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00", 0},
		{"1:30 to 3:30 while 2:00 to 3:00 is left out", "Europe/Berlin", everyDay(90*time.Minute, 210*time.Minute, 7), "2026-03-29T00:00:00+01:00", "2026-03-29T12:00:00+02:00", time.Hour},
		{"the working day after it is as long as ever", "Europe/Berlin", everyDay(9*time.Hour, 17*time.Hour, 7), "2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00", 3 * time.Hour},
		{"the night of 25 hours, all of it", "Europe/Berlin", allDay, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 25 * time.Hour},
		{"the hour that is there twice", "Europe/Berlin", night, "2026-10-25T00:00:00+02:00", "2026-10-25T12:00:00+01:00", 2 * time.Hour},
		{"its first time only", "Europe/Berlin", night, "2026-10-25T00:00:00+02:00", "2026-10-25T02:00:00+01:00", time.Hour},
		{"half of it, twice: 2:00 to 2:30", "Europe/Berlin", everyDay(2*time.Hour, 150*time.Minute, 7), "2026-10-25T00:00:00+02:00", "2026-10-25T12:00:00+01:00", time.Hour},
		{"from its first 2:30 to its second 2:30", "Europe/Berlin", allDay, "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", time.Hour},

		{"New York, the night of 23 hours", "America/New_York", allDay, "2026-03-08T00:00:00-05:00", "2026-03-09T00:00:00-04:00", 23 * time.Hour},
		{"New York, the night of 25 hours", "America/New_York", allDay, "2026-11-01T00:00:00-04:00", "2026-11-02T00:00:00-05:00", 25 * time.Hour},
		{"New York, 1:00 to 2:00 is there twice", "America/New_York", everyDay(time.Hour, 2*time.Hour, 7), "2026-11-01T00:00:00-04:00", "2026-11-01T12:00:00-05:00", 2 * time.Hour},
		{"Kathmandu opens at 3:15 UTC: to 4:00 UTC are 45 min", "Asia/Kathmandu", nineToFive, "2026-03-02T00:00:00Z", "2026-03-02T04:00:00Z", 45 * time.Minute},
		{"Lord Howe, the night of 24 hours and a half", "Australia/Lord_Howe", allDay, "2026-04-05T00:00:00+11:00", "2026-04-06T00:00:00+10:30", 24*time.Hour + 30*time.Minute},
		{"Lord Howe, 1:00 to 2:00, of which 1:30 to 2:00 is there twice", "Australia/Lord_Howe", everyDay(time.Hour, 2*time.Hour, 7), "2026-04-05T00:00:00+11:00", "2026-04-05T12:00:00+10:30", 90 * time.Minute},
		{"Lord Howe, the night of 23 hours and a half", "Australia/Lord_Howe", allDay, "2026-10-04T00:00:00+10:30", "2026-10-05T00:00:00+11:00", 23*time.Hour + 30*time.Minute},
		{"Lord Howe, 2:00 to 3:00, of which 2:00 to 2:30 is left out", "Australia/Lord_Howe", everyDay(2*time.Hour, 3*time.Hour, 7), "2026-10-04T00:00:00+10:30", "2026-10-04T12:00:00+11:00", 30 * time.Minute},
		{"Apia left 2011-12-30 out, a Friday", "Pacific/Apia", everyDay(0, 24*time.Hour, 5), "2011-12-29T12:00:00-10:00", "2011-12-31T12:00:00+14:00", 0},

		{"a year: 2026 has 261 weekdays of 8 h", "Europe/Berlin", nineToFive, "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00", 261 * 8 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := analytics.Settings{Zone: zone(t, c.zone), Hours: c.hours}
			got, ok := s.BusinessSeconds(moment(t, c.from), moment(t, c.to))
			if !ok || got != c.want.Seconds() {
				t.Errorf("from %s to %s are %v business seconds (%t), want %v", c.from, c.to, got, ok, c.want.Seconds())
			}
		})
	}
}

func TestHolidaysAreClosedAllOfTheirLocalDay(t *testing.T) {
	t.Parallel()
	s := analytics.Settings{
		Zone: zone(t, "Europe/Berlin"), Hours: everyDay(0, 24*time.Hour, 1, 2, 3, 4, 5, 6, 7),
		Holidays: []analytics.Holiday{{Day: day(t, "2026-05-01"), Name: "Labour Day"}},
	}
	// Thursday 23:00 to midnight, and Saturday from midnight to 2:00; Friday is closed, which begins at 22:00 UTC.
	got, _ := s.BusinessSeconds(moment(t, "2026-04-30T23:00:00+02:00"), moment(t, "2026-05-02T02:00:00+02:00"))
	if want := (3 * time.Hour).Seconds(); got != want {
		t.Errorf("around a holiday there are %v business seconds, want %v", got, want)
	}
}

func TestASchedulesDaysHoldFromTheFirstToTheLast(t *testing.T) {
	t.Parallel()
	winter, summer := everyDay(9*time.Hour, 17*time.Hour, 1), everyDay(8*time.Hour, 12*time.Hour, 1)
	winter[0].ValidFrom, winter[0].ValidTo = day(t, "2026-01-01"), day(t, "2026-06-01") // a Monday
	summer[0].ValidFrom, summer[0].ValidTo = day(t, "2026-06-08"), day(t, "2026-06-30")
	s := analytics.Settings{Zone: zone(t, "Europe/Berlin"), Hours: append(winter, summer...)}
	for _, c := range []struct {
		name, from, to string
		want           time.Duration
		ok             bool
	}{
		{"the last day of the winter's", "2026-06-01T00:00:00+02:00", "2026-06-02T00:00:00+02:00", 8 * time.Hour, true},
		{"the first day of the summer's", "2026-06-08T00:00:00+02:00", "2026-06-09T00:00:00+02:00", 4 * time.Hour, true},
		{"both, and the week between them", "2026-06-01T00:00:00+02:00", "2026-06-09T00:00:00+02:00", 12 * time.Hour, true},
		{"to the end of the last day", "2026-06-29T00:00:00+02:00", "2026-07-01T00:00:00+02:00", 4 * time.Hour, true},
		{"begins before the first day of all", "2025-12-31T23:59:59+01:00", "2026-01-05T12:00:00+01:00", 0, false},
		{"ends after the last day of all", "2026-06-29T00:00:00+02:00", "2026-07-01T00:00:01+02:00", 0, false},
	} {
		got, ok := s.BusinessSeconds(moment(t, c.from), moment(t, c.to))
		if got != c.want.Seconds() || ok != c.ok {
			t.Errorf("%s: %v business seconds (%t), want %v (%t)", c.name, got, ok, c.want.Seconds(), c.ok)
		}
	}
}

func TestWithoutHoursThereIsNoBusinessTime(t *testing.T) {
	t.Parallel()
	s := analytics.Settings{Zone: time.UTC, Holidays: []analytics.Holiday{{Day: day(t, "2026-05-01")}}}
	if got, ok := s.BusinessSeconds(moment(t, "2026-03-02T10:00:00Z"), moment(t, "2026-03-02T11:00:00Z")); ok || got != 0 {
		t.Errorf("an org without hours has %v business seconds (%t), want none", got, ok)
	}
}

func TestDaysAndHoursAreThoseOfTheOrgsZone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, at, day string
		hour          int
	}{
		{"Europe/Berlin", "2026-03-01T22:59:59Z", "2026-03-01", 23},
		{"Europe/Berlin", "2026-03-01T23:00:00Z", "2026-03-02", 0},
		{"Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29", 1},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29", 3},
		{"Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25", 2},
		{"Asia/Kathmandu", "2026-03-01T18:14:59Z", "2026-03-01", 23},
		{"Asia/Kathmandu", "2026-03-01T18:15:00Z", "2026-03-02", 0},
		{"Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29", 23},
		{"Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31", 0},
	} {
		s, at := analytics.Settings{Zone: zone(t, c.zone)}, moment(t, c.at)
		if got, hour := s.LocalDate(at), s.LocalHour(at); !got.Equal(day(t, c.day)) || got.Location() != time.UTC || hour != c.hour {
			t.Errorf("%s in %s is %s, hour %d, want %s 00:00 UTC, hour %d", c.at, c.zone, got, hour, c.day, c.hour)
		}
	}
	if s, at := (&analytics.Settings{}), moment(t, "2026-03-01T23:30:00Z"); !s.LocalDate(at).Equal(day(t, "2026-03-01")) || s.LocalHour(at) != 23 {
		t.Error("without a zone, days and hours should be those of UTC")
	}
}

// The naive count looks at the clock at every minute.
func TestBusinessSecondsAreWhatLookingAtTheClockEveryMinuteGives(t *testing.T) {
	t.Parallel()
	around := map[string][]string{ // clock changes, and no change
		"Europe/Berlin":       {"2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-07-01T00:00:00Z"},
		"America/New_York":    {"2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"},
		"Australia/Lord_Howe": {"2026-04-04T15:00:00Z", "2026-10-03T15:30:00Z"},
		"Asia/Kathmandu":      {"2026-03-01T18:15:00Z"},
		"America/Sao_Paulo":   {"2018-11-04T03:00:00Z"}, // midnight itself is left out
		"Africa/Cairo":        {"2026-04-23T22:00:00Z", "2026-10-29T21:00:00Z"},
		"Pacific/Apia":        {"2011-12-30T10:00:00Z"},
		"UTC":                 {"1970-01-01T00:00:00Z"},
	}
	rapid.Check(t, func(r *rapid.T) {
		zoneName := rapid.SampledFrom([]string{
			"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Cairo", "Pacific/Apia", "UTC",
		}).Draw(r, "zone")
		middle := moment(t, rapid.SampledFrom(around[zoneName]).Draw(r, "around"))
		minutes := func(label string, low, high int) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(r, label)) * time.Minute
		}
		s := analytics.Settings{Zone: zone(t, zoneName)}
		for i := range rapid.IntRange(1, 12).Draw(r, "stretches") {
			opens := minutes("opens", 0, 24*60-1)
			h := analytics.Stretch{
				Schedule: fmt.Sprint(i), ValidFrom: day(t, "1960-01-01"), Weekday: rapid.IntRange(1, 7).Draw(r, "weekday"),
				Opens: opens, Closes: opens + minutes("open for", 1, 24*60-int(opens/time.Minute)),
			}
			if i > 0 && rapid.Bool().Draw(r, "is for some days") { // the first lasts, so that there always is business time
				h.ValidFrom = s.LocalDate(middle).AddDate(0, 0, rapid.IntRange(-3, 3).Draw(r, "valid from"))
				h.ValidTo = h.ValidFrom.AddDate(0, 0, rapid.IntRange(0, 3).Draw(r, "valid for"))
			}
			s.Hours = append(s.Hours, h)
		}
		for range rapid.IntRange(0, 2).Draw(r, "holidays") {
			s.Holidays = append(s.Holidays, analytics.Holiday{Day: s.LocalDate(middle).AddDate(0, 0, rapid.IntRange(-2, 2).Draw(r, "holiday"))})
		}
		from := middle.Add(minutes("before", -3*24*60, 60))
		to := from.Add(minutes("lasts", -60, 5*24*60))
		want := 0
		for at := from; at.Before(to); at = at.Add(time.Minute) {
			if isOpen(&s, at) {
				want += 60
			}
		}
		if got, ok := s.BusinessSeconds(from, to); !ok || got != float64(want) {
			r.Fatalf("from %s to %s are %v business seconds (%t), want %d", from, to, got, ok, want)
		}
	})
}

// isOpen looks at the clock.
func isOpen(s *analytics.Settings, at time.Time) bool {
	local := at.In(s.Zone)
	date := local.Format(time.DateOnly)
	for _, h := range s.Holidays {
		if h.Day.Format(time.DateOnly) == date {
			return false
		}
	}
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	for _, h := range s.Hours {
		if int(local.Weekday()) == h.Weekday%7 && h.Opens <= clock && clock < h.Closes &&
			h.ValidFrom.Format(time.DateOnly) <= date && (h.ValidTo.IsZero() || date <= h.ValidTo.Format(time.DateOnly)) {
			return true
		}
	}
	return false
}

func BenchmarkBusinessSeconds(b *testing.B) {
	s := analytics.Settings{Zone: zone(b, "Europe/Berlin"), Hours: everyDay(9*time.Hour, 17*time.Hour, 1, 2, 3, 4, 5)}
	for i := range 30 {
		s.Holidays = append(s.Holidays, analytics.Holiday{Day: day(b, "2026-01-01").AddDate(0, 0, 11*i)})
	}
	from := moment(b, "2026-01-05T10:00:00+01:00")
	for name, lasts := range map[string]time.Duration{"AnHour": time.Hour, "AYear": 365 * 24 * time.Hour} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.BusinessSeconds(from, from.Add(lasts))
			}
		})
	}
}

func everyDay(opens, closes time.Duration, weekdays ...int) (hours []analytics.Stretch) {
	for _, w := range weekdays {
		hours = append(hours, analytics.Stretch{
			Schedule: "default", ValidFrom: time.Unix(0, 0).UTC(), Weekday: w, Opens: opens, Closes: closes,
		})
	}
	return hours
}

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func day(t testing.TB, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
