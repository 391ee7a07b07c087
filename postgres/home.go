package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// home is the directory of the embedded server, held by this process as long as the lock is.
type home struct {
	dir     string
	account account
	lock    *os.File
}

// openHome makes the directory when absent, finds the account the server is to run as and takes
// the lock.
func openHome(dir string) (*home, error) {
	if dir == "" {
		return nil, errors.New("the embedded Postgres needs a directory")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the directory of the embedded Postgres: %w", err)
	}
	h := &home{dir: dir}
	if h.account, err = serverAccount(h.data()); err != nil {
		return nil, err
	}
	if err := h.makeDir(); err != nil {
		return nil, err
	}
	if err := h.account.checkReachable(dir); err != nil {
		return nil, err
	}
	if err := h.takeLock(); err != nil {
		return nil, err
	}
	return h, nil
}

// makeDir creates the directory. Where the server runs under another account than ours, that one
// may pass through it to what it owns inside; the rest of it stays ours.
func (h *home) makeDir() error {
	mode := fs.FileMode(0o700)
	if h.account.switches() {
		mode = 0o711
	}
	if err := os.MkdirAll(filepath.Dir(h.dir), 0o755); err != nil {
		return fmt.Errorf("making the directory of the embedded Postgres: %w", err)
	}
	err := os.Mkdir(h.dir, mode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the directory of the embedded Postgres: %w", err)
	}
	// It may have been made by an ordinary user or under a stricter umask.
	if h.account.switches() {
		if err := os.Chmod(h.dir, mode); err != nil {
			return fmt.Errorf("opening the directory of the embedded Postgres to the account %s: %w", h.account.name, err)
		}
	}
	return nil
}

// takeLock makes this process the only owner. The kernel releases the lock with the process, and
// the server does not inherit it.
func (h *home) takeLock() error {
	lock, err := os.OpenFile(h.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("locking the directory of the embedded Postgres: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		owner, _ := os.ReadFile(h.path("lock")) // best effort: it is only said
		lock.Close()
		return fmt.Errorf("another archiver (process %s) runs the embedded Postgres in %s: stop it, use another --data-dir, or set DATABASE_URL to its database",
			strings.TrimSpace(string(owner)), h.dir)
	}
	if err != nil {
		lock.Close()
		return fmt.Errorf("locking the directory of the embedded Postgres %s: %w", h.dir, err)
	}
	if err := errors.Join(lock.Truncate(0), writeAt(lock, strconv.Itoa(os.Getpid())+"\n")); err != nil {
		lock.Close()
		return fmt.Errorf("writing to the directory of the embedded Postgres: %w", err)
	}
	h.lock = lock
	return nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

func (h *home) unlock() { _ = h.lock.Close() } // closing is what releases it

func (h *home) path(name string) string { return filepath.Join(h.dir, name) }

func (h *home) data() string { return h.path("data") }

// clusterVersion is the major version that wrote the cluster; 0 when there is no cluster yet.
func (h *home) clusterVersion() (int, error) {
	text, err := os.ReadFile(filepath.Join(h.data(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(h.data()); err == nil {
			return 0, fmt.Errorf("%s exists but is no Postgres cluster (it has no PG_VERSION): move it away or use another --data-dir", h.data())
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the version of the Postgres cluster: %w", err)
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("reading the version of the Postgres cluster in %s: PG_VERSION is %q", h.data(), text)
	}
	return version, nil
}

// command prepares one of Postgres' programs to run as the server's account. Both of its outputs
// go to out.
func (h *home) command(program string, args []string, out *os.File) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = h.dir // the account may not be let into ours
	cmd.Env = environment()
	if out != nil {
		cmd.Stdout, cmd.Stderr = out, out
	}
	cmd.SysProcAttr = attributes(h.account.credential())
	return cmd
}

// environment is ours without the settings of clients and servers, in plain C messages (the log is
// read by people who search for them), and without secrets that are none of the server's business.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// socketDir is where the unix socket goes; empty where its path would not fit into a socket
// address (104 bytes on macOS, 108 on Linux, a zero at the end).
func (h *home) socketDir() string {
	dir := h.path("socket")
	if len(filepath.Join(dir, ".s.PGSQL.65535")) >= 104 || strings.ContainsAny(dir, `,"`) {
		return ""
	}
	return dir
}

// lastPort is the port of the last start; 0 when unknown.
func (h *home) lastPort() int {
	text, err := os.ReadFile(h.path("port"))
	if err != nil {
		return 0 // only a convenience: another port does
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || port < 1024 || port > 65535 {
		return 0
	}
	return port
}

func (h *home) rememberPort(port int) error {
	if err := writeFile(h.path("port"), strconv.Itoa(port)+"\n"); err != nil {
		return fmt.Errorf("remembering the port of the embedded Postgres: %w", err)
	}
	return nil
}

func (h *home) readPassword() (string, error) {
	text, err := os.ReadFile(h.path("password"))
	if err != nil {
		return "", fmt.Errorf("reading the password of the embedded Postgres (it is made with the cluster and belongs to it): %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// writeFile replaces a file of ours as a whole.
func writeFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
