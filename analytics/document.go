package analytics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// document is the settings of an org as JSON: what archiver settings shows and takes, and the query for them returns. What
// it leaves out has the column's default.
type document struct {
	OrgID               string          `json:"org_id"`
	TimeZone            *string         `json:"time_zone"`
	ThanksWindowSeconds int64           `json:"thanks_window_seconds"`
	BusinessHours       []hoursEntry    `json:"business_hours"`
	Holidays            []holidaysEntry `json:"holidays"`
	ModelPrices         []pricesEntry   `json:"model_prices"`
}

type hoursEntry struct {
	Schedule  *string `json:"schedule"`
	ValidFrom *string `json:"valid_from"` // 2006-01-02
	ValidTo   *string `json:"valid_to"`
	Weekday   int     `json:"weekday"`
	Opens     string  `json:"opens"` // 15:04, seconds if there are any
	Closes    string  `json:"closes"`
}

type holidaysEntry struct {
	Day  string `json:"day"`
	Name string `json:"name"`
}

type pricesEntry struct {
	Model                string      `json:"model"`
	ValidFrom            string      `json:"valid_from"`
	Currency             *string     `json:"currency"`
	InputPerMillion      json.Number `json:"input_per_million"`
	OutputPerMillion     json.Number `json:"output_per_million"`
	CacheReadPerMillion  json.Number `json:"cache_read_per_million,omitempty"` // null: not given
	CacheWritePerMillion json.Number `json:"cache_write_per_million,omitempty"`
}

const (
	defaultZone      = "UTC"
	defaultSchedule  = "default"
	defaultValidFrom = "1970-01-01"
	defaultCurrency  = "USD"
)

// ParseSettings reads settings from JSON, in the form that MarshalJSON writes; the defaults of the columns stand for what is
// left out. It refuses fields that it does not know and days and times that are none, all at once. Of values that can be
// read but not be meant Validate tells; a zone that is not known leaves Zone nil.
func ParseSettings(text []byte) (*Settings, error) {
	var d document
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("the settings are not a document as archiver settings show prints it: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the settings are not a document as archiver settings show prints it: something follows the first object")
	}
	s := &Settings{OrgID: d.OrgID, ZoneName: or(d.TimeZone, defaultZone), ThanksWindow: time.Duration(d.ThanksWindowSeconds) * time.Second}
	s.Zone, _ = loadZone(s.ZoneName) // Validate says what is wrong with it
	var wrong parsing
	if s.ThanksWindow/time.Second != time.Duration(d.ThanksWindowSeconds) {
		wrong.add("analytics.settings: thanks_window_seconds %d: too long", d.ThanksWindowSeconds)
	}
	for i, h := range d.BusinessHours {
		row := fmt.Sprintf("analytics.business_hours, row %d", i+1)
		s.Hours = append(s.Hours, Stretch{
			Schedule: or(h.Schedule, defaultSchedule), Weekday: h.Weekday,
			ValidFrom: wrong.day(row, "valid_from", or(h.ValidFrom, defaultValidFrom)),
			ValidTo:   wrong.dayOrNone(row, "valid_to", h.ValidTo),
			Opens:     wrong.clock(row, "opens", h.Opens), Closes: wrong.clock(row, "closes", h.Closes),
		})
	}
	for i, h := range d.Holidays {
		s.Holidays = append(s.Holidays, Holiday{Day: wrong.day(fmt.Sprintf("analytics.holidays, row %d", i+1), "day", h.Day), Name: h.Name})
	}
	for i, p := range d.ModelPrices {
		s.Prices = append(s.Prices, Price{
			Model: p.Model, ValidFrom: wrong.day(fmt.Sprintf("analytics.model_prices, row %d", i+1), "valid_from", p.ValidFrom),
			Currency: or(p.Currency, defaultCurrency), Input: string(p.InputPerMillion), Output: string(p.OutputPerMillion),
			CacheRead: string(p.CacheReadPerMillion), CacheWrite: string(p.CacheWritePerMillion),
		})
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return s, nil
}

