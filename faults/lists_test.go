//go:build linux

package faults_test

import (
	"encoding/json"
	"testing"
)

// quickLists makes the archiver look at once whether there is something to fetch from the lists, and stops it from sparing them.
const quickLists = "reconcile-every=200ms"

func TestAConnectionThatIsOpenAndBringsNothingIsFoundOutAndItsGapRepaired(t *testing.T) {
	t.Parallel()
	s := newStage(t, 100)
	p := s.start("ARCHIVER_FAILPOINTS=deaf-after=1s,"+quickLists+","+quickReconnects, "ARCHIVER_RECONCILE=auto", "ARCHIVER_RECONCILE_RPM=60000")
	s.connected()
	s.flows(150)
	s.server.Stall(s.org)
	const cause = "the connection was open and brought nothing, while chats changed"
	s.wait("the gap of a deaf connection", func() bool { return s.count("select count(*) from ops.gaps where cause = $1", cause) > 0 })
	s.server.Resume(s.org)
	s.wait("the repair", func() bool {
		return s.count("select count(*) from ops.gaps where cause = $1 and status = 'repaired'", cause) > 0 &&
			s.count("select count(*) from ops.gaps where status <> 'repaired'") == 0
	})
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.connections where close_reason = $1", cause); n == 0 {
		t.Error("no connection is recorded as closed for that reason")
	}
	// The canaries come over the socket, and are in no list.
	if n := s.count("select count(*) from inbox.unlisted_chats where chat_id like 'canary-%'"); n == 0 {
		t.Error("chats that the list did not bring are not told")
	}
	if n := s.count("select count(*) from inbox.chats where chat_id like 'canary-%' and deleted_at is not null"); n != 0 {
		t.Errorf("%d chats count as deleted, which nobody said", n)
	}
	s.verdict()
}

func TestTheMessagesOfChatsThatHaveGoneQuietAreCompleted(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start("ARCHIVER_FAILPOINTS=quiet-after=1s,"+quickLists, "ARCHIVER_RECONCILE=auto", "ARCHIVER_RECONCILE_RPM=60000")
	s.connected()
	s.flows(300)
	s.caughtUp(p)
	s.wait("no chat to be left whose messages are not known to be complete", func() bool {
		// Without what is allowed for between two clocks: here is one.
		return s.count(`select count(*) from ops.incomplete_chats where messages_complete_through is null
			or messages_complete_from > '1970-01-01Z' or updated_at > messages_complete_through`) == 0
	})
	p.stop()
	missing := 0
	for _, chatID := range s.world.ChatIDs(s.org) {
		if s.count("select count(*) from inbox.chats where chat_id = $1", chatID) == 0 {
			continue // nothing happened in it since the archive began
		}
		for _, raw := range s.world.Messages(chatID) {
			var m struct {
				ID string `json:"id"`
			}
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			if s.count("select count(*) from inbox.messages where chat_id = $1 and message_id = $2", chatID, m.ID) == 0 {
				missing++
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d messages are missing, of chats that are said to be complete", missing)
	}
	if n := s.count("select count(*) from inbox.chats where messages_complete_from = '1970-01-01Z' and deleted_at is null"); n == 0 {
		t.Error("no chat is complete from its beginning")
	}
	if n := s.count(`select count(*) from inbox.messages as m where exists (select from raw.events as e
		where e.org_id = m.org_id and e.source = 'rest' and e.observed_at = m.first_seen_at)`); n == 0 {
		t.Error("the lists brought no message that the socket had not: nothing was tested")
	}
	s.verdict()
}
