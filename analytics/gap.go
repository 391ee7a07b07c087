package analytics

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// describeGap is a gap as analytics.refreshes keeps it: when it began, then all that facts depend on.
func describeGap(g *Gap) string {
	ended := ""
	if g.EndedAt != nil {
		ended = g.EndedAt.UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%s %s %t", g.BeganAt.UTC().Format(time.RFC3339Nano), ended, g.IsRepaired)
}

// beganAt is when a gap began, of what describeGap gave.
func beganAt(text string) (time.Time, error) {
	first, _, _ := strings.Cut(text, " ")
	return time.Parse(time.RFC3339Nano, first)
}

// withoutData is an error without what Postgres says of the data.
func withoutData(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "SQLSTATE " + pg.Code
	}
	return err.Error()
}
