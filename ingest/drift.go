package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"archiver/db"
	"archiver/invent"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// noveltyEvery is how often a path, type or value that is new is written; counts may wait longer.
	noveltyEvery = 5 * time.Second
	countsEvery  = time.Minute
	// lastDriftTimeout bounds the last write, when the lane ends.
	lastDriftTimeout = 2 * time.Second
	// driftRows is how many rows are written at a time.
	driftRows = 5_000
)

// drift gathers which fields the events of a lane's orgs have, in memory, and writes them to ops.field_sightings beside
// the lane's transactions. It is a report: an event that is read again after a crash counts again, and counts that were
// not written are lost. A novelty is not: after a restart every field is new again.
type drift struct {
	pool *pgxpool.Pool
	log  *slog.Logger

	mu      sync.Mutex
	decoder *invent.Decoder
	orgs    map[string]*invent.Sightings
	isNew   bool // something is new since the last write

	pending []sightingOf // taken, and not written yet
}

// sightingOf is a row to be.
type sightingOf struct {
	orgID string
	invent.Sighting
}

func newDrift(pool *pgxpool.Pool, log *slog.Logger) *drift {
	return &drift{pool: pool, log: log, decoder: &invent.Decoder{}, orgs: map[string]*invent.Sightings{}}
}

// note looks at one event. It costs some microseconds, so every event is looked at whole.
func (d *drift) note(e *event) {
	origin := invent.OfFrame
	switch {
	case e.reading.Payload == nil:
		return
	case e.kind == KindFrame:
	case e.kind == KindChatsPage && isArray(e.reading.Payload):
		origin = invent.OfChats
	case e.kind == KindMessagesPage && isArray(e.reading.Payload):
		origin = invent.OfMessages
	case e.kind == KindOrgsPage && isArray(e.reading.Payload):
		origin = invent.OfOrgs
	default:
		return // nothing is read from it
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	sightings := d.orgs[e.orgID]
	if sightings == nil {
		sightings = invent.NewSightings()
		d.orgs[e.orgID] = sightings
	}
	if sightings.Note(d.decoder, origin, e.reading.Payload, e.observedAt) {
		d.isNew = true
	}
}

// run writes what is gathered until ctx ends, and a last time then.
func (d *drift) run(ctx context.Context) {
	every := time.NewTicker(noveltyEvery)
	defer every.Stop()
	counted := time.Now()
	failed := false
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastDriftTimeout)
			defer cancel()
			if err := d.flush(last); err != nil {
				d.log.Warn("the last sightings of fields could not be written; fields are seen again, their counts are lost", "error", describeError(err))
			}
			return
		}
		if !d.hasNews() && time.Since(counted) < countsEvery {
			continue
		}
		err := d.flush(ctx)
		switch {
		case err == nil:
			failed, counted = false, time.Now()
		case ctx.Err() == nil && !failed:
			failed = true
			d.log.Warn("sightings of fields could not be written; they are tried again", "error", describeError(err))
		}
	}
}

func (d *drift) hasNews() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.isNew || len(d.pending) > 0
}

// flush writes what is gathered. What could not be written is written first the next time.
func (d *drift) flush(ctx context.Context) error {
	if len(d.pending) == 0 {
		d.take()
	}
	for len(d.pending) > 0 {
		n := min(len(d.pending), driftRows)
		if err := d.save(ctx, d.pending[:n]); err != nil {
			return err
		}
		d.pending = d.pending[n:]
	}
	return nil
}

func (d *drift) take() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isNew = false
	for orgID, sightings := range d.orgs {
		for _, s := range sightings.Take() {
			d.pending = append(d.pending, sightingOf{orgID, s})
		}
	}
}

func (d *drift) save(ctx context.Context, rows []sightingOf) error {
	p := db.UpsertFieldSightingsParams{MaxValues: invent.MaxValues}
	var orgIDs []string
	for i := range rows {
		r := &rows[i]
		if i == 0 || rows[i-1].orgID != r.orgID {
			orgIDs = append(orgIDs, r.orgID)
		}
		p.OrgIds, p.Paths, p.JsonTypes = append(p.OrgIds, r.orgID), append(p.Paths, r.Path), append(p.JsonTypes, r.Type)
		p.IsMappedList, p.SightingsList = append(p.IsMappedList, r.Mapped), append(p.SightingsList, r.Count)
		p.FirstSeenAts, p.LastSeenAts = append(p.FirstSeenAts, r.First), append(p.LastSeenAts, r.Last)
		var parent, values *string
		if r.Parent != "" {
			parent = &r.Parent
		}
		if r.Values != nil {
			b, err := json.Marshal(r.Values)
			if err != nil {
				return fmt.Errorf("writing the values of %s: %w", r.Path, err)
			}
			text := string(b)
			values = &text
		}
		p.ParentPaths, p.SampleValuesList = append(p.ParentPaths, parent), append(p.SampleValuesList, values)
	}
	return pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := q.UpsertFieldSightings(ctx, p); err != nil {
			return fmt.Errorf("writing sightings of fields: %w", err)
		}
		if err := q.SettleFieldSightings(ctx, orgIDs); err != nil {
			return fmt.Errorf("counting the absences of fields: %w", err)
		}
		return nil
	})
}
