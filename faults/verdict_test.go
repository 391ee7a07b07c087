//go:build linux

package faults_test

import (
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// onTheWay is how long a frame may be under way between the two clocks that are compared: when the simulator dealt it and
// when the archiver heard it. It is one machine with one clock, but a slow one.
const onTheWay = time.Second

// kept is a frame in raw.events.
type kept struct {
	SHA256     [32]byte
	ReceivedAt time.Time
}

// interval is a row of ops.gaps.
type interval struct {
	BeganAt time.Time
	EndedAt *time.Time
}

func (i interval) holds(at time.Time) bool {
	return !i.BeganAt.After(at.Add(onTheWay)) && (i.EndedAt == nil || !i.EndedAt.Before(at.Add(-onTheWay)))
}

// verdict asserts the promise, once all that was sent is written or the archiver has ended.
func (s *stage) verdict() {
	s.t.Helper()
	s.nothingIsStoredTwice()
	s.everyFrameIsKeptOrInAGap()
	s.nothingIsIsolated()
	if code, said := s.rebuildVerify(); code != 0 {
		s.t.Errorf("archiver rebuild --verify exits with %d, want 0: inbox is what raw gives. It says:\n%s", code, said)
	}
	s.nothingIsTold()
}

// everyFrameIsKeptOrInAGap compares the simulator's ledger with the archive. Of each connection the archive has the first
// frames up to one, without a hole; those after it, and those sent while nobody was connected, are in a recorded gap.
func (s *stage) everyFrameIsKeptOrInAGap() {
	s.t.Helper()
	receivedAt := map[[32]byte]time.Time{}
	for _, k := range s.archive() {
		receivedAt[k.SHA256] = k.ReceivedAt
	}
	gaps := collect[interval](s, "select began_at, ended_at from ops.gaps where org_id = $1", s.org)
	recorded := func(from, at time.Time) bool {
		for _, g := range gaps {
			// What was under way when the last frame was kept is lost with the connection, whenever it was sent.
			if g.holds(at) || !g.BeganAt.After(from.Add(onTheWay)) && g.holds(later(from, at)) {
				return true
			}
		}
		return false
	}

	last := map[int]time.Time{} // by connection: when its last kept frame was received
	lost := map[int]bool{}      // by connection: a frame was lost
	var first time.Time         // the first connection
	var written, missed, unheard int
	for _, f := range s.server.Ledger(s.org) {
		at, isKept := receivedAt[f.SHA256]
		switch {
		case f.Connection == 0 && first.IsZero():
		case f.Connection == 0:
			unheard++
			if !isKept && !recorded(f.At, f.At) {
				s.t.Fatalf("frame %d was sent at %s to nobody, and no gap tells of it: %s", f.Index, f.At, describe(gaps))
			}
		case isKept && lost[f.Connection] && !s.isSentTwice:
			s.t.Fatalf("frame %d of connection %d is kept, but one before it is not: a hole", f.Index, f.Connection)
		case isKept:
			written++
			last[f.Connection] = at
		case f.Written:
			missed++
			lost[f.Connection] = true
			if !recorded(last[f.Connection], f.At) {
				s.t.Fatalf("frame %d, sent at %s over connection %d, is not kept (the last that is was received at %s), and no gap tells of it: %s",
					f.Index, f.At, f.Connection, last[f.Connection], describe(gaps))
			}
		}
		if first.IsZero() && f.Connection != 0 {
			first = f.At
		}
	}
	if written == 0 {
		s.t.Fatal("no frame was kept: nothing was tested")
	}
	s.t.Logf("%d frames kept, %d cut off with their connection, %d sent while not connected; %d gaps", written, missed, unheard, len(gaps))
}

// archive is the frames that are stored, each of which must have been sent, and not be there twice.
func (s *stage) archive() []kept {
	s.t.Helper()
	sent := map[[32]byte]int{}
	for _, f := range s.server.Ledger(s.org) {
		sent[f.SHA256]++
	}
	type row struct {
		SHA256     []byte
		ReceivedAt time.Time
	}
	var all []kept
	for _, r := range collect[row](s, "select sha256, received_at from raw.events where org_id = $1 and source = 'socket'", s.org) {
		k := kept{[32]byte(r.SHA256), r.ReceivedAt}
		if sent[k.SHA256]--; sent[k.SHA256] < 0 {
			s.t.Fatalf("the frame received at %s is stored more often than it was sent", r.ReceivedAt)
		}
		all = append(all, k)
	}
	return all
}

func (s *stage) nothingIsStoredTwice() {
	s.t.Helper()
	if n := s.count(`select count(*) from (select from raw.events group by stream_id, seq having count(*) > 1) as twice`); n != 0 {
		s.t.Errorf("%d places of a stream are used twice, want none", n)
	}
	if n := s.count(`select count(*) from raw.events as e where not exists (
		select from ops.streams as s where s.stream_id = e.stream_id and s.committed_seq >= e.seq)`); n != 0 {
		s.t.Errorf("%d events are stored beyond their stream's checkpoint, want none", n)
	}
}

// nothingIsIsolated asserts that no fault of the surroundings was taken for a bad event.
func (s *stage) nothingIsIsolated() {
	s.t.Helper()
	if n := s.count(`select count(*) from raw.events where array_to_string(flaws, ' ') like '%refused by Postgres%'`); n != 0 {
		s.t.Errorf("%d events were isolated, want none: there was no bad one", n)
	}
}

// rebuildVerify compares inbox with what raw gives: 0 when they are equal, 1 and the rows that differ when not.
func (s *stage) rebuildVerify() (code int, said string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), archiver(s.t), "rebuild", "--verify")
	cmd.Env = s.environment()
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); cmd.ProcessState == nil {
		s.t.Fatalf("running archiver rebuild --verify: %v", err)
	}
	s.logs = append(s.logs, out)
	return cmd.ProcessState.ExitCode(), out.tail(6_000)
}

