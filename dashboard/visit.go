package dashboard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// visit is one request: what it asks for, and of which organization.
type visit struct {
	filter   filter
	path     string // of the page, for links that change the filter
	zone     *time.Location
	zoneName string
	orgName  string
	today    time.Time
	firstDay time.Time // of the archive; zero: it has nothing
	now      time.Time
}

// mostOptions is how many choices a filter offers. There may be thousands of people: who is not among them is found by a part of
// the name.
const mostOptions = 300

// errNoOrg is an organization that the archive, or the role, has not.
var errNoOrg = errors.New("no such organization")

// arrive reads the filter and finds out of whom it is, and what day it is there.
func (s *Server) arrive(ctx context.Context, path string, query url.Values) (*visit, error) {
	f, err := readFilter(query)
	if err != nil {
		return nil, &badAddressError{err}
	}
	v := &visit{filter: f, path: path, zone: time.UTC, zoneName: "UTC", now: time.Now()}
	found, err := s.ask(ctx, statement("filter/orgs.sql"), pgx.NamedArgs{"org": orNull(f.org), "limit": 1})
	if err != nil {
		return nil, err
	}
	if len(found.rows) == 0 {
		return nil, errNoOrg
	}
	v.filter.org, v.orgName, v.zoneName = found.textAt(0, "org_id"), found.textAt(0, "name"), found.textAt(0, "time_zone")
	if zone, err := time.LoadLocation(v.zoneName); err == nil {
		v.zone = zone
	}
	v.today, _ = found.cell(0, "today").(time.Time)
	v.filter.settle(v.today)
	first, err := s.ask(ctx, statement("filter/first_day.sql"), pgx.NamedArgs{"org": v.filter.org, "zone": v.zoneName})
	if err != nil {
		return nil, err
	}
	v.firstDay, _ = first.cell(0, "first_day").(time.Time)
	return v, nil
}

// badAddressError is a filter that cannot be read. Its text can be shown.
type badAddressError struct{ err error }

func (e *badAddressError) Error() string { return e.err.Error() }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// args are what every panel's statement is asked with.
func (v *visit) args() pgx.NamedArgs {
	return pgx.NamedArgs{
		"org": v.filter.org, "assistant": orNull(v.filter.assistant), "agent": orNull(v.filter.agent), "channel": orNull(v.filter.channel),
		"from": v.filter.from, "to": v.filter.to, "first": v.first(), "step": v.filter.step(), "zone": v.zoneName,
	}
}

// first is the first day of the period that the archive has; the day after the period when it has none, which makes no day.
func (v *visit) first() time.Time {
	switch {
	case v.firstDay.IsZero(), v.firstDay.After(v.filter.to):
		return v.filter.to.AddDate(0, 0, 1)
	case v.firstDay.After(v.filter.from):
		return v.firstDay
	}
	return v.filter.from
}

// pageView is a page as the template writes it.
type pageView struct {
	Title, Heading, About, When, Now string
	Style, Path, OrgName, Zone       string
	Menu, Periods                    []linkView
	From, To                         string
	Selects                          []selectView
	Hidden                           []optionView
	FilterCount                      int
	Only                             []optionView // what the filters leave: each with its name
	Find                             string       // part of a name, that the choices are narrowed by
	CanFind                          bool
	Clear, Truncated, Back, CSV      string
	Again                            string // the query to ask once more with, of a page that could not be shown
	CanAskAgain                      bool
	IsNow, Reload                    bool
	ReloadURL, Statement             string
	Notes                            []string
	Panels                           []*panelView
}

type linkView struct {
	Title, URL string
	IsHere     bool
}

type selectView struct {
	Name, Label, All string
	Options          []optionView
	isUnknown        bool // the archive has nothing of what is chosen
}

type optionView struct {
	Name, Value, Label string
	IsChosen           bool
}

