package dashboard

import (
	"math"
	"net/url"
	"testing"
	"time"
)

func TestNumbersAreWrittenAsPeopleReadThemAndWhatIsNotKnownIsNoZero(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 23, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		value    any
		unit     unit
		currency string
		want     string
	}{
		{nil, count, "", "–"}, {math.NaN(), percent, "", "–"}, {int64(0), count, "", "0"}, {int64(1234567), count, "", "1,234,567"},
		{-1234.5, count, "", "−1,234.5"}, {12.345, percent, "", "12.3 %"}, {0.0, percent, "", "0.0 %"}, {4.256, stars, "", "4.26"},
		{7500.0, seconds, "", "2 h 05 min"}, {61.4, seconds, "", "1 min 01 s"}, {9.4, seconds, "", "9.4 s"}, {90000.0, seconds, "", "1 d 1 h"},
		{59.6, seconds, "", "1 min 00 s"}, {3.2e9, seconds, "", "37,037 d 0 h"}, {1234.5, money, "EUR", "1,234.50 EUR"}, {0.0123, money, "USD", "0.0123 USD"},
		{0.0, money, "USD", "0.00 USD"}, {150.0, ago, "", "2 min ago"}, {-3.0, ago, "", "0 s ago"}, {at, moment, "", "2 Mar 2026, 00:30"},
		{at, day, "", "1 Mar 2026"}, {true, yesNo, "", "Yes"}, {int64(1), starsRow, "", "1 star"}, {int64(9), hour, "", "09:00"}, {"<b>", text, "", "<b>"},
	} {
		if got := write(c.value, c.unit, c.currency, paris); got != c.want {
			t.Errorf("%v in %s is written %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}

func TestNothingOfACellRunsWhereItIsTakenTo(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"\n=1": "'\n=1", "＝1": "'＝1", "é": "é", `=HYPERLINK("http://evil.example")`: `'=HYPERLINK("http://evil.example")`, "+1": "'+1", "@sum": "'@sum", "-2": "'-2", "plain": "plain", "": "",
	} {
		if got := raw(value, false); got != want {
			t.Errorf("%q is %q in a CSV file, want %q", value, got, want)
		}
	}
	for value, want := range map[string]string{`it's`: `'it''s'`, `a\'; drop`: `E'a\\''; drop'`} {
		if got := literal(value); got != want {
			t.Errorf("%q is the literal %s, want %s", value, got, want)
		}
	}
	for link, isSafe := range map[string]bool{
		"https://app.example.com/o/1": true, "http://x": true, "javascript:alert(1)": false, " javascript:alert(1)": false, "//evil.example": false,
		"data:text/html,x": false, "": false, "/sql/agents": false, "https:": false, "\x00https://x": false,
	} {
		if got := safeLink(link); (got != "") != isSafe {
			t.Errorf("the link %q becomes %q", link, got)
		}
	}
}

func TestTheValueAxisBeginsAtZeroAndHasRoundSteps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit    unit
		highest float64
		want    []float64
	}{
		{count, 0, []float64{0, 1}}, {count, 1, []float64{0, 1}}, {count, 3, []float64{0, 1, 2, 3}}, {count, 27, []float64{0, 10, 20, 30}}, {count, 5_000_000, []float64{0, 2e6, 4e6, 6e6}},
		{percent, 12, []float64{0, 25, 50, 75, 100}}, {seconds, 0.3, []float64{0, 1}}, {seconds, 100, []float64{0, 30, 60, 90, 120}}, {seconds, 50_000, []float64{0, 21600, 43200, 64800}},
		{money, 0.03, []float64{0, 0.01, 0.02, 0.03}},
	} {
		p := &picture{unit: c.unit, kind: bars, labels: []string{"a"}, series: []series{{values: []float64{c.highest}}}}
		got := p.ticks()
		isSame := len(got) == len(c.want)
		for i := range got {
			isSame = isSame && i < len(c.want) && math.Abs(got[i]-c.want[i]) < 1e-9
		}
		if !isSame {
			t.Errorf("up to %v %s the ticks are %v, want %v", c.highest, c.unit, got, c.want)
		}
	}
}

