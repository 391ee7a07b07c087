//go:build linux

package faults_test

import (
	"strings"
	"testing"
)

// A verdict that cannot be a bad one says nothing: here the archive is spoilt by hand.
func TestTheVerdictFindsARowOfInboxThatRawDoesNotGive(t *testing.T) {
	t.Parallel()
	s := newStage(t, 200)
	p := s.start()
	s.connected()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	s.verdict()
	for table, spoil := range map[string]string{
		"chats": "update inbox.chats set title = title || '!' where chat_id = 'canary-chat-1'",
		"messages": `delete from inbox.messages where message_id = (select min(message_id) from inbox.messages as m
			where not exists (select from inbox.message_files as f where f.message_id = m.message_id))`,
	} {
		s.exec(spoil)
		if code, said := s.rebuildVerify(); code != 1 || !strings.Contains(said, "inbox."+table+" "+s.org) {
			t.Errorf("after %q, archiver rebuild --verify exits with %d, want 1 and the row; it says:\n%s", spoil, code, said)
		}
	}
}

func TestTheVerdictFindsWhatNobodyMayBeTold(t *testing.T) {
	t.Parallel()
	for _, canary := range []string{canaryKey, canaryText} {
		var h hearing
		h.add("/readyz", `{"reasons":["Invent refuses `+canary+`"]}`)
		if len(h.tales()) != 1 {
			t.Errorf("%q in an answer of /readyz is found %d times, want once", canary, len(h.tales()))
		}
		if tells("a log", "error="+canary) == "" {
			t.Errorf("%q in a log is not found", canary)
		}
	}
}
