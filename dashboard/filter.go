package dashboard

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// filter is what the URL asks for. Its zero value is the last thirty days of the first organization.
type filter struct {
	period                         string    // a key of periods, or custom
	from, to                       time.Time // local days, both included
	org, assistant, agent, channel string    // empty: all (org: the first)
	find                           string    // part of a name: of the choices, those that have it
	refresh                        bool      // Live: load again every half minute
	isCut                          bool      // the period was longer than a page shows
}

// periods are the choices that end today.
var periods = []struct {
	key, label string
	days       int
}{{"today", "Today", 1}, {"7d", "7 days", 7}, {"30d", "30 days", 30}, {"90d", "90 days", 90}, {"365d", "1 year", 365}}

const (
	defaultPeriod = "30d"
	custom        = "custom"
	// longestPeriod is what one page is asked at most, in days.
	longestPeriod = 1100
	longestID     = 500
)

// readFilter takes the filter from a URL. Its error can be shown to who sent it.
func readFilter(query url.Values) (filter, error) {
	f := filter{
		period: query.Get("period"), org: query.Get("org"), assistant: query.Get("assistant"), agent: query.Get("agent"),
		channel: query.Get("channel"), find: query.Get("find"), refresh: query.Get("refresh") == "on",
	}
	for name, value := range map[string]string{"org": f.org, "assistant": f.assistant, "agent": f.agent, "channel": f.channel, "find": f.find} {
		if len(value) > longestID || !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return f, fmt.Errorf("the address has no usable %s", name)
		}
	}
	for name, to := range map[string]*time.Time{"from": &f.from, "to": &f.to} {
		value := query.Get(name)
		if value == "" {
			continue
		}
		date, err := time.Parse(time.DateOnly, value)
		if err != nil || date.Year() < 2000 || date.Year() > 2100 {
			return f, fmt.Errorf("%s is no day between 2000 and 2100: write it as 2026-03-31", name)
		}
		*to = date
	}
	isKnown := slices.ContainsFunc(periods, func(p struct {
		key, label string
		days       int
	}) bool {
		return p.key == f.period
	})
	switch hasDates := !f.from.IsZero() || !f.to.IsZero(); {
	case f.period == "" && hasDates, f.period == custom && hasDates:
		f.period = custom
	case !isKnown:
		f.period = defaultPeriod
	}
	return f, nil
}

// settle works out the days, given what day it is there.
func (f *filter) settle(today time.Time) {
	if f.period == custom {
		switch {
		case f.from.IsZero():
			f.from = f.to.AddDate(0, 0, -29)
		case f.to.IsZero():
			f.to = today
		}
		if f.from.After(f.to) {
			f.from, f.to = f.to, f.from
		}
		if f.from.Before(f.to.AddDate(0, 0, 1-longestPeriod)) {
			f.from, f.isCut = f.to.AddDate(0, 0, 1-longestPeriod), true
		}
		return
	}
	for _, p := range periods {
		if p.key == f.period {
			f.from, f.to = today.AddDate(0, 0, 1-p.days), today
		}
	}
}

// days is how many the period has.
func (f *filter) days() int { return int(f.to.Sub(f.from)/(24*time.Hour)) + 1 }

// step is what a point of a picture stands for, so that there are neither too few nor too many.
func (f *filter) step() string {
	switch days := f.days(); {
	case days <= 45:
		return "day"
	case days <= 400:
		return "week"
	}
	return "month"
}

// url is an address with the filter, changed by pairs of names and values; an empty value takes a filter out.
func (f *filter) url(path string, changes ...string) string {
	values := url.Values{}
	set := func(name, value string) {
		if value == "" {
			values.Del(name)
			return
		}
		values.Set(name, value)
	}
	set("org", f.org)
	set("assistant", f.assistant)
	set("agent", f.agent)
	set("channel", f.channel)
	if f.period == custom {
		set("from", f.from.Format(time.DateOnly))
		set("to", f.to.Format(time.DateOnly))
	} else if f.period != defaultPeriod {
		set("period", f.period)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i] == "period" {
			values.Del("from")
			values.Del("to")
		}
		set(changes[i], changes[i+1])
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// isNarrowed reports whether it leaves anything of the organization out, beside days.
func (f *filter) isNarrowed() bool { return f.assistant != "" || f.agent != "" || f.channel != "" }

// get is the value of a filter by its name.
func (f *filter) get(name string) string {
	switch name {
	case "assistant":
		return f.assistant
	case "agent":
		return f.agent
	case "channel":
		return f.channel
	}
	return ""
}
