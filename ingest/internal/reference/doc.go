// Package reference is what the tables of inbox must hold, worked out the plain way: for tests only.
//
// It is written from the archive's contract and shares nothing with the code it checks. Records are read with
// encoding/json into maps; every chat keeps all that was ever said of it; and each table is computed from that at
// once, in memory, with no thought of speed, batches, caches, or of what was known before.
//
//	records → read.go: what each says (parsed cells, no JSON kept) → order.go: which word is the newest
//	       → chat.go, message.go, entity.go: one walk from the oldest word to the newest for each chat and each
//	         thing a chat names → Tables
package reference
