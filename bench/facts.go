package bench

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"archiver/analytics"
	"archiver/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed facts.sql
var factsSQL string

const (
	// dirtyChats is how many chats change at a time: what a busy org's do within a few seconds.
	dirtyChats = 500
	// largeOrg is the org that most chats are of.
	largeOrg = "large"
	// readerSettings are what docs/metrics.md advises for a role that reads.
	readerSettings = "set jit = off; set work_mem = '32MB'; set random_page_cost = 1.1"
	// oneOrg and allOrgs are what a dashboard may take, in ms.
	oneOrg, allOrgs = 100, 300
)

// facts measures how fast the facts in analytics are made and kept, and how fast dashboards read them.
func (b *bench) facts(ctx context.Context) error {
	b.plan.Progress(fmt.Sprintf("making an archive of %d chats", b.plan.Chats))
	address, err := b.server.create(ctx)
	if err != nil {
		return err
	}
	pool, err := pgxpool.New(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting to the archive: %w", err)
	}
	defer pool.Close()
	if _, err := postgres.Migrate(ctx, pool, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	if err := b.fill(ctx, pool); err != nil {
		return err
	}
	for _, measure := range []func(context.Context, *pgxpool.Pool) error{b.recompute, b.refresh, b.dashboards, b.pages} {
		if err := measure(ctx, pool); err != nil {
			return err
		}
	}
	pool.Close()
	return b.server.drop(ctx, address)
}

// fill makes the archive that facts.sql describes.
func (b *bench) fill(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connecting to the archive: %w", err)
	}
	defer conn.Release()
	for _, sql := range []string{fmt.Sprintf("set bench.chats = %d", b.plan.Chats), factsSQL, "vacuum analyze"} {
		if _, err := conn.Conn().PgConn().Exec(ctx, sql).ReadAll(); err != nil {
			return fmt.Errorf("filling the archive: %w", err)
		}
	}
	return nil
}

// recompute measures how fast all facts are made of what is in inbox, where there are none, and where they are right already.
func (b *bench) recompute(ctx context.Context, pool *pgxpool.Pool) error {
	var messages int64
	if err := pool.QueryRow(ctx, "select count(*) from inbox.messages").Scan(&messages); err != nil {
		return fmt.Errorf("counting the messages: %w", err)
	}
	b.report.add("facts", "messages of all orgs", "", float64(messages))
	for _, pass := range []string{"all facts made", "all facts made again"} {
		b.plan.Progress(fmt.Sprintf("%s, of %d messages", pass, messages))
		if err := b.server.checkpoint(ctx); err != nil {
			return err
		}
		before, err := b.server.usage(ctx)
		if err != nil {
			return err
		}
		began, cpu := time.Now(), ownTime()
		most, err := b.highestOf(func() error {
			return analytics.NewRefresher(pool, slog.New(slog.DiscardHandler)).Recompute(ctx, nil, nil)
		})
		if err != nil {
			return err
		}
		took := time.Since(began)
		own := ownTime() - cpu
		after, err := b.server.usage(ctx)
		if err != nil {
			return err
		}
		each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(messages) }
		b.report.add("facts", pass, "messages/s", float64(messages)/took.Seconds()).atLeast(20_000)
		b.report.add("facts", pass+": Postgres CPU", "µs/message", each(after.cpu-before.cpu))
		b.report.add("facts", pass+": CPU of analytics", "µs/message", each(own))
		b.report.add("facts", pass+": WAL", "bytes/message", float64(after.wal-before.wal)/float64(messages))
		b.report.add("facts", pass+": memory of this process, highest", "MiB", float64(most)/(1<<20))
	}
	// What autovacuum does within minutes, and dashboards are read after.
	if _, err := pool.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return b.store(ctx, pool)
}

