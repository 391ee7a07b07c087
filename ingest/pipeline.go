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

// send runs queries that return nothing in one round trip. Postgres gets statements as soon as they are worth it, and the memory that
// the large arrays of a batch's rows are encoded to is used again.
func (l *Lane) send(ctx context.Context, conn *pgx.Conn, p *pipeline) error {
	if !l.prepares {
		return p.run(ctx, conn)
	}
	statements := make([]*pgconn.StatementDescription, len(p.batch.QueuedQueries))
	for i, q := range p.batch.QueuedQueries {
		var err error
		if statements[i], err = conn.Prepare(ctx, q.SQL, q.SQL); err != nil { // once in a session
			return err
		}
	}
	if len(statements) == 0 {
		return nil
	}
	sent, waiting := conn.PgConn().StartPipeline(ctx), 0
	for i, q := range p.batch.QueuedQueries {
		if err := l.parameters.encode(conn.TypeMap(), statements[i].ParamOIDs, q.Arguments); err != nil {
			_ = sent.Close() // which ends the session too: half of it is sent
			return err
		}
		sent.SendQueryStatement(statements[i], l.parameters.values, l.parameters.formats, nil)
		if waiting += len(l.parameters.buf); waiting < flushBytes {
			continue
		}
		if err := sent.Flush(); err != nil {
			return err
		}
		waiting = 0
	}
	p.hitBeforeCommit()
	if err := sent.Sync(); err != nil {
		return err
	}
	var tag pgconn.CommandTag
	var failure error
	for range statements {
		if tag, failure = readResult(sent); failure != nil {
			break // Postgres passes over what follows
		}
	}
	if err := sent.Close(); failure == nil {
		failure = err
	}
	if failure == nil {
		failure = p.checkCommit(tag)
	}
	return failure
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

// commits reports whether the last statement ends the transaction.
func (p *pipeline) commits() bool {
	queries := p.batch.QueuedQueries
	return queries[len(queries)-1].SQL == commitSQL
}

// hitBeforeCommit is where all is prepared: what is left is sent, the commit with it, and one answer is waited for.
func (p *pipeline) hitBeforeCommit() {
	if p.commits() {
		failpoint.Hit("before-commit")
	}
}

// checkCommit makes an error of a transaction that was rolled back when it was to be committed, since it had failed: to Postgres that
// is none.
func (p *pipeline) checkCommit(last pgconn.CommandTag) error {
	if p.commits() && last.String() != "COMMIT" {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// sender is a connection or a transaction.
type sender interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}

// run is send without what is prepared.
func (p *pipeline) run(ctx context.Context, conn sender) (err error) {
	if p.batch.Len() == 0 {
		return nil
	}
	p.hitBeforeCommit()
	results := conn.SendBatch(ctx, &p.batch)
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	var tag pgconn.CommandTag
	for range p.batch.Len() {
		if tag, err = results.Exec(); err != nil {
			return err
		}
	}
	return p.checkCommit(tag)
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
