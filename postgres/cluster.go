package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// createCluster makes the data directory. initdb works in a directory beside it, which is renamed
// when it is whole: one that was interrupted is thrown away by the next start and made again.
func (h *home) createCluster(ctx context.Context, binaries Binaries, opts Options) error {
	opts.Progress(fmt.Sprintf("Creating a Postgres %d database in %s (once, takes a few seconds)", binaries.Version, h.dir))
	if err := h.removeUnfinished(); err != nil {
		return err
	}
	if err := h.makePassword(); err != nil {
		return err
	}
	var err error
	for _, locale := range locales(binaries.Version) {
		var dir string
		if dir, err = h.initdb(ctx, binaries, locale, opts); err == nil {
			return h.adopt(dir)
		}
		// initdb takes away what it wrote, but not the directory, which was there before.
		if dir != "" {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		if !strings.Contains(err.Error(), "locale") { // the next one would fail alike
			break
		}
	}
	return err
}

const unfinished = "data.unfinished-"

func (h *home) removeUnfinished() error {
	left, err := filepath.Glob(h.path(unfinished + "*"))
	if err != nil {
		return fmt.Errorf("looking for unfinished clusters: %w", err)
	}
	for _, dir := range left {
		if err := removeWhenLeft(dir); err != nil {
			return fmt.Errorf("removing an unfinished cluster: %w", err)
		}
	}
	return nil
}

// removeWhenLeft gives the initdb of an archiver that was killed just now a few seconds to end: it
// may still be writing.
func removeWhenLeft(dir string) error {
	for attempt := 0; ; attempt++ {
		err := errors.New("an initdb is still running there")
		if processIn(dir, "postgres") == 0 {
			err = os.RemoveAll(dir)
		}
		if err == nil || attempt == 100 {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (h *home) makePassword() error {
	secret := make([]byte, 24)
	_, _ = rand.Read(secret) // never fails
	if err := writeFile(h.path("password"), hex.EncodeToString(secret)+"\n"); err != nil {
		return fmt.Errorf("writing the password of the embedded Postgres: %w", err)
	}
	return nil
}

// locales are the ways to ask for UTF-8 with the order of bytes (the same on every system, and
// fast) and Unicode's upper and lower case, best first. The last one works everywhere; there, lower
// case is ASCII's alone.
func locales(version int) [][]string {
	var list [][]string
	if version >= 17 {
		list = append(list, []string{"--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"})
	}
	return append(list, []string{"--no-locale", "--lc-ctype=C.UTF-8"}, []string{"--no-locale"})
}

// initdb makes a cluster in a directory of its own. With an error it names the directory that it leaves, if it is done
// with it.
func (h *home) initdb(ctx context.Context, binaries Binaries, locale []string, opts Options) (dir string, err error) {
	dir, err = os.MkdirTemp(h.dir, unfinished)
	if err != nil {
		return "", fmt.Errorf("making a directory for the cluster: %w", err)
	}
	passwordFile, err := h.lendPassword()
	if err != nil {
		return "", err
	}
	defer os.Remove(passwordFile)
	if err := h.account.own(dir); err != nil {
		return "", fmt.Errorf("giving the cluster to the account %s: %w", h.account.name, err)
	}

	args := []string{
		"--pgdata=" + dir, "--username=" + role, "--pwfile=" + passwordFile, "--auth=scram-sha-256",
		"--encoding=UTF8", "--data-checksums", "--no-instructions",
	}
	if opts.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	cmd := h.command(filepath.Join(binaries.Dir, "initdb"), append(args, locale...), nil)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 5 * time.Second // its own child may hold on to the output when it was stopped
	p, err := startProcess(cmd)
	if err != nil {
		return "", fmt.Errorf("starting initdb: %w", err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		return "", errors.Join(fmt.Errorf("creating the Postgres cluster: %w", ctx.Err()), p.stop())
	}
	if p.err != nil {
		return dir, fmt.Errorf("creating the Postgres cluster: initdb: %w: %s", p.err, lastLines(output.String()))
	}
	return dir, nil
}

// lendPassword copies the password to where initdb, under the server's account, can read it.
func (h *home) lendPassword() (path string, err error) {
	password, err := h.readPassword()
	if err != nil {
		return "", err
	}
	path = h.path("password.initdb")
	if err := errors.Join(writeFile(path, password+"\n"), h.account.own(path)); err != nil {
		return "", fmt.Errorf("handing the password to initdb: %w", err)
	}
	return path, nil
}

// tuning is appended to postgresql.conf once; from then on it is the user's to change.
const tuning = `
# Set by archiver when it created this cluster; change it as you like.
timezone = 'UTC'
wal_compression = lz4
max_wal_size = 2GB
checkpoint_timeout = 15min
`

// adopt makes a finished cluster the data directory.
func (h *home) adopt(dir string) error {
	conf, err := os.OpenFile(filepath.Join(dir, "postgresql.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("configuring the cluster: %w", err)
	}
	_, err = conf.WriteString(tuning)
	if err := errors.Join(err, conf.Sync(), conf.Close()); err != nil {
		return fmt.Errorf("configuring the cluster: %w", err)
	}
	if err := h.makeSocketDir(); err != nil {
		return err
	}
	if err := os.Rename(dir, h.data()); err != nil {
		return fmt.Errorf("moving the finished cluster into place: %w", err)
	}
	if err := syncDir(h.dir); err != nil {
		return fmt.Errorf("moving the finished cluster into place: %w", err)
	}
	return nil
}

func (h *home) makeSocketDir() error {
	err := os.Mkdir(h.path("socket"), 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the directory of the unix socket: %w", err)
	}
	if err := h.account.own(h.path("socket")); err != nil {
		return fmt.Errorf("making the directory of the unix socket: %w", err)
	}
	return nil
}

// syncDir makes names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil // not every file system knows it
	}
	return errors.Join(err, dir.Close())
}

// isReady says whether the server of this pid accepts connections, as it reports itself in
// postmaster.pid: pid, data directory, start time, port, socket directory, address, shared memory
// key, status.
func (h *home) isReady(pid int) bool {
	lines := h.postmasterLines()
	return len(lines) >= 8 && lines[0] == fmt.Sprint(pid) && lines[7] == "ready"
}

func (h *home) postmasterLines() []string {
	text, err := os.ReadFile(filepath.Join(h.data(), "postmaster.pid"))
	if err != nil {
		return nil // no server, or one that is just ending
	}
	lines := strings.Split(string(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return lines
}

// serverLogBytes is where the server's log starts anew: at a start, and while it runs (checked
// every minute) at eight times that.
const serverLogBytes = 8 << 20

// serverLog is the file that the server writes to, and where this start of it begins.
type serverLog struct {
	*os.File
	begin int64
}

func (h *home) openServerLog() (*serverLog, error) {
	path := h.path("server.log")
	if info, err := os.Stat(path); err == nil && info.Size() > serverLogBytes {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, fmt.Errorf("setting the old server log aside: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the server log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the server log: %w", err), f.Close())
	}
	return &serverLog{File: f, begin: info.Size()}, nil
}

func (l *serverLog) tail() string {
	f, err := os.Open(l.Name())
	if err != nil {
		return "(the log cannot be read)"
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	n, _ := f.ReadAt(buf, l.begin) // short is the rule
	return lastLines(string(buf[:n]))
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}

// boundServerLog empties the log when it has become too large while the server runs. The server
// appends, so it goes on at the new end.
func (h *home) boundServerLog(stopped <-chan struct{}) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-stopped:
			return
		case <-tick.C:
			path := h.path("server.log")
			if info, err := os.Stat(path); err == nil && info.Size() > 8*serverLogBytes {
				_ = os.Truncate(path, 0) // tried again in a minute
			}
		}
	}
}
