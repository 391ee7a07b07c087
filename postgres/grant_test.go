package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"archiver/postgres"
	"archiver/postgres/dbtest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func TestAReaderReadsItsOrgsInEveryTableAndView(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	reader := a.role("login")
	a.grant(reader, "a")
	everything := a.tables("'r', 'p', 'v', 'm'")
	if !slices.Contains(everything, "inbox.messages") || !slices.Contains(everything, "analytics.asking") {
		t.Fatalf("not everything is looked at: %v", everything)
	}
	for _, name := range everything {
		var want []string
		if len(orgsIn(t, a.pool, name)) > 0 {
			want = []string{"a"}
		}
		if got := a.orgsIn(reader, name); !slices.Equal(got, want) {
			t.Errorf("%s shows a reader of org a the orgs %v, want %v", name, got, want)
		}
	}
	a.grant(reader, "b", "c") // instead
	if got := a.orgsIn(reader, "inbox.chats"); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("a reader who was granted orgs b and c after org a sees %v", got)
	}
	a.grant(reader)
	a.grant(reader) // twice is once
	if got := a.orgsIn(reader, "inbox.chats"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("a reader of every org sees %v, want a, b and c", got)
	}
	a.grant(reader, "c") // narrower
	if got := a.orgsIn(reader, "analytics.cases"); !slices.Equal(got, []string{"c"}) {
		t.Errorf("a reader of every org who was granted org c after that sees %v", got)
	}
}

func TestAReaderReadsNothingElseAndWritesNothing(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, orgs := range [][]string{{"a"}, nil} {
		reader := a.role("login")
		a.grant(reader, orgs...)
		conn := a.as(reader)
		for _, statement := range []string{
			"select from raw.events", "select from ops.gaps", "select from ops.leases", "table ops.settings",
			"delete from inbox.messages", "update inbox.chats set title = ''", "insert into analytics.settings values ('a', 'UTC', 0)",
			"insert into analytics.reader_orgs values ('*', current_user)", "update analytics.reader_orgs set org_id = '*'",
			"truncate inbox.messages", "create table inbox.own ()", "create table analytics.own ()", "create view analytics.own as select 1",
			"alter table inbox.chats disable row level security", "drop policy readers on inbox.chats",
			"alter role current_user bypassrls", "select analytics.keep_to_readers('inbox.chats')", "refresh materialized view analytics.nothing",
		} {
			_, err := conn.Exec(t.Context(), statement)
			if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != "42501" && refused.Code != "42P01" {
				t.Errorf("%s should be refused to a reader, the error is %v", statement, err)
			}
		}
	}
}

