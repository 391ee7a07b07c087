package reference

import (
	"slices"
	"strings"
	"time"
)

// saidMessage is what is said of one message.
type saidMessage struct {
	id       string
	seen     observation
	clock    *time.Time // updated_at, else created_at
	snapshot bool
	status   any
	columns  map[string]cell
	parts    map[string]cell // toolset_id, features
	usage    map[string]cell // named as one
	content  cell
	text     any
	files    []saidFile
	author   cell // value: *saidMember
}

type saidFile struct {
	id      string
	columns map[string]cell
}

func (m *saidMessage) ends() bool {
	return m.status == "COMPLETED" || m.status == "FAILED" || m.status == "CANCELED"
}

// message takes in a Message object, if it has a usable id.
func (s *said) message(o object) {
	messageID, ok := id(o, "id").value.(string)
	if !ok {
		return
	}
	created, updated := instant(o, "created_at"), instant(o, "updated_at")
	m := &saidMessage{
		id: messageID, seen: s.seen, snapshot: created.named, status: text(o, "status").value,
		columns: map[string]cell{
			"role": text(o, "role"), "model": text(o, "model"), "status": text(o, "status"), "error": text(o, "error"),
			"broadcast_id":         text(o, "broadcast_id"),
			"is_broadcast_message": boolean(o, "is_broadcast_message"), "created_at": created, "updated_at": updated,
		},
		parts:   map[string]cell{"toolset_id": hashOf[[]any](o, "tools"), "features": documentOf[object](o, "features")},
		content: documentOf[[]any](o, "messages"),
	}
	if m.clock = timeOf(updated); m.clock == nil {
		m.clock = timeOf(created)
	}
	s.toolset(o)
	usage := nested(o, "usage")
	m.usage = map[string]cell{"usage_turns": documentOf[[]any](usage, "turns")}
	for _, name := range []string{
		"input_tokens", "output_tokens", "total_tokens", "reasoning_tokens", "input_tokens_cache_read",
		"input_tokens_cache_write",
	} {
		m.usage[name] = integer(usage, name)
	}
	if _, named := o["usage"]; named {
		for name, c := range m.usage {
			m.usage[name] = cell{named: true, value: c.value}
		}
	}
	m.readContent(o)
	if _, m.author.named = o["member"]; s.member(nested(o, "member")) {
		m.author.value = s.members[len(s.members)-1]
	}
	s.messages = append(s.messages, m)
}

func (m *saidMessage) readContent(o object) {
	var texts []string
	contents, _ := objects(o, "messages")
	for _, c := range contents {
		parts, _ := objects(c, "parts")
		for _, p := range parts {
			kind := text(p, "type").value
			if of := text(p, "text").value; of != nil && (kind == nil || kind == "text") {
				texts = append(texts, of.(string))
			}
			for _, name := range []string{"audio", "file"} {
				f := nested(p, name)
				fileID, ok := id(f, "id").value.(string)
				if !ok {
					continue
				}
				partType := kind
				if partType == nil {
					partType = name
				}
				m.files = append(m.files, saidFile{fileID, map[string]cell{
					"part_type": {true, partType}, "path": text(f, "file_path"), "filename": text(f, "file_filename"),
					"size_bytes": integer(f, "file_size"), "mimetype": text(f, "file_mimetype"),
					"url": text(f, "file_url"), "created_at": instant(f, "created_at"), "deleted_at": {},
				}})
			}
		}
	}
	if texts != nil {
		m.text = strings.Join(texts, "\n")
	}
}

// addMessages adds the messages of a chat and their files. members are the chat's, as they are known in the end.
func (t Tables) addMessages(told []*said, members map[string]Row) {
	byID := map[string][]*saidMessage{}
	for _, s := range told {
		for _, m := range s.messages {
			byID[m.id] = append(byID[m.id], m)
		}
	}
	for messageID, all := range byID {
		t.addMessage(told[0], messageID, all, members)
	}
}

