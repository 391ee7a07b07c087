package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// feed is the process that runs Feed.
type feed struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	address string
}

func startFeed(ctx context.Context, program string) (*feed, error) {
	cmd := exec.CommandContext(ctx, program, "bench-feed")
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the frames' server: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the frames' server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the frames' server: %w", err)
	}
	f := &feed{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		f.stop()
		return nil, fmt.Errorf("starting the frames' server: reading its address: %w", err)
	}
	f.address = strings.TrimSpace(line)
	return f, nil
}

func (f *feed) stop() {
	f.stdin.Close() // which ends it
	_ = f.cmd.Wait()
}

// play plays a reel and returns when all of it is written. A rate of 0 is as fast as it is read.
func (f *feed) play(ctx context.Context, r *reel, rate float64) (p played, err error) {
	query := url.Values{"reel": {r.dir}, "rate": {fmt.Sprint(rate)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.address+"/play?"+query.Encode(), nil)
	if err != nil {
		return p, fmt.Errorf("playing frames: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return p, fmt.Errorf("playing frames: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		return p, fmt.Errorf("playing frames: %w", err)
	}
	return p, nil
}

// archiver is a process that runs `archiver ingest`.
type archiver struct {
	cmd     *exec.Cmd
	log     *output
	ended   chan struct{}
	address string // of /metrics and /readyz
}

// archive is where an archiver puts things.
type archive struct {
	database   string // its address
	dir        string // for the spool
	orgs       []string
	lanes      int
	facts      bool   // whether schema analytics is kept up to date as well
	profileDir string // empty for no profiles
}

var onOff = map[bool]string{true: "on", false: "off"}

var readyAt = regexp.MustCompile(`"ready_at":"http://([^/"]+)/readyz"`)

func startArchiver(ctx context.Context, program string, f *feed, a archive) (*archiver, error) {
	cmd := exec.CommandContext(ctx, program, "ingest")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "INVENT_API_KEY=bench", "INVENT_API_URL=http://" + f.address,
		"INVENT_ORG=" + strings.Join(a.orgs, ","), "DATABASE_URL=" + a.database, "ARCHIVER_DATA_DIR=" + a.dir,
		"ARCHIVER_LISTEN=127.0.0.1:0", "ARCHIVER_LOG_FORMAT=json", "ARCHIVER_RECONCILE=off", "ARCHIVER_LANES=" + strconv.Itoa(a.lanes),
		"ARCHIVER_FACTS=" + onOff[a.facts], "ARCHIVER_PROFILE_DIR=" + a.profileDir,
	}
	p := &archiver{cmd: cmd, log: &output{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the archiver: %w", err)
	}
	go func() {
		_ = cmd.Wait() // how it ended is read from its state
		close(p.ended)
	}()
	for giveUp := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if m := readyAt.FindStringSubmatch(p.log.String()); m != nil {
			p.address = m[1]
			return p, nil
		}
		select {
		case <-p.ended:
			return nil, fmt.Errorf("starting the archiver: it ended with %s; its log:\n%s", cmd.ProcessState, p.log)
		default:
		}
		if time.Now().After(giveUp) {
			p.kill()
			return nil, fmt.Errorf("starting the archiver: it has not said in 30 s where it is ready; its log:\n%s", p.log)
		}
	}
}

func (p *archiver) pid() int { return p.cmd.Process.Pid }

func (p *archiver) kill() {
	_ = p.cmd.Process.Kill() // fails only when it has ended
	<-p.ended
}

// stop ends it in good order.
func (p *archiver) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended, which its exit code tells
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		p.kill()
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("the archiver ended with %s; its log:\n%s", p.cmd.ProcessState, p.log)
	}
	return nil
}

// status is a part of what /readyz says.
type status struct {
	Received  int64 `json:"received_frames"`
	Committed int64 `json:"committed_events"`
	Pending   int64 `json:"pending_events"`
}

func (p *archiver) status(ctx context.Context) (s status, err error) {
	body, err := p.get(ctx, "/readyz")
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, fmt.Errorf("reading the archiver's /readyz: %w", err)
	}
	return s, nil
}

// metrics are the archiver's metrics by name; those with labels are added up.
func (p *archiver) metrics(ctx context.Context) (map[string]float64, error) {
	body, err := p.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	metrics := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			return nil, fmt.Errorf("reading the archiver's /metrics: %w", err)
		}
		name, _, _ := strings.Cut(line[:at], "{")
		metrics[name] += value
	}
	return metrics, nil
}

func (p *archiver) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, nil)
	if err != nil {
		return nil, fmt.Errorf("asking the archiver: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("asking the archiver: %w; its log:\n%s", err, p.log))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("asking the archiver for %s: %w", path, err)
	}
	return body, nil
}

// patience is how long an archiver may make no headway before that is a failure.
const patience = 2 * time.Minute

// await waits until so many events are committed since the archiver's start, looking every so often.
func (p *archiver) await(ctx context.Context, events int64, every time.Duration) error {
	last, at := int64(-1), time.Now()
	for {
		s, err := p.status(ctx)
		switch {
		case err != nil:
			return err
		case s.Committed >= events:
			return nil
		case s.Committed != last:
			last, at = s.Committed, time.Now()
		case time.Since(at) > patience:
			return fmt.Errorf("the archiver has committed %d events of %d and no more for %s; its log:\n%s", last, events, patience, p.log)
		}
		if err := sleepUntil(ctx, time.Now().Add(every)); err != nil {
			return err
		}
	}
}

// output is the last that a process wrote.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const outputBytes = 256 << 10

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > outputBytes {
		o.buf.Next(outputBytes / 2)
	}
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// spoolIn makes a directory for an archiver's spool.
func spoolIn(dir string) (string, error) {
	path, err := os.MkdirTemp(dir, "archiver-")
	if err != nil {
		return "", fmt.Errorf("making a directory for the spool: %w", err)
	}
	return filepath.Clean(path), nil
}