func TestAReaderCannotLiftItByWhatItSets(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	reader, other, all := a.role("login"), a.role("login"), a.role("login")
	a.grant(reader, "a")
	a.grant(other, "b")
	a.grant(all)
	// What the policies call could be taken for something else by a search_path.
	a.exec("create schema evil; grant usage, create on schema evil to public")
	conn := a.as(reader)
	for _, statement := range []string{
		"set role " + other, "set session authorization " + other, "set role " + all, "set session authorization " + all,
		"set row_security = off; select from inbox.chats", "select set_config('role', '" + all + "', false)",
	} {
		if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err == nil {
			t.Errorf("%s should be refused to a reader", statement)
		}
		if _, err := conn.Exec(t.Context(), "reset all"); err != nil {
			t.Fatal(err)
		}
	}
	for _, statement := range []string{
		"set row_security = on", "set role none", "set archiver.org = 'b'", "set analytics.org_id = '*'",
		"create function evil.yes(text, text) returns bool language sql as 'select true'",
		"create operator evil.= (function = evil.yes, leftarg = text, rightarg = text)",
		"create function evil.pg_has_role(oid, text) returns bool language sql as 'select true'",
		"create function evil.has_table_privilege(regclass, text) returns bool language sql as 'select true'",
		"create table evil.reader_orgs as select current_user as role_name, '*' as org_id",
		"set search_path = evil, pg_catalog, analytics, inbox",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		for _, table := range []string{"inbox.chats", "analytics.probe", "analytics.asking"} {
			if got := orgsIn(t, conn, table); !slices.Equal(got, []string{"a"}) {
				t.Errorf("after %s a reader of org a sees %v in %s", statement, got, table)
			}
		}
		for org, want := range map[string]bool{"a": true, "b": false, "*": false} {
			var may bool
			if err := conn.QueryRow(t.Context(), "select analytics.may_read($1)", org).Scan(&may); err != nil || may != want {
				t.Errorf("after %s, may_read(%s) is %t (%v), want %t", statement, org, may, err, want)
			}
		}
	}
	// A function sees a row before the policy is asked if it is cheap enough, unless the policy comes first.
	if _, err := conn.Exec(t.Context(), "create function evil.tell(text) returns bool language plpgsql cost 0.0000001 as $$begin raise notice '%', $1; return true; end$$"); err != nil {
		t.Fatal(err)
	}
	if got := orgsIn(t, conn, "(select * from inbox.chats where evil.tell(org_id)) as c"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("through a function of its own a reader of org a sees %v", got)
	}
	if told := a.notices(conn); slices.ContainsFunc(told, func(n string) bool { return n != "a" }) || len(told) == 0 {
		t.Errorf("a function of a reader of org a was shown the orgs %v, want a alone", told)
	}
}

func TestAReadersOrgsAreThoseOfTheRoleThatAsks(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	one, two, outsider := a.role("nologin"), a.role("nologin"), a.role("login")
	pooled, heir := a.role("login noinherit"), a.role("login")
	a.grant(one, "a")
	a.grant(two, "b")
	a.exec(fmt.Sprintf("grant %s, %s to %s; grant %[1]s, %[2]s to %[4]s", one, two, pooled, heir))
	conn := a.as(pooled)
	for _, c := range []struct{ role, org string }{{one, "a"}, {two, "b"}, {one, "a"}} {
		if _, err := conn.Exec(t.Context(), "set role "+c.role); err != nil {
			t.Fatal(err)
		}
		if got := orgsIn(t, conn, "inbox.chats"); !slices.Equal(got, []string{c.org}) {
			t.Errorf("as a role that reads org %s, a member of others sees %v", c.org, got)
		}
	}
	if got := a.orgsIn(heir, "inbox.chats"); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("who inherits from readers of orgs a and b sees %v", got)
	}
	// Rights by plain SQL alone show no rows.
	a.exec(fmt.Sprintf("grant usage on schema inbox to %s; grant select on inbox.chats to %[1]s", outsider))
	if got := a.orgsIn(outsider, "inbox.chats"); len(got) > 0 {
		t.Errorf("a role with no row in reader_orgs sees %v, want nothing", got)
	}
	if got := texts(t, a.as(one+" via "+pooled), "select role_name::text from analytics.reader_orgs"); !slices.Equal(got, []string{one}) {
		t.Errorf("a reader sees the rows of %v in reader_orgs, want its own", got)
	}
}

func TestAReaderSeesTablesOfLaterMigrations(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	reader := a.role("login")
	a.grant(reader, "a")
	a.exec(`create table inbox.later (org_id text primary key); insert into inbox.later values ('a'), ('b');
		select analytics.keep_to_readers('inbox.later');
		create view analytics.later with (security_invoker = true) as select * from inbox.later;
		create table ops.later (org_id text)`)
	for _, name := range []string{"inbox.later", "analytics.later"} {
		if got := a.orgsIn(reader, name); !slices.Equal(got, []string{"a"}) {
			t.Errorf("a reader of org a sees %v in %s, which was made after the grant", got, name)
		}
	}
	if _, err := a.as(reader).Exec(t.Context(), "select from ops.later"); err == nil {
		t.Error("a later table of ops should be refused to a reader")
	}
}

