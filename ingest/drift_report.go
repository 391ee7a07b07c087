package ingest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"archiver/db"
	"archiver/invent"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Drift is how what the vendor sends differs from what the archiver knows, taken over some orgs.
type Drift struct {
	Orgs     int             `json:"orgs"`     // that have shown anything
	Fields   int             `json:"fields"`   // paths that were seen
	Unmapped []UnmappedField `json:"unmapped"` // what nothing is read of, latest first
	Values   []UnknownValues `json:"unknown_values"`
	Types    []MixedTypes    `json:"mixed_types"` // fields with more than one type, null left aside
	Absences []Absence       `json:"absences"`    // mapped fields that were absent or null at times
	Crowded  []string        `json:"crowded"`     // orgs with more paths than are told apart
}

// UnmappedField is a path and type that nothing is read of: it is in raw.events only.
type UnmappedField struct {
	Path      string    `json:"path"`
	Type      string    `json:"type"`
	Below     int       `json:"below"`            // further paths in it
	Outer     string    `json:"outer,omitempty"`  // the unmapped path that it is in; empty for the outermost
	Orgs      int       `json:"orgs"`             // that show it
	FirstSeen time.Time `json:"first_seen"`       // observed times
	LastSeen  time.Time `json:"last_seen"`        //
	Sightings int64     `json:"sightings"`        //
	Share     float64   `json:"share_of_parents"` // of the objects that could hold it; 0 where that cannot be said
}

// UnknownValues are values of an enumerated path that docs/invent-api.md does not name.
type UnknownValues struct {
	Path     string    `json:"path"`
	Values   []string  `json:"values"`
	Complete bool      `json:"complete"`  // false when as many values are known as are kept
	LastSeen time.Time `json:"last_seen"` // of the path
}

// MixedTypes is a path that comes in several types.
type MixedTypes struct {
	Path  string   `json:"path"`
	Types []string `json:"types"`
}

// Absence tells how often a mapped field was not there, or null.
type Absence struct {
	Path    string `json:"path"`
	Present int64  `json:"present"` // with a value
	Nulls   int64  `json:"nulls"`
	Absent  int64  `json:"absent"` // the object that holds it was there without it
}

// ReadDrift reports over ops.field_sightings. No orgs means all. Of what is unmapped only what was first seen at since or
// later is reported, of all else what was last seen then.
func ReadDrift(ctx context.Context, pool *pgxpool.Pool, orgIDs []string, since time.Time) (*Drift, error) {
	if orgIDs == nil {
		orgIDs = []string{}
	}
	rows, err := db.New(pool).GetFieldSightings(ctx, orgIDs)
	if err != nil {
		return nil, fmt.Errorf("reading ops.field_sightings: %w", err)
	}
	d := &Drift{}
	paths, last := map[string]int{}, map[string]string{} // of each org
	for i := range rows {
		if r := &rows[i]; paths[r.OrgID] == 0 || last[r.OrgID] != r.Path {
			paths[r.OrgID]++
			last[r.OrgID] = r.Path
		}
	}
	d.Orgs = len(paths)
	for orgID, n := range paths {
		if n >= invent.MaxPaths {
			d.Crowded = append(d.Crowded, orgID)
		}
	}
	slices.Sort(d.Crowded)
	for begin := 0; begin < len(rows); {
		end := begin
		for end < len(rows) && rows[end].Path == rows[begin].Path {
			end++
		}
		d.Fields++
		d.path(rows[begin:end], since)
		begin = end
	}
	d.nest()
	slices.SortStableFunc(d.Unmapped, func(a, b UnmappedField) int { return b.FirstSeen.Compare(a.FirstSeen) })
	slices.SortStableFunc(d.Absences, func(a, b Absence) int {
		return cmp.Compare(b.Absent+b.Nulls, a.Absent+a.Nulls)
	})
	return d, nil
}

