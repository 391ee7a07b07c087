package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"archiver/ingest"
	"archiver/invent"
	"archiver/postgres"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/sys/unix"
)

type doctorCommand struct {
	Org        []string `name:"org" placeholder:"ID" default:"c" from:"INVENT_ORG" help:"Organizations that ingest is to archive; each is asked for with the key."`
	APIKeyFile string   `name:"api-key-file" placeholder:"FILE" from:"INVENT_API_KEY_FILE" help:"File that holds the API key, unless the key itself is in $$INVENT_API_KEY. Without a key nothing is asked of Invent."`
	APIURL     string   `name:"api-url" placeholder:"URL" default:"https://api.useinvent.com" from:"INVENT_API_URL" help:"Where Invent's API is."`
	SpoolDir   string   `name:"spool-dir" placeholder:"DIR" from:"ARCHIVER_SPOOL_DIR" help:"Where received events wait for Postgres (default: spool in the data directory)."`
	MaxBytes   byteSize `name:"spool-max-bytes" placeholder:"SIZE" default:"10GiB" from:"ARCHIVER_SPOOL_MAX_BYTES" help:"Most that may wait there."`
	Format     string   `name:"format" enum:"table,json" default:"table" help:"table or json."`
}

// Help is kong's longer description.
func (doctorCommand) Help() string {
	return `Looks at everything that archiver needs with the settings it is given (use those of ingest): key, clock, directories, disk, database, schema, partitions, gaps, flaws. Every line says what was looked at, what was found, and what to do about it. It changes nothing in an archive. With a key it makes one request for each organization.

Exits 0 when nothing is wrong (warnings included), 1 when something is, 2 for wrong usage.

Examples:

    INVENT_API_KEY=… DATABASE_URL=postgres://archiver:…@db:5432/archive archiver doctor
    archiver doctor --api-key-file /run/secrets/invent --spool-dir /var/spool/archiver --format json`
}

// verdict is what a check found.
type verdict string

const (
	isOK     verdict = "ok"
	isWarn   verdict = "warn"
	isFailed verdict = "FAIL"
)

// check is one line of the diagnosis.
type check struct {
	Verdict verdict `json:"verdict"`
	What    string  `json:"what"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"`
}

// diagnosis is the lines so far.
type diagnosis struct{ checks []check }

func (d *diagnosis) ok(what, found string, args ...any) {
	d.checks = append(d.checks, check{isOK, what, fmt.Sprintf(found, args...), ""})
}

func (d *diagnosis) warn(what, do, found string, args ...any) {
	d.checks = append(d.checks, check{isWarn, what, fmt.Sprintf(found, args...), do})
}

func (d *diagnosis) fail(what, do, found string, args ...any) {
	d.checks = append(d.checks, check{isFailed, what, fmt.Sprintf(found, args...), do})
}

// errUnwell makes doctor exit 1.
var errUnwell = errors.New("something is wrong, see the lines marked FAIL")

// Run looks at everything and prints what it found.
func (c *doctorCommand) Run(p *program) error {
	if c.SpoolDir == "" {
		c.SpoolDir = filepath.Join(p.dataDir, "spool")
	}
	d := &diagnosis{}
	c.invent(p, d)
	c.directories(p, d)
	c.database(p, d)
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	if c.Format == "json" {
		if err := writeJSON(p, d.checks); err != nil {
			return err
		}
	} else {
		d.print(p)
	}
	for _, one := range d.checks {
		if one.Verdict == isFailed {
			return errUnwell
		}
	}
	return nil
}

func (d *diagnosis) print(p *program) {
	t := newTable(p.stdout)
	t.AppendHeader(table.Row{"", "what", "found", "what to do"})
	t.SetColumnConfigs([]table.ColumnConfig{
		{Number: 3, WidthMax: 60, WidthMaxEnforcer: text.WrapSoft}, {Number: 4, WidthMax: 70, WidthMaxEnforcer: text.WrapSoft},
	})
	for _, one := range d.checks {
		t.AppendRow(table.Row{one.Verdict, one.What, one.Found, one.Do})
	}
	t.Render()
}

// requestTimeout bounds each request to Invent.
const requestTimeout = 20 * time.Second

