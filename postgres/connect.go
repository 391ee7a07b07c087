package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// poolSize is how many connections a pool opens at most, unless the connection string says it (pool_max_conns). They are opened when
// they are needed, and closed after a while without use.
const poolSize = 16

// Connect opens a pool on a connection string (URL or keyword/value). It does not wait for the
// server: an archiver must start and spool while its database is away, so an unreachable server
// shows at the first use. configure, if any, adjusts the settings last (pool size, tracer).
//
// Every session is called "archiver" unless the connection string names it otherwise, runs in UTC
// whatever the database's own setting, and without JIT, which costs more than it gives on short
// statements. A peer that vanished without a word is noticed within about half a minute: by TCP
// keepalives while nothing is under way, and on Linux by the age of what it does not acknowledge.
func Connect(ctx context.Context, connString string, configure ...func(*pgxpool.Config)) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(connString)
	if err != nil {
		return nil, parseError(err)
	}
	switch mode := config.ConnConfig.DefaultQueryExecMode; mode {
	case pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol:
		return nil, fmt.Errorf("the database connection string asks for default_query_exec_mode=%s, in which arrays cannot be sent: leave it out, or use cache_describe behind a pooler that keeps no prepared statements",
			strings.ReplaceAll(mode.String(), " ", "_"))
	}
	adjust(config.ConnConfig)
	if !strings.Contains(connString, "pool_max_conns") {
		config.MaxConns = poolSize
	}
	config.MaxConnIdleTime = 5 * time.Minute
	config.HealthCheckPeriod = 30 * time.Second
	config.AfterConnect = encodeInPlace
	for _, f := range configure {
		f(config)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the connection pool: %w", err)
	}
	return pool, nil
}

func adjust(config *pgx.ConnConfig) {
	parameters := config.RuntimeParams
	if parameters["application_name"] == "" {
		parameters["application_name"] = "archiver"
	}
	parameters["timezone"] = "UTC"
	parameters["jit"] = "off"
	// A process that is stopped or cut off between BEGIN and COMMIT must not hold up for long who takes over from it.
	if parameters["idle_in_transaction_session_timeout"] == "" {
		parameters["idle_in_transaction_session_timeout"] = "30000" // milliseconds
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	dialer := &net.Dialer{Control: limitUnanswered, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	config.DialFunc = dialer.DialContext
}

// parseError keeps the connection string, and with it the password, out of the message: a string
// that cannot be parsed cannot be redacted with certainty either. A file it named may be said.
func parseError(err error) error {
	const message = "the database connection string is not valid: expected postgres://user:password@host:5432/database or host=… dbname=… (it is not shown because it may hold a password)"
	var file *fs.PathError
	if errors.As(err, &file) {
		return errors.New(message + ": " + file.Error())
	}
	return errors.New(message)
}