// servePage asks all panels of a page at once and writes it.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request, p *page) {
	path := "/" + p.id
	if p == pages[0] {
		path = "/"
	}
	v, err := s.arrive(r.Context(), path, r.URL.Query())
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	pv := v.pageView(s, p)
	pv.Panels = make([]*panelView, len(p.panels))
	selects := v.selects()
	var all errgroup.Group
	all.SetLimit(connections)
	// First what others wait for, last who waits.
	views := share(p.panels)
	for view, into := range views {
		all.Go(func() error {
			s.readShared(r.Context(), v, view, into)
			return nil
		})
	}
	for _, waits := range []bool{false, true} {
		for i, panel := range p.panels {
			if waits == (views[panel.sharedView()] != nil) {
				all.Go(func() error {
					pv.Panels[i] = s.panelView(r.Context(), v, panel, views)
					return nil
				})
			}
		}
	}
	for i := range selects {
		all.Go(func() error { return s.fill(r.Context(), v, &selects[i]) })
	}
	if err := all.Wait(); err != nil {
		s.refuse(w, r, err)
		return
	}
	pv.Selects = selects
	v.countOptions(pv)
	v.nameFilters(pv)
	s.write(w, http.StatusOK, "page", pv)
}

// panelView is a panel with its rows, or with what is wrong; the others are not touched by that.
func (s *Server) panelView(ctx context.Context, v *visit, p *panel, views map[string]*shared) *panelView {
	a, err := s.askPanel(ctx, v, p, views)
	if err == nil {
		var pv *panelView
		if pv, err = v.view(p, a); err == nil {
			return pv
		}
	}
	shown, code := explain(err)
	s.log.Warn("a panel of the dashboard could not be shown", "panel", p.id, "code", code)
	pv := v.frame(p)
	pv.Error = shown
	return pv
}

func (v *visit) pageView(s *Server, p *page) *pageView {
	f := &v.filter
	pv := &pageView{
		Title: p.title + " · " + v.orgName, Heading: p.title, About: p.about, Style: s.styleURL, Path: v.path, OrgName: v.orgName, Zone: v.zoneName,
		IsNow: p.isNow, Now: v.now.In(v.zone).Format("15:04:05"), Find: f.find, From: f.from.Format(time.DateOnly), To: f.to.Format(time.DateOnly),
		Menu: v.menu(p), Clear: (&filter{org: f.org, period: f.period, from: f.from, to: f.to}).url(v.path),
	}
	if p.isNow {
		pv.Reload = f.refresh
		change := "on"
		if f.refresh {
			change = ""
		}
		pv.ReloadURL = f.url(v.path, "refresh", change)
		if f.period == custom {
			pv.Hidden = []optionView{{Name: "from", Value: pv.From}, {Name: "to", Value: pv.To}}
		} else {
			pv.Hidden = []optionView{{Name: "period", Value: f.period}}
		}
	} else {
		for _, choice := range periods {
			pv.Periods = append(pv.Periods, linkView{choice.label, f.url(v.path, "period", choice.key), f.period == choice.key})
		}
		pv.When = v.when()
	}
	for _, name := range []string{"assistant", "agent", "channel"} {
		if f.get(name) != "" {
			pv.FilterCount++
		}
	}
	if f.isCut {
		pv.Notes = append(pv.Notes, "A page shows "+grouped(longestPeriod, 0)+" days at most, the last of those that were asked for.")
	}
	switch {
	case v.firstDay.IsZero():
		pv.Notes = append(pv.Notes, "The archive has no message of this organization yet.")
	case !p.isNow && v.firstDay.After(f.to):
		pv.Notes = append(pv.Notes, "The archive begins on "+v.firstDay.Format("2 January 2006")+", after these days.")
	case !p.isNow && v.firstDay.After(f.from):
		pv.Notes = append(pv.Notes, "The archive begins on "+v.firstDay.Format("2 January 2006")+": there is nothing of the days before.")
	}
	return pv
}

func (v *visit) menu(here *page) (links []linkView) {
	for i, p := range pages {
		path := "/" + p.id
		if i == 0 {
			path = "/"
		}
		links = append(links, linkView{p.title, v.filter.url(path), p == here})
	}
	return links
}

// when names the period.
func (v *visit) when() string {
	f := &v.filter
	from, to := f.from.Format("2 January 2006"), f.to.Format("2 January 2006")
	if f.days() == 1 {
		return to + "."
	}
	if f.from.Year() == f.to.Year() {
		from = f.from.Format("2 January")
	}
	return fmt.Sprintf("%s to %s, %s days.", from, to, grouped(float64(f.days()), 0))
}

func (v *visit) selects() []selectView {
	return []selectView{
		{Name: "org", Label: "Organization"}, {Name: "assistant", Label: "Assistant", All: "All"},
		{Name: "agent", Label: "Agent", All: "All"}, {Name: "channel", Label: "Channel", All: "All"},
	}
}