// invent looks at the key, the orgs and the clock.
func (c *doctorCommand) invent(p *program, d *diagnosis) {
	key, err := apiKey(c.APIKeyFile, p.env)
	switch {
	case err != nil:
		d.fail("API key", "name a file that this user can read, with the key in it", "%v", err)
		return
	case key == "":
		d.warn("API key", "ingest needs it: set INVENT_API_KEY, or name its file with --api-key-file or INVENT_API_KEY_FILE", "none is set; nothing was asked of Invent")
		return
	}
	if info, err := os.Stat(c.APIKeyFile); c.APIKeyFile != "" && err == nil && info.Mode().Perm()&0o077 != 0 {
		d.warn("API key file", "chmod 600 "+shellQuoted(c.APIKeyFile), "%s can be read by other users (mode %04o)", c.APIKeyFile, info.Mode().Perm())
	}
	client, err := invent.NewClient(invent.Config{BaseURL: c.APIURL, APIKey: key, UserAgent: "archiver/" + version(), RequestTimeout: requestTimeout})
	if err != nil {
		d.fail("API settings", "change the setting that is named", "%v", err)
		return
	}
	defer client.CloseIdle()
	names := c.Org
	if len(names) == 1 && names[0] == "all" {
		names = []string{invent.OwnOrg}
	}
	isClockKnown := false
	for _, org := range names {
		what := "inbox of " + org
		page, err := client.InboxPage(p.ctx, org, 1, 1)
		status, isStatus := errors.AsType[*invent.StatusError](err)
		switch {
		case err == nil:
			d.ok(what, "the key is accepted")
		case isStatus && status.Refused():
			d.fail(what, "check the key and --org or INVENT_ORG", "%v", err)
			continue
		default:
			d.fail(what, "check that this machine reaches "+c.APIURL+" (DNS, firewall, HTTPS_PROXY); if it does, try again later", "%v", err)
			continue
		}
		if !isClockKnown && !page.ServerDate.IsZero() {
			isClockKnown = true
			d.clock(page)
		}
	}
}

// clock compares this machine's with the server's, which is in whole seconds.
func (d *diagnosis) clock(page *invent.Page) {
	between := page.StartedAt.Add(page.FinishedAt.Sub(page.StartedAt) / 2)
	off := between.Sub(page.ServerDate.Add(500 * time.Millisecond)).Round(100 * time.Millisecond)
	found := fmt.Sprintf("%s off Invent's", off)
	const do = "synchronize it (timedatectl set-ntp true, or chrony); observed times and the order of users and channels go by it"
	switch off = off.Abs(); {
	case off > time.Minute:
		d.fail("clock", do, "%s", found)
	case off > 3*time.Second:
		d.warn("clock", do, "%s", found)
	default:
		d.ok("clock", "%s", found)
	}
}

// directories looks at what is written to on this machine.
func (c *doctorCommand) directories(p *program, d *diagnosis) {
	c.directory(d, "spool directory", c.SpoolDir, "--spool-dir or ARCHIVER_SPOOL_DIR")
	if _, configured := postgres.Configured(p.cli.DatabaseURL, p.env.get); !configured {
		c.directory(d, "data directory", p.dataDir, "--data-dir or ARCHIVER_DATA_DIR")
	}
	if s := ingest.ReadSpool(c.SpoolDir); s != nil {
		switch what := "spool"; {
		case s.Bytes > int64(c.MaxBytes)/10*9:
			d.fail(what, "bring Postgres back, or raise --spool-max-bytes: when it is full nothing more is received", "%s of %s", shortBytes(float64(s.Bytes)), shortBytes(float64(c.MaxBytes)))
		case s.Bytes > int64(c.MaxBytes)/2:
			d.warn(what, "see why Postgres does not take what is received (archiver status)", "%s of %s", shortBytes(float64(s.Bytes)), shortBytes(float64(c.MaxBytes)))
		default:
			d.ok(what, "%s of %s", shortBytes(float64(s.Bytes)), shortBytes(float64(c.MaxBytes)))
		}
	}
}

