package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"archiver/analytics"
	"archiver/ingest"
	"archiver/invent"
	"archiver/simulator"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

type demoCommand struct {
	For  time.Duration `name:"for" placeholder:"30s" help:"End by itself, this long after the history is in the archive (default: run until Ctrl-C)."`
	Rate float64       `name:"rate" placeholder:"N" default:"50" help:"Live events a second, once the history is in."`
	Days int           `name:"days" placeholder:"N" default:"60" help:"Days of history."`
}

// Help is kong's longer description.
func (demoCommand) Help() string {
	return `Needs nothing but Postgres' server binaries on this machine. Three made-up organizations have months of conversations; their events come over a real WebSocket into the archive, and you can look at it with psql while it grows. It lives in demo/ in the data directory, whatever DATABASE_URL says. Every demo starts afresh: what the last one archived is kept until then.

Examples:

    archiver demo
    archiver demo --for 30s
    archiver demo --rate 500 --days 120`
}

const (
	demoOrgs  = 3
	demoChats = 60               // of an organization at a time
	demoRPM   = 600_000          // the simulated Invent has no limit
	fillEvery = 20 * time.Second // and this much later each time
)

// Run shows the archive at work.
func (c *demoCommand) Run(p *program) error {
	switch {
	case !(c.Rate > 0):
		return usagef("--rate is %v: it has to be above 0", c.Rate)
	case c.Days < 1 || c.Days > 3650:
		return usagef("--days is %d: it has to be from 1 to 3650", c.Days)
	case c.For < 0:
		return usagef("--for is %s: it has to be above 0; leave it out to run until Ctrl-C", c.For)
	}
	d := &demo{program: p, command: c, dir: filepath.Join(p.dataDir, "demo"), screen: newScreen(p.stdout)}
	d.say("archiver %s demo: %d made-up organizations, archived into Postgres while you watch.", version(), demoOrgs)
	closeLog, err := d.openLog()
	if err != nil {
		return err
	}
	defer func() { _ = closeLog() }()
	db, err := d.openDatabase()
	if err != nil {
		return err
	}
	err = d.run(db)
	return errors.Join(err, db.close())
}

// demo is one run of the command.
type demo struct {
	*program
	command *demoCommand
	dir     string
	screen  *screen
	log     *slog.Logger
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.screen, format+"\n", args...) }

// openLog sends the log to a file, and warnings also to where they are seen.
func (d *demo) openLog() (func() error, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the demo's directory (another can be named with --data-dir or ARCHIVER_DATA_DIR): %w", err)
	}
	file, err := os.OpenFile(filepath.Join(d.dir, "demo.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the demo's log: %w", err)
	}
	d.log = slog.New(slog.NewMultiHandler(
		slog.NewTextHandler(file, &slog.HandlerOptions{Level: d.level()}),
		d.logHandler(d.screen.above(d.stderr), max(d.level(), slog.LevelWarn)),
	))
	return file.Close, nil
}

// openDatabase starts the demo's own Postgres with an empty database that has the schema.
func (d *demo) openDatabase() (*database, error) {
	d.program.log = d.log
	db, err := d.startEmbedded(filepath.Join(d.dir, "postgres"), func(step string) { d.say("%s …", step) })
	if err != nil {
		return nil, err
	}
	// The last demo's events were of other organizations, and its spool belongs to its database.
	err = errors.Join(os.RemoveAll(d.spoolDir()), os.RemoveAll(d.backfillDir()))
	if err == nil {
		err = recreate(d.ctx, db)
	}
	if err == nil {
		err = db.prepare(d.ctx, true, d.log)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting afresh: %w", err), db.close())
	}
	return db, nil
}

func (d *demo) spoolDir() string    { return filepath.Join(d.dir, "spool") }
func (d *demo) backfillDir() string { return filepath.Join(d.dir, "backfill") }

// recreate drops the demo's database, whatever version of the schema it has, and makes an empty one.
func recreate(ctx context.Context, db *database) error {
	db.pool.Reset()
	config := db.pool.Config().ConnConfig
	name := pgx.Identifier{config.Database}.Sanitize()
	config.Database = "postgres"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting to the demo's Postgres: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + name + " WITH (FORCE)", "CREATE DATABASE " + name} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("emptying the demo's database: %w", err)
		}
	}
	return nil
}