// store measures how fast what the daily views say is stored of the days that are over: of a year here.
func (b *bench) store(ctx context.Context, pool *pgxpool.Pool) error {
	b.plan.Progress("storing the days that are over")
	began := time.Now()
	if err := analytics.NewRefresher(pool, slog.New(slog.DiscardHandler)).Store(ctx); err != nil {
		return err
	}
	took := time.Since(began)
	var days float64
	if err := pool.QueryRow(ctx, "select count(*) from (select distinct org_id, local_date from analytics.stored_days) as d").Scan(&days); err != nil {
		return fmt.Errorf("counting the days: %w", err)
	}
	b.report.add("facts", "days of all orgs that are stored", "", days)
	b.report.add("facts", "storing a day", "ms", took.Seconds()*1000/max(1, days))
	if _, err := pool.Exec(ctx, "vacuum analyze"); err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

// ownTime is the CPU time of this process.
func ownTime() time.Duration {
	t, err := cpuTime(os.Getpid())
	if err != nil {
		return 0
	}
	return t
}

// highestOf does something and gives the most memory that this process held meanwhile, in bytes.
func (b *bench) highestOf(do func() error) (most int64, err error) {
	done := make(chan error, 1)
	go func() { done <- do() }()
	for {
		select {
		case err := <-done:
			return most, err
		case <-time.After(look):
			m, err := readMemory(os.Getpid())
			if err != nil {
				return 0, fmt.Errorf("%w; %w", err, <-done)
			}
			most = max(most, m.now)
		}
	}
}

// refresh measures what it takes to refresh chats that are marked: where nothing has changed, and where a message came.
func (b *bench) refresh(ctx context.Context, pool *pgxpool.Pool) error {
	b.plan.Progress(fmt.Sprintf("refreshing %d chats", dirtyChats))
	refresher := analytics.NewRefresher(pool, slog.New(slog.DiscardHandler))
	if _, err := refresher.Refresh(ctx); err != nil {
		return err
	}
	for _, kind := range []struct{ name, change string }{
		{"unchanged", ""},
		{"with a new message", `
			insert into inbox.messages (org_id, chat_id, message_id, sender, contact_channel_id, created_at, has_ended, first_seen_at, last_seen_at)
			select m.org_id, m.chat_id, gen_random_uuid(), 'customer', m.contact_channel_id, now(), true, now(), now()
			from ops.dirty_chats as d
			cross join lateral (select * from inbox.messages as m where m.org_id = d.org_id and m.chat_id = d.chat_id order by m.created_at limit 1) as m`},
	} {
		var times, server, own, wal, rows []float64
		for range max(3, b.plan.Rounds) {
			if _, err := pool.Exec(ctx, `insert into ops.dirty_chats (org_id, chat_id, dirty_at)
				select org_id, chat_id, now() from (select * from inbox.chats where org_id = $1 order by updated_at desc limit 20000) as c order by random() limit $2`,
				largeOrg, dirtyChats); err != nil {
				return fmt.Errorf("marking chats: %w", err)
			}
			if kind.change != "" {
				if _, err := pool.Exec(ctx, kind.change); err != nil {
					return fmt.Errorf("changing chats: %w", err)
				}
			}
			before, err := b.server.usage(ctx)
			if err != nil {
				return err
			}
			began, cpu := time.Now(), ownTime()
			if _, err := refresher.Refresh(ctx); err != nil {
				return err
			}
			own = append(own, float64((ownTime()-cpu).Microseconds())/dirtyChats)
			times = append(times, float64(time.Since(began).Microseconds())/1000)
			after, err := b.server.usage(ctx)
			if err != nil {
				return err
			}
			wal = append(wal, float64(after.wal-before.wal)/1024)
			server = append(server, float64((after.cpu-before.cpu).Microseconds())/dirtyChats)
			var written int64
			if err := pool.QueryRow(ctx, `select sum(n) from (
				select count(*) as n from analytics.cases where refreshed_at >= $1 union all select count(*) from analytics.turns where refreshed_at >= $1
				union all select count(*) from analytics.csat_ratings where refreshed_at >= $1
				union all select count(*) from analytics.handoffs where refreshed_at >= $1
				union all select count(*) from analytics.chat_spans where refreshed_at >= $1) as t`, began).Scan(&written); err != nil {
				return fmt.Errorf("counting the rows written: %w", err)
			}
			rows = append(rows, float64(written))
		}
		name := fmt.Sprintf("%d chats %s", dirtyChats, kind.name)
		b.report.add("facts", name, "ms", times...)
		b.report.add("facts", name+": Postgres CPU", "µs/chat", server...)
		b.report.add("facts", name+": CPU of analytics", "µs/chat", own...)
		b.report.add("facts", name+": WAL", "KiB", wal...)
		row := b.report.add("facts", name+": rows of facts written", "", rows...)
		if kind.change == "" {
			row.atMost(0)
		}
	}
	return nil
}

// dashboards measures the queries of a dashboard over the last thirty days: the median of five runs after one that is not
// measured. They are sent as text, as dashboards do, so that each is planned for its own values.
func (b *bench) dashboards(ctx context.Context, pool *pgxpool.Pool) error {
	type result struct {
		name   string
		target float64 // 0: none
		times  []float64
	}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connecting to read: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, readerSettings); err != nil {
		return fmt.Errorf("reading as a role that reads: %w", err)
	}
	var results []result
	for i, q := range slices.Concat(dashboardQueries, rareQueries) {
		b.plan.Progress("reading " + q.name)
		for _, scope := range []struct {
			name, condition string
			target          float64
		}{{"one org", "org_id = '" + largeOrg + "'", oneOrg}, {"all orgs", "true", allOrgs}} {
			r := result{name: q.name + ", " + scope.name}
			if i < len(dashboardQueries) {
				r.target = scope.target
			}
			sql := fmt.Sprintf(q.sql, scope.condition)
			for run := range 6 {
				began := time.Now()
				rows, err := conn.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
				if err != nil {
					return fmt.Errorf("reading %s: %w", r.name, err)
				}
				for rows.Next() {
				}
				if err := rows.Err(); err != nil {
					return fmt.Errorf("reading %s: %w", r.name, err)
				}
				if run > 0 {
					r.times = append(r.times, float64(time.Since(began).Microseconds())/1000)
				}
			}
			results = append(results, r)
		}
	}
	slices.SortFunc(results, func(a, b result) int { return int(1000 * (median(b.times) - median(a.times))) })
	for _, r := range results {
		if row := b.report.add("facts", r.name, "ms", r.times...); r.target > 0 {
			row.atMost(r.target)
		}
	}
	return nil
}
