package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"hash/maphash"
	"net/http"
	"net/url"
	"strings"
	"time"

	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
)

// Kinds and sources of spool records, as raw.events stores them.
const (
	SourceSocket = "socket"
	SourceREST   = "rest"
	SourceImport = "import"

	KindFrame        = "frame"         // a text frame of the socket
	KindChatsPage    = "chats_page"    // one response of the inbox list
	KindMessagesPage = "messages_page" // one response of a chat's message list
	KindOrgsPage     = "orgs_page"     // one response of the list of sub-orgs
	KindOther        = "other"         // a binary frame, or anything else that is kept and not read
)

// event is one spool record, read: its row in raw.events and what it says.
type event struct {
	orgID        string
	receivedAt   time.Time
	observedAt   time.Time
	stream       uuid.UUID
	seq          int64
	place        int64 // of its record in the spool, which the checkpoint counts: seq, but for imported events
	connectionID *uuid.UUID
	source       string
	kind         string
	request      []byte
	typ          *string
	identifier   *string
	chatID       *string
	body         []byte // the bytes as they came
	reading      invent.Reading
	sha256       [sha256.Size]byte
	chats        []description
	orgs         []orgDescription // of a page of the list of sub-orgs
	chatsListed  *time.Time       // the start of the reading of the whole inbox list that it ends
}

// description is what one event says of one chat.
type description struct {
	orgID, chatID string
	stream        uuid.UUID
	seen          observation
	chat          *invent.Chat // nil when only messages are described
	toolset       invent.Field[string]
	config        invent.Field[string]
	messages      []message
	blocks        []*block // the toolsets and configurations it shows
	deleted       bool
	listed        bool  // it is from the inbox list
	complete      *Span // over which the chat's messages are all known with it
}

// message is one message of a description.
type message struct {
	*invent.Message
	toolset invent.Field[string]
	hash    uint64 // of its JSON
}

// clock is the source's clock of the version that is described; zero when it gives none.
func (d *description) clock() time.Time {
	if d.chat == nil || !d.chat.UpdatedAt.Given() {
		return time.Time{}
	}
	return d.chat.UpdatedAt.V
}

// describe reads one spool record. It never fails: what cannot be read is flawed and says nothing. b learns of the
// blocks it meets.
func describe(dec *invent.Decoder, stream uuid.UUID, r *spool.Record, b *blocks) *event {
	e := &event{
		orgID: r.OrgID, receivedAt: r.ReceivedAt, observedAt: r.ObservedAt, stream: stream, seq: r.Seq, place: r.Seq,
		source: r.Source, kind: r.Kind, request: r.Request, body: r.Body, sha256: sha256.Sum256(r.Body),
	}
	if r.ConnectionID != uuid.Nil {
		e.connectionID = &r.ConnectionID
	}
	if r.Source == SourceImport && r.Request != nil {
		e.takeOrigin(r.Request)
	}
	if r.Kind == KindOther {
		e.reading.Flaws = []string{"frame: binary"}
		return e
	}
	e.read(dec, b)
	return e
}

// read decodes e.body by its kind.
func (e *event) read(dec *invent.Decoder, b *blocks) {
	switch e.kind {
	case KindFrame:
		e.readFrame(dec, b)
	case KindChatsPage:
		var chats []invent.Chat
		chats, e.reading = dec.Chats(e.body)
		e.readChats(chats, b)
		var request Request
		if json.Unmarshal(e.request, &request) == nil && request.Completes != nil {
			e.chatsListed = &request.Completes.Through
		}
	case KindMessagesPage:
		e.readMessages(dec, b)
	case KindOrgsPage:
		var orgs []invent.Org
		orgs, e.reading = dec.Orgs(e.body)
		e.readOrgs(orgs)
	default:
		e.reading = dec.Any(e.body)
	}
}

func (e *event) readFrame(dec *invent.Decoder, b *blocks) {
	frame, reading := dec.Frame(e.body)
	e.reading, e.typ, e.identifier = reading, frame.Type.Ptr(), frame.Identifier.Ptr()
	if !frame.Data.Given() || !frame.Data.V.ID.Given() {
		return
	}
	e.chatID = &frame.Data.V.ID.V
	e.chats = e.describe(b, frame.Data.V)
	e.chats[0].deleted = frame.SaysDeleted()
}

