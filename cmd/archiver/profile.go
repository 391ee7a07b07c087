package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profile writes a profile of this process' CPU time and one of its allocations to the directory that bench --profile
// hands over. It does nothing when there is none.
func (p *program) profile() (stop func() error, err error) {
	dir := p.env.get("ARCHIVER_PROFILE_DIR")
	if dir == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return nil, fmt.Errorf("profiling: %w", err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(fmt.Errorf("profiling: %w", err), cpu.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		allocations, err := os.Create(filepath.Join(dir, "allocs.pprof"))
		if err != nil {
			return errors.Join(fmt.Errorf("profiling: %w", err), cpu.Close())
		}
		err = pprof.Lookup("allocs").WriteTo(allocations, 0)
		if err := errors.Join(err, allocations.Close(), cpu.Close()); err != nil {
			return fmt.Errorf("profiling: %w", err)
		}
		return nil
	}, nil
}
