//go:build !linux

package postgres

import "syscall"

// limitUnanswered does nothing: there is no such setting here that is the same everywhere.
func limitUnanswered(_, _ string, _ syscall.RawConn) error { return nil }