// readChats takes a page of the inbox list. A page that names a chat twice (the list shifted while it was made) is
// taken at its last word.
func (e *event) readChats(chats []invent.Chat, b *blocks) {
	last := make(map[string]int, len(chats))
	for i := range chats {
		last[chats[i].ID.V] = i
	}
	for i := range chats {
		if last[chats[i].ID.V] == i {
			described := e.describe(b, &chats[i])
			described[0].listed = true
			e.chats = append(e.chats, described...)
		}
	}
}

func (e *event) readMessages(dec *invent.Decoder, b *blocks) {
	var request Request
	if err := json.Unmarshal(e.request, &request); err != nil {
		e.reading = invent.Reading{Flaws: []string{"request: not readable"}}
		return
	}
	id := chatOfPath(request.Path)
	if id == "" || len(id) > invent.MaxIDBytes {
		e.reading = invent.Reading{Flaws: []string{"request: names no chat"}}
		return
	}
	e.chatID = &id
	d := description{orgID: e.orgID, chatID: id, stream: e.stream, seen: observed(e.observedAt, e.seq)}
	if request.Status == http.StatusNotFound || request.Status == http.StatusGone {
		d.deleted = true
		e.reading = dec.Any(e.body)
		e.chats = append(e.chats, d)
		return
	}
	var messages []invent.Message
	messages, e.reading = dec.Messages(e.body)
	if !isArray(e.reading.Payload) {
		return // an error's body, or nothing that can be read: it says nothing of the chat
	}
	for i := range messages {
		e.message(&d, b, &messages[i])
	}
	d.complete = request.Completes
	e.chats = append(e.chats, d)
}

func isArray(payload []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(payload, " \t\r\n"), []byte("["))
}

// chatOfPath finds the chat's id in /chats/{chat_id}/messages.
func chatOfPath(path string) string {
	id, ok := strings.CutPrefix(path, "/chats/")
	id, tail := strings.CutSuffix(id, "/messages")
	if !ok || !tail {
		return ""
	}
	plain, err := url.PathUnescape(id)
	if err != nil {
		return ""
	}
	return plain
}

// describe is what a snapshot says of its chat, one description. All that it has a few of is in one piece of memory.
func (e *event) describe(b *blocks, c *invent.Chat) []description {
	one := &struct {
		description [1]description
		messages    [1]message
		blocks      [3]*block
	}{}
	d := &one.description[0]
	*d = description{
		orgID: e.orgID, chatID: c.ID.V, stream: e.stream, seen: observed(e.observedAt, e.seq), chat: c,
		messages: one.messages[:0], blocks: one.blocks[:0],
	}
	d.toolset = e.toolset(d, b, "tools", &c.Tools)
	if c.State.Given() {
		d.config = e.config(d, b, &c.State.V.AssistantConfig)
	}
	if m := c.LastMessage.V; c.LastMessage.Given() && m.ID.Given() {
		e.message(d, b, m)
	}
	return one.description[:]
}

func (e *event) message(d *description, b *blocks, m *invent.Message) {
	hash := maphash.Bytes(hashSeed, m.JSON)
	m.JSON = nil // what is kept of the event shall not hold it
	d.messages = append(d.messages, message{m, e.toolset(d, b, "last_message.tools", &m.Tools), hash})
}

// toolset and config replace a block that comes with every event by the id of its content.
func (e *event) toolset(d *description, b *blocks, at string, f *invent.Field[invent.JSON]) invent.Field[string] {
	return e.block(d, f, at, b.toolset)
}

func (e *event) config(d *description, b *blocks, f *invent.Field[invent.JSON]) invent.Field[string] {
	return e.block(d, f, "state.assistant_config", b.config)
}

func (e *event) block(d *description, f *invent.Field[invent.JSON], at string, find func(invent.JSON) *block) invent.Field[string] {
	id := invent.Field[string]{Presence: f.Presence}
	if f.Given() {
		found := find(f.V)
		d.blocks = append(d.blocks, found)
		for _, flaw := range found.flaws {
			e.reading.Flaws = append(e.reading.Flaws, within(at, flaw))
		}
		id.V = found.id
	}
	f.V = nil // the content is in found; what is kept of the event shall not hold it
	return id
}

// within is a flaw of a block as a flaw of the event that holds it.
func within(at, flaw string) string {
	switch rest, ofAll := strings.CutPrefix(flaw, "frame: "); {
	case ofAll:
		return at + ": " + rest
	case strings.HasPrefix(flaw, "["):
		return at + flaw
	}
	return at + "." + flaw
}
