package ingest

import (
	"context"
	"maps"
	"slices"
	"time"

	"archiver/db"
	"archiver/invent"
)

// Orgs are described by the list of sub-orgs of the org above them. They go by when they were observed, like entities,
// but a list comes with the events of the parent and describes rows that the lane of the child writes too. So no lane
// remembers what they hold: UpsertOrgs takes in what is newer, whoever brings it.

// orgDescription is what one page says of one org.
type orgDescription struct {
	orgID  string
	name   invent.Field[string]
	parent invent.Field[string]
}

// readOrgs takes a page of the list of sub-orgs, an org that it names twice at its last word. The parent is the org that
// the request stands for; an org that lists itself is not its own parent.
func (e *event) readOrgs(orgs []invent.Org) {
	last := make(map[string]int, len(orgs))
	for i := range orgs {
		last[orgs[i].ID.V] = i
	}
	for i := range orgs {
		o := &orgs[i]
		if last[o.ID.V] != i {
			continue
		}
		d := orgDescription{orgID: o.ID.V, name: o.Name}
		if o.ID.V != e.orgID {
			d.parent = invent.Field[string]{V: e.orgID, Presence: invent.Given}
		}
		e.orgs = append(e.orgs, d)
	}
}

// listing is a reading of an org's whole list of chats.
type listing struct {
	began time.Time
	seen  observation
}

// addOrgs collects what an event says of orgs, those it lists and its own; of all of them, or of one alone.
func (m *mentions) addOrgs(e *event, only string) {
	seen := observed(e.observedAt, e.seq)
	if len(e.orgs) > 0 && (only == "" || only == e.orgID) {
		earliest(m.orgs, entityKey{orgID: e.orgID}, seen)
	}
	if e.chatsListed != nil && (only == "" || only == e.orgID) {
		earliest(m.orgs, entityKey{orgID: e.orgID}, seen)
		if known, ok := m.chatsListed[e.orgID]; !ok || e.chatsListed.After(known.began) {
			m.chatsListed[e.orgID] = listing{*e.chatsListed, seen}
		}
	}
	for i := range e.orgs {
		if d := &e.orgs[i]; only == "" || only == d.orgID {
			m.addOrg(d, seen)
		}
	}
}

func (m *mentions) addOrg(d *orgDescription, seen observation) {
	earliest(m.orgs, entityKey{orgID: d.orgID}, seen)
	if !d.name.Named() && !d.parent.Named() {
		return
	}
	r := m.listed[d.orgID]
	if r == nil {
		at := seen.time()
		r = &db.InboxOrg{OrgID: d.orgID, FirstSeenAt: at, LastSeenAt: at, VersionAt: &at}
		m.listed[d.orgID] = r
	}
	name := takeNewer(&r.Name, &r.NameVersionAt, &r.NameVersionSeq, &d.name, seen)
	parent := takeNewer(&r.ParentOrgID, &r.ParentVersionAt, &r.ParentVersionSeq, &d.parent, seen)
	at := seen.time()
	if at.Before(r.FirstSeenAt) {
		r.FirstSeenAt = at
	}
	if at.After(*r.VersionAt) {
		r.VersionAt = &at
	}
	if (name || parent) && at.After(r.LastSeenAt) {
		r.LastSeenAt = at
	}
}

// takeNewer gives a column the value a description has for it unless a newer one was taken in before, and reports whether
// the column changed.
func takeNewer(column **string, versionAt **time.Time, versionSeq **int64, f *invent.Field[string], seen observation) bool {
	if !f.Named() || *versionAt != nil && seen.compare(observed(**versionAt, **versionSeq)) < 0 {
		return false
	}
	at, seq := seen.time(), seen.seq
	*versionAt, *versionSeq = &at, &seq
	return assign(column, f.Ptr())
}

// saveOrgs queues the orgs that are new or were seen earlier than is known, and all that are described.
func (e *entities) saveOrgs(ctx context.Context, q *db.Queries) error {
	rows := maps.Clone(e.listed)
	named := func(orgID string, at time.Time) {
		if r := rows[orgID]; r == nil {
			rows[orgID] = &db.InboxOrg{OrgID: orgID, IsStub: true, FirstSeenAt: at, LastSeenAt: at, VersionAt: &at}
		} else if at.Before(r.FirstSeenAt) {
			r.FirstSeenAt = at
		}
	}
	for key, seen := range e.orgs.staged {
		named(key.orgID, seen.time())
	}
	for orgID, l := range e.chatsListed {
		named(orgID, l.seen.time())
		rows[orgID].ChatsListedAt = &l.began
	}
	if len(rows) == 0 {
		return nil
	}
	var p db.UpsertOrgsParams
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		r := rows[id]
		p.OrgIds = append(p.OrgIds, r.OrgID)
		p.ParentOrgIds = append(p.ParentOrgIds, r.ParentOrgID)
		p.Names = append(p.Names, r.Name)
		p.IsStubs = append(p.IsStubs, r.IsStub)
		p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
		p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
		p.VersionAts = append(p.VersionAts, r.VersionAt)
		p.NameVersionAts = append(p.NameVersionAts, r.NameVersionAt)
		p.NameVersionSeqs = append(p.NameVersionSeqs, r.NameVersionSeq)
		p.ParentVersionAts = append(p.ParentVersionAts, r.ParentVersionAt)
		p.ParentVersionSeqs = append(p.ParentVersionSeqs, r.ParentVersionSeq)
		p.ChatsListedAts = append(p.ChatsListedAts, r.ChatsListedAt)
	}
	return q.UpsertOrgs(ctx, p)
}
