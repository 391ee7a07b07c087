package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"archiver/db"
	"archiver/invent"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Users, contacts, channels, assistants and integrations come nested in chats of any age and have no clock of their
// own: what is said of them goes by when it was observed, field by field, since they come in shapes of several sizes.

// entityKey names a row by its org and its id.
type entityKey struct{ orgID, id string }

// entity is one such row, and when each of its fields was last named.
type entity[R any] struct {
	row    R
	fields []observation // by the order of table.fields; zero: never named
	seen   observation   // of the newest description or mention
	saved  observation   // what version_at and version_seq are in Postgres
	dirty  bool
}

// mention is what one event says of an entity; described is nil when it only refers to it.
type mention[D any] struct {
	key       entityKey
	seen      observation
	described *D
}

// bookkeeping are the columns every such table has.
type bookkeeping struct {
	isStub                *bool
	firstSeenAt, lastSeen *time.Time
	versionAt             **time.Time
	versionSeq            *int64
	fieldVersions         *[]byte
}

// kind is what one such table has of its own.
type kind[R, D any] struct {
	fields   []string // the columns that are described, in the order describe takes them
	fresh    func(entityKey) R
	key      func(*R) entityKey
	common   func(*R) bookkeeping
	describe func(t *taker, r *R, d *D)
	load     func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]R, error)
	save     func(ctx context.Context, q *db.Queries, rows []*R) error
}

// table holds the rows of one kind: a bounded cache of what is in Postgres, and what the batch at hand makes of it.
type table[R, D any] struct {
	kind   kind[R, D]
	known  *lru.Cache[entityKey, *entity[R]]
	staged map[entityKey]*entity[R]
	taker  taker // of the description at hand
}

func newTable[R, D any](k kind[R, D], size int) *table[R, D] {
	known, err := lru.New[entityKey, *entity[R]](size)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &table[R, D]{kind: k, known: known}
}

// stage stages a copy of every row that is mentioned, from the cache, else new, and returns the query for those that may
// be in Postgres; nil when there is nothing to ask.
func (t *table[R, D]) stage(mentions []mention[D]) step {
	t.staged = make(map[entityKey]*entity[R], len(mentions))
	var orgIDs, ids []string
	for i := range mentions {
		key := mentions[i].key
		if t.staged[key] != nil {
			continue
		}
		if known, ok := t.known.Get(key); ok {
			t.staged[key] = known.clone()
			continue
		}
		t.staged[key] = &entity[R]{row: t.kind.fresh(key), fields: make([]observation, len(t.kind.fields)), dirty: true}
		orgIDs, ids = append(orgIDs, key.orgID), append(ids, key.id)
	}
	if len(ids) == 0 {
		return nil
	}
	return func(ctx context.Context, q *db.Queries) error {
		rows, err := t.kind.load(ctx, q, orgIDs, ids)
		if err != nil {
			return fmt.Errorf("reading rows that are described anew: %w", err)
		}
		for _, row := range rows {
			t.staged[t.kind.key(&row)] = t.loaded(row)
		}
		return nil
	}
}

// applyAll applies a batch's mentions, in their order, to the staged rows. mayBeLate says that something observed earlier
// than what is stored may still come, so that the rows' clocks must be kept exactly.
func (t *table[R, D]) applyAll(mentions []mention[D], mayBeLate bool) {
	for i := range mentions {
		m := &mentions[i]
		t.apply(t.staged[m.key], m)
	}
	for _, e := range t.staged {
		e.dirty = e.dirty || mayBeLate && e.seen != e.saved
	}
}

func (e *entity[R]) clone() *entity[R] {
	copied := *e
	copied.fields = slices.Clone(e.fields)
	return &copied
}

