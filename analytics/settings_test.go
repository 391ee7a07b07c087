package analytics_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"archiver/analytics"
	"archiver/postgres/dbtest"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const wholeDocument = `{
	"org_id": "o1", "time_zone": "Asia/Kathmandu", "thanks_window_seconds": 90,
	"business_hours": [
		{"schedule": "day", "weekday": 1, "opens": "09:00", "closes": "17:30:15.5", "valid_from": "2026-01-01", "valid_to": "2026-06-30"},
		{"weekday": 7, "opens": "0:00", "closes": "24:00", "valid_to": null}
	],
	"holidays": [{"day": "2026-05-01", "name": "Labour Day"}],
	"model_prices": [
		{"model": "m", "valid_from": "2026-01-01", "input_per_million": 1.25, "output_per_million": "10", "cache_read_per_million": 0.125},
		{"model": "m", "valid_from": "2026-02-01", "currency": "EUR", "input_per_million": 0, "output_per_million": 0.000001}
	]
}`

func wholeSettings(t *testing.T) *analytics.Settings {
	t.Helper()
	return &analytics.Settings{
		OrgID: "o1", Zone: zone(t, "Asia/Kathmandu"), ZoneName: "Asia/Kathmandu", ThanksWindow: 90 * time.Second,
		Hours: []analytics.Stretch{
			{Schedule: "day", Weekday: 1, Opens: 9 * time.Hour, Closes: 17*time.Hour + 30*time.Minute + 15500*time.Millisecond, ValidFrom: day(t, "2026-01-01"), ValidTo: day(t, "2026-06-30")},
			{Schedule: "default", Weekday: 7, Closes: 24 * time.Hour, ValidFrom: day(t, "1970-01-01")},
		},
		Holidays: []analytics.Holiday{{Day: day(t, "2026-05-01"), Name: "Labour Day"}},
		Prices: []analytics.Price{
			{Model: "m", ValidFrom: day(t, "2026-01-01"), Currency: "USD", Input: "1.25", Output: "10", CacheRead: "0.125"},
			{Model: "m", ValidFrom: day(t, "2026-02-01"), Currency: "EUR", Input: "0", Output: "0.000001"},
		},
	}
}

