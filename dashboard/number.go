package dashboard

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// none is what stands for a value that is not known: never 0.
const none = "–"

// write says a value as people read it. Times are those of zone; currency is the column of that name.
func write(value any, u unit, currency string, zone *time.Location) string {
	switch v := value.(type) {
	case nil:
		return none
	case bool:
		if v {
			return "Yes"
		}
		return "No"
	case time.Time:
		if u == moment {
			return v.In(zone).Format("2 Jan 2006, 15:04")
		}
		return v.Format("2 Jan 2006")
	case string:
		return v
	}
	v, ok := number(value)
	if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	switch u {
	case percent:
		return strconv.FormatFloat(v, 'f', 1, 64) + " %"
	case seconds:
		return duration(v)
	case ago:
		return since(max(v, 0))
	case stars:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case starsRow:
		return stardom(v)
	case hour:
		return fmt.Sprintf("%02.0f:00", v)
	case money:
		return amount(v, currency)
	case tokens:
		return grouped(v, 0)
	}
	if v != math.Trunc(v) {
		return grouped(v, 1)
	}
	return grouped(v, 0)
}

// number is the value of a numeric cell.
func number(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func stardom(v float64) string {
	if v == 1 {
		return "1 star"
	}
	return strconv.FormatFloat(v, 'f', -1, 64) + " stars"
}

// compact writes large counts of tokens in three figures, for headlines and axes.
func compact(v float64) string {
	for _, scale := range []struct {
		unit float64
		name string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if math.Abs(v) >= scale.unit {
			return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v/scale.unit, 'f', 2, 64), "0"), ".") + scale.name
		}
	}
	return grouped(math.Round(v), 0)
}

// tight writes a count in four letters or so, for the cells of the heatmap.
func tight(v float64) string {
	if v < 1000 {
		return grouped(math.Round(v), 0)
	}
	for _, scale := range []struct {
		unit float64
		name string
	}{{1e3, "k"}, {1e6, "M"}, {1e9, "G"}} {
		switch in := v / scale.unit; {
		case in < 9.95:
			return strconv.FormatFloat(in, 'f', 1, 64) + scale.name
		case in < 999.5:
			return strconv.FormatFloat(in, 'f', 0, 64) + scale.name
		}
	}
	return compact(v)
}

// duration writes seconds in the two units that matter.
func duration(s float64) string {
	d := time.Duration(math.Round(s)) * time.Second
	switch days, hours, minutes := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60; {
	case s < 9.95:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	case days > 0:
		return fmt.Sprintf("%s d %d h", grouped(float64(days), 0), hours)
	case hours > 0:
		return fmt.Sprintf("%d h %02d min", hours, minutes)
	case minutes > 0:
		return fmt.Sprintf("%d min %02d s", minutes, d/time.Second%60)
	default:
		return fmt.Sprintf("%d s", d/time.Second)
	}
}

// since writes how long ago something was, in one unit.
func since(s float64) string {
	switch {
	case s < 60:
		return fmt.Sprintf("%.0f s ago", s)
	case s < 3600:
		return fmt.Sprintf("%.0f min ago", math.Floor(s/60))
	case s < 2*86400:
		return fmt.Sprintf("%.0f h ago", math.Floor(s/3600))
	}
	return grouped(math.Floor(s/86400), 0) + " d ago"
}

// amount writes money with two decimals, small amounts with as many as they need to say something.
func amount(v float64, currency string) string {
	decimals := 2
	if v != 0 && math.Abs(v) < 0.1 {
		decimals = 4
	}
	return strings.TrimSpace(grouped(v, decimals) + " " + currency)
}

// grouped writes a number with its thousands apart.
func grouped(v float64, decimals int) string {
	s := strconv.FormatFloat(math.Abs(v), 'f', decimals, 64)
	whole, rest, hasRest := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if hasRest {
		whole += "." + rest
	}
	if v < 0 && strings.ContainsAny(whole, "123456789") {
		return "−" + whole
	}
	return whole
}
