package invent

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestAnOrgIDIsItsOwnAndCostsNoRequest(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { t.Errorf("no request should be made, got %s", r.URL) })
	id, ok, err := connectTo(t, server.URL).ResolveOrg(t.Context(), "org-77")
	if id != "org-77" || !ok || err != nil {
		t.Errorf("ResolveOrg should return the id as it is, got %q, %v, %v", id, ok, err)
	}
}

func TestTheShorthandIsResolvedByTheFirstChat(t *testing.T) {
	for body, want := range map[string]string{
		`[{"id":"x","org_id":"org-5"}]`:                      "org-5",
		`[{"id":"x","title":"` + "\xff" + `","org_id":"o"}]`: "o",
		`[{"id":1,"id":2,"org_id":"o"},{"org_id":"p"}]`:      "o",
		`[]`:                   "",
		`null`:                 "",
		`[null]`:               "",
		`[{}]`:                 "",
		`[{"ORG_ID":"org-5"}]`: "",
		`[{"org_id":null}]`:    "",
		`[{"org_id":5}]`:       "",
		`[{"org_id":""}]`:      "",
		`[{"org_id":"c"}]`:     "",
	} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.URL.String(); got != "/orgs/c/inbox?page=1&take=1" {
				t.Errorf("the first chat should be asked for, got %s", got)
			}
			fmt.Fprint(w, body)
		})
		id, ok, err := connectTo(t, server.URL).ResolveOrg(t.Context(), "c")
		if id != want || ok != (want != "") || err != nil {
			t.Errorf("%s should resolve to %q, got %q, %v, %v", body, want, id, ok, err)
		}
	}
}

func TestAnAnswerThatIsNoListOfChatsIsAnErrorThatDoesNotQuoteIt(t *testing.T) {
	for _, body := range []string{"", "<html>canary</html>", `{"canary":1}`, `["canary"]`, `[{"org_id":"canary"}`} {
		server := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) })
		_, _, err := connectTo(t, server.URL).ResolveOrg(t.Context(), "c")
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "--api-url") {
			t.Errorf("%q should be an error that names --api-url and quotes nothing, got %v", body, err)
		}
	}
}

func TestResolvingWithARefusedKeySaysSo(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	_, _, err := connectTo(t, server.URL).ResolveOrg(t.Context(), "c")
	if status, ok := errors.AsType[*StatusError](err); !ok || !status.Refused() {
		t.Errorf("the error should be a refusal, got %v", err)
	}
}
