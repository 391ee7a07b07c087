package migrations_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"archiver/postgres"
	"archiver/postgres/dbtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestEveryTableAndColumnIsCommented(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	if err := postgres.EnsurePartitions(context.Background(), pool, time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	missing := texts(t, pool, `
		select format('%I.%I', n.nspname, c.relname) || coalesce('.' || a.attname, '')
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('raw', 'inbox', 'analytics', 'ops')
		left join lateral (
			select 0 as attnum, null::name as attname
			union all select attnum, attname from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped
		) a on true
		where c.relkind in ('r', 'p', 'v')
		and coalesce(case when a.attnum = 0 then obj_description(c.oid) else col_description(c.oid, a.attnum) end, '') = ''
		order by 1`)
	if len(missing) > 0 {
		t.Errorf("without a COMMENT: %s", strings.Join(missing, ", "))
	}
}

func TestOrgComesFirstInEveryKeyOfTheArchive(t *testing.T) {
	t.Parallel()
	wrong := texts(t, dbtest.New(t), `
		select c.conrelid::regclass::text || ' ' || c.conname
		from pg_constraint c
		join pg_class r on r.oid = c.conrelid and not r.relispartition
		join pg_namespace n on n.oid = c.connamespace and n.nspname in ('raw', 'inbox', 'analytics')
		join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
		where c.contype in ('p', 'u', 'f') and a.attname <> 'org_id'
		order by 1`)
	if len(wrong) > 0 {
		t.Errorf("keys that do not begin with org_id: %s", strings.Join(wrong, ", "))
	}
}

func TestTheArchiveHasNoTriggersIdentitiesOrVolatileDefaults(t *testing.T) {
	t.Parallel()
	wrong := texts(t, dbtest.New(t), `
		select attrelid::regclass::text || '.' || attname
		from pg_attribute a
		join pg_class r on r.oid = attrelid
		join pg_namespace n on n.oid = r.relnamespace and n.nspname in ('raw', 'inbox')
		where attnum > 0 and (attidentity <> '' or atthasdef)
		union all
		select tgrelid::regclass::text || ' ' || tgname
		from pg_trigger t
		join pg_class r on r.oid = tgrelid
		join pg_namespace n on n.oid = r.relnamespace and n.nspname in ('raw', 'inbox')
		where not tgisinternal
		order by 1`)
	if len(wrong) > 0 {
		t.Errorf("defaults, identities or triggers: %s", strings.Join(wrong, ", "))
	}
}

// What archiver grant lets a role read must keep to the role's orgs. The owner's rights, which a view has that is not
// security_invoker, pass every policy: such a view has to ask by itself. A materialized view cannot.
func TestEveryTableAndViewKeepsReadersToTheirOrgs(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	open := texts(t, pool, `
		select c.oid::regclass::text
		from pg_class c
		join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('inbox', 'analytics')
		where case c.relkind
			when 'v' then not coalesce(c.reloptions, '{}') @> '{security_invoker=true}'
				and not (pg_get_viewdef(c.oid) like '%may_read(%' and coalesce(c.reloptions, '{}') @> '{security_barrier=true}')
			when 'm' then true
			else c.relkind in ('r', 'p') and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id')
				and not (c.relrowsecurity and exists (select from pg_policy p where p.polrelid = c.oid))
		end
		order by 1`)
	if len(open) > 0 {
		t.Errorf("these show every org to a reader of one: %s; call analytics.keep_to_readers for a table, make a view with (security_invoker = true), or with (security_barrier = true) and where analytics.may_read(org_id)", strings.Join(open, ", "))
	}
}

// The fixture has a row in every table, so that walking down and up again meets data.
func TestTheSchemaGoesUpDownAndUpAgainWithARowInEveryTable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	pool := open(t, dbtest.EmptyURL(t))
	log := slog.New(slog.DiscardHandler)
	count, err := postgres.Migrate(ctx, pool, log)
	if err != nil {
		t.Fatalf("migrating up: %v", err)
	}
	first := shape(t, pool)
	fill(t, pool)
	for range count {
		if _, err := postgres.Down(ctx, pool, log); err != nil {
			t.Fatalf("migrating down: %v", err)
		}
	}
	if left := texts(t, pool, `select nspname from pg_namespace where nspname in ('raw', 'inbox', 'analytics', 'ops')`); len(left) > 0 {
		t.Errorf("after going down, schemas are left: %v", left)
	}
	if _, err := postgres.Migrate(ctx, pool, log); err != nil {
		t.Fatalf("migrating up again: %v", err)
	}
	if second := shape(t, pool); !slices.Equal(first, second) {
		t.Errorf("going down and up again changed the schema:\nfirst  %v\nsecond %v", first, second)
	}
	fill(t, pool)
}

// fill puts a row into every table, parents first: each column gets a value of its type.
func fill(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	tables := texts(t, pool, `
		with recursive foreign_keys as (
			select distinct conrelid, confrelid from pg_constraint where contype = 'f' and conrelid <> confrelid
		), depth as (
			select r.oid, 0 as level from pg_class r join pg_namespace n on n.oid = r.relnamespace
			where n.nspname in ('raw', 'inbox', 'analytics', 'ops') and r.relkind in ('r', 'p') and not r.relispartition
			union all
			select f.conrelid, level + 1 from depth join foreign_keys f on f.confrelid = depth.oid
		)
		select oid::regclass::text from depth group by oid order by max(level), 1`)
	if len(tables) < 20 {
		t.Fatalf("only %d tables found", len(tables))
	}
	for _, table := range tables {
		insert := texts(t, pool, `
			select format('insert into %s (%s) values (%s)', $1::regclass, string_agg(quote_ident(attname), ', '),
				string_agg(case when attname = 'time_zone' then '''Asia/Kathmandu''' when attname = 'closes' then '''18:00''' else case format_type(atttypid, null)
					when 'text' then '''x''' when 'text[]' then '''{x}''' when 'jsonb' then '''{}'''
					when 'uuid' then '''00000000-0000-0000-0000-000000000001''' when 'bytea' then '''x'''
					when 'boolean' then 'true' when 'timestamp with time zone' then '''2026-01-02 03:04:05Z'''
					when 'date' then '''2026-01-02''' when 'time without time zone' then '''09:00'''
					else '1' end end, ', '))
			from pg_attribute where attrelid = $1::regclass and attnum > 0`, table)
		if _, err := pool.Exec(context.Background(), insert[0]); err != nil {
			t.Fatalf("%s takes no row: %v", table, err)
		}
	}
}

// shape is every column of the archive's schemas with its type.
func shape(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	return texts(t, pool, `
		select table_schema || '.' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
		from information_schema.columns where table_schema in ('raw', 'inbox', 'analytics', 'ops') order by 1`)
}

func open(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func texts(t *testing.T, pool *pgxpool.Pool, query string, args ...any) []string {
	t.Helper()
	rows, err := pool.Query(context.Background(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}
