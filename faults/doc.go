// Package faults is the fault suite: it has only tests. They run the real archiver, built with the failpoints of package
// internal/failpoint, against a simulated Invent on a real socket and a real Postgres, and then do to it what happens in
// practice: kill -9 at chosen instructions, SIGSTOP, dead networks (toxiproxy between the archiver and both of its peers),
// servers that end, refuse, hang or run full.
//
// A stage (stage_test.go) is one simulated inbox with one archive. A process (process_test.go) is one run of the archiver
// on it; a stage sees many. Whatever was done, the verdict (verdict_test.go) is the same: each frame that the simulator's
// ledger lists as written is in raw.events once or in an interval that ops.gaps records; no place in a stream is used
// twice; inbox is what archiver rebuild --verify makes of raw; and neither the key nor what people wrote is in any log line,
// error or metric. Of every process all that it writes is looked through, at the level debug, and what it answers over HTTP
// from beginning to end.
//
// go test ./faults runs each fault once and a few kills. make faults runs hundreds of kills, with a new seed that it
// prints: FAULTS_KILLS is their number, FAULTS_SEED the seed.
package faults