// MarshalJSON writes the settings, defaults included, as ParseSettings reads them.
func (s *Settings) MarshalJSON() ([]byte, error) {
	zone := s.ZoneName
	if zone == "" {
		zone = s.zone().String()
	}
	d := document{
		OrgID: s.OrgID, TimeZone: &zone, ThanksWindowSeconds: int64(s.ThanksWindow / time.Second),
		BusinessHours: []hoursEntry{}, Holidays: []holidaysEntry{}, ModelPrices: []pricesEntry{},
	}
	for _, h := range s.Hours {
		from, to := dayText(h.ValidFrom), dayText(h.ValidTo)
		entry := hoursEntry{Schedule: &h.Schedule, ValidFrom: &from, Weekday: h.Weekday, Opens: clockText(h.Opens), Closes: clockText(h.Closes)}
		if to != "" {
			entry.ValidTo = &to
		}
		d.BusinessHours = append(d.BusinessHours, entry)
	}
	for _, h := range s.Holidays {
		d.Holidays = append(d.Holidays, holidaysEntry{Day: dayText(h.Day), Name: h.Name})
	}
	for _, p := range s.Prices {
		d.ModelPrices = append(d.ModelPrices, pricesEntry{
			Model: p.Model, ValidFrom: dayText(p.ValidFrom), Currency: &p.Currency, InputPerMillion: json.Number(p.Input),
			OutputPerMillion: json.Number(p.Output), CacheReadPerMillion: json.Number(p.CacheRead), CacheWritePerMillion: json.Number(p.CacheWrite),
		})
	}
	text, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("writing the settings of %s: %w", s.OrgID, err)
	}
	return text, nil
}

// parsing gathers what cannot be read.
type parsing []error

func (p *parsing) add(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (p *parsing) day(row, column, text string) time.Time {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		p.add("%s: %s %q: not a day: write it as 2026-12-24", row, column, text)
	}
	return day
}

func (p *parsing) dayOrNone(row, column string, text *string) time.Time {
	if text == nil {
		return time.Time{}
	}
	return p.day(row, column, *text)
}

// isClock is a time of day, as Postgres writes it or a person does.
var isClock = regexp.MustCompile(`^([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9])(\.[0-9]{1,6})?)?$`)

func (p *parsing) clock(row, column, text string) time.Duration {
	m := isClock.FindStringSubmatch(text)
	if m == nil {
		p.add("%s: %s %q: not a time of day: write it as 09:00, and midnight at the end of a day as 24:00", row, column, text)
		return 0
	}
	var total time.Duration
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1]) // digits, or nothing
		total += time.Duration(n) * unit
	}
	if m[4] != "" {
		micro, _ := strconv.Atoi((m[4][1:] + "00000")[:6]) // digits
		total += time.Duration(micro) * time.Microsecond
	}
	return total
}

// dayText is a day as ParseSettings reads it; nothing for none.
func dayText(day time.Time) string {
	if day.IsZero() {
		return ""
	}
	return day.Format(time.DateOnly)
}

// clockText is a time of day as ParseSettings reads it, to the microsecond.
func clockText(d time.Duration) string {
	text := fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute)
	if rest := d % time.Minute; rest != 0 {
		text += strings.TrimRight(fmt.Sprintf(":%02d.%06d", rest/time.Second, rest%time.Second/time.Microsecond), "0")
		text = strings.TrimSuffix(text, ".")
	}
	return text
}

func or(given *string, otherwise string) string {
	if given == nil {
		return otherwise
	}
	return *given
}

// loadZone knows IANA names alone: the machine's own zone and the empty name, which time.LoadLocation takes, are none.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, errors.New("not the name of a zone")
	}
	return time.LoadLocation(name)
}
