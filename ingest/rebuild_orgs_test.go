package ingest

import (
	"testing"
	"time"

	"archiver/spool"
)

// listOf is a page of an org's list of sub-orgs.
func listOf(orgID string, after time.Duration, body string) spool.Record {
	return spool.Record{
		OrgID: orgID, Source: SourceREST, Kind: KindOrgsPage, Body: []byte(body), Request: request("/orgs/"+orgID+"/orgs", 200),
		ObservedAt: morning.Add(after),
	}
}

func TestOrgsAreRebuiltFromTheListsOfOtherOrgs(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.append(
		frame("child", morning, `{"data":{"id":"c1","created_at":"2026-05-01T09:00:00Z","updated_at":"2026-05-01T10:00:00Z"}}`),
		listOf("agency", time.Second, `[{"id":"child","name":"North"},{"id":"listed-only","name":"South"}]`),
		listOf("agency", 2*time.Second, `[{"id":"child"},{"id":"listed-only","name":null}]`),
		listOf("agency", 3*time.Second, `[]`),
	)
	a.write()
	a.likeReference(true)
	row := func(orgID string) string {
		t.Helper()
		var found string
		if err := a.check.QueryRow(t.Context(), `
			select concat_ws(' ', coalesce(parent_org_id, '-'), coalesce(name, '-'), is_stub) from inbox.orgs where org_id = $1`,
			orgID).Scan(&found); err != nil {
			t.Fatalf("reading the row of %s: %v", orgID, err)
		}
		return found
	}
	for orgID, want := range map[string]string{"agency": "- - t", "child": "agency North f", "listed-only": "agency - f"} {
		if got := row(orgID); got != want {
			t.Errorf("%s has parent, name and stub %q, want %q: what a page does not name stays, a null clears", orgID, got, want)
		}
	}
	a.isAsRebuilt()

	want := a.tables()
	a.exec(`update inbox.orgs set name = 'wrong', parent_org_id = 'wrong' where org_id = 'child'`)
	a.exec(`delete from inbox.orgs where org_id = 'listed-only'`)
	if _, differences := a.rebuild(true); len(differences) != 2 {
		t.Errorf("verifying finds %v, want the row that is wrong and the one that is missing", differences)
	}
	if result, _ := a.rebuild(false); result.Written != 2 || result.Removed != 0 {
		t.Errorf("the rebuild wrote %d rows and removed %d, want 2 and 0", result.Written, result.Removed)
	}
	a.sameTables(want, a.tables(), false)
}
