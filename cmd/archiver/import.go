package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"archiver/ingest"
	"archiver/postgres"
)

// shownBadLines bounds how many bad lines are told of one by one; all are counted.
const shownBadLines = 100

type importCommand struct {
	Org   string   `name:"org" placeholder:"ID" help:"The organization that bare frames are of; lines of an export carry theirs."`
	Files []string `arg:"" name:"file" help:"Files of NDJSON; - is standard input."`
}

// Help is kong's longer description.
func (importCommand) Help() string {
	return `Reads events from NDJSON files, one line an event, and archives them as if they came now: lines of archiver export, which are stored as the same events they were, or bare frames as they came over the socket. An event that is there already is not stored again, so the same file can be imported any number of times, and an import that was ended is simply run again.

A bare frame counts as observed at its data.updated_at; one without goes with the frame before it. A line that cannot be read is told by its number, and the others are imported; the exit code is then 1.

Examples:

    archiver import archive.ndjson
    zstdcat since-may.ndjson.zst | archiver import -
    archiver import --org 1jdnr8g4 frames.ndjson`
}

// Run imports.
func (c importCommand) Run(p *program) error {
	sources, closeAll, err := openFiles(c.Files)
	if err != nil {
		return err
	}
	defer closeAll()
	orgIDs, err := orgsByID([]string{c.Org})
	if err != nil {
		return err
	}
	config := ingest.ImportConfig{
		SpoolDir: filepath.Join(p.dataDir, "import"), Instance: instance(), Log: p.log,
	}
	if len(orgIDs) > 0 {
		config.OrgID = orgIDs[0]
	}
	return p.migrate(func(db *database) error {
		if err := db.prepare(p.ctx, true, p.log); err != nil {
			return err
		}
		config.Pool = db.pool
		return c.run(p, db, config, sources)
	})
}

func (c importCommand) run(p *program, db *database, config ingest.ImportConfig, sources []ingest.ImportSource) error {
	progress, told := p.newTally(), 0
	config.BadLine = func(source string, line int64, why string) {
		if told++; told <= shownBadLines {
			progress.done()
			fmt.Fprintf(p.stderr, "archiver: %s, line %d: %s\n", source, line, why)
		}
	}
	config.Progress = func(i ingest.ImportProgress) { progress.show("importing", "lines", i.Lines, "in_postgres", i.Written) }
	began := time.Now()
	result, err := ingest.Import(p.ctx, config, sources...)
	progress.done()
	switch {
	case errors.Is(err, ingest.ErrImporting):
		return fmt.Errorf("%w (%s): wait for it, or use another --data-dir", err, config.SpoolDir)
	case err != nil:
		return fmt.Errorf("%w; run the same import again to go on", err)
	}
	// Months that nobody had partitions for.
	if err := postgres.EnsurePartitions(p.ctx, db.pool, time.Now(), monthsAhead); err != nil {
		return db.explain(err)
	}
	fmt.Fprintf(p.stdout, "Imported %d events in %s; %d were there already.\n",
		result.Written, time.Since(began).Round(time.Millisecond), result.Known)
	if result.Written > 0 {
		fmt.Fprintln(p.stdout, "If these organizations were archived before, run archiver rebuild: older events may tell of users and contacts what newer ones did not repeat.")
	}
	if result.Bad > 0 {
		return fmt.Errorf("%d lines could not be read and were passed over", result.Bad)
	}
	return nil
}

func openFiles(names []string) (sources []ingest.ImportSource, closeAll func(), err error) {
	var closers []io.Closer
	closeAll = func() {
		for _, c := range closers {
			_ = c.Close() // only read
		}
	}
	for _, name := range names {
		if name == "-" {
			sources = append(sources, ingest.ImportSource{Name: "standard input", Reader: os.Stdin})
			continue
		}
		file, err := os.Open(name)
		if err != nil {
			closeAll()
			return nil, nil, usagef("%w: name files that can be read, or - for standard input", err)
		}
		closers = append(closers, file)
		sources = append(sources, ingest.ImportSource{Name: name, Reader: file})
	}
	return sources, closeAll, nil
}