func TestWhatWasRevokedIsGone(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	reader := a.role("login")
	a.grant(reader, "a")
	for range 2 { // twice is once
		if err := postgres.Revoke(t.Context(), a.pool, reader); err != nil {
			t.Fatal(err)
		}
	}
	a.exec("create table inbox.later (org_id text)")
	for _, name := range []string{"inbox.chats", "analytics.cases", "inbox.later"} {
		if _, err := a.as(reader).Exec(t.Context(), "select from "+name); err == nil {
			t.Errorf("%s should be refused after the rights were revoked", name)
		}
	}
	if left := texts(t, a.pool, "select role_name::text from analytics.reader_orgs"); len(left) > 0 {
		t.Errorf("after the rights were revoked reader_orgs has %v", left)
	}
	a.exec("drop role " + reader) // nothing depends on it
}

func TestTheArchiveIsWrittenAsBeforeByWhoMayWriteIt(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	writer := a.role("login")
	a.exec(fmt.Sprintf("grant usage on schema inbox to %s; grant select, insert, update, delete on all tables in schema inbox to %[1]s", writer))
	if got := a.orgsIn(writer, "inbox.chats"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("a writer sees the orgs %v, want all", got)
	}
	conn := a.as(writer)
	for _, statement := range []string{
		"update inbox.chats set title = 'x' where org_id = 'b'", "delete from inbox.message_files where org_id = 'c'",
		"insert into inbox.sessions (org_id, session_id, first_seen_at, last_seen_at) values ('a', 'new', now(), now())",
	} {
		if tag, err := conn.Exec(t.Context(), statement); err != nil || tag.RowsAffected() != 1 {
			t.Errorf("%s: should change one row: %v (%v)", statement, tag, err)
		}
	}
}

// TestAReadersQueriesAreNotCompiled: who may not change roles is told what to ask for.
func TestAReadersQueriesAreNotCompiled(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	reader := a.role("login")
	jit := func() string { return texts(t, a.as(reader), "select current_setting('jit')")[0] }
	if before := jit(); before != "on" {
		t.Fatalf("jit is %s before anything is granted, want on", before)
	}
	a.grant(reader)
	if got := jit(); got != "off" {
		t.Errorf("a reader's queries run with jit %s, want off", got)
	}
	if err := postgres.Revoke(t.Context(), a.pool, reader); err != nil {
		t.Fatal(err)
	}
	if got := jit(); got != "on" {
		t.Errorf("after its rights were taken away the role has jit %s, want on", got)
	}
	owner := a.role("login")
	a.exec(fmt.Sprintf("grant %s to %s", texts(t, a.pool, "select quote_ident(tableowner) from pg_tables where schemaname = 'inbox' and tablename = 'chats'")[0], owner))
	warnings, err := postgres.Grant(t.Context(), connect(t, a.urlOf(owner)), reader)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "SET jit = off") {
		t.Errorf("an owner that may not change roles should be told what to ask for: %v, %v", warnings, err)
	}
	if got := a.orgsIn(reader, "inbox.chats"); len(got) == 0 {
		t.Errorf("the reader sees no org, though the grant says that it did the rest")
	}
}