func TestAxesAndCellsHaveRoomForTheirNumbers(t *testing.T) {
	t.Parallel()
	for value, want := range map[float64]string{1: "1 s", 5: "5 s", 30: "30 s", 90: "1.5 min", 3600: "1 h", 12 * 3600: "12 h", 36 * 3600: "1.5 d", 0.5: "0.5 s"} {
		if got := shortDuration(value); got != want {
			t.Errorf("the tick of %v seconds is %q, want %q", value, got, want)
		}
	}
	for highest, want := range map[float64]string{0.9: "0.25", 2.2: "1", 4.1: "2", 1.4: "0.5", 0.03: "0.01", 90: "25", 9: "2.5"} {
		p := &picture{unit: money, kind: bars, labels: []string{"a"}, series: []series{{values: []float64{highest}}}}
		if got := p.tickText(p.ticks()[1]); got != want {
			t.Errorf("up to %v the first tick of money is %q, want %q", highest, got, want)
		}
		if last := p.tickText(p.ticks()[2]); len(last) < len(want) && len(want) > 2 {
			t.Errorf("up to %v the ticks of money are %q and %q, want as many decimals", highest, want, last)
		}
	}
	for value, want := range map[float64]string{
		0: "0", 999: "999", 1000: "1.0k", 9_940: "9.9k", 9_960: "10k", 123_456: "123k", 999_400: "999k", 999_600: "1.0M", 12_345_678: "12M",
	} {
		if got := tight(value); got != want {
			t.Errorf("%v is %q in a cell, want %q", value, got, want)
		}
	}
	for _, c := range []struct {
		value any
		label string
		of    unit
		want  string
	}{
		{1.0, "messages", count, "1 message"}, {2.0, "messages", count, "2 messages"}, {1.0, "each", count, "1 each"}, {nil, "% of opened", count, "– % of opened"},
		{nil, "p90", seconds, "p90 –"}, {75.0, "p90", seconds, "p90 1 min 15 s"}, {12.34, "% of opened", count, "12.3 % of opened"},
	} {
		if got := second(c.value, c.label, c.of); got != c.want {
			t.Errorf("%v %s is written %q, want %q", c.value, c.label, got, c.want)
		}
	}
}

func TestADayIsADayInACSVFileAndAMomentAMoment(t *testing.T) {
	t.Parallel()
	midnight := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	if got := raw(midnight, true); got != "2026-03-31" {
		t.Errorf("a day is %s", got)
	}
	if got := raw(midnight, false); got != "2026-03-31T00:00:00Z" {
		t.Errorf("what happened at midnight is %s, want the moment", got)
	}
}

func TestAPeriodIsKeptWithinBoundsAndHasPointsThatCanBeTold(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	for query, want := range map[string]string{
		"": "2026-03-02 2026-03-31 day", "period=today": "2026-03-31 2026-03-31 day", "period=90d": "2026-01-01 2026-03-31 week",
		"period=365d": "2025-04-01 2026-03-31 week", "from=2026-03-10&to=2026-03-01": "2026-03-01 2026-03-10 day", "from=2026-03-10": "2026-03-10 2026-03-31 day",
		"to=2026-02-28": "2026-01-30 2026-02-28 day", "from=2000-01-01&to=2026-03-31": "2023-03-28 2026-03-31 month", "period=nonsense": "2026-03-02 2026-03-31 day",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		f, err := readFilter(values)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		f.settle(today)
		if got := f.from.Format(time.DateOnly) + " " + f.to.Format(time.DateOnly) + " " + f.step(); got != want {
			t.Errorf("%q is %s, want %s", query, got, want)
		}
	}
}
