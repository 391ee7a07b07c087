package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"archiver/ingest/internal/reference"

	"github.com/google/uuid"
)

// TestOneEventArrivesInEveryColumnOfEveryTableItTouches spells all of them out by hand, so that it also holds the
// reference to account.
func TestOneEventArrivesInEveryColumnOfEveryTableItTouches(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	a := newArchive(t)
	const org = "org-brightside"
	r := frame(org, time.Date(2026, 3, 2, 7, 30, 1, 250_000_000, time.UTC), string(body))
	r.ConnectionID = uuid.New()
	a.append(r)
	a.write()
	a.likeReference(false)

	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	type row = reference.Row
	event, _ := reference.Parse(body)
	doc := func(path ...string) reference.JSON {
		v := event
		for _, name := range append([]string{"data"}, path...) {
			v = v.(map[string]any)[name]
		}
		return reference.Canonical(v)
	}
	hash := func(j reference.JSON) string {
		sum := sha256.Sum256([]byte(j))
		return hex.EncodeToString(sum[:])
	}
	seen := at("2026-03-02T07:30:01.25Z")
	clock := at("2026-03-02T07:30:00.5Z")
	stream := a.spool.StreamID().String()
	tools, messageTools := hash(doc("tools")), hash(doc("last_message", "tools"))
	config := hash(doc("state", "assistant_config"))

	// The columns that several rows have in common.
	common := func(version any, of row) row {
		of["org_id"], of["first_seen_at"], of["last_seen_at"], of["version_at"] = org, seen, seen, version
		return of
	}
	named := func(of row, older any) row {
		of["is_stub"], of["version_seq"], of["field_versions"] = false, int64(1), older
		return common(seen, of)
	}
	history := row{
		"state": "SNOOZED", "integration_id": "whatsapp_bot", "assistant_id": "assistant-lumi",
		"assistant_integration_id": "integration-8", "ai_enabled": false, "assigned_user_id": "user-noor",
		"assigned_at": at("2026-03-02T07:21:00Z"), "assistant_config_id": config,
		"follow_up_at": at("2026-03-03T08:00:00Z"), "muted_until": at("2026-03-04T08:00:00Z"), "csat_score": int64(4),
	}
	state := maps.Clone(history)
	maps.Copy(state, row{
		"chat_id": "chat-7f3a", "state_id": "state-31", "conversation_id": "conversation-55",
		"admin_unseen_count": int64(2), "user_unseen_count": int64(5),
		"last_contact_message_at": at("2026-03-02T07:19:00Z"),
	})
	change := maps.Clone(history)
	maps.Copy(change, row{
		"chat_id": "chat-7f3a", "changed_at": clock, "stream_id": stream, "seq": int64(1), "unchanged_until": nil, "unseen_rise": nil,
	})
	file := func(of row) row {
		of["chat_id"], of["message_id"], of["deleted_at"] = "chat-7f3a", "message-88", nil
		return common(at("2026-03-02T07:19:30Z"), of)
	}

	want := reference.Tables{
		"orgs": {common(seen, row{
			"parent_org_id": nil, "name": nil, "is_stub": true, "name_version_at": nil, "name_version_seq": nil,
			"parent_version_at": nil, "parent_version_seq": nil, "chats_listed_at": nil,
		})},
		"users": {
			named(row{
				"user_id": "user-ines", "name": "Ines", "email": nil, "avatar": "https://cdn.example/ines.png",
				"seen_at": nil,
			}, reference.JSON(`{"email":[0,0],"seen_at":[0,0]}`)),
			named(row{
				"user_id": "user-noor", "name": "Noor", "email": "noor@brightside.example",
				"avatar": "https://cdn.example/noor.png", "seen_at": at("2026-03-02T07:20:00Z"),
			}, nil),
		},
		"sessions": {common(seen, row{"session_id": "session-9"})},
		"contacts": {named(row{
			"contact_id": "contact-otto", "name": "Otto Klein", "blocked": false, "is_admin": true,
		}, nil)},
		"contact_channels": {named(row{
			"contact_channel_id": "channel-wa-1", "contact_id": "contact-otto", "type": "whatsapp",
			"user_id": "vendor-user-3", "name": "Otto on WhatsApp", "username": "otto.k", "email": "otto@channel.example",
			"phone": "+491701234567", "country": "DE", "agent": "WhatsApp/2.24", "ip": "203.0.113.7", "language": "de",
			"avatar": "https://cdn.example/otto.png", "link": "https://wa.example/491701234567",
		}, nil)},
		"assistants": {named(row{
			"assistant_id": "assistant-lumi", "name": "Lumi", "enabled": true, "deleted": false,
			"avatar_url": "https://cdn.example/lumi.png", "config": doc("state", "assistant", "config"),
		}, nil)},
		"assistant_integrations": {named(row{
			"assistant_integration_id": "integration-8", "assistant_id": "assistant-lumi", "enabled": true,
			"has_connection": false,
		}, nil)},
		"assistant_configs": {common(seen, row{
			"assistant_config_id": config, "config": doc("state", "assistant_config"), "model": "claude-config",
			"timezone": "Europe/Berlin", "instructions": "Be brief.", "enable_memories": true,
			"enable_transfer_to_human_tool": false, "enable_end_conversation_tool": true,
			"enable_block_contact_tool": false, "enable_ai_replies": true, "enable_auto_resolve": false,
			"enable_auto_follow_ups": true, "enable_auto_csat": false, "enable_private_chats": true,
			"enable_update_contact_tool": false,
		})},
		"toolsets": {
			common(seen, row{"toolset_id": tools, "tools": doc("tools"), "tool_names": []string{"orders", "returns"}}),
			common(seen, row{
				"toolset_id": messageTools, "tools": doc("last_message", "tools"), "tool_names": []string{"shipping"},
			}),
		},
		"chats": {common(clock, row{
			"chat_id": "chat-7f3a", "title": "Where is my lamp?", "model": "claude-chat", "status": "COMPLETED",
			"visibility": "PRIVATE", "temporary": false, "pinned": true, "shared_url": "https://share.example/7f3a",
			"link": "https://app.example/chats/7f3a", "created_at": at("2026-03-01T08:00:00.123456Z"),
			"updated_at": clock, "toolset_id": tools, "features": doc("features"), "last_message_id": "message-88",
			"messages_complete_from": nil, "messages_complete_through": nil, "deleted_at": nil, "is_stub": false, "listed_at": nil,
			"observed_at": seen, "observed_seq": int64(1), "state_version_at": clock, "members_listed_at": seen,
		})},
		"chat_states":        {common(clock, state)},
		"chat_state_changes": {common(clock, change)},
		"members": {
			common(clock, row{
				"chat_id": "chat-7f3a", "member_id": "member-agent", "role": "ADMIN", "user_id": "user-ines",
				"session_id": nil, "contact_channel_id": nil, "left_at": nil,
			}),
			common(clock, row{
				"chat_id": "chat-7f3a", "member_id": "member-contact", "role": "MEMBER", "user_id": nil,
				"session_id": "session-9", "contact_channel_id": "channel-wa-1", "left_at": nil,
			}),
		},
		"messages": {common(at("2026-03-02T07:19:30Z"), row{
			"chat_id": "chat-7f3a", "message_id": "message-88", "role": "user", "sender": "customer",
			"member_id": "member-contact", "user_id": nil, "contact_channel_id": "channel-wa-1",
			"session_id": "session-9", "model": "claude-message", "status": "COMPLETED",
			"text": "Here it is:\nDo you see it?", "content": doc("last_message", "messages"),
			"toolset_id": messageTools, "features": doc("last_message", "features"), "error": "none worth the name",
			"broadcast_id": nil, "is_broadcast_message": false, "created_at": at("2026-03-02T07:19:00Z"),
			"updated_at": at("2026-03-02T07:19:30Z"), "input_tokens": int64(11), "output_tokens": int64(12),
			"total_tokens": int64(23), "reasoning_tokens": int64(3), "input_tokens_cache_read": int64(4),
			"input_tokens_cache_write": int64(5), "usage_turns": doc("last_message", "usage", "turns"),
			"deleted_at": nil, "has_ended": true,
		})},
		"message_files": {
			file(row{
				"file_id": "file-voice", "part_type": "audio", "path": "voice/1", "filename": "voice.ogg",
				"size_bytes": int64(2048), "mimetype": "audio/ogg", "url": "https://files.example/voice",
				"created_at": at("2026-03-02T07:18:00Z"),
			}),
			file(row{
				"file_id": "file-photo", "part_type": "image", "path": "photo/2", "filename": "lamp.jpg",
				"size_bytes": int64(4096), "mimetype": "image/jpeg", "url": "https://files.example/photo",
				"created_at": at("2026-03-02T07:18:30Z"),
			}),
		},
		"referrals": {common(clock, row{
			"chat_id": "chat-7f3a", "referral_id": hash(doc("referral")), "ref": "spring-lamps", "ad_id": "ad-77",
			"source": "ADS", "referer_uri": "https://social.example/post", "ad_title": "Lamps for spring",
			"photo_url": "https://ads.example/photo", "video_url": "https://ads.example/video", "post_id": "post-5",
			"product_id": "product-6", "parts": doc("referral", "parts"),
		})},
	}
	got := a.tables()
	for _, table := range slices.Sorted(maps.Keys(reference.Keys)) {
		for _, difference := range compareRows(table, want[table], got[table], nil) {
			t.Errorf("inbox.%s:\n%s", table, difference)
		}
	}

	sum := sha256.Sum256(body)
	raw := a.rows("select * from raw.events")
	wantRaw := row{
		"org_id": org, "observed_at": seen, "stream_id": stream, "seq": int64(1),
		"connection_id": r.ConnectionID.String(), "source": "socket", "kind": "frame", "request": nil, "type": "update",
		"identifier": "inbox-of-brightside-4711", "chat_id": "chat-7f3a", "payload": reference.Canonical(event),
		"raw": nil, "flaws": nil, "sha256": sum[:],
	}
	if len(raw) != 1 {
		t.Fatalf("raw.events has %d rows, want 1", len(raw))
	}
	received, _ := raw[0]["received_at"].(time.Time)
	if age := time.Since(received); age < 0 || age > time.Hour {
		t.Errorf("raw.events.received_at is %v, want the time the spool took it in", received)
	}
	delete(raw[0], "received_at")
	for column, v := range raw[0] {
		if !reflect.DeepEqual(v, wantRaw[column]) {
			t.Errorf("raw.events.%s is %v, want %v", column, v, wantRaw[column])
		}
	}

	streams := a.rows("select stream_id, instance, committed_seq from ops.streams")
	if len(streams) != 1 || !reflect.DeepEqual(streams[0], row{"stream_id": stream, "instance": "test", "committed_seq": int64(1)}) {
		t.Errorf("ops.streams has %v, want the checkpoint of stream %s at 1", streams, stream)
	}
	dirty := a.rows("select org_id, chat_id from ops.dirty_chats")
	if len(dirty) != 1 || !reflect.DeepEqual(dirty[0], row{"org_id": org, "chat_id": "chat-7f3a"}) {
		t.Errorf("ops.dirty_chats has %v, want the chat", dirty)
	}
}