func TestGrantSaysWhatToDo(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	absent := fmt.Sprintf(`Odd "role"; drop schema inbox %d`, rand.Uint32())
	if _, err := postgres.Grant(t.Context(), a.pool, absent); !isRoleError(err, "CREATE ROLE "+pgx.Identifier{absent}.Sanitize()) {
		t.Errorf("granting to a role that does not exist should say how to make it: %v", err)
	}
	a.roles = append(a.roles, absent)
	a.exec("create role " + pgx.Identifier{absent}.Sanitize() + " login")
	a.grant(absent, "a")
	if got := a.orgsIn(absent, "inbox.chats"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("a role with an odd name sees %v, want org a", got)
	}
	for attributes, want := range map[string]string{"superuser": "superuser", "bypassrls": "NOBYPASSRLS"} {
		if _, err := postgres.Grant(t.Context(), a.pool, a.role(attributes), "a"); !isRoleError(err, want) {
			t.Errorf("a role with %s should be refused some orgs: %v", attributes, err)
		}
	}
	writer := a.role("login")
	a.exec("grant insert on inbox.chats to " + writer)
	if _, err := postgres.Grant(t.Context(), a.pool, writer, "a"); !isRoleError(err, "write") {
		t.Errorf("a role that writes should be refused some orgs: %v", err)
	}
	reader := a.role("login")
	a.exec(fmt.Sprintf("grant usage on schema raw to %s; grant select on raw.events to %[1]s; grant %s to %[1]s", reader, pgx.Identifier{absent}.Sanitize()))
	warnings, err := postgres.Grant(t.Context(), a.pool, reader, "b")
	said := strings.Join(warnings, "\n")
	if err != nil || len(warnings) != 2 || !strings.Contains(said, "schema raw") || !strings.Contains(said, "member of role "+absent) {
		t.Errorf("a grant should warn of rights from elsewhere: %v, %v", warnings, err)
	}
	admin := a.role("login createrole")
	a.exec("grant usage on schema inbox, analytics to " + admin)
	pool := connect(t, a.urlOf(admin))
	if _, err := postgres.Grant(t.Context(), pool, reader); !isRoleError(err, "connect as") {
		t.Errorf("who is not the owner should be told to connect as it: %v", err)
	}
	if err := postgres.Revoke(t.Context(), pool, reader); !isRoleError(err, "connect as") {
		t.Errorf("who is not the owner should be told to connect as it: %v", err)
	}
}

func isRoleError(err error, want string) bool {
	refused, ok := errors.AsType[*postgres.RoleError](err)
	return ok && strings.Contains(refused.Error(), want)
}

// archive is a database with a row of each of the orgs a, b and c in every table of inbox and analytics.
type archive struct {
	t     *testing.T
	url   string
	pool  *pgxpool.Pool
	roles []string
	told  map[*pgx.Conn]*[]string
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{t: t, url: dbtest.NewURL(t), told: map[*pgx.Conn]*[]string{}}
	a.pool = connect(t, a.url)
	t.Cleanup(func() { // before the pool is closed
		for _, role := range a.roles {
			name := pgx.Identifier{role}.Sanitize()
			_, _ = a.pool.Exec(context.Background(), "drop owned by "+name) // it may be dropped already
			_, _ = a.pool.Exec(context.Background(), "drop role if exists "+name)
		}
	})
	for _, org := range []string{"a", "b", "c"} {
		for _, table := range a.tables("'r', 'p'") {
			a.fill(table, org)
		}
	}
	a.exec("create view analytics.probe with (security_invoker = true) as select c.org_id, c.chat_id from inbox.chats as c join analytics.cases using (org_id, chat_id)")
	// As over ops, which readers have no right to: it has the owner's rights and asks by itself.
	a.exec("create view analytics.asking with (security_barrier = true) as select org_id from inbox.chats where analytics.may_read(org_id)")
	return a
}

// tables lists those of inbox and analytics, those with foreign keys after what these refer to.
func (a *archive) tables(kinds string) []string {
	return texts(a.t, a.pool, `
		with recursive foreign_keys as (
			select distinct conrelid, confrelid from pg_constraint where contype = 'f' and conrelid <> confrelid
		), depth as (
			select r.oid, 0 as level from pg_class r join pg_namespace n on n.oid = r.relnamespace
			where n.nspname in ('inbox', 'analytics') and r.relkind in (`+kinds+`) and r.relname <> 'reader_orgs'
			and exists (select from pg_attribute a where a.attrelid = r.oid and a.attname = 'org_id')
			union all
			select f.conrelid, level + 1 from depth join foreign_keys f on f.confrelid = depth.oid
		)
		select oid::regclass::text from depth group by oid order by max(level), 1`)
}

