package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"archiver/simulator"

	"github.com/jackc/pgx/v5/pgxpool"
)

// asProgram makes the test binary be the program itself, so that tests can start it as a process and signal it.
const asProgram = "ARCHIVER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what must happen; it is only used up where something is broken.
const patience = 60 * time.Second

// canaryKey is the API key in all tests: no output may hold it.
const canaryKey = "canary-5f0e6c1d-key"

// output is what a run has written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// outcome is how a run ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// runToEnd runs the program in this process until it ends by itself.
func runToEnd(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	p := start(t, env, args...)
	return p.wait()
}

// started is a run of the program in this process.
type started struct {
	t              *testing.T
	args           []string
	stdout, stderr *output
	stop           context.CancelFunc // the first signal
	done           chan int
}

func start(t *testing.T, env []string, args ...string) *started {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	p := &started{t: t, args: args, stdout: &output{}, stderr: &output{}, stop: stop, done: make(chan int, 1)}
	environ := append([]string{"PATH=" + os.Getenv("PATH"), "ARCHIVER_DATA_DIR=" + t.TempDir()}, env...)
	go func() { p.done <- run(ctx, args, environ, p.stdout, p.stderr) }()
	t.Cleanup(func() {
		stop()
		if t.Failed() {
			t.Logf("archiver %s wrote to stdout:\n%s\nand to stderr:\n%s", strings.Join(args, " "), p.stdout, p.stderr)
		}
	})
	return p
}

func (p *started) wait() outcome {
	p.t.Helper()
	select {
	case code := <-p.done:
		return outcome{code, p.stdout.String(), p.stderr.String()}
	case <-time.After(patience):
		p.t.Fatalf("archiver %s has not ended after %s", strings.Join(p.args, " "), patience)
		return outcome{}
	}
}

// stopAndWait stops it in good order, which must succeed.
func (p *started) stopAndWait() outcome {
	p.t.Helper()
	p.stop()
	o := p.wait()
	if o.code != exitDone {
		p.t.Errorf("archiver %s exits %d when it is told to stop, want %d", strings.Join(p.args, " "), o.code, exitDone)
	}
	return o
}

// until waits for something to become true.
func until(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !isSo(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// process is the program as a process of its own.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stderr *output
	done   chan error
}

func startProcess(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0], args...), stderr: &output{}, done: make(chan error, 1)}
	p.cmd.Env = append([]string{asProgram + "=1", "PATH=" + os.Getenv("PATH"), "ARCHIVER_DATA_DIR=" + t.TempDir()}, env...)
	p.cmd.Stdout, p.cmd.Stderr = io.Discard, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("starting the program: %v", err)
	}
	go func() { p.done <- p.cmd.Wait() }()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		if t.Failed() {
			t.Logf("archiver %s wrote to stderr:\n%s", strings.Join(args, " "), p.stderr)
		}
	})
	return p
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signalling the program: %v", err)
	}
}

// wait is the exit code; -1 when it was killed.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("the program has not ended after %s", patience)
		return -1
	}
}

// inbox is a simulated Invent on a real socket.
type inbox struct {
	t      *testing.T
	world  *simulator.World
	server *simulator.Server
	url    string
	orgs   []string
}

// newInbox serves a world; canaryKey opens all of its organizations, and belongs to the first.
func newInbox(t *testing.T, options simulator.ServerOptions) *inbox {
	t.Helper()
	in := &inbox{t: t, world: simulator.NewWorld(simulator.Config{Seed: 5, Chats: 30})}
	for _, org := range in.world.Orgs() {
		in.orgs = append(in.orgs, org.ID)
	}
	if options.Keys == nil {
		options.Keys = map[string]string{canaryKey: in.orgs[0]}
	}
	in.server = simulator.NewServer(in.world, options)
	in.server.FastForward(in.world.Now().AddDate(0, 0, 2)) // else the lists are empty, and c stands for nothing
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listening for the simulator: %v", err)
	}
	in.url = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- in.server.Run(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the simulator: %v", err)
		}
	})
	return in
}

// play sends at least the next n frames of the orgs to the clients that are connected, and returns when they are written.
func (in *inbox) play(n int, orgs ...string) {
	in.t.Helper()
	ctx, stop := context.WithTimeout(in.t.Context(), patience)
	defer stop()
	end := in.world.Now()
	for want := in.sent(orgs...) + n; in.sent(orgs...) < want; {
		end = end.Add(time.Hour)
		if _, err := in.server.PlayUntil(ctx, end); err != nil {
			in.t.Fatalf("playing the simulated inbox: %v", err)
		}
	}
}

func (in *inbox) waitForClients(orgs ...string) {
	in.t.Helper()
	ctx, stop := context.WithTimeout(in.t.Context(), patience)
	defer stop()
	for _, org := range orgs {
		if err := in.server.WaitForClients(ctx, org, 1); err != nil {
			in.t.Fatalf("no client of org %s came: %v", org, err)
		}
	}
}

// sent counts the frames of some orgs that were written to a client.
func (in *inbox) sent(orgs ...string) (n int) {
	for _, org := range orgs {
		frames := map[int]bool{}
		for _, frame := range in.server.Ledger(org) {
			if frame.Written {
				frames[frame.Index] = true
			}
		}
		n += len(frames)
	}
	return n
}

// ingesting is the environment of an ingest of this inbox into a database.
func (in *inbox) ingesting(databaseURL string) []string {
	return []string{
		"INVENT_API_KEY=" + canaryKey, "INVENT_API_URL=" + in.url, "DATABASE_URL=" + databaseURL,
		"ARCHIVER_LISTEN=127.0.0.1:0", "ARCHIVER_LOG_LEVEL=debug",
	}
}

func open(t *testing.T, databaseURL string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	if err != nil {
		t.Fatalf("connecting to the test's database: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func rows(t *testing.T, pool *pgxpool.Pool, sql string, args ...any) (n int) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("counting: %s: %v", sql, err)
	}
	return n
}

// httpAddress finds where an ingest that logs JSON answers.
func httpAddress(t *testing.T, log *output) string {
	t.Helper()
	var address string
	until(t, "the log says where /readyz is", func() bool {
		for line := range strings.Lines(log.String()) {
			var entry struct {
				ReadyAt string `json:"ready_at"`
			}
			if json.Unmarshal([]byte(line), &entry) == nil && entry.ReadyAt != "" {
				address = strings.TrimSuffix(entry.ReadyAt, "/readyz")
				return true
			}
		}
		return false
	})
	return address
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return response.StatusCode, string(b)
}

// ready asks /readyz.
func ready(t *testing.T, address string) (int, readiness) {
	t.Helper()
	status, body := get(t, address+"/readyz")
	var r readiness
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatalf("/readyz answers %q, want JSON: %v", body, err)
	}
	return status, r
}

func TestAPipeThatNobodyReadsIsAnErrorAndNoSuddenEnd(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	cmd := exec.Command(os.Args[0], "export", "--help")
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stdout = write
	_ = cmd.Run() // how it ended is in the state
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Exited() {
		t.Errorf("writing to a pipe that nobody reads ended it with %v, want an exit of its own", cmd.ProcessState)
	}
}