// nothingIsTold looks for the canaries wherever they must not be: what the processes wrote and answered, and the records
// of how it went, ops whole and the flaws of raw.
func (s *stage) nothingIsTold() {
	s.t.Helper()
	for i, log := range s.logs {
		s.tellsNothing(fmt.Sprintf("the output of process %d", i+1), log.String())
	}
	answers, metrics, readiness := s.heard.counts()
	if metrics == 0 || readiness == 0 {
		s.t.Errorf("/metrics was read %d times and /readyz %d times, want both at least once", metrics, readiness)
	}
	s.t.Logf("%d answers over HTTP looked through, %d of them metrics", answers, metrics)
	for _, tale := range s.heard.tales() {
		s.t.Error(tale)
	}
	s.tellsNothing("raw.events.flaws", s.text("select coalesce(string_agg(array_to_string(flaws, ' '), ' '), '') from raw.events"))
	type table struct{ Name string }
	for _, t := range collect[table](s, "select tablename from pg_tables where schemaname = 'ops'") {
		s.tellsNothing("ops."+t.Name, s.text("select coalesce(string_agg(t::text, ' '), '') from ops."+t.Name+" as t"))
	}
}

func (s *stage) tellsNothing(place, text string) {
	s.t.Helper()
	if tale := tells(place, text); tale != "" {
		s.t.Error(tale)
	}
}

// tells says which canary the text of a place has in it, and what is around it; nothing where there is none.
func tells(place, text string) string {
	for _, canary := range []string{canaryKey, canaryText} {
		if at := strings.Index(text, canary); at >= 0 {
			return fmt.Sprintf("%s tells %s: …%s…", place, canary, text[max(0, at-200):min(len(text), at+100)])
		}
	}
	return ""
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func describe(gaps []interval) string {
	var b strings.Builder
	for _, g := range gaps {
		ended := "now"
		if g.EndedAt != nil {
			ended = g.EndedAt.UTC().Format(time.RFC3339Nano)
		}
		fmt.Fprintf(&b, "\n\t%s – %s", g.BeganAt.UTC().Format(time.RFC3339Nano), ended)
	}
	return b.String()
}