func TestSettingsComeBackFromADocumentAndFromTheDatabase(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	want := wholeSettings(t)
	parsed := parse(t, wholeDocument)
	if !reflect.DeepEqual(parsed, want) {
		t.Errorf("the document is read as %+v, want %+v", parsed, want)
	}
	other := wholeSettings(t)
	other.OrgID, other.Hours = "o2", other.Hours[:1]
	for _, s := range []*analytics.Settings{parsed, other, parsed} { // twice is once
		if err := analytics.SaveSettings(t.Context(), pool, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []*analytics.Settings{want, other} {
		if got := load(t, pool, want.OrgID); !reflect.DeepEqual(got, want) {
			t.Errorf("after a save the database has %+v, want %+v", got, want)
		}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if again := parse(t, string(text)); !reflect.DeepEqual(again, want) {
			t.Errorf("what was written as %s is read as %+v, want %+v", text, again, want)
		}
	}
	ids, err := analytics.OrgsWithSettings(t.Context(), pool)
	if err != nil || !reflect.DeepEqual(ids, []string{"o1", "o2"}) {
		t.Errorf("the orgs with settings are %v (%v), want o1 and o2", ids, err)
	}
}

func TestAnOrgWithoutSettingsHasTheDefaults(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if err := analytics.SaveSettings(t.Context(), pool, wholeSettings(t)); err != nil {
		t.Fatal(err)
	}
	want := &analytics.Settings{OrgID: "o1", Zone: time.UTC, ZoneName: "UTC"}
	if err := analytics.SaveSettings(t.Context(), pool, parse(t, `{"org_id": "o1"}`)); err != nil {
		t.Fatal(err)
	}
	if got := load(t, pool, "o1"); !reflect.DeepEqual(got, want) {
		t.Errorf("an empty document leaves %+v, want %+v", got, want)
	}
	if ids, err := analytics.OrgsWithSettings(t.Context(), pool); err != nil || len(ids) > 0 {
		t.Errorf("after a save of the defaults %v (%v) have rows, want none", ids, err)
	}
}

func TestDaysAndTimesOfSettingsDoNotDependOnTheSession(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	conn, err := pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if err := analytics.SaveSettings(t.Context(), pool, wholeSettings(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "set datestyle = 'German'"); err != nil {
		t.Fatal(err)
	}
	got, err := analytics.LoadSettings(t.Context(), conn, "o1")
	if err != nil || !reflect.DeepEqual(got, wholeSettings(t)) {
		t.Errorf("with another DateStyle the settings are %+v (%v)", got, err)
	}
	if _, err := conn.Exec(t.Context(), "set datestyle = 'ISO'"); err != nil {
		t.Fatal(err)
	}
}

func TestBadSettingsAreRefusedByTableRowAndValue(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	for _, c := range []struct {
		name string
		edit func(*analytics.Settings)
		want []string
	}{
		{"unknown zone", func(s *analytics.Settings) { s.ZoneName = "Europe/Berln" }, []string{"analytics.settings", "o1", `"Europe/Berln"`, "IANA"}},
		{"the machine's zone", func(s *analytics.Settings) { s.ZoneName = "Local" }, []string{`"Local"`}},
		{"no zone", func(s *analytics.Settings) { s.ZoneName = "" }, []string{`time_zone ""`}},
		{"negative window", func(s *analytics.Settings) { s.ThanksWindow = -time.Second }, []string{"thanks_window_seconds -1"}},
		{"window of a second and a half", func(s *analytics.Settings) { s.ThanksWindow = 1500 * time.Millisecond }, []string{"thanks_window_seconds 1.5"}},
		{"weekday 0", func(s *analytics.Settings) { s.Hours[0].Weekday = 0 }, []string{"analytics.business_hours", `"day"`, "weekday 0"}},
		{"weekday 8", func(s *analytics.Settings) { s.Hours[0].Weekday = 8 }, []string{"weekday 8"}},
		{"closes when it opens", func(s *analytics.Settings) { s.Hours[0].Closes = 9 * time.Hour }, []string{"09:00-09:00", "closes 09:00", "24:00"}},
		{"closes before it opens", func(s *analytics.Settings) { s.Hours[0].Closes = 8 * time.Hour }, []string{"closes 08:00"}},
		{"closes after the day", func(s *analytics.Settings) { s.Hours[0].Closes = 25 * time.Hour }, []string{"closes 25:00"}},
		{"opens before the day", func(s *analytics.Settings) { s.Hours[0].Opens = -time.Hour }, []string{"opens"}},
		{"ends before it begins", func(s *analytics.Settings) { s.Hours[0].ValidTo = day(t, "2025-12-31") }, []string{"valid_to 2025-12-31"}},
		{"no first day", func(s *analytics.Settings) { s.Hours[0].ValidFrom = time.Time{} }, []string{"valid_from"}},
		{"no schedule", func(s *analytics.Settings) { s.Hours[0].Schedule = "" }, []string{"schedule is empty"}},
		{"overlapping stretches", overlapping(17*time.Hour, 20*time.Hour, "2026-06-30", ""), []string{"analytics.business_hours", "17:00-20:00", "overlaps", "09:00-17:30:15.5", "another schedule"}},
		{"the same stretch twice", func(s *analytics.Settings) { s.Hours = append(s.Hours, s.Hours[0]) }, []string{"overlaps"}},
		{"two holidays of a day", func(s *analytics.Settings) {
			s.Holidays = append(s.Holidays, analytics.Holiday{Day: day(t, "2026-05-01"), Name: "May Day"})
		}, []string{"analytics.holidays", "2026-05-01", "May Day"}},
		{"a holiday of no day", func(s *analytics.Settings) { s.Holidays[0].Day = time.Time{} }, []string{"analytics.holidays", "day is missing"}},
		{"negative price", func(s *analytics.Settings) { s.Prices[0].Input = "-1.25" }, []string{"analytics.model_prices", `"m" from 2026-01-01`, `input_per_million "-1.25"`}},
		{"negative price of cached tokens", func(s *analytics.Settings) { s.Prices[1].CacheWrite = "-0.1" }, []string{"cache_write_per_million"}},
		{"no price", func(s *analytics.Settings) { s.Prices[0].Output = "" }, []string{"output_per_million"}},
		{"price that is no number", func(s *analytics.Settings) { s.Prices[0].Output = "NaN" }, []string{`"NaN"`}},
		{"two prices of a day", func(s *analytics.Settings) { s.Prices[1].ValidFrom = s.Prices[0].ValidFrom }, []string{"a second price"}},
		{"no currency", func(s *analytics.Settings) { s.Prices[0].Currency = "$" }, []string{`currency "$"`, "EUR"}},
		{"no model", func(s *analytics.Settings) { s.Prices[0].Model = "" }, []string{"model is empty"}},
	} {
		s := wholeSettings(t)
		c.edit(s)
		err := s.Validate()
		if err == nil {
			t.Errorf("%s: should be refused", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error should say %q: %v", c.name, want, err)
			}
		}
		if saved := analytics.SaveSettings(t.Context(), pool, s); saved == nil || saved.Error() != err.Error() {
			t.Errorf("%s: saving should be refused with the same error, it says %v", c.name, saved)
		}
	}
	if ids, err := analytics.OrgsWithSettings(t.Context(), pool); err != nil || len(ids) > 0 {
		t.Errorf("what was refused left rows of %v (%v)", ids, err)
	}
	if err := wholeSettings(t).Validate(); err != nil {
		t.Errorf("nothing is wrong with the others: %v", err)
	}
}

// overlapping adds a stretch to the first one's schedule.
func overlapping(opens, closes time.Duration, from, to string) func(*analytics.Settings) {
	return func(s *analytics.Settings) {
		h := s.Hours[0]
		h.Opens, h.Closes = opens, closes
		h.ValidFrom, _ = time.Parse(time.DateOnly, from) // the tests give days
		h.ValidTo, _ = time.Parse(time.DateOnly, to)     // empty: zero
		s.Hours = append(s.Hours, h)
	}
}

func TestStretchesThatDoNotMeetAreNoOverlap(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*analytics.Settings){
		"one ends where the other begins": overlapping(17*time.Hour+30*time.Minute+15500*time.Millisecond, 20*time.Hour, "2026-01-01", ""),
		"one is valid after the other":    overlapping(10*time.Hour, 20*time.Hour, "2026-07-01", ""),
		"one is valid before the other":   overlapping(10*time.Hour, 20*time.Hour, "2025-01-01", "2025-12-31"),
		"of two weekdays": func(s *analytics.Settings) {
			s.Hours = append(s.Hours, s.Hours[0])
			s.Hours[2].Weekday = 2
		},
		"of two schedules": func(s *analytics.Settings) {
			s.Hours = append(s.Hours, s.Hours[0])
			s.Hours[2].Schedule = "night"
		},
	} {
		s := wholeSettings(t)
		edit(s)
		if err := s.Validate(); err != nil {
			t.Errorf("%s: should be accepted: %v", name, err)
		}
	}
}

func TestADocumentThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                    "document",
		`[]`:                  "document",
		`{"timezone": "UTC"}`: `"timezone"`,
		`{} {}`:               "follows",
		`{"time_zone": 1}`:    "time_zone",
		`{"business_hours": [{"weekday": 1, "opens": "9", "closes": "17:00"}]}`:                                 `row 1: opens "9"`,
		`{"business_hours": [{"weekday": 1, "opens": "09:00", "closes": "17:60"}]}`:                             `closes "17:60"`,
		`{"business_hours": [{"weekday": 1, "opens": "09:00", "closes": "17:00", "valid_to": "31.12.2026"}]}`:   `valid_to "31.12.2026"`,
		`{"holidays": [{"day": "2026-02-30", "name": "x"}]}`:                                                    `analytics.holidays, row 1: day "2026-02-30"`,
		`{"model_prices": [{"model": "m", "input_per_million": "cheap", "output_per_million": 1}]}`:             "cheap",
		`{"model_prices": [{"model": "m", "valid_from": "", "input_per_million": 1, "output_per_million": 1}]}`: "analytics.model_prices, row 1",
		`{"thanks_window_seconds": 9000000000000000000}`:                                                        "too long",
	} {
		if _, err := analytics.ParseSettings([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s should be refused with %q, the error is %v", text, want, err)
		}
	}
}

// What plain SQL can be kept from.
func TestTheTablesRefuseBadSettings(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	hours := "insert into analytics.business_hours (org_id, weekday, opens, closes, valid_from, valid_to) values "
	price := "insert into analytics.model_prices (org_id, model, valid_from, input_per_million, output_per_million) values "
	for _, c := range []struct{ statement, constraint string }{
		{"insert into analytics.settings (org_id, time_zone) values ('o', 'Europe/Berln')", "time_zone_is_known"},
		{"insert into analytics.settings (org_id, time_zone) values ('o', 'europe/berlin')", "time_zone_is_known"},
		{"insert into analytics.settings (org_id, thanks_window_seconds) values ('o', -1)", "thanks_window_is_not_negative"},
		{hours + "('o', 0, '9:00', '17:00', '2026-01-01', null)", "weekday_is_1_to_7"},
		{hours + "('o', 1, '17:00', '17:00', '2026-01-01', null)", "hours_end_after_they_begin"},
		{hours + "('o', 1, '9:00', '17:00', '2026-01-01', '2025-12-31')", "days_end_after_they_begin"},
		{hours + "('o', 1, '9:00', '17:00', '2026-01-01', 'infinity')", "days_are_finite"},
		{"insert into analytics.holidays values ('o', 'infinity', 'x')", "holiday_is_finite"},
		{price + "('o', 'm', '2026-01-01', -1, 1)", "input_price_is_not_negative"},
		{price + "('o', 'm', '2026-01-01', 1, 'NaN')", "output_price_is_not_negative"},
		{price + "('o', 'm', '2026-01-01', 1, 'infinity')", "output_price_is_not_negative"},
		{price + "('o', 'm', '-infinity', 1, 1)", "price_day_is_finite"},
		{hours + "('p', 2, '9:00', '17:00', '2026-01-01', null), ('p', 2, '16:59', '18:00', '2027-01-01', '2027-02-01')", "hours_do_not_overlap"},
	} {
		_, err := pool.Exec(t.Context(), c.statement)
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.ConstraintName != c.constraint {
			t.Errorf("%s should be refused by %s, the error is %v", c.statement, c.constraint, err)
		}
	}
	if _, err := pool.Exec(t.Context(), hours+"('o', 1, '0:00', '24:00', '2026-01-01', null)"); err != nil {
		t.Errorf("a day until 24:00 should be taken: %v", err)
	}
	if _, err := pool.Exec(t.Context(), hours+`('p', 2, '9:00', '17:00', '2026-01-01', '2026-12-31'), ('p', 2, '17:00', '18:00', '2026-01-01', null),
		('p', 2, '8:00', '16:00', '2027-01-01', null), ('p', 3, '9:00', '17:00', '2026-01-01', null), ('q', 2, '9:00', '17:00', '2026-01-01', null)`); err != nil {
		t.Errorf("stretches that only touch, and those of other days and orgs, should be taken: %v", err)
	}
	if _, err := pool.Exec(t.Context(), `insert into analytics.business_hours (org_id, schedule, weekday, opens, closes) values
		('p', 'night', 2, '10:00', '23:00'), ('p', 'late night', 2, '20:00', '24:00')`); err != nil {
		t.Errorf("stretches of several schedules should be taken: %v", err)
	}
}

func TestTheFingerprintChangesWithWhatFactsDependOn(t *testing.T) {
	t.Parallel()
	first := wholeSettings(t).Fingerprint()
	for name, c := range map[string]struct {
		edit    func(*analytics.Settings)
		changes bool
	}{
		"zone":              {func(s *analytics.Settings) { s.Zone, s.ZoneName = time.UTC, "UTC" }, true},
		"window":            {func(s *analytics.Settings) { s.ThanksWindow++ }, true},
		"opens":             {func(s *analytics.Settings) { s.Hours[0].Opens += time.Minute }, true},
		"closes":            {func(s *analytics.Settings) { s.Hours[0].Closes += time.Minute }, true},
		"weekday":           {func(s *analytics.Settings) { s.Hours[0].Weekday++ }, true},
		"first day":         {func(s *analytics.Settings) { s.Hours[0].ValidFrom = day(t, "2026-01-02") }, true},
		"last day":          {func(s *analytics.Settings) { s.Hours[0].ValidTo = time.Time{} }, true},
		"no hours":          {func(s *analytics.Settings) { s.Hours = nil }, true},
		"a holiday's day":   {func(s *analytics.Settings) { s.Holidays[0].Day = day(t, "2026-05-02") }, true},
		"no holiday":        {func(s *analytics.Settings) { s.Holidays = nil }, true},
		"a holiday's name":  {func(s *analytics.Settings) { s.Holidays[0].Name = "May Day" }, false},
		"a schedule's name": {func(s *analytics.Settings) { s.Hours[0].Schedule = "night" }, false},
		"no price":          {func(s *analytics.Settings) { s.Prices = nil }, true},
		"a price":           {func(s *analytics.Settings) { s.Prices[0].Output = "77" }, true},
		"another order":     {func(s *analytics.Settings) { s.Hours[0], s.Hours[1] = s.Hours[1], s.Hours[0] }, false},
	} {
		s := wholeSettings(t)
		c.edit(s)
		if got := s.Fingerprint(); (got != first) != c.changes {
			t.Errorf("%s: the fingerprint should change: %t; it was %s and is %s", name, c.changes, first, got)
		}
	}
}

func parse(t *testing.T, text string) *analytics.Settings {
	t.Helper()
	s, err := analytics.ParseSettings([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func load(t *testing.T, pool *pgxpool.Pool, org string) *analytics.Settings {
	t.Helper()
	s, err := analytics.LoadSettings(t.Context(), pool, org)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
