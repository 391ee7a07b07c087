package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain also is the archiver that the tests start, stop and kill: with PGTEST_DIR set it only
// runs the embedded server there, says how that went, and closes it at the end of its input.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PGTEST_DIR"); dir != "" {
		useGuard = useGuard || os.Getenv("PGTEST_GUARD") != ""
		os.Exit(beArchiver(dir))
	}
	code := m.Run()
	if preparedDir != "" {
		_ = os.RemoveAll(preparedDir)
	}
	os.Exit(code)
}

func beArchiver(dir string) int {
	s, err := Start(context.Background(), Options{
		Dir: dir, Settings: fast,
		Progress: func(message string) { fmt.Println("progress", message) },
	})
	if err != nil {
		fmt.Println("error", strings.ReplaceAll(err.Error(), "\n", " "))
		return 1
	}
	fmt.Println("ready", s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	if err := s.Close(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

// fast is for clusters that nobody needs after the test.
var fast = map[string]string{"fsync": "off", "autovacuum": "off"}

// who runs an archiver in a test.
type who struct {
	name       string
	credential *syscall.Credential // nil: as this process
}

// everyone is this process' own user, and as root an ordinary user as well.
func everyone(t *testing.T) []who {
	t.Helper()
	if os.Geteuid() != 0 {
		return []who{{name: "ordinary user"}}
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatalf("as root these tests also run as the user nobody: %v", err)
	}
	nobody, err := accountOf(u)
	if err != nil {
		t.Fatal(err)
	}
	return []who{{name: "root"}, {name: "ordinary user", credential: &syscall.Credential{Uid: nobody.uid, Gid: nobody.gid}}}
}

// memory is where clusters are fastest, if it has room for those of these tests; else the default.
func memory() string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &stat); err != nil || uint64(stat.Bavail)*uint64(stat.Bsize) < 2<<30 {
		return ""
	}
	return "/dev/shm"
}

// emptyDir is a directory that every account may pass through, unlike t.TempDir, and that belongs
// to w.
func emptyDir(t *testing.T, w who) string {
	t.Helper()
	dir, err := os.MkdirTemp(memory(), "archiver-postgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the test's directory: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if w.credential != nil {
		if err := os.Chown(dir, int(w.credential.Uid), int(w.credential.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// archiver is a process of this test binary that runs the embedded server.
type archiver struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines chan string // what it says, closed at its end
	url   string
}

// startArchiver starts the process; env may hold PGTEST_GUARD=1.
func startArchiver(t *testing.T, w who, dir string, env ...string) *archiver {
	t.Helper()
	cmd := exec.Command(executable(t, w))
	cmd.Env = append(append(os.Environ(), "PGTEST_DIR="+dir), env...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: w.credential}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	a := &archiver{cmd: cmd, stdin: stdin, lines: make(chan string, 100)}
	go func() {
		defer close(a.lines)
		for scanner := bufio.NewScanner(stdout); scanner.Scan(); {
			a.lines <- scanner.Text()
		}
	}()
	t.Cleanup(a.close)
	return a
}

// running starts the process and waits until its server accepts connections.
func running(t *testing.T, w who, dir string, env ...string) *archiver {
	t.Helper()
	a := startArchiver(t, w, dir, env...)
	a.url = a.await(t, "ready")
	return a
}

// await returns the rest of the next line that begins with a word.
func (a *archiver) await(t *testing.T, word string) string {
	t.Helper()
	var seen []string
	for line := range a.lines {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			return rest
		}
		seen = append(seen, line)
	}
	t.Fatalf("the archiver should have said %q, it said:\n%s", word, strings.Join(seen, "\n"))
	return ""
}

func (a *archiver) close() {
	_ = a.stdin.Close()
	for range a.lines { // to the end
	}
	_ = a.cmd.Wait() // the test has seen how it went
}

func (a *archiver) kill() {
	_ = a.cmd.Process.Kill()
	for range a.lines {
	}
	_ = a.cmd.Wait()
}

// executable is this test binary, in a place where w can reach it.
func executable(t *testing.T, w who) string {
	t.Helper()
	if w.credential == nil {
		return os.Args[0]
	}
	dir, err := os.MkdirTemp(memory(), "archiver-postgres-test-bin-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "archiver")
	if err := errors.Join(os.Chmod(dir, 0o755), copyFile(path, os.Args[0])); err != nil {
		t.Fatal(err)
	}
	return path
}

// copyFile copies a program. No other test may start a process meanwhile: it would inherit the open
// file for a moment, and a file that is open for writing cannot be executed.
func copyFile(to, from string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

var preparedDir string

// prepared makes one cluster, of which tests take copies: a copy is faster than an initdb.
var prepared = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp(memory(), "archiver-postgres-test-")
	if err != nil {
		return "", err
	}
	preparedDir = dir
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	s, err := Start(context.Background(), Options{Dir: filepath.Join(dir, "pg"), Settings: fast})
	if err != nil {
		return "", err
	}
	home := filepath.Join(dir, "pg")
	return home, errors.Join(s.Close(), os.Remove(filepath.Join(home, "port")))
})

// existingCluster is the directory of a server that has run before, for this process' user.
func existingCluster(t *testing.T) string {
	t.Helper()
	return existingClusterOf(t, who{})
}

func existingClusterOf(t *testing.T, w who) string {
	t.Helper()
	home, err := prepared()
	if err != nil {
		t.Fatalf("preparing a cluster: %v", err)
	}
	dir := filepath.Join(emptyDir(t, w), "pg")
	if out, err := exec.Command("cp", "-a", home, dir).CombinedOutput(); err != nil {
		t.Fatalf("copying the prepared cluster: %v: %s", err, out)
	}
	if w.credential != nil {
		owner := fmt.Sprintf("%d:%d", w.credential.Uid, w.credential.Gid)
		if out, err := exec.Command("chown", "-R", owner, dir).CombinedOutput(); err != nil {
			t.Fatalf("handing the copy over: %v: %s", err, out)
		}
	}
	return dir
}

// mustStart starts a server in this process and closes it at the end of the test.
func mustStart(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Dir: dir, Settings: fast})
	if err != nil {
		t.Fatalf("the server should have started: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	return s
}

// query runs one statement over a connection of its own and returns its value as text.
func query(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connecting to the server: %v", err)
	}
	defer conn.Close(context.Background())
	var value *string
	err = conn.QueryRow(t.Context(), sql).Scan(&value)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s: %v", sql, err)
	}
	if value == nil {
		return ""
	}
	return *value
}

// serverPid reads the pid of the server that runs, or ran, in a directory.
func serverPid(t *testing.T, dir string) int {
	t.Helper()
	var pid int
	lines := (&home{dir: dir}).postmasterLines()
	if len(lines) == 0 {
		t.Fatalf("%s should have a postmaster.pid", dir)
	}
	if _, err := fmt.Sscan(lines[0], &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func eventually(condition func() bool) bool {
	for range 600 {
		if condition() {
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("there should be an error that says %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error should say %q: %v", part, err)
		}
	}
}
