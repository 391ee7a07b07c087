package dashboard

import (
	"fmt"
	"math"
)

type heatView struct {
	Hours []string
	Rows  []heatRow
}

type heatRow struct {
	Day   string
	Cells []heatCell
}

type heatCell struct {
	Text, Tip string
	Shade     int // 0 to 7
}

var weekdays = []string{"", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

func (v *visit) heat(_ *panel, a *answer) *heatView {
	h := &heatView{}
	highest := 0.0
	for i := range a.rows {
		if value, ok := number(a.cell(i, "messages")); ok {
			highest = max(highest, value)
		}
	}
	for i := range a.rows {
		weekday, _ := a.cell(i, "weekday").(int64)
		at, _ := a.cell(i, "hour").(int64)
		if at == 0 {
			h.Rows = append(h.Rows, heatRow{Day: weekdays[weekday]})
		}
		if weekday == 1 {
			h.Hours = append(h.Hours, fmt.Sprintf("%02d", at))
		}
		value, ok := number(a.cell(i, "messages"))
		c := heatCell{Text: none, Tip: fmt.Sprintf("%s %02d:00: not known", weekdays[weekday], at)}
		if ok {
			c.Text, c.Tip = tight(value), fmt.Sprintf("%s %02d:00: %s messages", weekdays[weekday], at, grouped(value, 0))
			if value > 0 {
				// By the root: one busy hour must not make all others look alike.
				c.Shade = 1 + int(math.Floor(math.Sqrt(value/highest)*6.999))
			}
		}
		row := &h.Rows[len(h.Rows)-1]
		row.Cells = append(row.Cells, c)
	}
	return h
}
