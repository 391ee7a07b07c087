package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestOneOfThousandsOfAgentsIsFoundAndThePageStaysSmall(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.exec(`insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at) values ('ours', 'Ours', false, now(), now())`)
	a.exec(`insert into inbox.users (org_id, user_id, name, is_stub, first_seen_at, last_seen_at, version_seq)
		select 'ours', 'user' || i, 'Agent 100% no. ' || i, false, now(), now(), 0 from generate_series(1, 3000) as i`)
	option := func(body, id string) bool { return strings.Contains(body, `<option value="`+id+`"`) }
	body := a.get("/volume")
	if len(body) > 100_000 {
		t.Errorf("with 3,000 agents an empty page takes %d bytes, want 100,000 at most", len(body))
	}
	if !strings.Contains(body, "There are more agents than the 300 listed") || !strings.Contains(body, `name="find"`) || option(body, "user2999") {
		t.Errorf("the page does not say how to find an agent that it does not list:\n%s", body)
	}
	body = a.get("/volume?find=NO.+2999")
	if !option(body, "user2999") || option(body, "user1") || strings.Contains(body, "There are more") || !strings.Contains(body, `value="NO. 2999"`) {
		t.Errorf("a part of the name finds:\n%s", body)
	}
	if body = a.get("/volume?find=100%25+no&agent=user2999"); strings.Count(body, " selected") != 2 || !strings.Contains(body, `value="user2999" selected`) {
		t.Errorf("the agent that is chosen is not among the choices, or not as chosen:\n%s", body)
	}
	if !strings.Contains(body, `Only agent <strong><bdi>Agent 100% no. 2999</bdi></strong>.`) {
		t.Errorf("the page does not say of whom it is:\n%s", body)
	}
	if body = a.get("/volume?find=%25&agent=user1"); !option(body, "user1") || !option(body, "user10") {
		t.Error("% in what is searched for is taken for something else than itself")
	}
	if body = a.get("/volume?find=_"); option(body, "user1") {
		t.Error("_ in what is searched for is taken for something else than itself")
	}
	if body = a.get("/"); strings.Contains(body, "Only ") || strings.Contains(body, "knows no") {
		t.Errorf("a page without filters says that it has some:\n%s", body)
	}
	body = a.get("/volume?agent=user9999&channel=pigeon&from=2000-01-01&to=2026-01-01")
	for _, want := range []string{"The archive knows no agent “user9999”.", "The archive knows no channel “pigeon”.", "A page shows 1,100 days at most"} {
		if !strings.Contains(body, want) {
			t.Errorf("a filter that fits nothing is not explained by %q:\n%s", want, body)
		}
	}
}

func TestExcelReadsACSVFileAsUnicodeAndProgramsAreNotConfused(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.exec(`insert into inbox.orgs (org_id, name, is_stub, first_seen_at, last_seen_at) values ('ours', 'Ours', false, now(), now())`)
	const mark = "\ufeff"
	for accept, want := range map[string]bool{"text/html,application/xhtml+xml,*/*;q=0.8": true, "*/*": false, "": false, "text/csv": false} {
		status, _, body := answerTo(t, "GET", a.url+"/csv/live_now.csv", func(r *http.Request) {
			if accept != "" {
				r.Header.Set("Accept", accept)
			}
		})
		if got := strings.HasPrefix(body, mark); status != 200 || got != want || strings.Count(body, "\n") < 7 {
			t.Errorf("who accepts %q gets %d, with the mark: %t, want %t:\n%s", accept, status, got, want, body)
		}
	}
}
