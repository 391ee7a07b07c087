package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestTheFlagWinsOverDatabaseURLWhichWinsOverThePGVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, url, want string
		env             map[string]string
		ok              bool
	}{
		{name: "nothing"},
		{name: "a user alone names no server", env: map[string]string{"PGUSER": "u", "PGDATABASE": "d"}},
		{name: "blank is not set", url: " ", env: map[string]string{"DATABASE_URL": "\n"}},
		{name: "flag", url: "postgres://flag", env: map[string]string{"DATABASE_URL": "postgres://env", "PGHOST": "h"}, want: "postgres://flag", ok: true},
		{name: "DATABASE_URL", env: map[string]string{"DATABASE_URL": "postgres://env\n", "PGHOST": "h"}, want: "postgres://env", ok: true},
		{name: "PGHOST", env: map[string]string{"PGHOST": "h", "PGUSER": "u"}, want: "host='h' user='u'", ok: true},
		{name: "PGSERVICE", env: map[string]string{"PGSERVICE": "s"}, want: "service='s'", ok: true},
	} {
		got, ok := Configured(c.url, func(name string) string { return c.env[name] })
		if got != c.want || ok != c.ok {
			t.Errorf("%s: Configured = %q, %v; want %q, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestThePGVariablesReachTheDriverAsTheyAre(t *testing.T) {
	t.Parallel()
	env := map[string]string{"PGHOST": "/var/run/pg", "PGPORT": "5433", "PGUSER": "o'neil", "PGPASSWORD": `a b\'c `, "PGDATABASE": "d b", "PGSSLMODE": "disable"}
	connString, _ := Configured("", func(name string) string { return env[name] })
	config, err := pgx.ParseConfig(connString)
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != env["PGHOST"] || config.Port != 5433 || config.User != env["PGUSER"] || config.Password != env["PGPASSWORD"] || config.Database != env["PGDATABASE"] {
		t.Errorf("the driver understood host %q, port %d, user %q, database %q (and a password) from %v", config.Host, config.Port, config.User, config.Database, env)
	}
}