// directory looks whether a directory, or the one it will be made in, can be written to, and at the room in it.
func (c *doctorCommand) directory(d *diagnosis, what, dir, flag string) {
	at := dir
	info, err := os.Stat(at)
	for errors.Is(err, os.ErrNotExist) && filepath.Dir(at) != at {
		at = filepath.Dir(at)
		info, err = os.Stat(at)
	}
	switch {
	case err != nil:
		d.fail(what, "make it, or name another with "+flag, "%v", err)
		return
	case !info.IsDir():
		d.fail(what, "name another with "+flag, "%s is no directory", at)
		return
	case unix.Access(at, unix.W_OK|unix.X_OK) != nil:
		d.fail(what, fmt.Sprintf("give it to the user that runs ingest (uid %d), or name another with %s", os.Geteuid(), flag), "%s cannot be written to", at)
		return
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(at, &fs); err != nil {
		d.warn(what, "look at it by hand", "the free space of %s is not known: %v", at, err)
		return
	}
	free := int64(fs.Bavail) * int64(fs.Bsize)
	found := fmt.Sprintf("%s, %s free", dir, shortBytes(float64(free)))
	switch {
	case free < 1<<30:
		d.fail(what, "make room, or name a directory on another disk with "+flag, "%s", found)
	case what == "spool directory" && free < int64(c.MaxBytes):
		d.warn(what, "make room or lower --spool-max-bytes: the disk is full before the spool is", "%s, less than the spool may take (%s)", found, shortBytes(float64(c.MaxBytes)))
	case dir == at && info.Mode().Perm()&0o007 != 0 && what == "spool directory":
		d.warn(what, "chmod 700 "+shellQuoted(dir)+": it holds messages", "%s, open to all users (mode %04o)", found, info.Mode().Perm())
	default:
		d.ok(what, "%s", found)
	}
}

// database looks at the server, the schema and what is in it.
func (c *doctorCommand) database(p *program, d *diagnosis) {
	_, configured := postgres.Configured(p.cli.DatabaseURL, p.env.get)
	if !configured {
		d.warn("database", "set DATABASE_URL for one that is backed up", "none is configured: the archive is in an embedded Postgres in %s", p.embeddedDir())
		if _, hasCluster := postgres.Running(p.embeddedDir()); !hasCluster {
			return // and doctor makes none
		}
	}
	reached := false
	err := p.lookInto(func(db *database) error {
		reached = true
		c.server(p, d, db)
		return nil
	})
	if err != nil && !reached {
		d.fail("database", "see the message", "%v", err)
	}
}

func (c *doctorCommand) server(p *program, d *diagnosis, db *database) {
	f, err := readServerFacts(p.ctx, db.pool)
	if err != nil {
		d.fail("database", "check the rights of this user", "%v", err)
		return
	}
	if f.Version/10000 < postgres.MinVersion {
		d.fail("Postgres", fmt.Sprintf("use %d or newer", postgres.MinVersion), "%s at %s", f.VersionText, db.name())
		return
	}
	d.ok("Postgres", "%s at %s", f.VersionText, db.name())
	d.settings(f)
	if off := time.Since(f.Now); off.Abs() > 5*time.Second {
		d.warn("clock of Postgres", "synchronize the clocks of both machines", "%s off this machine's", off.Abs().Round(time.Second))
	}
	if !d.schema(p, db) {
		return
	}
	d.partitions(p.ctx, db.pool)
	d.archive(p.ctx, db.pool, storedOrgs(c.Org))
}

// settings looks at what the promise rests on.
func (d *diagnosis) settings(f serverFacts) {
	bad := len(d.checks)
	if f.IsReplica {
		d.fail("Postgres is a replica", "point DATABASE_URL at the primary (target_session_attrs=read-write)", "it cannot be written to")
	}
	if f.Encoding != "UTF8" {
		d.fail("server encoding", "make a database with createdb --encoding UTF8 --template template0", "%s; messages need UTF8", f.Encoding)
	}
	if f.Fsync != "on" {
		d.fail("fsync", "ALTER SYSTEM SET fsync = on, and reload", "%s: a power loss can take what is committed, and the spool is trimmed by then", f.Fsync)
	}
	if f.FullPageWrites != "on" {
		d.warn("full_page_writes", "ALTER SYSTEM SET full_page_writes = on, unless the file system makes page writes atomic", "%s", f.FullPageWrites)
	}
	if f.SynchronousCommit == "off" {
		d.fail("synchronous_commit", "ALTER ROLE or ALTER DATABASE … SET synchronous_commit = on", "off: a crash of the server can lose what is committed, and the spool is trimmed by then")
	}
	if f.MaxConnections < 20 {
		d.warn("max_connections", "raise it if others use this server, too", "%d", f.MaxConnections)
	}
	if !f.HasLZ4 {
		d.fail("lz4", "use a Postgres that was built with it (--with-lz4), as all distributions' are", "not available; raw.events is compressed with it")
	}
	if len(d.checks) == bad {
		d.ok("settings", "UTF8, lz4, fsync %s, synchronous_commit %s, max_connections %d", f.Fsync, f.SynchronousCommit, f.MaxConnections)
	}
}

// schema reports whether the tables are there.
func (d *diagnosis) schema(p *program, db *database) bool {
	steps, err := postgres.Status(p.ctx, db.pool)
	if err != nil {
		d.fail("schema", "see the message", "%v", err)
		return false
	}
	missing := 0
	for _, step := range steps {
		if step.AppliedAt.IsZero() {
			missing++
		}
	}
	switch missing {
	case 0:
		d.ok("schema", "up to date (%s)", steps[len(steps)-1].Name)
	case len(steps):
		d.warn("schema", "ingest makes it at its start, or run archiver migrate up", "the database is empty")
	default:
		d.fail("schema", "run archiver migrate up, or start ingest without --no-migrate", "%d of %d migrations are missing", missing, len(steps))
	}
	return missing == 0
}

// partitions looks for the coming month's, and for rows outside of all months.
func (d *diagnosis) partitions(ctx context.Context, pool *pgxpool.Pool) {
	all, err := readPartitions(ctx, pool)
	if err != nil {
		d.fail("partitions", "check the rights of this user", "%v", err)
		return
	}
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	ahead := postgres.PartitionsAhead(names, time.Now())
	const do = "run archiver migrate up, or keep ingest running: it makes them every hour (as the owner of raw.events)"
	switch {
	case ahead == 0:
		d.fail("partitions", do, "raw.events has none for this month")
	case ahead == 1:
		d.warn("partitions", do, "raw.events has none for the next month")
	default:
		d.ok("partitions", "raw.events has this month's and %d to come", ahead-1)
	}
	rows, err := postgres.DefaultPartitionRows(ctx, pool)
	switch {
	case err != nil:
		d.fail("raw.events_default", "check the rights of this user", "%v", err)
	case rows > 0:
		d.fail("raw.events_default", "archiver migrate up moves them to partitions of their months; then see to the clock", "%d rows (at most 1000 are counted) from times without a partition", rows)
	default:
		d.ok("raw.events_default", "empty")
	}
}

// flawedShare is the share of flawed events from which on something is taken to be wrong.
const flawedShare = 0.01

// archive looks at gaps and flaws of the last week.
func (d *diagnosis) archive(ctx context.Context, pool *pgxpool.Pool, orgIDs []string) {
	all, err := ingest.ReadStandings(ctx, pool, orgIDs, time.Now(), 7)
	if err != nil {
		d.fail("archive", "check the rights of this user", "%v", err)
		return
	}
	if len(all) == 0 {
		d.warn("archive", "start archiver ingest", "no inbox was listened to yet")
		return
	}
	connected, unrepaired, open := 0, 0, 0
	var events, flawed int64
	for _, s := range all {
		unrepaired, open = unrepaired+s.Unrepaired, open+s.OpenGaps
		for _, day := range s.Days {
			events, flawed = events+day.Events, flawed+day.Flawed
		}
		if s.Connected {
			connected++
			continue
		}
		found := fmt.Sprintf("not listened to since %s UTC", stamp(value(s.LastHeardAt)))
		if time.Since(value(s.LastHeardAt)) < 7*24*time.Hour {
			d.fail("inbox of "+s.OrgID, "start archiver ingest, or see its log and /readyz", "%s", found)
		} else {
			d.warn("inbox of "+s.OrgID, "none, if it is not to be archived any more; else start archiver ingest with it", "%s", found)
		}
	}
	if connected > 0 {
		d.ok("inboxes", "%d of %d are listened to", connected, len(all))
	}
	switch {
	case unrepaired > 0:
		d.warn("gaps", "keep ingest running with --reconcile auto; it repairs them, and tries again every ten minutes", "%d are not repaired: what was sent meanwhile is not in the archive yet (ops.gaps)", unrepaired)
	case open > 0:
		d.ok("gaps", "all that ended are repaired; %d last, of inboxes that are not listened to", open)
	default:
		d.ok("gaps", "all are repaired")
	}
	switch {
	case flawed == 0:
		d.ok("flaws", "none in the %d events of the last 7 days", events)
	case float64(flawed) >= flawedShare*float64(events):
		d.warn("flaws", "select received_at, flaws from raw.events where flaws is not null order by received_at desc limit 20; and archiver drift", "%d of %d events of the last 7 days (%s)", flawed, events, percent(float64(flawed)/float64(events)))
	default:
		d.ok("flaws", "%d of %d events of the last 7 days", flawed, events)
	}
}

// value is what t points to, or no time.
func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
