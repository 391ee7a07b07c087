package reference

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Record is one record of a spool, as far as it decides what is in inbox.
type Record struct {
	OrgID      string
	Stream     uuid.UUID
	Seq        int64
	ObservedAt time.Time
	Kind       string // frame, chats_page, messages_page, orgs_page; anything else says nothing
	Request    []byte // JSON with path and status, of pages
	Body       []byte
}

// Tables holds the rows of each table of inbox, by its name.
type Tables map[string][]Row

// Row is a row by column. A value is nil, string, bool, int64, time.Time (UTC, in microseconds), JSON or []string.
type Row map[string]any

// JSON is a jsonb value in its canonical spelling.
type JSON string

// Keys are the primary keys of the tables.
var Keys = map[string][]string{
	"orgs":                   {"org_id"},
	"users":                  {"org_id", "user_id"},
	"sessions":               {"org_id", "session_id"},
	"contacts":               {"org_id", "contact_id"},
	"contact_channels":       {"org_id", "contact_channel_id"},
	"assistants":             {"org_id", "assistant_id"},
	"assistant_integrations": {"org_id", "assistant_integration_id"},
	"assistant_configs":      {"org_id", "assistant_config_id"},
	"toolsets":               {"org_id", "toolset_id"},
	"chats":                  {"org_id", "chat_id"},
	"chat_states":            {"org_id", "chat_id"},
	"chat_state_changes":     {"org_id", "chat_id", "changed_at", "stream_id", "seq"},
	"members":                {"org_id", "chat_id", "member_id"},
	"messages":               {"org_id", "chat_id", "message_id"},
	"message_files":          {"org_id", "chat_id", "message_id", "file_id"},
	"referrals":              {"org_id", "chat_id", "referral_id"},
}

// Inbox computes all tables from all records, in whatever order they are given.
func Inbox(records []Record) Tables {
	var all []*said
	for i := range records {
		all = append(all, read(&records[i])...)
	}
	slices.SortStableFunc(all, func(a, b *said) int { return a.seen.compare(b.seen) })

	tables := Tables{}
	for name := range Keys {
		tables[name] = nil
	}
	byChat := map[[2]string][]*said{}
	for _, s := range all {
		key := [2]string{s.orgID, s.chatID}
		byChat[key] = append(byChat[key], s)
	}
	for _, told := range byChat {
		tables.addChat(told)
		tables.addMessages(told, tables.membersOf(told[0]))
	}
	tables.addEntities(all)
	tables.addOrgs(records, all)
	return tables
}

func (t Tables) add(table string, r Row) { t[table] = append(t[table], r) }

// membersOf are the members' rows of a chat, by id.
func (t Tables) membersOf(s *said) map[string]Row {
	found := map[string]Row{}
	for i := len(t["members"]) - 1; i >= 0; i-- {
		r := t["members"][i]
		if r["org_id"] != s.orgID || r["chat_id"] != s.chatID {
			break // a chat's rows are added together, and this chat's last
		}
		found[r["member_id"].(string)] = r
	}
	return found
}

// observation is the observed time and, between equal ones, the place in the stream.
type observation struct {
	at  time.Time
	seq int64
}

func (o observation) compare(p observation) int {
	return cmp.Or(o.at.Compare(p.at), cmp.Compare(o.seq, p.seq))
}
