package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bench is a run.
type bench struct {
	plan   plan
	dir    string
	server *server
	feed   *feed
	report Report

	fullRate float64 // events/s of one org at full work, when that was measured
	stage    *warmed // of the sections that share one
}

// Run measures what the configuration says. It starts its processes itself and has ended them when it returns. With an
// error there may be a report all the same, of what had been measured by then.
func Run(ctx context.Context, config Config) (_ *Report, err error) {
	plan, err := config.plan()
	if err != nil {
		return nil, err
	}
	b := &bench{plan: plan}
	if b.dir, err = workDir(plan.Dir); err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(b.dir) }() // what is left is in the directory for temporary files
	plan.Progress("starting Postgres in " + b.dir)
	if b.server, err = startServer(ctx, filepath.Join(b.dir, "postgres"), plan.Quick, plan.ProfileDir != ""); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.server.stop()) }()
	if b.feed, err = startFeed(ctx, plan.Archiver); err != nil {
		return nil, err
	}
	defer b.feed.stop()
	b.report = Report{Date: time.Now().UTC(), Quick: plan.Quick, Rounds: plan.Rounds, Settings: b.server.settings}
	if b.report.Machine, err = b.describeMachine(ctx); err != nil {
		return nil, err
	}
	for _, section := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"work", b.throughput},
		{"latency", b.latency},
		{"memory", b.memory},
		{"growth", b.growth},
		{"rebuild", b.rebuild},
		{"idle", b.idle},
		{"scale", b.scale},
		{"facts", b.facts},
	} {
		if !plan.runs(section.name) {
			continue
		}
		if err := section.run(ctx); err != nil {
			return &b.report, fmt.Errorf("measuring %s: %w", section.name, err)
		}
		b.report.Sections = append(b.report.Sections, section.name)
	}
	b.report.Machine.LoadAfter, err = loadAverage()
	return &b.report, err
}

// workDir makes a directory that the account of Postgres can enter.
func workDir(parent string) (string, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "archiver-bench-")
	if err != nil {
		return "", fmt.Errorf("making a directory to work in: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // another account has to come in; there is nothing personal in it
		return "", fmt.Errorf("opening %s for the account of Postgres: %w", dir, err)
	}
	return dir, nil
}
