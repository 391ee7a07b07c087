package analytics

import "time"

// Settings is what an org chose: in which zone its days and hours are counted, when its team works, what tokens cost.
type Settings struct {
	OrgID        string
	Zone         *time.Location // nil is UTC
	ZoneName     string         // its IANA name
	ThanksWindow time.Duration  // a customer message this soon after a close opens no case; 0: every message may
	Hours        []Stretch      // empty: there is no business time
	Holidays     []Holiday
	Prices       []Price
}

// Holiday is a local day on which nobody works.
type Holiday struct {
	Day  time.Time // at 00:00 UTC
	Name string
}

// Price is what tokens of a model cost from a local day on. Amounts are decimal numbers as text, for a million tokens.
type Price struct {
	Model      string
	ValidFrom  time.Time // first local day it holds for, at 00:00 UTC
	Currency   string    // ISO 4217
	Input      string
	Output     string
	CacheRead  string // of input tokens read from a cache; empty: as Input
	CacheWrite string // of input tokens written to a cache; empty: as Input
}
