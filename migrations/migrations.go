// Package migrations holds the archive's schema as goose SQL files, in the order of their numbers.
//
// The files are the one description of the schema: package postgres applies them (embedded in the binary), sqlc reads
// them to type the queries, and the tests walk them up, down and up again. A file that has been released is never
// edited; a change is a new file.
package migrations

import "embed"

// FS holds the goose files at its root.
//
//go:embed *.sql
var FS embed.FS
