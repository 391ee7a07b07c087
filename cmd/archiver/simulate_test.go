package main

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var curlCommand = regexp.MustCompile(`(?m)^ +(curl .*)$`)

func TestTheSimulatorPrintsCommandsThatWork(t *testing.T) {
	t.Parallel()
	address := unusedAddress(t)
	p := start(t, nil, "simulate", "--listen", address, "--days", "3", "--rate", "200", "--quirks", "nulls,equal-timestamps")
	until(t, "it says how to use it", func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C stops it.") })
	shown := p.stdout.String()
	curl := curlCommand.FindStringSubmatch(shown)
	if curl == nil || !strings.Contains(shown, "archiver ingest --api-url http://"+address) {
		t.Fatalf("the commands are not printed: %s", shown)
	}
	answer, err := exec.Command("sh", "-c", curl[1]).Output()
	if err != nil || !strings.HasPrefix(string(answer), "[{") {
		t.Errorf("%s answers %.100q (%v), want a list of chats", curl[1], answer, err)
	}
	p.stopAndWait()
}

func TestTheSimulatorSendsItsHistoryAtASpeed(t *testing.T) {
	t.Parallel()
	address := unusedAddress(t)
	p := start(t, nil, "simulate", "--listen", address, "--orgs", "1", "--chats", "20", "--days", "2", "--speed", "1000000")
	until(t, "it says how to use it", func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C stops it.") })
	in := start(t, []string{"INVENT_API_KEY=simulator-key", "DATABASE_URL=postgres://x@127.0.0.1:1/x", "ARCHIVER_LISTEN=127.0.0.1:0"},
		"ingest", "--api-url", "http://"+address)
	until(t, "the history is sent", func() bool { return strings.Contains(p.stdout.String(), "The history was sent") })
	http := httpAddress(t, in.stderr)
	until(t, "it is received", func() bool { _, r := ready(t, http); return r.Received > 10 })
	p.stopAndWait()
}

func TestTheSimulatorSendsItsHistoryAndGoesOn(t *testing.T) {
	t.Parallel()
	address := unusedAddress(t)
	p := start(t, nil, "simulate", "--listen", address, "--orgs", "1", "--chats", "20", "--days", "2", "--rate", "100", "--replay")
	until(t, "it says how to use it", func() bool { return strings.Contains(p.stdout.String(), "Ctrl-C stops it.") })
	in := start(t, []string{"INVENT_API_KEY=simulator-key", "DATABASE_URL=postgres://x@127.0.0.1:1/x", "ARCHIVER_LISTEN=127.0.0.1:0"},
		"ingest", "--api-url", "http://"+address)
	sent := regexp.MustCompile(`2 days of history, (\d+) events, were sent`)
	until(t, "the history is sent", func() bool { return sent.MatchString(p.stdout.String()) })
	history, err := strconv.ParseInt(sent.FindStringSubmatch(p.stdout.String())[1], 10, 64)
	if err != nil || history < 20 {
		t.Errorf("%d events of history were sent (%v), want two days' worth", history, err)
	}
	http := httpAddress(t, in.stderr)
	until(t, "more than the history is received", func() bool { _, r := ready(t, http); return r.Received > history+20 })
	p.stopAndWait()
	if o := runToEnd(t, nil, "simulate", "--replay", "--speed", "5"); o.code != exitUsage || !strings.Contains(o.stderr, "--replay") {
		t.Errorf("archiver simulate --replay --speed 5 exits %d with %q, want %d and both flags named", o.code, o.stderr, exitUsage)
	}
}
