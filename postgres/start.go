package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say where the embedded server lives and who hears of its progress.
type Options struct {
	// Dir is the server's own directory, made when absent; see the package comment for what it
	// holds. The directories above it must be open (x) to the account the server runs as.
	Dir string
	// Settings are server settings (postgresql.conf names) that win over everything else.
	// fsync=off also skips the syncs of initdb.
	Settings map[string]string
	// Log hears what an operator should know; nil is quiet.
	Log *slog.Logger
	// Progress hears one sentence before each step that takes a while; nil is quiet.
	Progress func(string)
	// Getenv finds the binaries (PATH); nil is os.Getenv.
	Getenv func(string) string
}

// Server is a running embedded Postgres with a database "archiver".
type Server struct {
	home    *home
	process *process
	port    int
	url     string

	close    sync.Once
	closeErr error
}

// Start runs the embedded server: it makes the cluster when there is none, waits for an earlier
// server of the same directory that is still stopping, and returns when connections are accepted.
// An existing cluster is used as it is, by binaries of its own version only; nothing is ever wiped.
// A directory whose server belongs to another running archiver is refused. The caller must Close it.
// ctx bounds the start alone.
func Start(ctx context.Context, opts Options) (*Server, error) {
	opts = withDefaults(opts)
	h, err := openHome(opts.Dir)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, h, opts)
	if err != nil {
		h.unlock()
		return nil, err
	}
	return s, nil
}

func start(ctx context.Context, h *home, opts Options) (*Server, error) {
	version, err := h.clusterVersion()
	if err != nil {
		return nil, err
	}
	binaries, err := FindBinaries(opts.Getenv, version)
	if err != nil {
		return nil, err
	}
	if err := h.awaitEarlierServer(ctx, opts); err != nil {
		return nil, err
	}
	if version == 0 {
		if err := h.createCluster(ctx, binaries, opts); err != nil {
			return nil, err
		}
	}
	s := &Server{home: h}
	if err := s.launch(ctx, binaries, opts); err != nil {
		return nil, err
	}
	if err := s.createDatabase(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	opts.Log.Info("embedded Postgres started", "version", binaries.Version, "dir", h.dir, "port", s.port, "account", h.account.name)
	return s, nil
}

func withDefaults(opts Options) Options {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Progress == nil {
		opts.Progress = func(string) {}
	}
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	return opts
}

// launch runs the server on the port of last time, or another one where that is taken.
func (s *Server) launch(ctx context.Context, binaries Binaries, opts Options) error {
	password, err := s.home.readPassword()
	if err != nil {
		return err
	}
	opts.Progress(fmt.Sprintf("Starting Postgres %d in %s", binaries.Version, s.home.dir))
	port := s.home.lastPort()
	giveUp := time.Now().Add(15 * time.Second)
	for {
		if port == 0 || !isFree(port) {
			if port, err = freePort(); err != nil {
				return err
			}
		}
		s.port = port
		s.url = connectionURL(password, port, database)
		if err = s.run(ctx, binaries, opts); err == nil {
			if err = s.home.rememberPort(port); err != nil {
				return errors.Join(err, s.process.stop()) // nobody else knows of it yet
			}
			return nil
		}
		// Two things pass: another program took the port between our look and the server's own
		// bind, and a worker of a server that was killed has not ended yet.
		passes := !isFree(port) || strings.Contains(err.Error(), "pre-existing shared memory block")
		if !passes || ctx.Err() != nil || time.Now().After(giveUp) {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// run starts the process and waits until it accepts connections.
func (s *Server) run(ctx context.Context, binaries Binaries, opts Options) error {
	log, err := s.home.openServerLog()
	if err != nil {
		return err
	}
	defer log.Close() // the server has its own copy
	s.process, err = startProcess(s.home.command(filepath.Join(binaries.Dir, "postgres"), s.arguments(opts.Settings), log.File))
	if err != nil {
		return fmt.Errorf("starting the Postgres server: %w", err)
	}
	go s.home.boundServerLog(s.process.done)

	notice := time.Now().Add(10 * time.Second)
	for !s.home.isReady(s.process.pid()) {
		select {
		case <-s.process.done:
			return fmt.Errorf("the Postgres server stopped while starting (%w); the end of %s:\n%s", s.process.err, log.Name(), log.tail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("waiting for the Postgres server to accept connections: %w; the end of %s:\n%s",
				ctx.Err(), log.Name(), log.tail()), s.process.stop())
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(notice) {
			opts.Progress("Postgres is still starting; after a crash it first replays what it had written")
			notice = time.Now().Add(30 * time.Second)
		}
	}
	return nil
}

// arguments are the settings archiver depends on. What is a matter of tuning is in
// postgresql.conf, where it can be changed; these win over it.
func (s *Server) arguments(settings map[string]string) []string {
	args := []string{
		"-D", s.home.data(),
		"-c", "port=" + strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=" + s.home.socketDir(),
		"-c", ownServerMark,
		"-c", "logging_collector=off",
		"-c", "log_destination=stderr",
		"-c", "log_timezone=UTC",
		"-c", "log_line_prefix=%m [%p] ",
		// The log must not repeat customers' words: no statements, no DETAIL with a row's values.
		"-c", "log_min_error_statement=panic",
		"-c", "log_error_verbosity=terse",
	}
	names := make([]string, 0, len(settings))
	for name := range settings {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// role and database are what connections use.
const (
	role     = "archiver"
	database = "archiver"
)

func connectionURL(password string, port int, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(role, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (s *Server) createDatabase(ctx context.Context) error {
	admin := strings.Replace(s.url, "/"+database+"?", "/postgres?", 1)
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return fmt.Errorf("connecting to the embedded Postgres in %s: %w", s.home.dir, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))

	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", database).Scan(&exists); err != nil {
		return fmt.Errorf("looking for the database %s: %w", database, err)
	}
	if exists {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+database); err != nil {
		return fmt.Errorf("creating the database %s: %w", database, err)
	}
	return nil
}

// URL is the connection string of the database "archiver", with the password: for pgx, psql and BI
// tools on this machine, as long as the server runs.
func (s *Server) URL() string { return s.url }

// PasswordFile is the path of the file that holds the password of the role "archiver" and nothing else; its owner alone
// may read it.
func (s *Server) PasswordFile() string { return s.home.path("password") }

// Done is closed when the server has stopped, by Close or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.done }

// Err says why the server stopped by itself; nil while it runs and after Close.
func (s *Server) Err() error {
	select {
	case <-s.process.done:
	default:
		return nil
	}
	if s.process.stopping.Load() {
		return nil
	}
	return fmt.Errorf("the embedded Postgres stopped by itself (%w); its log is %s", s.process.err, s.home.path("server.log"))
}

// Close ends all connections, stops the server and waits for it: at most half a minute for the
// orderly way, then at once, which costs the next start a recovery but no data.
func (s *Server) Close() error {
	s.close.Do(func() {
		s.closeErr = s.process.stop()
		s.home.unlock()
	})
	return s.closeErr
}

func isFree(port int) bool {
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("looking for a free port on 127.0.0.1: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
