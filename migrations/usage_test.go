package migrations_test

import (
	"strings"
	"testing"

	"archiver/postgres/dbtest"
)

// TestTokensOfAModelWithALongNameAreCountedToo: the index that answers for the others does not hold them, or the event would be
// refused.
func TestTokensOfAModelWithALongNameAreCountedToo(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	put(t, pool, "inbox.orgs", row{})
	put(t, pool, "inbox.chats", row{"chat_id": "a"})
	const at = "2026-03-02T10:00:00Z"
	used := func(id string, model any) row {
		return row{"chat_id": "a", "message_id": id, "created_at": at, "model": model, "total_tokens": 5, "input_tokens": 3, "output_tokens": 2}
	}
	put(t, pool, "inbox.messages", used("1", "short"), used("2", "short"), used("3", nil),
		used("4", strings.Repeat("é", 100)), used("5", strings.Repeat("é", 101)), used("6", strings.Repeat("long", 5_000)),
		row{"chat_id": "a", "message_id": "7", "created_at": at, "model": "short"})
	expect(t, pool, `select length(model) as length, messages, total_tokens from analytics.token_usage_daily where local_date = '2026-03-02' order by 1`,
		"5,2,10", "100,1,5", "101,1,5", "20000,1,5", "-,1,5")
}
