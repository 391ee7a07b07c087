// Package analytics makes facts of what is in inbox: cases, turns, ratings, handoffs, and the backlog at each midnight.
//
// # The way of a fact
//
// Ingest marks the chats it changed in ops.dirty_chats. A Refresher (refresh.go) takes some of an org's, loads what inbox
// holds of them (load.go), works out their facts (derive.go and the files it calls), and writes these in one transaction of
// its own (save.go), which takes the marks away. A chat that changed meanwhile keeps its mark and is done again. So the
// facts of a chat are always a function of its rows in inbox, the org's settings and its gaps; when settings or gaps change,
// the chats that may depend on them are marked.
//
// When all facts are made anew, the next chats (cursor.go) are read and derived while the last are written (ahead.go).
//
// Everything else in schema analytics is views over the facts (migrations/). What the daily ones say of days that are over is
// stored, and forgotten with the first fact of the day that changes (days.go).
package analytics
