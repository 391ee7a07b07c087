package invent_test

import (
	"fmt"

	"archiver/invent"
)

// A wrong value costs its field and nothing else.
func ExampleDecoder_Frame() {
	frame := []byte(`{"type": "create", "data": {
		"id": "chat-1", "title": null, "pinned": "yes", "brand_new": {"x": 1},
		"state": {"id": "state-1", "state": "OPEN", "csat_score": "five"}}}`)

	var decoder invent.Decoder
	event, reading := decoder.Frame(frame)
	chat := event.Data.V
	fmt.Println("chat:", chat.ID.V, "is", chat.State.V.State.V)
	fmt.Println("title is null:", chat.Title.Presence == invent.Null)
	fmt.Println("link is not named:", chat.Link.Presence == invent.Absent)
	fmt.Println("rating:", chat.State.V.CSATScore.Ptr())
	for _, flaw := range reading.Flaws {
		fmt.Println("flaw:", flaw)
	}
	// Output:
	// chat: chat-1 is OPEN
	// title is null: true
	// link is not named: true
	// rating: <nil>
	// flaw: pinned: not true or false
	// flaw: state.csat_score: not a number
}

// What jsonb cannot hold is repaired in the payload; the original bytes are the caller's to keep.
func ExampleReading() {
	var decoder invent.Decoder
	_, reading := decoder.Frame([]byte(`{"data": {"id": "chat-1", "title": "one", "title": "two\u0000"}}`))
	fmt.Println(reading.Faithful)
	fmt.Println(string(reading.Payload))
	fmt.Printf("%q\n", reading.Flaws)
	// Output:
	// false
	// {"data":{"id":"chat-1","title":"two�"}}
	// ["title: NUL character" "title: duplicate key"]
}

func ExampleSenderOf() {
	fmt.Println(invent.SenderOf(invent.Authorship{Role: "assistant"}))
	fmt.Println(invent.SenderOf(invent.Authorship{Role: "assistant", IsTeamUser: true}))
	fmt.Println(invent.SenderOf(invent.Authorship{Role: "user", IsFromContact: true}))
	// Output:
	// ai
	// human
	// customer
}
