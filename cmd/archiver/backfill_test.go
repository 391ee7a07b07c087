package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"archiver/postgres/dbtest"
	"archiver/simulator"
)

// messagePages counts the requests for messages so far.
func (in *inbox) messagePages() (n int) {
	for _, r := range in.server.Requests() {
		if strings.HasSuffix(r.Path, "/messages") {
			n++
		}
	}
	return n
}

func TestABackfillThatIsKilledGoesOnWhereItWasAndBringsEveryMessage(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	databaseURL := dbtest.NewURL(t)
	pool := open(t, databaseURL)
	env := append(in.ingesting(databaseURL), "ARCHIVER_DATA_DIR="+t.TempDir(), "ARCHIVER_RECONCILE_RPM=60000")
	args := []string{"backfill", "--since", "2025-01-01", "--org", "all"}

	in.server.SlowLists(20 * time.Millisecond)
	p := startProcess(t, env, args...)
	until(t, "some chats are complete", func() bool {
		var there bool
		_ = pool.QueryRow(t.Context(), "select to_regclass('inbox.chats') is not null").Scan(&there)
		return there && rows(t, pool, "select count(*) from inbox.chats where messages_complete_through is not null") > 3
	})
	p.signal(syscall.SIGKILL)
	p.wait()
	in.server.SlowLists(0)
	pages := in.messagePages()
	chats := 0
	for _, org := range in.orgs {
		chats += len(in.world.ChatIDs(org))
	}
	if pages >= chats {
		t.Fatalf("all %d chats were read before the kill; the test needs a slower list", chats)
	}
	if done := runToEnd(t, env, args...); done.code != exitDone || !strings.Contains(done.stdout, "complete already") {
		t.Fatalf("the second run exits %d and says %q, want 0 and what it did\n%s", done.code, done.stdout, done.stderr)
	}
	if n := in.messagePages() - pages; n >= chats {
		t.Errorf("the second run read %d lists of messages of %d chats, want fewer: some were complete", n, chats)
	}
	for _, org := range in.orgs {
		for _, chatID := range in.world.ChatIDs(org) {
			for _, raw := range in.world.Messages(chatID) {
				var m struct {
					ID string `json:"id"`
				}
				if err := json.Unmarshal(raw, &m); err != nil {
					t.Fatal(err)
				}
				if rows(t, pool, "select count(*) from inbox.messages where org_id = $1 and chat_id = $2 and message_id = $3", org, chatID, m.ID) != 1 {
					t.Errorf("message %s of chat %s is missing", m.ID, chatID)
				}
			}
		}
	}
	pages = in.messagePages()
	if done := runToEnd(t, env, args...); done.code != exitDone || in.messagePages() != pages {
		t.Errorf("the third run exits %d after %d lists of messages, want 0 and none\n%s", done.code, in.messagePages()-pages, done.stderr)
	}
	if done := runToEnd(t, env, "rebuild", "--verify"); done.code != exitDone {
		t.Errorf("inbox is not what raw gives:\n%s", done.stdout)
	}
}

func TestABackfillSaysWhatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	in := newInbox(t, simulator.ServerOptions{})
	env := in.ingesting(dbtest.NewURL(t))
	for name, c := range map[string]struct {
		args string
		code int
		want string
	}{
		"no time":             {"backfill", exitUsage, "--since"},
		"no time that is one": {"backfill --since yesterday", exitUsage, "yesterday"},
		"a time to come":      {"backfill --since 2999-01-01", exitUsage, "2999-01-01"},
		"no budget":           {"backfill --since 2025-01-01 --reconcile-rpm 0", exitUsage, "--reconcile-rpm"},
		"an unknown org":      {"backfill --since 2025-01-01 --org nobody", exitRefused, "nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			done := runToEnd(t, env, strings.Fields(c.args)...)
			if done.code != c.code || !strings.Contains(done.stderr, c.want) {
				t.Errorf("it exits %d and says %q, want %d and a word of %s", done.code, lastLine(done.stderr), c.code, c.want)
			}
		})
	}
}
