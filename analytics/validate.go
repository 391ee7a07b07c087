package analytics

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// Validate reports everything in the settings that cannot be meant, one error for each, joined: the table, the row, the
// value, and what to do. It does not ask for an OrgID.
func (s *Settings) Validate() error {
	var wrong []error
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	s.validateOrg(complain)
	s.validateHours(complain)
	s.validateHolidays(complain)
	s.validatePrices(complain)
	return errors.Join(wrong...)
}

func (s *Settings) validateOrg(complain func(string, ...any)) {
	if _, err := loadZone(s.ZoneName); err != nil {
		complain("%w", s.unknownZone())
	}
	switch {
	case s.ThanksWindow < 0:
		complain("analytics.settings, org_id %s: thanks_window_seconds %d is negative: use 0 to have none", s.OrgID, s.ThanksWindow/time.Second)
	case s.ThanksWindow%time.Second != 0:
		complain("analytics.settings, org_id %s: thanks_window_seconds %v is no whole number: round it", s.OrgID, s.ThanksWindow.Seconds())
	}
}

func (s *Settings) unknownZone() error {
	return fmt.Errorf("analytics.settings, org_id %s: time_zone %q is not known: use an IANA name, as Europe/Berlin or Asia/Kolkata (select name from pg_timezone_names)", s.OrgID, s.ZoneName)
}

func (s *Settings) validateHours(complain func(string, ...any)) {
	for i, h := range s.Hours {
		row := "analytics.business_hours, " + h.describe()
		if h.Schedule == "" {
			complain("%s: schedule is empty: give it a name, as default", row)
		}
		if h.Weekday < 1 || h.Weekday > 7 {
			complain("%s: weekday %d is not 1 (Monday) to 7 (Sunday): use one of these", row, h.Weekday)
		}
		if h.Opens < 0 || h.Opens > 24*time.Hour {
			complain("%s: opens %s is not within a day: use 00:00 to 23:59", row, clockText(h.Opens))
		}
		switch {
		case h.Closes > 24*time.Hour:
			complain("%s: closes %s is after the end of the day: use at most 24:00, and a row of the next weekday for what is after it", row, clockText(h.Closes))
		case h.Closes <= h.Opens:
			complain("%s: closes %s is not after opens %s: use 24:00 for the end of the day, and a row of the next weekday for what is after midnight", row, clockText(h.Closes), clockText(h.Opens))
		}
		if h.ValidFrom.IsZero() {
			complain("%s: valid_from is missing: use %s for ever since", row, defaultValidFrom)
		}
		if !h.ValidTo.IsZero() && h.ValidTo.Before(h.ValidFrom) {
			complain("%s: valid_to %s is before valid_from %s: exchange them, or leave valid_to out", row, dayText(h.ValidTo), dayText(h.ValidFrom))
		}
		for _, other := range s.Hours[:i] {
			if h.overlaps(other) {
				complain("%s overlaps %s: let one end where the other begins (by times, or by valid_to), or put it into another schedule", row, other.describe())
			}
		}
	}
}

// overlaps reports whether both are of one schedule and hold at the same moment of some day.
func (h Stretch) overlaps(o Stretch) bool {
	return h.Schedule == o.Schedule && h.Weekday == o.Weekday && h.Opens < o.Closes && o.Opens < h.Closes &&
		(h.ValidTo.IsZero() || !o.ValidFrom.After(h.ValidTo)) && (o.ValidTo.IsZero() || !h.ValidFrom.After(o.ValidTo))
}

// describe names the row.
func (h Stretch) describe() string {
	days := "from " + dayText(h.ValidFrom)
	if !h.ValidTo.IsZero() {
		days += " to " + dayText(h.ValidTo)
	}
	return fmt.Sprintf("schedule %q, weekday %d, %s-%s, %s", h.Schedule, h.Weekday, clockText(h.Opens), clockText(h.Closes), days)
}

func (s *Settings) validateHolidays(complain func(string, ...any)) {
	seen := map[string]bool{}
	for _, h := range s.Holidays {
		day := dayText(h.Day)
		switch {
		case day == "":
			complain("analytics.holidays, %q: day is missing: write it as 2026-12-24", h.Name)
		case seen[day]:
			complain("analytics.holidays, day %s: %q is a second holiday of that day: keep one of them", day, h.Name)
		}
		seen[day] = true
	}
}

var (
	isAmount   = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$`)
	isCurrency = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (s *Settings) validatePrices(complain func(string, ...any)) {
	seen := map[string]bool{}
	for _, p := range s.Prices {
		row := fmt.Sprintf("analytics.model_prices, model %q from %s", p.Model, dayText(p.ValidFrom))
		if p.Model == "" {
			complain("%s: model is empty: name it as in inbox.messages.model", row)
		}
		if p.ValidFrom.IsZero() {
			complain("%s: valid_from is missing: use the first day of the price", row)
		}
		if !isCurrency.MatchString(p.Currency) {
			complain("%s: currency %q is no code of ISO 4217: use three capital letters, as EUR", row, p.Currency)
		}
		for _, amount := range []struct {
			column, value string
			isOptional    bool
		}{
			{"input_per_million", p.Input, false}, {"output_per_million", p.Output, false},
			{"cache_read_per_million", p.CacheRead, true}, {"cache_write_per_million", p.CacheWrite, true},
		} {
			if !isAmount.MatchString(amount.value) && !(amount.isOptional && amount.value == "") {
				complain("%s: %s %q is not a price: use a decimal number that is not negative, as 1.25 (0 for what costs nothing)", row, amount.column, amount.value)
			}
		}
		key := p.Model + "\x00" + dayText(p.ValidFrom)
		if seen[key] {
			complain("%s: a second price of that model and day: keep one, or let the other begin on another day", row)
		}
		seen[key] = true
	}
}
