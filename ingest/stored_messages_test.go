package ingest

import (
	"fmt"
	"testing"
	"time"

	"archiver/db"
)

// A chat that began here has all its messages in memory, and only those that it shows again are asked for.
func TestMessagesThatCannotBeInPostgresAreNotLookedFor(t *testing.T) {
	key := chatKey{"org", "chat"}
	c := newChat(key)
	c.isWhole = true
	if !c.mayHave("a") {
		t.Error("of a chat that was not read yet no message is looked for")
	}
	show := func(c *chat, ids ...string) {
		c.row.FirstSeenAt = time.Now()
		for _, id := range ids {
			c.setMessage(&storedMessage{row: db.InboxMessage{MessageID: id}})
		}
		c.end()
	}
	show(c, "a", "b")
	if !c.mayHave("a") || !c.mayHave("b") || c.mayHave("c") {
		t.Error("a chat that began here with the messages a and b has others than these")
	}
	var p packer
	given, written := p.pack(c).unpack(key), p.pack(c).unpack(key)
	show(given, "c")
	show(written, "d")
	if c.mayHave("d") || !written.mayHave("d") || written.mayHave("c") || !written.mayHave("a") {
		t.Error("a batch that was given up left its messages behind, or took those that were there")
	}
	for i := range maxStored {
		show(c, fmt.Sprint(i))
	}
	if !c.mayHave("never seen") {
		t.Errorf("a chat of more than %d messages is taken to be remembered whole", maxStored)
	}
	known := newChat(key)
	show(known, "a")
	if !known.mayHave("b") {
		t.Error("of a chat that was there before its messages are not looked for")
	}
}
