package bench

import (
	"math"
	"slices"
	"time"
)

// Report is what a run found.
type Report struct {
	Date     time.Time         `json:"date"`
	Quick    bool              `json:"quick"` // then only counts mean something
	Sections []string          `json:"sections"`
	Rounds   int               `json:"rounds"`
	Machine  Machine           `json:"machine"`
	Settings map[string]string `json:"postgres_settings"` // beside its defaults and those of the embedded server
	Frames   Frames            `json:"frames"`
	Rows     []Row             `json:"rows"`
	// Tables are the rows that one org's events wrote, by table, an event; of the first round of the section work.
	Tables []TableCost `json:"tables,omitempty"`
}

// Frames says what the payloads were like.
type Frames struct {
	Mean     float64 `json:"mean_bytes"`
	Least    int     `json:"min_bytes"`
	Most     int     `json:"max_bytes"`
	WarmUp   int     `json:"warm_up_frames"`        // before each measurement
	Measured int     `json:"measured_frames"`       // of one measurement of throughput
	Distinct int     `json:"chats_in_measured"`     // chats that these speak of
	Fresh    int     `json:"new_chats_in_measured"` // of these, those that the warm-up did not speak of
}

// Row is one result. Value is the median of the rounds where there are several.
type Row struct {
	Section string    `json:"section"`
	Name    string    `json:"name"`
	Value   float64   `json:"value"`
	Unit    string    `json:"unit"`
	AtMost  *float64  `json:"at_most,omitempty"`  // the target; nil: none
	AtLeast *float64  `json:"at_least,omitempty"` // the target; nil: none
	Rounds  []float64 `json:"rounds,omitempty"`   // each round's value
}

// IsMet reports whether the value reaches the target; true when there is none.
func (r Row) IsMet() bool {
	return (r.AtMost == nil || r.Value <= *r.AtMost) && (r.AtLeast == nil || r.Value >= *r.AtLeast)
}

// HasTarget reports whether there is something to reach.
func (r Row) HasTarget() bool { return r.AtMost != nil || r.AtLeast != nil }

// Row finds a result by its name.
func (r *Report) Row(name string) (Row, bool) {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Name == name })
	if i < 0 {
		return Row{}, false
	}
	return r.Rows[i], true
}

// TableCost is what an event costs in a table, in rows and bytes.
type TableCost struct {
	Table    string  `json:"table"`
	Inserted float64 `json:"inserted"`
	Updated  float64 `json:"updated"`
	HOT      float64 `json:"hot_updated"` // of the updated
	Deleted  float64 `json:"deleted"`
}

// add appends a result that is the median of some rounds.
func (r *Report) add(section, name, unit string, rounds ...float64) *Row {
	row := Row{Section: section, Name: name, Unit: unit, Value: median(rounds)}
	if len(rounds) > 1 {
		row.Rounds = rounds
	}
	r.Rows = append(r.Rows, row)
	return &r.Rows[len(r.Rows)-1]
}

func (r *Row) atMost(target float64)  { r.AtMost = &target }
func (r *Row) atLeast(target float64) { r.AtLeast = &target }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return math.NaN()
	}
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// quantile is the value below which a part of the values lies.
func quantile(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}
