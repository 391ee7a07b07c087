package ingest

import (
	"context"
	"fmt"

	"archiver/db"
)

// foldLists makes the org's own row of the shadow of the lists of sub-orgs that name it, which are events of other orgs.
// They are read all at once while nobody writes: they are few, and an index finds them.
func (r *rebuild) foldLists(ctx context.Context, in asker) error {
	rows, err := db.New(in).GetOrgsPagesOf(ctx, r.orgID)
	if err != nil {
		return fmt.Errorf("reading the lists of sub-orgs that name the org: %w", err)
	}
	var events []*event
	for i := range rows {
		row := &rows[i]
		events = append(events, r.lane.again.event(row.OrgID, &db.GetChatEventsRow{
			ReceivedAt: row.ReceivedAt, ObservedAt: row.ObservedAt, StreamID: row.StreamID, Seq: row.Seq, Kind: row.Kind,
			Request: row.Request, Payload: row.Payload,
		}))
	}
	return r.store(ctx, in, events)
}