// path reports on the rows of one path, which are sorted by type and org.
func (d *Drift) path(rows []db.OpsFieldSighting, since time.Time) {
	path := rows[0].Path
	absence, lastSeen, isMapped := Absence{Path: path}, time.Time{}, false
	var values, types []string
	counted := map[string]bool{} // orgs whose parents are
	var parents int64
	for i := range rows {
		r := &rows[i]
		if !counted[r.OrgID] {
			counted[r.OrgID], parents = true, parents+r.Parents
		}
		isMapped = isMapped || r.IsMapped
		values = append(values, r.SampleValues...)
		if r.LastSeenAt.After(lastSeen) {
			lastSeen = r.LastSeenAt
		}
		if r.JsonType == "null" {
			absence.Nulls += r.Sightings
			continue
		}
		absence.Present += r.Sightings
		if len(types) == 0 || types[len(types)-1] != r.JsonType {
			types = append(types, r.JsonType)
		}
	}
	for begin := 0; begin < len(rows); {
		end := begin
		for end < len(rows) && rows[end].JsonType == rows[begin].JsonType {
			end++
		}
		d.unmapped(rows[begin:end], parents, since)
		begin = end
	}
	if lastSeen.Before(since) {
		return
	}
	if unknown := undocumented(path, values); len(unknown) > 0 {
		d.Values = append(d.Values, UnknownValues{path, unknown, len(values) < invent.MaxValues, lastSeen})
	}
	if len(types) > 1 {
		d.Types = append(d.Types, MixedTypes{path, types})
	}
	absence.Absent = max(parents-absence.Present-absence.Nulls, 0)
	if isMapped && !isInFreeForm(path) && (absence.Absent > 0 || absence.Nulls > 0) {
		d.Absences = append(d.Absences, absence)
	}
}

// isInFreeForm reports whether a path is in a value that is kept as it stands. What is in there is the org's own, and
// says nothing about the vendor's objects when it is absent.
func isInFreeForm(path string) bool {
	return slices.ContainsFunc([]string{".parameters.", ".web_search.", ".assistant.config."}, func(part string) bool {
		return strings.Contains(path, part)
	})
}

func undocumented(path string, values []string) (unknown []string) {
	slices.Sort(values)
	for _, v := range slices.Compact(values) {
		if invent.IsUndocumented(path, v) {
			unknown = append(unknown, v)
		}
	}
	return unknown
}

// unmapped reports on the rows of one path and type.
func (d *Drift) unmapped(rows []db.OpsFieldSighting, parents int64, since time.Time) {
	u := UnmappedField{Path: rows[0].Path, Type: rows[0].JsonType, Orgs: len(rows), FirstSeen: rows[0].FirstSeenAt}
	for i := range rows {
		if rows[i].IsMapped {
			return
		}
		u.Sightings += rows[i].Sightings
		if rows[i].FirstSeenAt.Before(u.FirstSeen) {
			u.FirstSeen = rows[i].FirstSeenAt
		}
		if rows[i].LastSeenAt.After(u.LastSeen) {
			u.LastSeen = rows[i].LastSeenAt
		}
	}
	if u.FirstSeen.Before(since) {
		return
	}
	if parents > 0 {
		u.Share = float64(u.Sightings) / float64(parents)
	}
	d.Unmapped = append(d.Unmapped, u)
}

// nest finds which unmapped fields are in others. They are sorted by path.
func (d *Drift) nest() {
	for i := range d.Unmapped {
		u := &d.Unmapped[i]
		for j := range d.Unmapped {
			rest, isIn := strings.CutPrefix(u.Path, d.Unmapped[j].Path)
			if isIn && rest != "" && (rest[0] == '.' || rest[0] == '[') && (u.Outer == "" || len(d.Unmapped[j].Path) < len(u.Outer)) {
				u.Outer = d.Unmapped[j].Path
			}
		}
	}
	below := map[string]map[string]bool{}
	for _, u := range d.Unmapped {
		if u.Outer != "" {
			if below[u.Outer] == nil {
				below[u.Outer] = map[string]bool{}
			}
			below[u.Outer][u.Path] = true
		}
	}
	for i := range d.Unmapped {
		d.Unmapped[i].Below = len(below[d.Unmapped[i].Path])
	}
}
