package ingest

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// isAboutData reports whether Postgres refused the rows themselves, which it would do again however often they are
// sent: class 22 (data exception), 23 (constraint), 54 (a limit of the program). Everything else is about the server,
// the connection or the schema, passes or is put right, and is tried again with the same rows.
func isAboutData(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || len(pg.Code) != 5 {
		return false
	}
	if pg.Code == "23514" && pg.ConstraintName == "" {
		return false // no partition for the row: one is just being made, or was dropped
	}
	switch pg.Code[:2] {
	case "22", "23", "54":
		return true
	}
	return false
}

// What ops.begin_batch fails with.
const (
	stateMoved     = "AR001" // errMoved
	stateNotInTurn = "AR002" // another writer has written an org meanwhile, so that what is remembered of its rows is behind
)

// needsNewSession reports whether the sessions that are open will go on failing when the trouble is over: one that began
// read-only, on a standby or under such a default, stays so for its life.
func needsNewSession(err error) bool { return strings.HasPrefix(sqlState(err), "25006") }

// sqlState is the SQLSTATE of an error of Postgres, with the constraint it names; empty for any other error. Postgres'
// own text may hold personal data and is not to be logged or stored.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return ""
	}
	if pg.ConstraintName != "" {
		return pg.Code + " " + pg.ConstraintName
	}
	return pg.Code
}

// describeError says what failed without what Postgres says of the data.
func describeError(err error) string {
	if state := sqlState(err); state != "" {
		return "SQLSTATE " + state
	}
	return err.Error()
}
