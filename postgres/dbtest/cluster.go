package dbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/testcontainers/testcontainers-go"
	container "github.com/testcontainers/testcontainers-go/modules/postgres"

	"archiver/postgres"
)

// cluster is the server of this test process.
type cluster struct {
	url       string // of its maintenance database
	throwAway bool   // it ends with this process
	admin     *pgxpool.Pool

	mu           sync.Mutex
	templateName string // once it exists
}

// started finds or starts the server, once. It stays until the process ends, so no test's context
// bounds it.
var started = sync.OnceValues(func() (*cluster, error) {
	c, err := start(context.Background(), os.Getenv)
	if err != nil {
		return nil, err
	}
	c.admin, err = postgres.Connect(context.Background(), c.url, func(config *pgxpool.Config) { config.MaxConns = 4 })
	if err != nil {
		return nil, err
	}
	return c, c.admin.Ping(context.Background())
})

func start(ctx context.Context, getenv func(string) string) (*cluster, error) {
	if configured := getenv("TEST_DATABASE_URL"); configured != "" {
		return &cluster{url: configured}, nil
	}
	c, err := startLocal(ctx, getenv)
	if err == nil || !errors.Is(err, postgres.ErrNoBinaries) {
		return c, err
	}
	c, dockerErr := startContainer(ctx)
	if dockerErr != nil {
		return nil, fmt.Errorf("local server: %w\ncontainer: %w", err, dockerErr)
	}
	return c, nil
}

// exec runs a statement on the maintenance database.
func (c *cluster) exec(ctx context.Context, statement string) error {
	_, err := c.admin.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol)
	return err
}

// startLocal runs a throw-away cluster.
func startLocal(ctx context.Context, getenv func(string) string) (*cluster, error) {
	if _, err := postgres.FindBinaries(getenv, 0); err != nil {
		return nil, err
	}
	base := baseDir()
	removeLeftovers(base)
	dir := filepath.Join(base, dirPrefix+strconv.Itoa(os.Getpid()))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of the throw-away cluster: %w", err)
	}
	// 0755 whatever the umask: as root, the server runs as another account.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory of the throw-away cluster: %w", err)
	}
	if err := removeAtEnd(dir); err != nil {
		return nil, err
	}
	server, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(dir, "pg"), Getenv: getenv, Settings: throwAwaySettings})
	if err != nil {
		return nil, err
	}
	return &cluster{url: withDatabase(server.URL(), "postgres"), throwAway: true}, nil
}

// throwAwaySettings trade everything that makes data last for speed. Autovacuum is off because it
// may be in the template just when that is to be copied.
var throwAwaySettings = map[string]string{
	"fsync":              "off",
	"synchronous_commit": "off",
	"full_page_writes":   "off",
	"autovacuum":         "off",
	"wal_level":          "minimal",
	"max_wal_senders":    "0",
	"min_wal_size":       "32MB",
	"max_wal_size":       "256MB",
	"shared_buffers":     "64MB",
	"max_connections":    "200",
}

const dirPrefix = "archiver-dbtest-"

// baseDir is in memory where there is room: a container's /dev/shm often has 64 MB, of which a
// cluster and a handful of databases leave nothing.
func baseDir() string {
	const room = 2 << 30
	var stat syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &stat); err == nil && uint64(stat.Bavail)*uint64(stat.Bsize) >= room {
		if probe, err := os.MkdirTemp("/dev/shm", dirPrefix+"probe-"); err == nil {
			_ = os.Remove(probe) // empty
			return "/dev/shm"
		}
	}
	return os.TempDir()
}

// removeAtEnd has a shell remove dir once this process has ended, which it sees by the end of a
// pipe that only we hold open, and the server with it. It is in a process group of its own, so that
// what kills this process' group leaves it to its work.
func removeAtEnd(dir string) error {
	cmd := exec.Command("/bin/sh", "-c", `
		cat >/dev/null
		i=0
		while [ -e "$1/pg/data/postmaster.pid" ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
		rm -rf "$1"`, "sh", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("preparing the removal of the throw-away cluster: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("preparing the removal of the throw-away cluster: %w", err)
	}
	untilTheEnd = pipe
	return nil
}

// untilTheEnd keeps the pipe from being closed by the garbage collector.
var untilTheEnd any //nolint:unused // it is there to be held

// removeLeftovers removes the directories of test processes that are gone, where even the shell was
// killed. Other users' are not ours to remove, and a failure is the next run's to repeat.
func removeLeftovers(base string) {
	dirs, _ := filepath.Glob(filepath.Join(base, dirPrefix+"*")) // the only error is a malformed pattern
	for _, dir := range dirs {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), dirPrefix))
		if err != nil || pid != os.Getpid() && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			continue
		}
		// The shell of one that has just ended is at it already.
		if info, err := os.Stat(dir); err == nil && (pid == os.Getpid() || time.Since(info.ModTime()) > 30*time.Second) {
			_ = os.RemoveAll(dir)
		}
	}
}

// image is what a container runs when there are no local binaries.
const image = "postgres:17-alpine"

func startContainer(ctx context.Context) (_ *cluster, err error) {
	// Without a Docker engine, parts of the library panic instead of returning an error.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("starting %s: %v", image, r)
		}
	}()
	c, err := container.Run(ctx, image,
		container.WithDatabase("postgres"), container.WithUsername("archiver"), container.WithPassword("archiver"),
		container.BasicWaitStrategies(),
		testcontainers.WithCmdArgs("-c", "fsync=off", "-c", "autovacuum=off", "-c", "max_connections=200"))
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", image, err)
	}
	connString, err := c.ConnectionString(ctx, "sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("finding the port of %s: %w", image, err)
	}
	return &cluster{url: connString, throwAway: true}, nil
}
