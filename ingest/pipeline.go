package ingest

import (
	"context"
	"fmt"

	"archiver/db"
	"archiver/internal/failpoint"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// step runs one query, and uses its result.
type step func(context.Context, *db.Queries) error

// flushBytes is how much is sent at once: Postgres then has something to do while the next statement is encoded, and is not woken up
// for each of a few small ones.
const flushBytes = 32 << 10

// sending is statements whose results nobody looks at, on their way to Postgres, which is asked how all of them went in the end (settle).
// If one of them fails, it passes over what follows. Where they are many, it works on the first ones while others are encoded; but no
// transaction is begun and then waited with: between two statements of which the second was not sent yet Postgres counts a session as busy,
// and what it locks is locked for as long as a process that was stopped just there stays stopped. The memory that the large arrays of a batch's
// rows are encoded to is used again.
type sending struct {
	lane       *Lane
	conn       *pgx.Conn
	wire       *pgconn.Pipeline // nil: nothing is on its way
	unanswered int              // statements
	waiting    int              // bytes that are not flushed yet, about
	last       string           // the last statement
	unprepared pipeline         // all of them, where nothing can be prepared: they go when they are settled
}

// send sends what is queued, the last of it when it is settled.
func (s *sending) send(ctx context.Context, p *pipeline) error {
	queries := p.batch.QueuedQueries
	if !s.lane.prepares {
		for _, q := range queries {
			s.unprepared.batch.Queue(q.SQL, q.Arguments...)
			s.last = q.SQL
		}
		return nil
	}
	statements := make([]*pgconn.StatementDescription, len(queries))
	for i, q := range queries {
		var err error
		if statements[i], err = s.prepare(ctx, q.SQL); err != nil {
			return err
		}
	}
	for i, q := range queries {
		if err := s.encode(ctx, statements[i], q.Arguments); err != nil {
			return err
		}
		s.last = q.SQL
	}
	return nil
}

func (s *sending) encode(ctx context.Context, statement *pgconn.StatementDescription, arguments []any) error {
	if s.wire == nil {
		s.wire = s.conn.PgConn().StartPipeline(ctx)
	}
	parameters := &s.lane.parameters
	if err := parameters.encode(s.conn.TypeMap(), statement.ParamOIDs, arguments); err != nil {
		return err
	}
	s.wire.SendQueryStatement(statement, parameters.values, parameters.formats, nil)
	s.unanswered++
	if s.waiting += len(parameters.buf); s.waiting < flushBytes {
		return nil
	}
	s.waiting = 0
	return s.wire.Flush()
}

// prepare prepares a statement once in a session. That takes a round trip of its own, for which nothing else may be on its way.
func (s *sending) prepare(ctx context.Context, sql string) (*pgconn.StatementDescription, error) {
	statement, err := s.conn.Prepare(ctx, sql, sql)
	if err == nil || s.wire == nil {
		return statement, err
	}
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	return s.conn.Prepare(ctx, sql, sql)
}

// close ends the session where something failed before all was settled: half of it may be sent.
func (s *sending) close() {
	if s.wire != nil {
		_ = s.wire.Close() // what failed is reported
	}
}

// settle waits until all that was sent is done.
func (s *sending) settle(ctx context.Context) error {
	if s.last == commitSQL {
		failpoint.Hit("before-commit") // all is prepared: what is left is sent, the commit with it, and one answer is waited for
	}
	var tag pgconn.CommandTag
	var err error
	if s.lane.prepares {
		tag, err = s.answers()
	} else {
		tag, err = s.unprepared.run(ctx, s.conn)
		s.unprepared = pipeline{}
	}
	// To Postgres it is no error that a transaction which had failed is rolled back when it was to be committed.
	if err == nil && s.last == commitSQL && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// answers is how the last of the statements that were sent went, or the first that failed.
func (s *sending) answers() (tag pgconn.CommandTag, err error) {
	if s.wire == nil {
		return tag, nil
	}
	wire, unanswered := s.wire, s.unanswered
	s.wire, s.unanswered, s.waiting = nil, 0, 0
	if err := wire.Sync(); err != nil {
		return tag, err
	}
	for range unanswered {
		if tag, err = readResult(wire); err != nil {
			break
		}
	}
	if closed := wire.Close(); err == nil {
		err = closed
	}
	return tag, err
}

func readResult(sent *pgconn.Pipeline) (tag pgconn.CommandTag, err error) {
	result, err := sent.GetResults()
	if err != nil {
		return tag, err
	}
	reader, ok := result.(*pgconn.ResultReader)
	if !ok {
		return tag, fmt.Errorf("a statement of a pipeline has %T for its result", result)
	}
	return reader.Close()
}

// sender is a connection or a transaction.
type sender interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}

// run runs what is queued in one round trip, and returns how the last of it went.
func (p *pipeline) run(ctx context.Context, conn sender) (tag pgconn.CommandTag, err error) {
	if p.batch.Len() == 0 {
		return tag, nil
	}
	results := conn.SendBatch(ctx, &p.batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for range p.batch.Len() {
		if tag, err = results.Exec(); err != nil {
			return tag, err
		}
	}
	return tag, nil
}

// pipeline takes the place of a connection under the generated queries, and only notes what they would run. What they
// return is that there are no rows.
type pipeline struct{ batch pgx.Batch }

// ask runs what is queued and steps of one query each in one round trip. A step is called twice: for its query, when
// what it makes of the result is of no interest yet, and once there is a result.
func (p *pipeline) ask(ctx context.Context, conn *pgx.Conn, steps []step) (err error) {
	queued := p.batch.Len()
	for n, s := range steps {
		_ = s(ctx, db.New(p))
		if p.batch.Len() != queued+n+1 {
			return fmt.Errorf("a step of a pipeline has %d queries, and is to have one", p.batch.Len()-queued-n)
		}
	}
	results := conn.SendBatch(ctx, &p.batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for range queued {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
	}
	for _, s := range steps {
		if err := s(ctx, db.New(answers{results})); err != nil {
			return err
		}
	}
	return nil
}

func (p *pipeline) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	p.batch.Queue(sql, args...)
	return pgconn.CommandTag{}, nil
}

func (p *pipeline) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	p.batch.Queue(sql, args...)
	return noRows{}, nil
}

func (p *pipeline) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	p.batch.Queue(sql, args...)
	return noRows{}
}

// noRows is an empty result.
type noRows struct{ pgx.Rows }

func (noRows) Next() bool        { return false }
func (noRows) Close()            {}
func (noRows) Err() error        { return nil }
func (noRows) Scan(...any) error { return pgx.ErrNoRows }

// answers takes the place of a connection when the results of what was noted are there, in the same order.
type answers struct{ pgx.BatchResults }

func (a answers) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return a.BatchResults.Exec()
}

func (a answers) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return a.BatchResults.Query()
}

func (a answers) QueryRow(context.Context, string, ...any) pgx.Row { return a.BatchResults.QueryRow() }
