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
