package dashboard

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// find is a panel by its id, and the page it is on.
func find(id string) (*page, *panel) {
	for _, pg := range pages {
		for _, p := range pg.panels {
			if p.id == id {
				return pg, p
			}
		}
	}
	return nil, nil
}

// serveSQL shows a panel's statement.
func (s *Server) serveSQL(w http.ResponseWriter, r *http.Request) {
	pg, p := find(r.PathValue("panel"))
	if p == nil {
		s.message(w, http.StatusNotFound, "There is no such panel", "The address may be mistyped.", "/")
		return
	}
	path := "/" + pg.id
	if pg == pages[0] {
		path = "/"
	}
	v, err := s.arrive(r.Context(), path, r.URL.Query())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.write(w, http.StatusOK, "sql", &pageView{
		Title: "SQL of " + p.title, Heading: "SQL of “" + p.title + "”", About: p.definition, Style: s.styleURL, OrgName: v.orgName, Zone: v.zoneName,
		Menu: v.menu(pg), Statement: v.standalone(p), Back: v.filter.url(path), CSV: v.filter.url("/csv/" + p.id + ".csv"),
	})
}

var (
	parameter = regexp.MustCompile(`@[a-z]+`)
	// optional is a filter's line, which has no part in a statement without it.
	optional = regexp.MustCompile(`\s+and \(@(assistant|agent|channel)::text is null or ([^()]+)\)`)
)

// standalone is a panel's statement with its arguments written in, for psql.
func (v *visit) standalone(p *panel) string {
	args := v.args()
	statement := optional.ReplaceAllStringFunc(p.inSteps(v.filter.step()), func(line string) string {
		m := optional.FindStringSubmatch(line)
		if args[m[1]] == nil {
			return ""
		}
		before, _, _ := strings.Cut(line, "(")
		return before + m[2]
	})
	statement = parameter.ReplaceAllStringFunc(statement, func(name string) string { return literal(args[name[1:]]) })
	return strings.TrimRight(statement, "\n") + ";\n"
}

// literal is a value as SQL takes it.
func literal(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case time.Time:
		return "'" + v.Format(time.DateOnly) + "'"
	}
	s := strings.ReplaceAll(fmt.Sprint(value), "'", "''")
	if strings.Contains(s, `\`) {
		return `E'` + strings.ReplaceAll(s, `\`, `\\`) + `'`
	}
	return "'" + s + "'"
}

// serveCSV gives a panel's rows as they are: numbers unrounded, times in UTC, what is not known empty.
func (s *Server) serveCSV(w http.ResponseWriter, r *http.Request) {
	id, isCSV := strings.CutSuffix(r.PathValue("panel"), ".csv")
	_, p := find(id)
	if p == nil || !isCSV {
		s.message(w, http.StatusNotFound, "There is no such panel", "The address may be mistyped.", "/")
		return
	}
	v, err := s.arrive(r.Context(), "/", r.URL.Query())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	a, err := s.ask(r.Context(), p.inSteps(v.filter.step()), v.args())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	var b bytes.Buffer
	// Excel takes a file for one of another alphabet unless it begins with this mark, which only confuses programs.
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		b.WriteString("\ufeff")
	}
	out := csv.NewWriter(&b)
	records := [][]string{a.columns}
	for _, row := range a.rows {
		var record []string
		for i, value := range row {
			record = append(record, raw(value, a.isDate[i]))
		}
		records = append(records, record)
	}
	if err := out.WriteAll(records); err != nil {
		s.refuse(w, r, err)
		return
	}
	name := fmt.Sprintf("%s-%s-%s.csv", p.id, v.filter.from.Format(time.DateOnly), v.filter.to.Format(time.DateOnly))
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes()) // fails only when the one who asked has gone
}

// raw is a cell of a CSV file. Text that a spreadsheet would run as a formula is marked as text.
func raw(value any, isDate bool) string {
	switch v := value.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		if isDate {
			return v.UTC().Format(time.DateOnly)
		}
		return v.UTC().Format(time.RFC3339Nano)
	case string:
		if first, _ := utf8.DecodeRuneInString(v); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
			return "'" + v
		}
		return v
	}
	return fmt.Sprint(value)
}
