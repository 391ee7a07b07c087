package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sections are the parts of a run, in the order they are run.
var Sections = []string{"work", "latency", "memory", "growth", "rebuild", "idle", "scale", "facts"}

// Config says what to measure. The zero value of all but Archiver is a full run.
type Config struct {
	// Archiver is the path of the program to measure; it also plays the frames.
	Archiver string
	// Dir is where the server, the frames and the spools go, in a directory that is removed at the end; empty is the
	// system's place for temporary files. It should be on the kind of disk that the archive will be on.
	Dir string
	// Only names the sections to run; empty runs all.
	Only []string
	// Quick measures a few thousand events a section: its counts mean something, its times do not.
	Quick bool
	// Rounds is how often throughput is measured, by turns with its yardsticks. Default 3, 1 when quick.
	Rounds int
	// Events is how far growth is measured. Default 500,000.
	Events int
	// Chats is how many chats the largest org has whose facts are made. Default 100,000.
	Chats int
	// Outage is how long Postgres is away in the section memory. Default 1 minute.
	Outage time.Duration
	// ProfileDir is where the archiver's profiles of the section work go, and Postgres' time by statement; empty for none.
	// Profiling costs time of its own.
	ProfileDir string
	// Progress hears one sentence before each step; nil is quiet.
	Progress func(string)
}

// plan is a Config with everything derived from it.
type plan struct {
	Config
	Live    int // live chats of the simulated world; a small part of them has a conversation at a time
	History int // events that happen before the first frame, so that the world is not new
	WarmUp  int // frames before each measurement, not measured
	Frames  int // frames of one round
	Latency time.Duration
	Steady  time.Duration // how long memory is looked at before the outage
	Segment int           // events of one step of growth
	Idle    time.Duration
}

func (c Config) plan() (plan, error) {
	if c.Archiver == "" {
		return plan{}, errors.New("measuring: the path of the archiver is needed")
	}
	for _, name := range c.Only {
		if !slices.Contains(Sections, name) {
			return plan{}, fmt.Errorf("there is no section %q: use one of %s", name, strings.Join(Sections, ", "))
		}
	}
	p := plan{
		Config: c, Live: 400_000, History: 1_000_000, WarmUp: 40_000, Frames: 60_000,
		Latency: time.Minute, Steady: 30 * time.Second, Segment: 50_000, Idle: 30 * time.Second,
	}
	if c.Quick {
		p.Live, p.History, p.WarmUp, p.Frames = 40_000, 50_000, 4_000, 8_000
		p.Latency, p.Steady, p.Segment, p.Idle = 4*time.Second, 4*time.Second, 5_000, 4*time.Second
	}
	byDefault := func(value *int, full, quick int) {
		switch {
		case *value > 0:
		case c.Quick:
			*value = quick
		default:
			*value = full
		}
	}
	byDefault(&p.Rounds, 3, 1)
	byDefault(&p.Events, 500_000, 20_000)
	byDefault(&p.Chats, 100_000, 2_000)
	p.Events = max(p.Events, 4*p.Segment)
	if p.Outage <= 0 {
		p.Outage = time.Minute
		if c.Quick {
			p.Outage = 4 * time.Second
		}
	}
	if p.Progress == nil {
		p.Progress = func(string) {}
	}
	return p, nil
}

func (p *plan) runs(section string) bool {
	return len(p.Only) == 0 || slices.Contains(p.Only, section)
}
