package postgres_test

import (
	"strings"
	"testing"

	"archiver/postgres"
)

func TestModesInWhichArraysCannotBeSentAreRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol"} {
		_, err := postgres.Connect(t.Context(), "postgres://localhost/x?default_query_exec_mode="+mode)
		if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode="+mode) || !strings.Contains(err.Error(), "cache_describe") {
			t.Errorf("%s: %v, want that it is refused, and what to use", mode, err)
		}
	}
}

func TestAPoolIsAsLargeAsItsConnectionStringSays(t *testing.T) {
	t.Parallel()
	for parameters, want := range map[string]int32{"": 16, "?pool_max_conns=3": 3} {
		pool, err := postgres.Connect(t.Context(), "postgres://localhost/x"+parameters)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		if got := pool.Config().MaxConns; got != want {
			t.Errorf("with %q a pool opens up to %d connections, want %d", parameters, got, want)
		}
	}
}
