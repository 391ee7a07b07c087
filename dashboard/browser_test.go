package dashboard_test

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// audit looks at the page as it stands and returns what is wrong with it.
//
//go:embed testdata/audit.js
var audit string

// browser is a real one, with one tab.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	messages []string // of the console
	asked    []string // addresses
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium is installed to look at the pages with: sh scripts/install-chromium.sh installs one (make test does)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	for _, enable := range []cdp.Command[cdp.Empty, cdp.Empty]{log.Enable, runtime.Enable} {
		if _, err := chromedp.Call(ctx, enable, cdp.Empty{}); err != nil {
			t.Fatalf("%s: %v", enable.Method, err)
		}
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatalf("listening to the network: %v", err)
	}
	return b
}

func (b *browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		b.messages = append(b.messages, fmt.Sprintf("console.%s", e.Type))
	case *runtime.EventExceptionThrown:
		b.messages = append(b.messages, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		b.messages = append(b.messages, e.Entry.Text+" "+e.Entry.URL)
	case *network.EventRequestWillBeSent:
		b.asked = append(b.asked, e.Request.URL)
	}
}

// said is what the console said since it was last asked.
func (b *browser) said() (messages, asked []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	messages, asked = b.messages, b.asked
	b.messages, b.asked = nil, nil
	return messages, asked
}

// do does something in the browser, one after another.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// ask asks the browser for something.
func ask[T any](b *browser, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
	return value
}

// look is how a page is looked at.
type look struct {
	name   string
	scheme string
	width  int64
	phone  bool
	media  string // print; empty: a screen
}

var looks = []look{
	{name: "light", scheme: "light", width: 1280}, {name: "dark", scheme: "dark", width: 1280}, {name: "phone", scheme: "light", width: 360, phone: true},
	{name: "tablet", scheme: "dark", width: 768, phone: true}, {name: "paper", scheme: "dark", width: 720, media: "print"},
}

func (b *browser) as(l look) {
	b.t.Helper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if l.phone {
		options = append(options, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(l.width, 900, options...))
	media := emulation.SetEmulatedMediaParams{Media: l.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatalf("choosing %s: %v", l.scheme, err)
	}
}

// problems opens an address and returns what is wrong with it.
func (b *browser) problems(url string) (problems []string) {
	b.t.Helper()
	b.said()
	b.do(chromedp.Navigate(url))
	problems = ask(b, chromedp.Evaluate[[]string](audit))
	messages, asked := b.said()
	for _, m := range messages {
		problems = append(problems, "the console says: "+m)
	}
	origin := strings.Join(strings.Split(url, "/")[:3], "/")
	for _, a := range asked {
		if !strings.HasPrefix(a, origin+"/") && !strings.HasPrefix(a, "data:") { // the browser draws its own fields with the latter
			problems = append(problems, "it asks elsewhere: "+a)
		}
	}
	return problems
}

var pageIDs = []string{"", "volume", "responsiveness", "ai", "agents", "csat", "backlog", "cost", "growth", "health"}

func TestAMonthOnThePages(t *testing.T) {
	t.Parallel()
	a := newMonth(t, false)
	run := func(name string, test func(*testing.T, *archive)) {
		t.Run(name, func(t *testing.T) {
			of := *a
			of.t = t
			test(t, &of)
		})
	}
	run("the numbers of a page are those of the SQL behind it", numbersAreThoseOfTheSQL)
	run("headlines are the counts of the facts", headlinesAreCountsOfFacts)
	run("panels that share what is read say the same as by themselves", sharedRowsGiveTheSameNumbers)
	b := openBrowser(t)
	inBrowser := func(name string, test func(*testing.T, *browser, *archive)) {
		run(name, func(t *testing.T, a *archive) {
			was := b.t
			b.t = t
			defer func() { b.t = was }()
			test(t, b, a)
		})
	}
	inBrowser("every page is readable in light, in dark and on a phone", pagesAreReadable)
	inBrowser("the keyboard reaches everything", keyboardReaches)
	inBrowser("filters are followed and kept", filtersAreKept)
	inBrowser("paper is light and shows what was filtered", paperIsLight)
	inBrowser("hostile names are only names", hostileNamesAreNames)
}

func pagesAreReadable(t *testing.T, b *browser, a *archive) {
	for _, l := range looks {
		b.as(l)
		for _, id := range pageIDs {
			b.check(t, l, a.url, "/"+id)
		}
		b.check(t, l, a.url, "/sql/response_times")
	}
}

// paperIsLight prints in dark: what is not printed, as grounds, must not take the words with it.
func paperIsLight(t *testing.T, b *browser, a *archive) {
	b.as(looks[4])
	b.do(chromedp.Navigate(a.url + "/volume?channel=whatsapp"))
	if ground := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('.panel')).backgroundColor`)); ground != "rgb(255, 255, 255)" {
		t.Errorf("a panel on paper is %s, want white", ground)
	}
	if only := ask(b, chromedp.Text(`.only`)); !strings.Contains(only, "channel whatsapp") {
		t.Errorf("paper says %q of the filters, want that it is of one channel", only)
	}
	if exact := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.querySelector('.heat td')).printColorAdjust`)); exact != "exact" {
		t.Errorf("the grounds of the hours are printed %s, want exact", exact)
	}
	if shown := ask(b, chromedp.Evaluate[bool](`['.menu', '.filters', '.panel-foot > a'].some(s => document.querySelector(s).checkVisibility())`)); shown {
		t.Error("links and filters are printed, which nobody can press")
	}
}

