package reference

import (
	"encoding/json"
	"slices"
	"time"
)

// saidOfOrg is what one record says of one org. No columns: it only refers to it.
type saidOfOrg struct {
	orgID   string
	seen    observation
	columns map[string]cell
}

// orgsPage reads a page of the list of sub-orgs. The org that asked is the parent of all but itself; of one that is on
// the page twice the last word counts.
func (r *Record) orgsPage() (all []saidOfOrg) {
	if r.Kind != "orgs_page" {
		return nil
	}
	body, _ := Parse(r.Body)
	page, _ := objects(object{"page": body}, "page")
	seen := observation{microseconds(r.ObservedAt), r.Seq}
	isNamed := map[string]bool{}
	for _, o := range slices.Backward(page) {
		orgID, ok := id(o, "id").value.(string)
		if !ok || isNamed[orgID] {
			continue
		}
		isNamed[orgID] = true
		columns := map[string]cell{"name": text(o, "name")}
		if orgID != r.OrgID {
			columns["parent_org_id"] = cell{named: true, value: r.OrgID}
		}
		all = append(all, saidOfOrg{orgID, seen, columns})
	}
	if len(all) > 0 {
		all = append(all, saidOfOrg{orgID: r.OrgID, seen: seen})
	}
	return all
}

// addOrgs adds the orgs' rows: of those that records stand for, and of those that are listed.
func (t Tables) addOrgs(records []Record, chats []*said) {
	var all []saidOfOrg
	for _, s := range chats {
		all = append(all, saidOfOrg{orgID: s.orgID, seen: s.seen})
	}
	for i := range records {
		all = append(all, records[i].orgsPage()...)
	}
	listed := map[string]time.Time{} // when the newest reading of the org's whole list of chats began
	for i := range records {
		r := &records[i]
		var request struct {
			Completes *span `json:"completes"`
		}
		if r.Kind != "chats_page" || json.Unmarshal(r.Request, &request) != nil || request.Completes == nil {
			continue
		}
		all = append(all, saidOfOrg{orgID: r.OrgID, seen: observation{microseconds(r.ObservedAt), r.Seq}})
		if through := microseconds(request.Completes.Through); through.After(listed[r.OrgID]) {
			listed[r.OrgID] = through
		}
	}
	slices.SortStableFunc(all, func(a, b saidOfOrg) int { return a.seen.compare(b.seen) })
	rows, clocks := map[string]*tracked{}, map[string]map[string]observation{}
	for _, s := range all {
		if rows[s.orgID] == nil {
			rows[s.orgID], clocks[s.orgID] = newTracked("parent_org_id", "name"), map[string]observation{}
			rows[s.orgID].row["org_id"], rows[s.orgID].row["is_stub"] = s.orgID, true
			rows[s.orgID].describe(s.seen.at)
			rows[s.orgID].change(s.seen.at, &s.seen.at, func(Row) {})
		}
		r := rows[s.orgID]
		for name, c := range s.columns {
			if c.named {
				clocks[s.orgID][name] = s.seen
			}
		}
		says := s.columns["name"].named || s.columns["parent_org_id"].named
		r.change(s.seen.at, r.version, func(row Row) {
			row.set(false, s.columns)
			row["is_stub"] = row["is_stub"].(bool) && !says
		})
		if says {
			r.version = &s.seen.at
		}
	}
	for orgID, r := range rows {
		row := r.finish()
		if row["chats_listed_at"] = nil; !listed[orgID].IsZero() {
			row["chats_listed_at"] = listed[orgID]
		}
		for column, of := range map[string]string{"name": "name", "parent": "parent_org_id"} {
			row[column+"_version_at"], row[column+"_version_seq"] = nil, nil
			if clock, ok := clocks[orgID][of]; ok {
				row[column+"_version_at"], row[column+"_version_seq"] = clock.at, clock.seq
			}
		}
		t.add("orgs", row)
	}
}
