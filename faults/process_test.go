//go:build linux

package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the archiver with its failpoints, built once.
var binary struct {
	sync.Once
	path string
	err  error
}

// TestMain runs more tests at once than there are processors: they mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("4") // a number is all it takes
	}
	code := m.Run()
	if binary.path != "" {
		_ = os.RemoveAll(filepath.Dir(binary.path))
	}
	os.Exit(code)
}

func archiver(t *testing.T) string {
	t.Helper()
	binary.Do(func() {
		dir, err := os.MkdirTemp("", "archiver-faults-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "archiver")
		out, err := exec.Command("go", "build", "-tags", "faults", "-o", binary.path, "archiver/cmd/archiver").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("building the archiver: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// process is one run of the archiver.
type process struct {
	s     *stage
	cmd   *exec.Cmd
	log   *output
	ended chan struct{}
	http  *http.Client
}

// start runs archiver ingest. More environment wins over the stage's.
func (s *stage) start(environment ...string) *process {
	s.t.Helper()
	cmd := exec.Command(archiver(s.t), "ingest")
	cmd.Env = append(s.environment(), environment...)
	p := &process{
		s: s, cmd: cmd, log: &output{}, ended: make(chan struct{}),
		http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.logs = append(s.logs, p.log)
	go func() {
		_ = cmd.Wait() // how it ended is read from its state
		close(p.ended)
	}()
	var listening sync.WaitGroup
	listening.Go(p.listen)
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill() // fails only when it has ended
		<-p.ended
		listening.Wait()
		if s.t.Failed() {
			s.t.Logf("the log of process %d:\n%s", cmd.Process.Pid, p.log.tail(6_000))
		}
	})
	return p
}

// environment is what every run of the archiver is given, with all that it can log.
func (s *stage) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "INVENT_API_KEY=" + canaryKey, "INVENT_API_URL=" + s.url,
		"INVENT_ORG=" + s.org, "DATABASE_URL=" + s.databaseURL, "ARCHIVER_SPOOL_DIR=" + s.spoolDir,
		"ARCHIVER_DATA_DIR=" + filepath.Dir(s.spoolDir), "ARCHIVER_LISTEN=127.0.0.1:0", "ARCHIVER_LOG_LEVEL=debug",
		"ARCHIVER_SPOOL_MAX_BYTES=200MiB", "ARCHIVER_MAX_FRAME_BYTES=1MiB", "ARCHIVER_RECONCILE=off",
	}
}

// listen asks the process for all that it answers over HTTP, again and again until it ends, whatever is done to it.
func (p *process) listen() {
	for {
		select {
		case <-p.ended:
			return
		case <-time.After(100 * time.Millisecond):
		}
		if p.address() == "" {
			continue
		}
		for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
			_, _, _ = p.ask(path) // a process that is killed, stopped or ends does not answer
		}
	}
}

func (p *process) signal(signal syscall.Signal) {
	p.s.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.s.t.Fatalf("sending %v: %v", signal, err)
	}
}

// exit waits for the end of the process: the exit code, or -1 when a signal ended it.
func (p *process) exit() int {
	p.s.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(90 * time.Second):
		p.s.t.Fatal("waited 90 s in vain for the archiver to end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// stop ends the process as an operator would, and expects that it ends in good order.
func (p *process) stop() {
	p.s.t.Helper()
	p.get("/metrics")
	p.get("/readyz")
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 {
		p.s.t.Errorf("after SIGTERM the archiver exits with %d, want 0", code)
	}
}

// stopped waits until the process is stopped by SIGSTOP.
func (p *process) stopped() {
	p.s.t.Helper()
	p.s.wait("the process to be stopped", func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err == nil && strings.HasPrefix(rest, "T")
	})
}

// openFiles is how many file descriptors the process has open.
func (p *process) openFiles() int {
	p.s.t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	if err != nil {
		p.s.t.Fatal(err)
	}
	return len(entries)
}

// metric is the value of a metric without labels, or of the first with them.
func (p *process) metric(name string) (value float64) {
	p.s.t.Helper()
	text := p.get("/metrics")
	m := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		p.s.t.Fatalf("there is no metric %s", name)
	}
	if _, err := fmt.Sscan(m[1], &value); err != nil {
		p.s.t.Fatal(err)
	}
	return value
}

// readiness is what /readyz says.
type readiness struct {
	Reasons  []string `json:"reasons"`
	Received int64    `json:"received_frames"`
	Pending  int64    `json:"pending_events"`
}

// ready asks /readyz; 0 when nobody answers.
func (p *process) ready() (code int, r readiness) {
	p.s.t.Helper()
	code, body, err := p.ask("/readyz")
	if err != nil || json.Unmarshal(body, &r) != nil {
		return 0, r
	}
	return code, r
}

func (p *process) get(path string) string {
	p.s.t.Helper()
	p.s.wait("the archiver to say where it is ready", func() bool { return p.address() != "" })
	_, body, err := p.ask(path)
	if err != nil {
		p.s.t.Fatal(err)
	}
	return string(body)
}

// ask asks the process, and has the answer looked through for what nobody may be told.
func (p *process) ask(path string) (code int, body []byte, err error) {
	address := p.address()
	if address == "" {
		return 0, nil, errors.New("the process has not said yet where it answers")
	}
	resp, err := p.http.Get("http://" + address + path)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil, err
	}
	p.s.heard.add(path, string(body))
	return resp.StatusCode, body, nil
}

// hearing is what processes answered: how much, and what was told that nobody may be told.
type hearing struct {
	mu     sync.Mutex
	asked  map[string]int // by path
	unduly []string
}

func (h *hearing) add(path, body string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if tale := tells(path, body); tale != "" {
		h.unduly = append(h.unduly, tale)
	}
	if path == "/metrics" && !strings.Contains(body, "archiver_received_frames_total") {
		return // of a process that has just begun, and has received nothing
	}
	if h.asked == nil {
		h.asked = map[string]int{}
	}
	h.asked[path]++
}

func (h *hearing) counts() (answers, metrics, readiness int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.asked {
		answers += n
	}
	return answers, h.asked["/metrics"], h.asked["/readyz"]
}

func (h *hearing) tales() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unduly
}

var readyAt = regexp.MustCompile(`"ready_at":"http://([^/"]+)/readyz"`)

func (p *process) address() string {
	if m := readyAt.FindStringSubmatch(p.log.String()); m != nil {
		return m[1]
	}
	return ""
}

// says waits until the log says something.
func (p *process) says(what string) {
	p.s.t.Helper()
	p.s.wait(fmt.Sprintf("the archiver to say %q", what), func() bool { return strings.Contains(p.log.String(), what) })
}

// killedItself expects that a failpoint has ended the process.
func (p *process) killedItself() error {
	p.s.t.Helper()
	p.exit()
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return errors.New("the archiver ended with " + p.cmd.ProcessState.String() + ", want that its failpoint killed it")
	}
	return nil
}

// output is what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) tail(n int) string {
	text := o.String()
	return text[max(0, len(text)-n):]
}
