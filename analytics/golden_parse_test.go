package analytics

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// conversation is a file of testdata/golden: what happened in one chat, and what the facts of it must be. README.md beside
// the files says how to read and write one.
type conversation struct {
	name      string
	file      string
	zone      *time.Location
	zoneName  string
	hours     []string // "Mon-Fri 09:00-17:00"
	holidays  []string
	thanks    int
	absent    bool // unset fields are left out instead of being null
	listening time.Time
	readAt    time.Time
	tokens    string
	events    []happening
	cases     []block
	turns     []block
	ratings   []block
	handoffs  []block
}

// happening is one line of a conversation: one frame.
type happening struct {
	at      time.Time
	arrives time.Duration // after at
	id      string        // of the message; empty where none was written, edited or deleted
	who     string
	status  string
	does    string // "edited", "deleted", or empty
	tokens  string
	changes []string
	noState bool // the frame has no state
}

// block is a fact that is expected: its columns in words.
type block struct {
	line  string
	key   string // the id of the message, or the number, that it is found by
	wants map[string]string
}

var (
	dayLine  = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})( [A-Z][a-z]+)?$`)
	timeLine = regexp.MustCompile(`^(\d{2}:\d{2}:\d{2}(?:\.\d+)?)(?: \(([A-Z]+)\))?\s+(.*)$`)
	wordsAt  = regexp.MustCompile(`\[([^\]]*)\]`)
	turnLine = regexp.MustCompile(`^turn (any|human) (\d+): (\S+) → (\S+), (.*)$`)
	caseLine = regexp.MustCompile(`^case (\d+): (\S+) by (\w+), (\w+)$`)
	rateLine = regexp.MustCompile(`^rating (\d+): score (\d), (?:case (\d+)|no case), (\w+)$`)
	handLine = regexp.MustCompile(`^handoff of case (\d+): (\w+) at ([0-9-]*\s?[0-9:.]+), (\w+)$`)
)

// reader reads one file.
type reader struct {
	t       *testing.T
	c       *conversation
	day     time.Time
	current *block
	n       int
}

func readConversations(t *testing.T) (all []*conversation) {
	t.Helper()
	files, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil || len(files) < 30 {
		t.Fatalf("testdata/golden has %d conversations (%v), want about 30", len(files), err)
	}
	for _, file := range files {
		r := &reader{t: t, c: &conversation{
			file: file, name: strings.TrimSuffix(filepath.Base(file), ".txt"), zone: time.UTC, zoneName: "UTC",
		}}
		all = append(all, r.read())
	}
	return all
}

func (r *reader) read() *conversation {
	r.t.Helper()
	f, err := os.Open(r.c.file)
	if err != nil {
		r.t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		r.n++
		line, _, _ := strings.Cut(lines.Text(), ";")
		if text := strings.TrimRight(line, " "); text != "" && !strings.HasPrefix(text, "#") {
			r.line(text)
		}
	}
	c := r.c
	if len(c.events) == 0 {
		r.fail("no events")
	}
	if c.listening.IsZero() {
		c.listening = c.events[0].at.Add(-time.Minute)
	}
	if c.readAt.IsZero() {
		c.readAt = c.events[len(c.events)-1].at.Add(time.Hour)
	}
	return c
}

func (r *reader) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s:%d: %s", r.c.file, r.n, fmt.Sprintf(format, args...))
}

func (r *reader) line(line string) {
	r.t.Helper()
	if strings.HasPrefix(line, "    ") {
		r.want(strings.TrimSpace(line))
		return
	}
	if m := dayLine.FindStringSubmatch(line); m != nil {
		day, err := time.ParseInLocation(time.DateOnly, m[1], r.c.zone)
		if err != nil || m[2] != "" && strings.TrimSpace(m[2]) != day.Weekday().String() {
			r.fail("%s is not a day: %v %s", line, err, day.Weekday())
		}
		r.day = day
		return
	}
	if m := timeLine.FindStringSubmatch(line); m != nil {
		r.event(r.clock(m[1], m[2]), m[3])
		return
	}
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "zone":
		zone, err := time.LoadLocation(rest)
		if err != nil {
			r.fail("%v", err)
		}
		r.c.zone, r.c.zoneName = zone, rest
	case "hours":
		r.c.hours = append(r.c.hours, rest)
	case "holiday":
		r.c.holidays = append(r.c.holidays, rest)
	case "thanks":
		r.c.thanks = r.int(rest)
	case "absent":
		r.c.absent = true
	case "listening":
		r.c.listening = r.moment(strings.TrimPrefix(rest, "since "))
	case "read":
		r.c.readAt = r.moment(strings.TrimPrefix(rest, "at "))
	case "tokens":
		r.c.tokens = r.sum(rest)
	case "case", "turn", "rating", "handoff":
		r.fact(line)
	default:
		r.fail("not understood: %s", line)
	}
}

func (r *reader) int(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		r.fail("%v", err)
	}
	return n
}

// clock is a local time of the day that was named last; of one that comes twice, the abbreviation of its offset says which.
func (r *reader) clock(text, abbreviation string) time.Time {
	if r.day.IsZero() {
		r.fail("a time before the first day")
	}
	return r.at(r.day, text, abbreviation)
}

func (r *reader) at(day time.Time, text, abbreviation string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04:05", day.Format(time.DateOnly)+" "+text, r.c.zone)
	if err != nil {
		r.fail("%v", err)
	}
	if abbreviation != "" {
		for _, d := range []time.Duration{0, time.Hour, -time.Hour} {
			if name, _ := at.Add(d).Zone(); name == abbreviation && at.Add(d).Format(time.TimeOnly) == at.Format(time.TimeOnly) {
				return at.Add(d)
			}
		}
		r.fail("%s is never %s", text, abbreviation)
	}
	return at
}

// moment is a local time, with its day where that is not the last one named.
func (r *reader) moment(text string) time.Time {
	day, clock, isDated := strings.Cut(strings.TrimSpace(text), " ")
	if !isDated {
		return r.clock(day, "")
	}
	d, err := time.ParseInLocation(time.DateOnly, day, r.c.zone)
	if err != nil {
		r.fail("%v", err)
	}
	return r.at(d, clock, "")
}

// event reads "m1 customer Text → CHANGE, CHANGE [notes]".
func (r *reader) event(at time.Time, text string) {
	e := happening{at: at, arrives: 150 * time.Millisecond}
	for _, m := range wordsAt.FindAllStringSubmatch(text, -1) {
		switch word, rest, _ := strings.Cut(m[1], " "); {
		case m[1] == "without state":
			e.noState = true
		case word == "arrives":
			d, err := time.ParseDuration(strings.TrimPrefix(rest, "+"))
			if err != nil {
				r.fail("%v", err)
			}
			e.arrives = d
		case word == "tokens":
			e.tokens = rest
		case strings.ToUpper(word) == word:
			e.status = word
		default:
			r.fail("unknown note [%s]", m[1])
		}
	}
	text = wordsAt.ReplaceAllString(text, "")
	said, changes, _ := strings.Cut(text, "→")
	for c := range strings.SplitSeq(changes, ",") {
		if c = strings.TrimSpace(c); c != "" {
			e.changes = append(e.changes, c)
		}
	}
	if words := strings.Fields(said); len(words) > 0 {
		if len(words) < 2 {
			r.fail("who wrote %s?", words[0])
		}
		e.id, e.who = words[0], words[1]
		if e.who == "edited" || e.who == "deleted" {
			e.does, e.who = e.who, ""
		}
	}
	if n := len(r.c.events); n > 0 && at.Before(r.c.events[n-1].at) {
		r.fail("before the event above it")
	}
	r.c.events = append(r.c.events, e)
}

func (r *reader) fact(line string) {
	b := block{line: fmt.Sprintf("%s:%d", r.c.file, r.n), wants: map[string]string{}}
	add := func(list *[]block) {
		*list = append(*list, b)
		r.current = &(*list)[len(*list)-1]
	}
	switch {
	case caseLine.MatchString(line):
		m := caseLine.FindStringSubmatch(line)
		b.key = m[2]
		b.wants["case_number"], b.wants["opening_message_id"], b.wants["opened_by"], b.wants["completeness"] = m[1], m[2], m[3], m[4]
		add(&r.c.cases)
	case turnLine.MatchString(line):
		m := turnLine.FindStringSubmatch(line)
		b.key = m[1] + " " + m[3]
		b.wants["pass"], b.wants["turn_number"], b.wants["started_message_id"], b.wants["reply_message_id"] = m[1], m[2], m[3], m[4]
		if m[4] == "nothing" {
			b.wants["reply_message_id"] = "NULL"
		}
		b.wants["completeness"], b.wants["reply_seconds"] = complete, "NULL"
		switch m[5] {
		case partial, censored, imported:
			b.wants["completeness"] = m[5]
		default:
			b.wants["reply_seconds"] = r.sum(m[5])
		}
		add(&r.c.turns)
	case rateLine.MatchString(line):
		m := rateLine.FindStringSubmatch(line)
		b.key = m[1]
		b.wants["rating_number"], b.wants["score"], b.wants["case_number"], b.wants["completeness"] = m[1], m[2], m[3], m[4]
		if m[3] == "" {
			b.wants["case_number"] = "NULL"
		}
		add(&r.c.ratings)
	case handLine.MatchString(line):
		m := handLine.FindStringSubmatch(line)
		b.key = m[1]
		b.wants["case_number"], b.wants["kind"], b.wants["completeness"] = m[1], m[2], m[4]
		b.wants["handed_off_at"] = m[3]
		add(&r.c.handoffs)
		r.want("handed_off_at " + m[3])
	default:
		r.fail("not understood: %s", line)
	}
}

// want reads "column value", "column value = arithmetic".
func (r *reader) want(line string) {
	if r.current == nil {
		r.fail("a column of no fact")
	}
	column, value, _ := strings.Cut(line, " ")
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		r.fail("%s: no value", column)
	case value == "NULL":
	case strings.HasSuffix(column, "_at") || strings.HasSuffix(column, "_after"):
		value = r.moment(value).UTC().Format(time.RFC3339Nano)
	case strings.HasSuffix(column, "_seconds"):
		value = r.sum(value)
	}
	r.current.wants[column] = value
}

// sum checks the arithmetic that stands beside a value, and gives the value.
func (r *reader) sum(text string) string {
	value, arithmetic, has := strings.Cut(text, " = ")
	want, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		r.fail("%s is no number", value)
	}
	if !has {
		return value
	}
	total, sign := 0.0, 1.0
	for word := range strings.FieldsSeq(arithmetic) {
		switch word {
		case "+":
			sign = 1
		case "−", "-":
			sign = -1
		default:
			total += sign * r.term(word)
		}
	}
	if diff := total - want; diff > 1e-9 || diff < -1e-9 {
		r.fail("%s is %v, not %v", arithmetic, total, want)
	}
	return strings.TrimSpace(value)
}

// term is a time of day, a number, or a number of days (2d), hours (8h) or minutes (30m), in seconds.
func (r *reader) term(word string) float64 {
	if at, err := time.Parse("15:04:05", word); err == nil {
		return at.Sub(at.Truncate(24 * time.Hour)).Seconds()
	}
	for suffix, seconds := range map[string]float64{"d": 86_400, "h": 3_600, "m": 60} {
		if n, is := strings.CutSuffix(word, suffix); is {
			word = n
			f, err := strconv.ParseFloat(word, 64)
			if err != nil {
				r.fail("%v", err)
			}
			return f * seconds
		}
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		r.fail("%v", err)
	}
	return f
}