func hostileNamesAreNames(t *testing.T, b *browser, a *archive) {
	a.makeHostile()
	for _, path := range []string{"/agents", "/ai", "/growth", "/csat", "/volume"} {
		if body := a.get(path); !strings.Contains(body, "&lt;script&gt;") || strings.Contains(body, "<script") {
			t.Errorf("%s should show the hostile names, escaped", path)
		}
	}
	for _, l := range []look{looks[0], looks[2]} {
		b.as(l)
		for _, id := range pageIDs {
			b.check(t, l, a.url, "/"+id)
		}
		for _, path := range []string{"/volume?period=today", "/responsiveness?period=365d", "/sql/csat_unhappy?agent=%3Cscript%3Ealert(1)%3C/script%3E"} {
			b.check(t, l, a.url, path)
		}
	}
}

// check opens a page and tells of what is wrong with it.
func (b *browser) check(t *testing.T, l look, url, path string) {
	t.Helper()
	for _, p := range b.problems(url + path) {
		t.Errorf("%s in %s: %s", path, l.name, p)
	}
}

// keyboardReaches presses Tab through a page.
func keyboardReaches(t *testing.T, b *browser, a *archive) {
	b.as(looks[0])
	b.do(chromedp.Navigate(a.url + "/volume"))
	want := ask(b, chromedp.Evaluate[[]string](`(() => {
		const all = [...document.querySelectorAll('a[href], select, input:not([type=hidden]), button, summary, [tabindex="0"]')]
			.filter(e => e.getClientRects().length && e.checkVisibility());
		return all.map((e, i) => e.dataset.place = String(i) + ' ' + e.tagName + ' ' + (e.getAttribute('aria-label') || e.name || e.textContent.trim()));
	})()`))
	if len(want) < 40 {
		t.Fatalf("the page has %d things to reach, want 40 or more", len(want))
	}
	reached, at := map[string]bool{}, ""
	var order []string
	for range 3 * len(want) { // the fields of a date are reached one by one
		b.do(chromedp.KeyEvent(kb.Tab))
		at = ask(b, chromedp.Evaluate[string](`document.activeElement.dataset.place || ''`))
		outline := ask(b, chromedp.Evaluate[string](`getComputedStyle(document.activeElement).outlineStyle`))
		if at == "" || reached[at] && at != order[len(order)-1] {
			break
		}
		if outline == "none" {
			t.Errorf("%s does not show that it has the focus", at)
		}
		if !reached[at] {
			order = append(order, at)
		}
		reached[at] = true
	}
	if got := strings.Join(order, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("Tab reaches, in this order:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// filtersAreKept follows links and sends the form as a person does.
func filtersAreKept(t *testing.T, b *browser, a *archive) {
	b.as(looks[0])
	open := func(path string) { b.do(chromedp.Navigate(a.url + path)) }
	follow := func(selector string) (address string) {
		t.Helper()
		ctx, stop := context.WithTimeout(b.ctx, patience)
		defer stop()
		if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector)); err != nil {
			t.Fatalf("following %s: %v", selector, err)
		}
		return ask(b, chromedp.Location())
	}
	open("/volume")
	follow(`//ul[@class="periods"]//a[.="7 days"]`)
	if here := ask(b, chromedp.Text(`.periods a[aria-current]`)); here != "7 days" {
		t.Errorf("after choosing 7 days, %q is marked as chosen", here)
	}
	b.do(chromedp.SetValue(`select[name="channel"]`, "whatsapp"))
	if address := follow(`.filters button`); !strings.Contains(address, "channel=whatsapp") || !strings.Contains(address, "from=") {
		t.Fatalf("after choosing a channel the address is %s, want it and the seven days in it", address)
	}
	address := follow(`//nav//a[.="AI"]`)
	if chosen := ask(b, chromedp.Value(`select[name="channel"]`)); !strings.Contains(address, "/ai?") || !strings.Contains(address, "channel=whatsapp") || chosen != "whatsapp" {
		t.Errorf("the next page is %s with channel %q, want the filters kept", address, chosen)
	}
	follow(`//nav//a[.="Backlog"]`)
	if note := ask(b, chromedp.Text(`#backlog_by_day .unfiltered`)); note != "Not filtered by channel" {
		t.Errorf("a panel that cannot be filtered by channel says %q", note)
	}
	if address := follow(`//a[.="Clear"]`); strings.Contains(address, "channel") {
		t.Errorf("after clearing, the address is %s, want no channel in it", address)
	}
	open("/agents")
	if address := follow(`#agents tbody a`); !strings.Contains(address, "agent=") {
		t.Errorf("a person's name leads to %s, want the page of that person", address)
	}
	open("/")
	follow(`//a[.="Load again every 30 seconds"]`)
	if every := ask(b, chromedp.AttributeValue(`meta[http-equiv="refresh"]`, "content")).Value; every != "30" {
		t.Errorf("Live loads again every %q seconds, want 30", every)
	}
	open("/volume")
	csv := ask(b, chromedp.AttributeValue(`#volume_channels .panel-foot a[aria-label^="CSV"]`, "href")).Value
	if body := a.get(csv); !strings.HasPrefix(body, "channel_key,channel,opened,") || strings.Count(body, "\n") < 5 {
		t.Errorf("the CSV of the channels is\n%s", body)
	}
}
