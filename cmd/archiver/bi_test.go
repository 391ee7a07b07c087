package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// biJoin is a line of the table of joins in docs/bi.md; biColumn one of its columns, with the other side's name where that
// is another.
var (
	biJoin   = regexp.MustCompile("(?m)^\\| `((?:analytics|inbox)\\.\\w+)` \\| `((?:analytics|inbox)\\.\\w+)` \\| (.+) \\|$")
	biColumn = regexp.MustCompile("`(\\w+)`(?: = `(\\w+)`)?")
)

func TestTheJoinsForBIToolsFindOneRowEach(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/bi.md")
	if err != nil {
		t.Fatal(err)
	}
	databaseURL, orgID := simulatedWeeks(t, 2)
	pool := open(t, databaseURL)
	role := newReader(t, pool, orgID)
	joins := biJoin.FindAllStringSubmatch(string(text), -1)
	if len(joins) < 15 {
		t.Errorf("docs/bi.md has %d joins, want 15 or more", len(joins))
	}
	for _, join := range joins {
		var on []string
		for _, column := range biColumn.FindAllStringSubmatch(join[3], -1) {
			other := column[2]
			if other == "" {
				other = column[1]
			}
			on = append(on, fmt.Sprintf("f.%s = t.%s", column[1], other))
		}
		answer, err := askGrafana(t.Context(), pool, role, grafanaQuery{}, fmt.Sprintf(
			"select (select count(*) from %[1]s) as rows, count(*) as joined, count(t.org_id) as found from %[1]s as f left join %[2]s as t on %[3]s",
			join[1], join[2], strings.Join(on, " and ")))
		if err != nil {
			t.Errorf("joining %s to %s: %v", join[1], join[2], err)
			continue
		}
		if row := answer.cells[0]; row[0] != row[1] || row[2] == "0" {
			t.Errorf("%s joined to %s on %s makes %s rows of %s and finds %s, want as many rows, some of them found", join[1], join[2], join[3], row[1], row[0], row[2])
		}
	}
}