// fill puts a row of an org into a table.
func (a *archive) fill(table, org string) {
	a.t.Helper()
	insert := texts(a.t, a.pool, `
		select format('insert into %s (%s) values (%s)', $1::regclass, string_agg(quote_ident(attname), ', '),
			string_agg(case
				when attname in ('deleted_at', 'listed_at') then 'null' when attname = 'chats_listed_at' then '''2026-02-01'''
				when attname = 'time_zone' then '''UTC''' when attname = 'opens' then '''09:00''' when attname = 'closes' then '''17:00'''
				else case format_type(atttypid, null)
					when 'text' then quote_literal($2::text) when 'text[]' then '''{x}''' when 'jsonb' then '''{}'''
					when 'uuid' then '''00000000-0000-0000-0000-000000000001''' when 'bytea' then '''x'''
					when 'boolean' then 'true' when 'timestamp with time zone' then '''2026-01-02 03:04:05Z'''
					when 'date' then '''2026-01-02''' else '1' end
				end, ', '))
		from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''`, table, org)
	a.exec(insert[0])
}

func (a *archive) exec(statement string) {
	a.t.Helper()
	if _, err := a.pool.Exec(context.Background(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
		a.t.Fatalf("%s: %v", statement, err)
	}
}

// role makes one; its password is its name.
func (a *archive) role(attributes string) string {
	a.t.Helper()
	name := fmt.Sprintf("archiver_reader_%d_%08x", os.Getpid(), rand.Uint32())
	a.exec(fmt.Sprintf("create role %s %s password '%[1]s'", name, attributes))
	a.roles = append(a.roles, name)
	return name
}

func (a *archive) grant(role string, orgs ...string) {
	a.t.Helper()
	if warnings, err := postgres.Grant(a.t.Context(), a.pool, role, orgs...); err != nil || len(warnings) > 0 {
		a.t.Fatalf("granting %v to %s: %v %v", orgs, role, err, warnings)
	}
}

func (a *archive) urlOf(role string) string {
	a.t.Helper()
	u, err := url.Parse(a.url)
	if err != nil {
		a.t.Fatal(err)
	}
	u.User = url.UserPassword(role, role)
	return u.String()
}

// as connects as a role, as an ordinary client does; "x via y" is role x, set by role y.
func (a *archive) as(role string) *pgx.Conn {
	a.t.Helper()
	set, login, isVia := strings.Cut(role, " via ")
	if !isVia {
		login = role
	}
	if _, err := a.pool.Exec(a.t.Context(), "alter role "+pgx.Identifier{login}.Sanitize()+" password '"+strings.ReplaceAll(login, "'", "''")+"'"); err != nil {
		a.t.Fatal(err)
	}
	config, err := pgx.ParseConfig(a.urlOf(login))
	if err != nil {
		a.t.Fatal(err)
	}
	told := &[]string{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { *told = append(*told, n.Message) }
	conn, err := pgx.ConnectConfig(a.t.Context(), config)
	if err != nil {
		a.t.Fatalf("connecting as %s: %v", login, err)
	}
	a.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	a.told[conn] = told
	if isVia {
		if _, err := conn.Exec(a.t.Context(), "set role "+set); err != nil {
			a.t.Fatal(err)
		}
	}
	return conn
}

func (a *archive) notices(conn *pgx.Conn) []string { return *a.told[conn] }

// orgsIn lists the orgs that a role sees in a table.
func (a *archive) orgsIn(role, table string) []string {
	a.t.Helper()
	return orgsIn(a.t, a.as(role), table)
}

func orgsIn(t *testing.T, conn querier, table string) []string {
	t.Helper()
	return texts(t, conn, "select distinct org_id::text collate \"C\" from "+table+" order by 1")
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func texts(t *testing.T, conn querier, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(context.Background(), query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return all
}