func (t Tables) addMessage(of *said, messageID string, all []*saidMessage, members map[string]Row) {
	message := newTracked("text", "content", "deleted_at", "member_id", "user_id", "session_id", "contact_channel_id")
	message.row["org_id"], message.row["chat_id"], message.row["message_id"] = of.orgID, of.chatID, messageID
	message.row["has_ended"] = false
	message.row.set(true, emptied(all[0].columns))
	message.row.set(true, emptied(all[0].parts))
	message.row.set(true, emptied(all[0].usage))
	files := map[string]*tracked{}
	var newest *time.Time

	for _, v := range withoutGoingBack(all) {
		m, at := v.of, v.of.seen.at
		if m.clock != nil {
			newest = m.clock
		}
		message.describe(at)
		message.change(at, nil, func(r Row) {
			r.set(m.snapshot, m.columns)
			r.set(false, m.parts)
			r.set(m.snapshot, m.usage)
			if m.snapshot || m.content.named {
				r["content"], r["text"] = m.content.value, m.text
			}
			if m.snapshot || m.author.named {
				setAuthor(r, m.author, members)
			}
			r["has_ended"] = r["has_ended"] == true || m.ends()
			r["sender"] = sender(r)
		})
		if !m.snapshot && !m.content.named {
			continue
		}
		for fileID, f := range files {
			if !slices.ContainsFunc(m.files, func(f saidFile) bool { return f.id == fileID }) {
				f.change(at, newest, func(r Row) {
					if r["deleted_at"] == nil {
						r["deleted_at"] = at
					}
				})
			}
		}
		for i, f := range m.files {
			if slices.ContainsFunc(m.files[i+1:], func(later saidFile) bool { return later.id == f.id }) {
				continue // of a file that is there twice, the last word
			}
			if files[f.id] == nil {
				files[f.id] = newTracked()
				files[f.id].row["org_id"], files[f.id].row["chat_id"] = of.orgID, of.chatID
				files[f.id].row["message_id"], files[f.id].row["file_id"] = messageID, f.id
			}
			files[f.id].describe(at)
			files[f.id].change(at, newest, func(r Row) { r.set(true, f.columns) })
		}
	}

	row := message.finish()
	row["version_at"] = orNull(newest)
	t.add("messages", row)
	for _, f := range files {
		t.add("message_files", f.finish())
	}
}

// withoutGoingBack is what is said of a message, in order, without the words by which it would run again after it had
// ended: those are as if they had never been said.
func withoutGoingBack(all []*saidMessage) []version[*saidMessage] {
	versions := inOrder(all, func(m *saidMessage) *time.Time { return m.clock })
	var kept []*saidMessage
	for i, m := range all {
		at := slices.IndexFunc(versions, func(v version[*saidMessage]) bool { return v.of == m })
		if m.status != "RUNNING" || !slices.ContainsFunc(versions[:at], func(v version[*saidMessage]) bool { return v.of.ends() }) {
			kept = append(kept, all[i])
		}
	}
	return inOrder(kept, func(m *saidMessage) *time.Time { return m.clock })
}

// setAuthor fills in who wrote it: what the message itself says of its member, and for the rest what the chat does.
func setAuthor(r Row, author cell, members map[string]Row) {
	r["member_id"], r["user_id"], r["session_id"], r["contact_channel_id"] = nil, nil, nil, nil
	m, ok := author.value.(*saidMember)
	if !ok {
		return
	}
	r["member_id"] = m.id
	for _, name := range []string{"user_id", "session_id", "contact_channel_id"} {
		if r[name] = members[m.id][name]; m.columns[name].named {
			r[name] = m.columns[name].value
		}
	}
}

// sender is the rule of who wrote a message; the first that fits.
func sender(r Row) string {
	role := r["role"]
	switch {
	case r["is_broadcast_message"] == true || r["broadcast_id"] != nil && r["broadcast_id"] != "":
		return "broadcast"
	case role == "system" || role == "tool" || role == "event" || role == "note":
		return "none"
	case r["user_id"] != nil && (role == "user" || role == "assistant"):
		return "human"
	case role == "user" && (r["contact_channel_id"] != nil || r["session_id"] != nil):
		return "customer"
	case role == "assistant":
		return "ai"
	}
	return "unknown"
}
