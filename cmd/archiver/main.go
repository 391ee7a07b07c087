package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"archiver/ingest"
)

// The exit codes, which scripts rely on.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
)

func main() {
	// What is written to a pipe that nobody reads is an error of that write: the command ends in order, and says so.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // and not Ignore, which children would inherit
	os.Exit(run(untilSignal(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

const (
	// sameSignal is how close two signals are taken for one: timeout(1) and some supervisors signal the process and then
	// its group, this process twice.
	sameSignal = 100 * time.Millisecond
	// sameSignalGrace is how long the good order may still take then; a second signal shall end the process in 3 s.
	sameSignalGrace = 2 * time.Second
)

// untilSignal ends its context with the first SIGINT or SIGTERM, and the process with the second: the kernel then tells
// the embedded Postgres to stop, and what was received is on the spool.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		first := time.Now()
		if isTerminal(os.Stderr) {
			fmt.Fprintln(os.Stderr) // after the ^C, or what was being drawn
		}
		fmt.Fprintln(os.Stderr, "archiver: stopping in good order; a second signal ends it at once")
		cancel()
		<-signals
		if time.Since(first) < sameSignal {
			time.Sleep(sameSignalGrace)
		}
		fmt.Fprintln(os.Stderr, "archiver: ended at once, as asked; what was received waits in the spool for the next start")
		os.Exit(exitFailed)
	}()
	return ctx
}

// run is the whole program: it does what args say until that is done or ctx ends, and returns the exit code. environ is
// as os.Environ gives it; the environment of the process itself is not looked at.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	p := &program{ctx: ctx, env: newEnvironment(environ), stdout: stdout, stderr: stderr}
	command, err := p.parse(args)
	if err == nil && command != nil {
		err = command.Run(p)
	}
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		if isEndless(command) {
			return exitDone
		}
		fmt.Fprintln(stderr, "archiver: stopped before it was done")
	}
	fmt.Fprintln(stderr, "archiver:", err)
	var refused *ingest.RefusedError
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		if usage.command != "" {
			fmt.Fprintf(stderr, "archiver: for flags, environment and examples: %s --help\n", usage.command)
		}
		return exitUsage
	case errors.As(err, &refused):
		return exitRefused
	}
	return exitFailed
}

// endless is a command that runs until it is told to stop: to stop it is to end it in good order, while what was to come
// to an end, an export or a rebuild, has failed when it is stopped before.
type endless interface{ endless() }

func (*ingestCommand) endless()   {}
func (*demoCommand) endless()     {}
func (*simulateCommand) endless() {}
func (*postgresCommand) endless() {}

func isEndless(c command) bool {
	if n, ok := c.(named); ok {
		c = n.command
	}
	_, ok := c.(endless)
	return ok
}

// usageError is a mistake in the flags or the environment. Its text names the flag, the value and the remedy.
type usageError struct {
	command string // whose help to look at; may be empty
	err     error
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{err: fmt.Errorf(format, args...)}
}

// self is how a person calls this program from where they called it: its name, its path, or go run.
func self() string {
	switch name := os.Args[0]; {
	case filepath.Base(name) != "archiver": // the tests' binary
		return "archiver"
	case strings.Contains(name, "go-build"):
		return "go run ./cmd/archiver"
	default:
		return name
	}
}