func (t *table[R, D]) apply(e *entity[R], m *mention[D]) {
	c := t.kind.common(&e.row)
	at := m.seen.time()
	if c.firstSeenAt.IsZero() || at.Before(*c.firstSeenAt) {
		*c.firstSeenAt, e.dirty = at, true
	}
	if c.lastSeen.IsZero() {
		*c.lastSeen = at
	}
	if m.seen.compare(e.seen) > 0 {
		e.seen = m.seen
	}
	if m.described == nil {
		return
	}
	t.taker = taker{seen: m.seen, fields: e.fields}
	t.kind.describe(&t.taker, &e.row, m.described)
	if t.taker.named && *c.isStub {
		*c.isStub, t.taker.changed = false, true
	}
	if t.taker.changed {
		e.dirty = true
		if at.After(*c.lastSeen) {
			*c.lastSeen = at
		}
	}
}

// taker decides, field by field, whether a description is the newest that names the field.
type taker struct {
	seen    observation
	fields  []observation
	next    int
	named   bool
	changed bool
}

func (t *taker) takes(named bool) bool {
	i := t.next
	t.next++
	if !named {
		return false
	}
	t.named = true
	if t.seen.compare(t.fields[i]) < 0 {
		return false
	}
	t.fields[i] = t.seen
	return true
}

func take[T comparable](t *taker, column **T, f *invent.Field[T]) {
	if t.takes(f.Named()) && assign(column, f.Ptr()) {
		t.changed = true
	}
}

func takeTime(t *taker, column **time.Time, f *invent.Field[time.Time]) {
	if t.takes(f.Named()) && assignTime(column, f.Ptr()) {
		t.changed = true
	}
}

func takeJSON(t *taker, column *[]byte, f *invent.Field[invent.JSON]) {
	if t.takes(f.Named()) && assignJSON(column, f.V, f.Given()) {
		t.changed = true
	}
}

// upsert queues the staged rows that differ from what is stored, by key, so that no two writers wait for each other.
func (t *table[R, D]) upsert(ctx context.Context, q *db.Queries) error {
	var rows []*R
	for _, e := range t.staged {
		if !e.dirty {
			continue
		}
		c := t.kind.common(&e.row)
		at := e.seen.time()
		*c.versionAt, *c.versionSeq = &at, e.seen.seq
		*c.fieldVersions = t.fieldVersions(e)
		rows = append(rows, &e.row)
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, func(a, b *R) int { return compareKeys(t.kind.key(a), t.kind.key(b)) })
	return t.kind.save(ctx, q, rows)
}

// committed makes what was staged what is known.
func (t *table[R, D]) committed() {
	for key, e := range t.staged {
		if e.dirty {
			e.dirty, e.saved = false, e.seen
		}
		t.known.Add(key, e)
	}
	t.staged = nil
}

// fieldVersions writes which fields were not named by the newest mention, and when they were: [µs, seq], zeros for
// never. Nil when there are none.
func (t *table[R, D]) fieldVersions(e *entity[R]) []byte {
	var b []byte
	for i, name := range t.kind.fields {
		if e.fields[i] == e.seen {
			continue
		}
		b = append(b, ",{"[btoi(b == nil)])
		b = append(append(append(b, '"'), name...), `":[`...)
		b = append(strconv.AppendInt(b, e.fields[i].us, 10), ',')
		b = append(strconv.AppendInt(b, e.fields[i].seq, 10), ']')
	}
	if b != nil {
		b = append(b, '}')
	}
	return b
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// loaded is a row as it comes from Postgres.
func (t *table[R, D]) loaded(row R) *entity[R] {
	e := &entity[R]{row: row, fields: make([]observation, len(t.kind.fields))}
	c := t.kind.common(&e.row)
	if *c.versionAt != nil {
		e.seen = observed(**c.versionAt, *c.versionSeq)
	}
	e.saved = e.seen
	older := map[string][2]int64{}
	if err := json.Unmarshal(*c.fieldVersions, &older); err != nil {
		clear(older) // none were stored
	}
	for i, name := range t.kind.fields {
		e.fields[i] = e.seen
		if o, ok := older[name]; ok {
			e.fields[i] = observation{o[0], o[1]}
		}
	}
	return e
}
