// Package bench measures how close the archiver comes to what Postgres can take, on the machine it runs on.
//
// The limit of a log of JSON documents is Postgres parsing and storing them. So the yardstick is COPY of the same
// payloads into a table with one jsonb column, and most results are ratios to it: they can be compared between machines,
// and on one that is busy with something else. Yardstick and archiver run by turns in the same run, on the same server.
//
// Four kinds of processes, so that each one's CPU can be told apart:
//
//	this one    makes the frames (package simulator), runs the yardsticks, reads the counters
//	Feed        `archiver bench-feed`: serves the frames over WebSockets, as fast as they are read or at a pace
//	archiver    `archiver ingest`, as everybody runs it
//	Postgres    a server of its own, with fsync and synchronous_commit on
//
// The way of a frame: World ─► reel (files of frames, one an org) ─► Feed ─► socket ─► archiver ingest ─► Postgres.
//
// Run does the sections one after the other; each is a file: work.go (throughput, CPU, allocations, rows), latency.go,
// memory.go (and an outage), growth.go, rebuild.go, idle.go; and facts.go, which needs no frames: its archive is made by SQL,
// and the package analytics runs in this process. It needs Linux, for /proc.
package bench
