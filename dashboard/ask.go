package dashboard

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// answer is what a statement returned. A cell is nil, int64, float64, string, bool, or time.Time: midnight UTC for a date.
type answer struct {
	columns []string
	isDate  []bool // by column: whether its times are days
	rows    [][]any
}

// at is the place of a column; -1 when there is none of that name.
func (a *answer) at(name string) int {
	for i, c := range a.columns {
		if c == name {
			return i
		}
	}
	return -1
}

// cell is a value by its column; nil where there is no such column.
func (a *answer) cell(row int, name string) any {
	if i := a.at(name); i >= 0 {
		return a.rows[row][i]
	}
	return nil
}

// textAt is a cell as text; empty when it is NULL or none.
func (a *answer) textAt(row int, name string) string {
	s, _ := a.cell(row, name).(string)
	return s
}

// ask runs a statement in a read-only transaction of its own.
func (s *Server) ask(ctx context.Context, sql string, args pgx.NamedArgs) (*answer, error) {
	a := &answer{}
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, args)
		if err != nil {
			return err
		}
		defer rows.Close()
		for _, field := range rows.FieldDescriptions() {
			a.columns, a.isDate = append(a.columns, field.Name), append(a.isDate, field.DataTypeOID == pgtype.DateOID)
		}
		for rows.Next() {
			values, err := rows.Values()
			if err != nil {
				return err
			}
			for i, value := range values {
				if values[i], err = plain(value); err != nil {
					return fmt.Errorf("column %s: %w", a.columns[i], err)
				}
			}
			a.rows = append(a.rows, values)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// plain brings a value to one of the few types that are written.
func plain(value any) (any, error) {
	switch v := value.(type) {
	case nil, string, bool, int64, float64, time.Time:
		return v, nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case pgtype.Numeric:
		f, err := v.Float64Value()
		if err != nil || !f.Valid {
			return nil, err
		}
		return f.Float64, nil
	}
	return nil, fmt.Errorf("a %T cannot be shown", value)
}

// explain says what is wrong in words that can be shown to anybody, and in a code for the log. Postgres' own message may quote
// what is nobody's business.
func explain(err error) (shown, code string) {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "57014":
			return "This took too long and was stopped. A shorter period may do.", pg.Code
		case "42501":
			return "The database does not let this page read what it needs: archiver grant gives a role the right.", pg.Code
		case "42P01", "3F000", "42703", "42883":
			return "The database does not have the tables this page reads: archiver migrate up makes them.", pg.Code
		}
		return "The database refused to answer.", pg.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "This took too long and was stopped. A shorter period may do.", "deadline exceeded"
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return "The database cannot be reached.", errno.Error()
	}
	return "The database cannot be reached.", fmt.Sprintf("%T", rootOf(err))
}

func rootOf(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}
