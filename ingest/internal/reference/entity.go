package reference

import "time"

// mention is what a record says of something that is not of one chat alone. No columns: it only refers to it.
type mention struct {
	table, id string
	columns   map[string]cell
}

// block is a configuration or a toolset, stored by the hash of its content.
type block struct {
	table, id string
	columns   Row
}

func (s *said) mention(table string, id cell, columns map[string]cell) {
	if id.given() {
		s.mentions = append(s.mentions, mention{table, id.value.(string), columns})
	}
}

// mentionMember notes what a member is nested around; of what comes twice in a record, the later word is the newer.
func (s *said) mentionMember(o object) {
	s.mentionUser(nested(o, "user"))
	if session := nested(o, "session"); session != nil {
		s.mention("sessions", id(session, "id"), nil)
	}
	channel := nested(o, "contact_channel")
	if !id(channel, "id").given() {
		return
	}
	s.mention("contact_channels", id(channel, "id"), map[string]cell{
		"contact_id": idOfNested(channel, "contact"), "type": text(channel, "type"),
		"user_id": text(channel, "user_id"), "name": text(channel, "name"), "username": text(channel, "username"),
		"email": text(channel, "email"), "phone": text(channel, "phone"), "country": text(channel, "country"),
		"agent": text(channel, "agent"), "ip": text(channel, "ip"), "language": text(channel, "language"),
		"avatar": text(channel, "avatar"), "link": text(channel, "link"),
	})
	contact := nested(channel, "contact")
	s.mention("contacts", id(contact, "id"), map[string]cell{
		"name": text(contact, "name"), "blocked": boolean(contact, "blocked"), "is_admin": boolean(contact, "is_admin"),
	})
}

func (s *said) mentionUser(o object) {
	s.mention("users", id(o, "id"), map[string]cell{
		"name": text(o, "name"), "email": text(o, "email"), "avatar": text(o, "avatar"), "seen_at": instant(o, "seen_at"),
	})
}

func (s *said) mentionState(o object, assistant, integration cell) {
	s.mentionUser(nested(o, "assigned_user"))
	s.mention("assistants", assistant, nil)
	of := nested(o, "assistant")
	s.mention("assistants", id(of, "id"), map[string]cell{
		"name": text(of, "name"), "enabled": boolean(of, "enabled"), "deleted": boolean(of, "deleted"),
		"avatar_url": text(of, "avatar_url"), "config": documentOf[object](of, "config"),
	})
	refers := map[string]cell{}
	if assistant.given() {
		refers["assistant_id"] = assistant
	}
	s.mention("assistant_integrations", integration, refers)
	by := nested(o, "assistant_integration")
	s.mention("assistant_integrations", id(by, "id"), map[string]cell{
		"enabled": boolean(by, "enabled"), "has_connection": boolean(by, "has_connection"),
	})
	if config := nested(o, "assistant_config"); config != nil {
		s.config(config)
	}
}

func (s *said) config(o object) {
	talk := nested(o, "conversation")
	row := Row{
		"config": Canonical(o), "model": text(o, "model").value, "timezone": text(o, "timezone").value,
		"instructions": text(o, "instructions").value,
	}
	for _, name := range []string{
		"enable_memories", "enable_transfer_to_human_tool", "enable_end_conversation_tool", "enable_block_contact_tool",
		"enable_ai_replies", "enable_auto_resolve", "enable_auto_follow_ups", "enable_auto_csat", "enable_private_chats",
		"enable_update_contact_tool",
	} {
		row[name] = boolean(talk, name).value
	}
	s.blocks = append(s.blocks, block{"assistant_configs", hash(o), row})
}

// toolset notes the tools of a chat or a message.
func (s *said) toolset(o object) {
	tools, ok := o["tools"].([]any)
	if !ok {
		return
	}
	names := []string{}
	list, _ := objects(o, "tools")
	for _, tool := range list {
		if name, ok := text(tool, "name").value.(string); ok {
			names = append(names, name)
		}
	}
	s.blocks = append(s.blocks, block{"toolsets", hash(tools), Row{"tools": Canonical(tools), "tool_names": names}})
}

var described = map[string][]string{
	"users":    {"name", "email", "avatar", "seen_at"},
	"contacts": {"name", "blocked", "is_admin"},
	"contact_channels": {
		"contact_id", "type", "user_id", "name", "username", "email", "phone", "country", "agent", "ip", "language",
		"avatar", "link",
	},
	"assistants":             {"name", "enabled", "deleted", "avatar_url", "config"},
	"assistant_integrations": {"assistant_id", "enabled", "has_connection"},
}

// addEntities adds the rows that are not of one chat; all is everything said, in the order it was observed.
func (t Tables) addEntities(all []*said) {
	type key struct{ table, orgID, id string }
	rows := map[key]*tracked{}
	see := func(k key, at time.Time, apply func(Row)) {
		if rows[k] == nil {
			rows[k] = newTracked(described[k.table]...)
			rows[k].row["org_id"] = k.orgID
			if described[k.table] != nil {
				rows[k].row["is_stub"] = true
			}
			rows[k].row[Keys[k.table][len(Keys[k.table])-1]] = k.id
		}
		rows[k].describe(at)
		rows[k].change(at, nil, apply)
		rows[k].version = &at
	}
	for _, s := range all {
		for _, m := range s.mentions {
			k := key{m.table, s.orgID, m.id}
			if m.table == "sessions" && rows[k] != nil {
				continue // it is its id, and that was seen
			}
			see(k, s.seen.at, func(r Row) {
				r.set(false, m.columns)
				for _, c := range m.columns {
					if c.named {
						r["is_stub"] = false
					}
				}
			})
		}
		for _, b := range s.blocks {
			k := key{b.table, s.orgID, b.id}
			if rows[k] != nil {
				continue // its content is its id
			}
			see(k, s.seen.at, func(r Row) {
				for name, v := range b.columns {
					r[name] = v
				}
			})
		}
	}
	for k, r := range rows {
		t.add(k.table, r.finish())
	}
}
