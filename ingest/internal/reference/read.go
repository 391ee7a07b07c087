package reference

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// said is what one record says of one chat.
type said struct {
	orgID, chatID string
	stream        uuid.UUID
	seen          observation
	deleted       bool
	isListed      bool  // on a page of the inbox list
	complete      *span // over which it ends the reading of the chat's messages

	isChat      bool // it describes the chat, not only messages
	snapshot    bool
	clock       *time.Time // data.updated_at
	own         map[string]cell
	parts       map[string]cell // toolset_id, features: absent says nothing, even in a snapshot
	lastMessage any             // its id

	state    *saidState // nil: nothing
	members  []*saidMember
	list     map[string]bool // who the complete list names; nil when there is none
	referral object
	messages []*saidMessage
	mentions []mention
	blocks   []block
}

// span is a time; without from it goes back to the first message.
type span struct {
	From    time.Time `json:"from"`
	Through time.Time `json:"through"`
}

type saidState struct {
	snapshot bool
	columns  map[string]cell
}

type saidMember struct {
	id      string
	columns map[string]cell
}

// read returns what a record says; nothing when it is no JSON, or not of the form its kind has.
func read(r *Record) []*said {
	body, ok := Parse(r.Body)
	switch r.Kind {
	case "frame":
		frame, _ := body.(object)
		s := r.chat(nested(frame, "data"))
		if s == nil {
			return nil
		}
		kind, _ := frame["type"].(string)
		switch strings.ToLower(kind) {
		case "delete", "deleted", "remove", "removed":
			s.deleted = true
		}
		return []*said{s}
	case "chats_page":
		return r.chatsPage(body)
	case "messages_page":
		return r.messagesPage(body, ok)
	}
	return nil
}

// chatsPage takes a chat that is on the page twice at its last word.
func (r *Record) chatsPage(body any) (all []*said) {
	page, _ := objects(object{"page": body}, "page")
	for i, chat := range page {
		s := r.chat(chat)
		if s == nil {
			continue
		}
		again := false
		for _, later := range page[i+1:] {
			again = again || id(later, "id").value == s.chatID
		}
		if !again {
			s.isListed = true
			all = append(all, s)
		}
	}
	return all
}

func (r *Record) messagesPage(body any, isJSON bool) []*said {
	var request struct {
		Path      string `json:"path"`
		Status    int    `json:"status"`
		Completes *span  `json:"completes"`
	}
	if json.Unmarshal(r.Request, &request) != nil {
		return nil
	}
	escaped, isChat := strings.CutPrefix(request.Path, "/chats/")
	escaped, isMessages := strings.CutSuffix(escaped, "/messages")
	chatID, err := url.PathUnescape(escaped)
	if !isChat || !isMessages || err != nil || id(object{"id": chatID}, "id").value == nil {
		return nil
	}
	s := r.said(chatID)
	if request.Status == 404 || request.Status == 410 {
		s.deleted = true
		return []*said{s}
	}
	page, isList := objects(object{"page": body}, "page")
	if !isJSON || !isList {
		return nil
	}
	for _, m := range page {
		s.message(m)
	}
	s.complete = request.Completes
	return []*said{s}
}

func (r *Record) said(chatID string) *said {
	return &said{
		orgID: r.OrgID, chatID: chatID, stream: r.Stream,
		seen: observation{microseconds(r.ObservedAt), r.Seq},
	}
}

// chat reads a Chat object; nil when it has no usable id.
func (r *Record) chat(o object) *said {
	chatID := id(o, "id")
	if !chatID.given() {
		return nil
	}
	s := r.said(chatID.value.(string))
	s.isChat = true
	created, updated := instant(o, "created_at"), instant(o, "updated_at")
	s.snapshot = created.named && updated.named
	s.clock = timeOf(updated)
	s.own = map[string]cell{
		"title": text(o, "title"), "model": text(o, "model"), "status": text(o, "status"),
		"visibility": text(o, "visibility"), "temporary": boolean(o, "temporary"), "pinned": boolean(o, "pinned"),
		"shared_url": text(o, "shared_url"), "link": text(o, "link"),
		"created_at": created, "updated_at": updated,
	}
	s.parts = map[string]cell{"toolset_id": hashOf[[]any](o, "tools"), "features": documentOf[object](o, "features")}
	s.toolset(o)
	if m := nested(o, "last_message"); m != nil {
		s.lastMessage = id(m, "id").value
		s.message(m)
	}
	if list, ok := objects(o, "members"); ok {
		s.list = map[string]bool{}
		for _, m := range list {
			if s.member(m) {
				s.list[m["id"].(string)] = true
			}
		}
	}
	if state := nested(o, "state"); state != nil {
		s.readState(state)
	}
	s.referral = nested(o, "referral")
	return s
}

func timeOf(c cell) *time.Time {
	if t, ok := c.value.(time.Time); ok {
		return &t
	}
	return nil
}

func (s *said) readState(o object) {
	assistant := idOrNested(o, "assistant_id", "assistant")
	integration := idOrNested(o, "assistant_integration_id", "assistant_integration")
	s.state = &saidState{snapshot: id(o, "id").named, columns: map[string]cell{
		"state_id": id(o, "id"), "state": text(o, "state"), "integration_id": text(o, "integration_id"),
		"assistant_id": assistant, "assistant_integration_id": integration,
		"conversation_id": text(o, "conversation_id"), "ai_enabled": boolean(o, "ai_enabled"),
		"admin_unseen_count": integer(o, "admin_unseen_count"), "user_unseen_count": integer(o, "user_unseen_count"),
		"assigned_user_id": idOfNested(o, "assigned_user"), "assigned_at": instant(o, "assigned_at"),
		"assistant_config_id": hashOf[object](o, "assistant_config"), "follow_up_at": instant(o, "follow_up_at"),
		"muted_until": instant(o, "muted_until"), "csat_score": integer32(o, "csat_score"),
		"last_contact_message_at": instant(o, "last_contact_message_at"),
	}}
	s.mentionState(o, assistant, integration)
}

// idOrNested is a plain id, else the id of the object that stands beside it.
func idOrNested(o object, plain, beside string) cell {
	if _, named := o[plain]; named {
		return id(o, plain)
	}
	return id(nested(o, beside), "id")
}

// idOfNested is the id of an object in a field: null when the object has no usable one.
func idOfNested(o object, name string) cell {
	return cellOf(o, name, func(any) any { return id(nested(o, name), "id").value })
}

// member takes in a Member object, and reports whether it has a usable id.
func (s *said) member(o object) bool {
	memberID, ok := id(o, "id").value.(string)
	if !ok {
		return false
	}
	s.members = append(s.members, &saidMember{memberID, map[string]cell{
		"role": text(o, "role"), "user_id": idOfNested(o, "user"), "session_id": idOfNested(o, "session"),
		"contact_channel_id": idOfNested(o, "contact_channel"),
	}})
	s.mentionMember(o)
	return true
}
