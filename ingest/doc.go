// Package ingest holds the inbox sockets of one or several orgs and makes rows of what comes over them.
//
// # The way of an event
//
// A session (session.go) keeps one org's socket open, connecting again with full jitter, and appends every frame to a
// spool as it arrives; it never waits for Postgres and never looks inside a frame. From the spool on there is one way:
// a Lane (lane.go) reads the spool ahead, describes each record (describe.go: the bytes are decoded tolerantly into
// what they say of chats), and writes what has gathered while the last transaction ran as the next one (batch.go):
//
//	advance the checkpoint, read what is known → COPY into raw.events, and fold → one upsert a table, parents first,
//	COMMIT → trim the spool
//
// In a flood the COPY comes first, while the batch before is being written (ahead.go); a few events are inserted with the rows instead,
// and where nothing has to be read, all is one round trip. Each arrow is one (pipeline.go). Values go to Postgres in its binary format (binary.go), payloads with their keys
// in the order of jsonb (ordered.go).
//
// Folding (chat.go, member.go, message.go, entity.go) takes the rows as they are known, from a cache or from Postgres,
// applies the batch's descriptions to copies of them, and marks what changed; only that is sent, and the copies become
// the cache once they are committed. So the rules live in Go, each in one place:
//
//   - Order: chat.isLate, storedMessage.isOlder, taker.takes. A description that is not the newest has its chat derived
//     again from all its events in raw (derive.go); the upserts' WHERE clauses guard the same order in SQL.
//   - Absent and null: set in assign.go, Snapshot or patch by the objects' IsSnapshot.
//   - Bad values: package invent, which leaves flaws; and Lane.isolate for what Postgres itself refuses.
//
// Rebuild (rebuild.go) sends what is stored in raw the same way (replay.go) into temporary tables (shadow.go), and while
// the writers wait (stop.go) compares these with inbox (verify.go) or exchanges them (swap.go). Export and Import
// (export.go, import.go, envelope.go) take events out and in.
//
// Beside this way every event's fields are counted (drift.go, invent.Sightings), in memory, and written to
// ops.field_sightings every few seconds in transactions of their own; drift_report.go and status_report.go read what the
// commands drift, status and doctor show.
//
// # Failures
//
// Errors of Postgres fall into two classes (sqlstate.go). What is about the data is found by halves and stored as bytes
// with a flaw. Everything else is waited out: the batch is tried again, the spool grows meanwhile, memory does not.
// After every failure the checkpoint is read back, since a COMMIT's reply can be lost.
//
// # Orgs and lanes
//
// An org is dealt to a lane by a hash of its id; a lane has one spool, one stream and one checkpoint, so an org's
// events are written in the order they came and lanes share no row. Spools of a run with another number of lanes are
// written first.
package ingest