// fill asks what a filter offers. What is chosen is always among it.
func (s *Server) fill(ctx context.Context, v *visit, sv *selectView) error {
	args := v.args()
	args["limit"], args["find"] = mostOptions+1, orNull(v.filter.find)
	chosen := v.filter.get(sv.Name)
	if sv.Name == "org" {
		chosen = v.filter.org
		args["org"] = nil
	}
	a, err := s.ask(ctx, statement("filter/"+sv.Name+"s.sql"), args)
	if err != nil {
		return fmt.Errorf("reading the choices of %s: %w", sv.Name, err)
	}
	isListed := chosen == ""
	for _, row := range a.rows {
		value, _ := row[0].(string)
		label, _ := row[1].(string)
		sv.Options = append(sv.Options, optionView{Value: value, Label: shortened(label, 60), IsChosen: value == chosen})
		isListed = isListed || value == chosen
	}
	if !isListed {
		label := chosen
		if sv.Name == "org" {
			label = v.orgName
		}
		sv.Options = append(sv.Options, optionView{Value: chosen, Label: shortened(label, 60), IsChosen: true})
		sv.isUnknown = sv.Name != "org"
	}
	return nil
}

// countOptions says where a filter offers less than there is.
func (v *visit) countOptions(pv *pageView) {
	var cut []string
	for i := range pv.Selects {
		if sv := &pv.Selects[i]; len(sv.Options) > mostOptions {
			cut = append(cut, strings.ToLower(sv.Label)+"s")
		}
	}
	pv.CanFind = len(cut) > 0 || pv.Find != ""
	if len(cut) > 0 {
		pv.Truncated = fmt.Sprintf("There are more %s than the %d listed here: write a part of the name into Find and apply.", strings.Join(cut, " and "), mostOptions)
	}
}

// nameFilters says what the filters leave, which is otherwise hidden on a phone and on paper.
func (v *visit) nameFilters(pv *pageView) {
	for i := range pv.Selects {
		sv := &pv.Selects[i]
		if v.filter.get(sv.Name) == "" {
			continue
		}
		name := strings.ToLower(sv.Label)
		for _, o := range sv.Options {
			if o.IsChosen {
				pv.Only = append(pv.Only, optionView{Name: name, Label: o.Label})
			}
		}
		if sv.isUnknown {
			pv.Notes = append(pv.Notes, fmt.Sprintf("The archive knows no %s “%s”.", name, shortened(v.filter.get(sv.Name), 60)))
		}
	}
}

// refuse answers what is no page.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	bad, isBad := errors.AsType[*badAddressError](err)
	switch {
	case isBad:
		s.message(w, http.StatusBadRequest, "This address cannot be read", upper(bad.Error())+".", "/")
	case errors.Is(err, errNoOrg) && r.URL.Query().Get("org") == "":
		s.message(w, http.StatusOK, "The archive is empty", "No organization is archived yet, or this page's role was granted none. archiver ingest fills the archive, archiver demo shows one that is full, archiver grant lets a role read.", "")
	case errors.Is(err, errNoOrg):
		s.message(w, http.StatusNotFound, "There is no such organization", "The archive has none of that id, or this page may not read it.", "/")
	default:
		shown, code := explain(err)
		s.log.Warn("a page of the dashboard could not be shown", "page", r.URL.Path, "code", code)
		// A page that loads itself again goes on doing so: nobody may stand before the screen it is on.
		s.write(w, http.StatusServiceUnavailable, "message", &pageView{
			Title: "The archive does not answer", Heading: "The archive does not answer", About: shown, Style: s.styleURL,
			CanAskAgain: true, Again: "?" + r.URL.RawQuery, Reload: r.URL.Query().Get("refresh") == "on",
		})
	}
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (s *Server) message(w http.ResponseWriter, status int, heading, about, back string) {
	s.write(w, status, "message", &pageView{Title: heading, Heading: heading, About: about, Back: back, Style: s.styleURL})
}

func (s *Server) write(w http.ResponseWriter, status int, name string, view *pageView) {
	var b bytes.Buffer
	if err := s.templates.ExecuteTemplate(&b, name, view); err != nil {
		s.log.Error("a page of the dashboard could not be written", "template", name, "error", err)
		http.Error(w, "This page could not be written.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // fails only when the one who asked has gone
}
