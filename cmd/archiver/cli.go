package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"

	"archiver/bench"

	"github.com/alecthomas/kong"
)

// cli is the command line; cli.parse fills it.
type cli struct {
	DatabaseURL string           `name:"database-url" placeholder:"URL" from:"DATABASE_URL" help:"Postgres to use, as postgres://user:password@host:5432/database; else the libpq variables (PGHOST, …); else an embedded Postgres in the data directory."`
	DataDir     string           `name:"data-dir" placeholder:"DIR" from:"ARCHIVER_DATA_DIR" help:"Where the spool and the embedded Postgres live (default: $XDG_DATA_HOME/archiver or ~/.local/share/archiver; /var/lib/archiver as root)."`
	LogLevel    string           `name:"log-level" enum:"debug,info,warn,error" default:"info" from:"ARCHIVER_LOG_LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat   string           `name:"log-format" enum:"auto,text,json" default:"auto" from:"ARCHIVER_LOG_FORMAT" help:"text, json, or auto: text on a terminal, JSON otherwise."`
	Version     kong.VersionFlag `name:"version" help:"Print the version and exit."`

	Ingest    ingestCommand    `cmd:"" help:"The main job: hold the inbox socket and archive every event."`
	Demo      demoCommand      `cmd:"" help:"See it work without any configuration: a simulated inbox, archived into an embedded Postgres."`
	Simulate  simulateCommand  `cmd:"" help:"A local Invent to try things against."`
	Backfill  backfillCommand  `cmd:"" help:"Fetch what is older than the archive from Invent's lists."`
	Rebuild   rebuildCommand   `cmd:"" help:"Make the tables anew from the raw events, or check that they are what these give."`
	Export    exportCommand    `cmd:"" help:"Write the raw events to standard output, one line of JSON each."`
	Import    importCommand    `cmd:"" help:"Archive events from files: of an export, or bare frames."`
	Status    statusCommand    `cmd:"" help:"How it goes: connections, gaps, coverage of the last days, events, disk."`
	Doctor    doctorCommand    `cmd:"" help:"What is wrong with this set-up, and what to do about it."`
	Report    reportCommand    `cmd:"" help:"The headline numbers of a period: response times, CSAT, what the AI resolved, backlog, cost."`
	Dashboard dashboardCommand `cmd:"" help:"The same and more as web pages on this machine."`
	Drift     driftCommand     `cmd:"" help:"What the vendor sends that archiver does not know: fields and values."`
	Settings  settingsCommand  `cmd:"" help:"What analytics depends on: time zone, business hours, holidays, prices of models."`
	Grant     grantCommand     `cmd:"" help:"Let a database role read the archive, all of it or some organizations."`
	Migrate   migrateCommand   `cmd:"" help:"Look after the database schema (ingest brings it up by itself)."`
	Postgres  postgresCommand  `cmd:"" help:"Run the embedded Postgres alone, to look into an archive."`
	Bench     benchCommand     `cmd:"" help:"Measure this program on this machine, beside what Postgres can take at most."`

	BenchFeed benchFeedCommand `cmd:"" hidden:""`
}

// command is what every command implements.
type command interface{ Run(*program) error }

// program is one run: what it was given, and what every command needs.
type program struct {
	ctx            context.Context
	env            environment
	stdout, stderr io.Writer
	cli            cli
	log            *slog.Logger // on stderr, as --log-level and --log-format say
	dataDir        string
}

const about = `Keeps everything that happens in your Invent inbox in your own Postgres.

Flags win over the environment. A secret is never a flag: see archiver ingest --help.
Exit codes: 0 done or stopped in good order, 1 failed, 2 wrong usage or configuration, 3 refused by Invent at start.

Examples:

    archiver demo --for 30s
    INVENT_API_KEY=… DATABASE_URL=postgres://… archiver ingest`

// parse reads the arguments. The command is nil when all there was to do was printing help or the version.
func (p *program) parse(args []string) (command, error) {
	exited := false
	parser, err := kong.New(&p.cli,
		kong.Name("archiver"), kong.Description(about), kong.Vars{
			"version": "archiver " + version(), "quirks": strings.Join(quirkNames(), ", "), "sections": strings.Join(bench.Sections, ", "),
		},
		kong.Writers(p.stdout, p.stderr), kong.Exit(func(int) { exited = true }),
		kong.Resolvers(kong.ResolverFunc(p.env.resolve)), kong.ValueFormatter(describeFlag),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, NoAppDescFormat: true}),
	)
	if err != nil {
		return nil, fmt.Errorf("building the command line: %w", err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited:
		return nil, nil
	case err != nil:
		return nil, describeParseError(err)
	}
	if err := p.settle(); err != nil {
		return nil, &usageError{"archiver " + strings.Split(parsed.Command(), " ")[0], err}
	}
	run, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return nil, fmt.Errorf("the command %s cannot be run", parsed.Command())
	}
	return named{run, "archiver " + parsed.Command()}, nil
}

// named says in a usage error whose help to look at.
type named struct {
	command
	name string
}

func (n named) Run(p *program) error {
	err := n.command.Run(p)
	if usage, ok := errors.AsType[*usageError](err); ok {
		usage.command = n.name
	}
	return err
}

// settle derives what all commands need from the flags.
func (p *program) settle() error {
	dir, err := dataDir(p.cli.DataDir, p.env)
	if err != nil {
		return err
	}
	p.dataDir = dir
	p.log = slog.New(p.logHandler(p.stderr, p.level()))
	return nil
}

// describeParseError adds where to look.
func describeParseError(err error) error {
	name := "archiver"
	if parse, ok := errors.AsType[*kong.ParseError](err); ok && parse.Context != nil {
		if node := parse.Context.Selected(); node != nil {
			name = node.FullPath()
		}
	}
	return &usageError{name, err}
}

// describeFlag is a flag's help with its default and its environment variable.
func describeFlag(v *kong.Value) string {
	var notes []string
	if v.HasDefault && v.Default != "" && !v.IsBool() {
		notes = append(notes, "default: "+v.Default)
	}
	if name := v.Tag.Get("from"); name != "" {
		notes = append(notes, "$"+name)
	}
	if len(notes) == 0 {
		return v.Help
	}
	return v.Help + " [" + strings.Join(notes, "; ") + "]"
}

// version is what the build knows of itself: a release's tag, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}