// run plays the history and then the present into the archive, until it is told to stop or --for has passed, and asks
// the archive what came of it.
func (d *demo) run(db *database) error {
	now := time.Now()
	world := simulator.NewWorld(simulator.Config{
		Seed: rand.Uint64(), Orgs: demoOrgs, Chats: demoChats, Start: now.AddDate(0, 0, -d.command.Days),
	})
	key := uuid.NewString()
	server := simulator.NewServer(world, simulator.ServerOptions{
		Keys: map[string]string{key: world.Orgs()[0].ID}, Rate: d.command.Rate, Live: true, NoLedger: true, Log: d.log,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("finding a free port for the simulated Invent: %w", err)
	}
	client, err := invent.NewClient(invent.Config{BaseURL: "http://" + listener.Addr().String(), APIKey: key, UserAgent: "archiver/" + version()})
	if err != nil {
		return errors.Join(fmt.Errorf("connecting to the simulated Invent: %w", err), listener.Close())
	}
	defer client.CloseIdle()
	ingester, err := d.newIngester(db, orgIDs(world), client)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	dashboardURL, stopDashboard, err := serveDemo(context.WithoutCancel(d.ctx), db, d.log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopDashboard()
	if err := d.setPrices(db, world); err != nil {
		return errors.Join(err, listener.Close())
	}
	d.introduce(db, world, listener.Addr(), dashboardURL)

	// The simulator ends after the ingester, which would otherwise see its connections break.
	serving, stopServing := context.WithCancel(context.WithoutCancel(d.ctx))
	defer stopServing()
	served := make(chan error, 1)
	go func() { served <- server.Run(serving, listener) }()

	err = d.play(db, world, server, ingester, client)
	stopServing()
	err = errors.Join(err, <-served)
	if err != nil {
		return err
	}
	return d.conclude(db)
}

func orgIDs(world *simulator.World) (ids []string) {
	for _, org := range world.Orgs() {
		ids = append(ids, org.ID)
	}
	return ids
}

// setPrices makes up what a million tokens of the made-up inbox's models cost, so that there is a cost to look at.
func (d *demo) setPrices(db *database, world *simulator.World) error {
	from := time.Now().AddDate(0, 0, -d.command.Days-1).Truncate(24 * time.Hour)
	for _, org := range world.Orgs() {
		settings := analytics.Settings{OrgID: org.ID, ZoneName: "UTC"}
		for _, price := range [][3]string{
			{"gpt-5-mini", "0.25", "2"}, {"gpt-5", "1.25", "10"}, {"claude-haiku-4-5", "1", "5"}, {"claude-sonnet-4-5", "3", "15"}, {"gemini-2.5-flash", "0.3", "2.5"},
		} {
			settings.Prices = append(settings.Prices, analytics.Price{Model: price[0], ValidFrom: from, Currency: "USD", Input: price[1], Output: price[2]})
		}
		if err := analytics.SaveSettings(d.ctx, db.pool, &settings); err != nil {
			return fmt.Errorf("making up prices: %w", err)
		}
	}
	return nil
}

func (d *demo) newIngester(db *database, orgs []string, client *invent.Client) (*ingest.Ingester, error) {
	ingester, err := ingest.New(ingest.Config{
		Client: client, Orgs: orgs, Pool: db.pool, SpoolDir: d.spoolDir(), Instance: instance(), Log: d.log,
		ReconcileRPM: demoRPM,
	})
	if err != nil {
		return nil, fmt.Errorf("starting to ingest: %w", err)
	}
	return ingester, nil
}

// play runs the ingester beside the simulator, and shows how it goes.
func (d *demo) play(db *database, world *simulator.World, server *simulator.Server, ingester *ingest.Ingester, client *invent.Client) error {
	group, running := errgroup.WithContext(d.ctx)
	watching, giveUp := context.WithCancelCause(running)
	stop := func() { giveUp(nil) }
	defer stop()
	go db.watch(watching, giveUp)
	group.Go(func() error {
		defer stop()
		return ingester.Run(watching)
	})
	group.Go(func() error {
		analytics.NewRefresher(db.pool, d.log).Run(watching)
		return nil
	})
	var progress progress
	group.Go(func() error {
		defer stop()
		err := d.drive(watching, db, world, server, ingester, client, &progress)
		if watching.Err() != nil {
			return nil // Ctrl-C, or the ingester ended, which tells why
		}
		return err
	})
	group.Go(func() error {
		d.watch(watching, db, world, ingester, &progress)
		return nil
	})
	err := group.Wait()
	d.screen.show("")
	return err
}

// drive plays the history as fast as it is taken, and then the present.
func (d *demo) drive(ctx context.Context, db *database, world *simulator.World, server *simulator.Server, ingester *ingest.Ingester, client *invent.Client, progress *progress) error {
	for _, org := range world.Orgs() {
		if err := server.WaitForClients(ctx, org.ID, 1); err != nil {
			return err
		}
	}
	began := time.Now()
	events, err := server.PlayUntil(ctx, began)
	if err != nil {
		return err
	}
	progress.played.Store(int64(events))
	for s := ingester.Status(); s.Pending > 0 || s.Received < int64(events); s = ingester.Status() {
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	took := time.Since(began)
	d.say("%d days of history, %s events, are in the archive after %s (%s a second).",
		d.command.Days, grouped(int64(events)), took.Round(100*time.Millisecond), grouped(int64(float64(events)/took.Seconds())))
	began = time.Now()
	result, err := d.fill(ctx, db, world, client, began.AddDate(0, 0, -d.command.Days-1))
	if err != nil {
		return err
	}
	d.say("The message lists of its %s chats are read (%s).", grouped(int64(result.Chats)), time.Since(began).Round(100*time.Millisecond))
	d.say("From here on it is live.\n")
	live := time.Now()
	progress.liveSince.Store(&live)
	if d.command.For > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, d.command.For)
		defer stop()
	}
	group, playing := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Play(playing) })
	group.Go(func() error {
		// Always from the same moment, before the first filling: what is read then goes on where that ended.
		d.keepFilled(playing, db, world, client, began)
		return nil
	})
	if err := group.Wait(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// fill reads the message lists of the chats that changed since then: an event shows a chat's last message only, and what is
// measured is measured over messages that are known to be all there.
func (d *demo) fill(ctx context.Context, db *database, world *simulator.World, client *invent.Client, since time.Time) (ingest.BackfillResult, error) {
	result, err := ingest.Backfill(ctx, ingest.BackfillConfig{
		Client: client, Pool: db.pool, SpoolDir: d.backfillDir(), Instance: instance(), Orgs: orgIDs(world),
		Since: since, RPM: demoRPM, Log: d.log,
	})
	if err != nil {
		return result, fmt.Errorf("reading the message lists: %w", err)
	}
	return result, nil
}

// keepFilled reads the lists again and again, and more and more rarely, for each time there is more to read. ingest does so when a
// chat has been quiet for minutes, and a demo is not watched for so long.
func (d *demo) keepFilled(ctx context.Context, db *database, world *simulator.World, client *invent.Client, since time.Time) {
	for wait := fillEvery; sleep(ctx, wait) == nil; wait += fillEvery {
		if _, err := d.fill(ctx, db, world, client, since); err != nil && ctx.Err() == nil {
			d.log.Warn("what is new could not be filled up; it is tried again", "error", err, "retry_in", wait+fillEvery)
		}
	}
}

// introduce says where to look.
func (d *demo) introduce(db *database, world *simulator.World, address net.Addr, dashboardURL string) {
	d.say("")
	d.say("A simulated Invent on http://%s plays %d days of conversations of", address, d.command.Days)
	for _, org := range world.Orgs() {
		d.say("    %s  %s", org.ID, org.Name)
	}
	d.say("")
	d.say("As long as this runs, look at it in a browser:")
	d.say("")
	d.say("    %s", dashboardURL)
	d.say("")
	d.say("or ask the archive from another terminal:")
	d.say("")
	d.say("    psql '%s'", db.server.URL())
	d.say("")
	d.say("Worth asking:")
	for _, q := range demoQueries {
		d.say("\n-- %s\n%s;", q.question, q.sql)
	}
	d.say("")
}

// conclude asks the archive, and says how to get back to it.
func (d *demo) conclude(db *database) error {
	// Ctrl-C has ended the program's context by now; the answers are still owed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), 10*time.Second)
	defer cancel()
	counts, err := count(ctx, db.pool)
	if err != nil {
		return err
	}
	d.say("\nArchived: %s.\n", counts)
	for _, q := range demoQueries {
		if err := q.answer(ctx, db.pool, d.screen); err != nil {
			return err
		}
	}
	d.say("The archive stays in %s until the next demo. To get back to it:\n\n    %s postgres --data-dir %s\n", d.dir, self(), shellQuoted(d.dir))
	d.say("For your own inbox:\n\n    INVENT_API_KEY=… DATABASE_URL=postgres://… %s ingest", self())
	return nil
}

func sleep(ctx context.Context, duration time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(duration):
		return nil
	}
}

// grouped writes a number with its thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
