//go:build linux

package faults_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// killPoints are the failpoints, in the order of the way of a frame, with how often a point may be passed before it kills:
// small for what happens rarely.
var killPoints = []struct {
	name string
	most int
}{
	{"read", 300},         // the frame is in memory only
	{"torn", 4},           // half of a long record is in the file
	{"written", 300},      // in the file, not fsynced
	{"segment-begun", 2},  // a new segment with nothing in it
	{"fsynced", 60},       // durable, seen by nobody
	{"before-commit", 30}, // the last statements and the commit are about to be sent
	{"after-commit", 30},  // in Postgres; the spool does not know it
	{"before-trim", 30},
	{"after-trim", 30},
	{"segment-deleted", 2},
}

// smallSpool has the spool's segments come and go all the time.
const smallSpool = "ARCHIVER_SPOOL_MAX_BYTES=8MiB"

func TestKilledAtAnyInstructionNothingThatWasSpooledIsLostOrStoredTwice(t *testing.T) {
	t.Parallel()
	kills, seed := number(t, "FAULTS_KILLS", 10), uint64(number(t, "FAULTS_SEED", 1))
	t.Logf("FAULTS_KILLS=%d FAULTS_SEED=%d", kills, seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newStage(t, 300)
	began, killed := time.Now(), map[string]int{}
	order := random.Perm(len(killPoints))
	for i := range kills {
		if i%len(order) == 0 {
			order = random.Perm(len(killPoints))
		}
		point := killPoints[order[i%len(order)]]
		what := fmt.Sprintf("%s=%d:kill", point.name, 1+random.IntN(point.most))
		p := s.start("ARCHIVER_FAILPOINTS="+what, smallSpool)
		if err := p.killedItself(); err != nil {
			t.Fatalf("kill %d, %s: %v", i+1, what, err)
		}
		killed[point.name]++
	}
	p := s.start()
	s.caughtUp(p)
	p.stop()
	t.Logf("killed %d times in %s: %v", kills, time.Since(began).Round(time.Second), killed)
	if kills >= len(killPoints) && len(killed) != len(killPoints) {
		t.Errorf("killed at %d points, want each of the %d", len(killed), len(killPoints))
	}
	s.verdict()
}

// Pages of the lists are on the spool like frames. A repair that was cut off begins anew.
func TestARepairThatIsKilledAgainAndAgainIsMadeInTheEnd(t *testing.T) {
	t.Parallel()
	s := newStage(t, 50)
	repairing := []string{"ARCHIVER_RECONCILE=auto", "ARCHIVER_RECONCILE_RPM=60000", smallSpool}
	for n := range 6 {
		point := []string{"before-commit", "after-commit", "fsynced"}[n%3]
		p := s.start(append(repairing, fmt.Sprintf("ARCHIVER_FAILPOINTS=%s=%d:kill", point, 3+2*n))...)
		if err := p.killedItself(); err != nil {
			t.Fatal(err)
		}
	}
	p := s.start(repairing...)
	s.wait("every gap to be repaired", func() bool {
		return s.count("select count(*) from ops.gaps where ended_at is null or status <> 'repaired'") == 0
	})
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where status = 'repaired'"); n == 0 {
		t.Error("no gap was repaired, want one for each process that was killed after it had listened")
	}
	if n := s.count("select count(*) from raw.events where source = 'rest'"); n == 0 {
		t.Error("no page of a list is in raw.events")
	}
	s.verdict()
}

func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, want a number", variable, text)
	}
	return n
}
