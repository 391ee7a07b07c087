package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"
)

// object is a frame as anybody's JSON reader sees it.
type object = map[string]any

func parse(t *testing.T, b []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// quirky plays n frames of a small world under q.
func quirky(t *testing.T, q Quirks, n int) (*World, []Frame) {
	t.Helper()
	w := NewWorld(Config{Seed: 61, Orgs: 1, Chats: 30, Quirks: q})
	return w, take(w, n)
}

func TestUnsetFieldsAreAbsentOrNull(t *testing.T) {
	t.Parallel()
	null := []byte(`":null`)
	count := func(nulls Nulls) (with, without int) {
		_, frames := quirky(t, Quirks{Nulls: nulls}, 400)
		for _, f := range frames {
			with += bytes.Count(f.Bytes, null)
			if !bytes.Contains(f.Bytes, null) {
				without++
			}
		}
		return with, without
	}
	if with, _ := count(NullsAbsent); with != 0 {
		t.Errorf("expected no nulls in the plain reading, got %d", with)
	}
	always, without := count(NullsNull)
	if without != 0 {
		t.Errorf("expected nulls in every frame, %d have none", without)
	}
	if mixed, _ := count(NullsMixed); mixed < always/4 || mixed > always*3/4 {
		t.Errorf("expected about half of %d nulls when mixed, got %d", always, mixed)
	}
}

func TestFalseAndZeroAreLeftOut(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{OmitFalse: true}, 1000)
	for _, f := range frames {
		if bytes.Contains(f.Bytes, []byte(`":false`)) || bytes.Contains(f.Bytes, []byte(`unseen_count":0`)) {
			t.Fatalf("expected no false and no 0, got %s", f.Bytes)
		}
	}
}

func TestACoarseClockGivesEqualTimestamps(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{EqualTimestamps: true}, 1000)
	last, ties := map[string]string{}, 0
	for _, f := range frames {
		at := parse(t, f.Bytes)["data"].(object)["updated_at"].(string)
		if len(at) != len("2025-01-06T00:00:00Z") || at < last[f.ChatID] {
			t.Fatalf("expected whole seconds that do not go back, got %s after %s", at, last[f.ChatID])
		}
		if at == last[f.ChatID] {
			ties++
		}
		last[f.ChatID] = at
	}
	if ties < 20 {
		t.Fatalf("expected many events with an equal updated_at, got %d", ties)
	}
}

func TestCoalescedChangesAreSentWithTheNext(t *testing.T) {
	t.Parallel()
	w, frames := quirky(t, Quirks{Coalesce: 0.6}, 800)
	last, shown := map[string]Frame{}, map[string]bool{}
	for _, f := range frames {
		last[f.ChatID] = f
		if m, ok := parse(t, f.Bytes)["data"].(object)["last_message"].(object); ok {
			shown[m["id"].(string)] = true
		}
	}
	hidden, behind := 0, 0
	for id, f := range last {
		for _, b := range w.Messages(id) {
			if !shown[parse(t, b)["id"].(string)] {
				hidden++
			}
		}
		c := w.byChat[id]
		if c.dirty {
			behind++
		} else if !bytes.Equal(chatOf(t, f), w.show(c, c.lastSent)) {
			t.Fatalf("expected the last frame of chat %s to be its truth, it is not", id)
		}
	}
	if hidden < 50 {
		t.Errorf("expected messages that no event showed, got %d", hidden)
	}
	if behind > 10 {
		t.Errorf("expected changes to be sent soon, %d chats are behind", behind)
	}
}

func TestSparseMembersAreBareIds(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{SparseMembers: 0.4}, 500)
	bare, full := 0, 0
	for _, f := range frames {
		for _, m := range parse(t, f.Bytes)["data"].(object)["members"].([]any) {
			if ch, ok := m.(object)["contact_channel"].(object); ok {
				if len(ch) == 1 && ch["id"] != nil {
					bare++
				} else {
					full++
				}
			}
		}
	}
	if bare < 50 || full < 50 {
		t.Fatalf("expected bare and full channels, got %d and %d", bare, full)
	}
}

func TestPartsAreLeftOut(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{OmitParts: 0.5}, 800)
	absent := map[string]int{}
	for _, f := range frames {
		data := parse(t, f.Bytes)["data"].(object)
		for _, part := range []string{"tools", "state", "members", "last_message"} {
			if _, there := data[part]; !there {
				absent[part]++
			}
		}
		if data["created_at"] == nil || data["updated_at"] == nil {
			t.Fatal("expected an event with its anchors, got none")
		}
	}
	for _, part := range []string{"tools", "state", "members", "last_message"} {
		if absent[part] < 50 || absent[part] > 300 {
			t.Errorf("expected some events without %s, got %d of 800", part, absent[part])
		}
	}
	_, frames = quirky(t, Quirks{NoLastMessage: true}, 300)
	for _, f := range frames {
		if bytes.Contains(f.Bytes, []byte(`"last_message":`)) {
			t.Fatalf("expected no last_message, got %s", f.Bytes)
		}
	}
}

func TestPatchesOverSnapshotsGiveTheTruth(t *testing.T) {
	t.Parallel()
	w, frames := quirky(t, Quirks{Patches: 0.8}, 800)
	got := map[string]object{}
	patches := 0
	for _, f := range frames {
		data := parse(t, f.Bytes)["data"].(object)
		if _, whole := data["created_at"]; whole {
			got[f.ChatID] = data
			continue
		}
		patches++
		if data["updated_at"] != nil || data["id"] != f.ChatID {
			t.Fatalf("expected a patch of chat %s without updated_at, got %s", f.ChatID, f.Bytes)
		}
		chat := got[f.ChatID]
		if state, ok := data["state"].(object); ok {
			if state["id"] != nil {
				t.Fatalf("expected a patch's state without its id, got %s", f.Bytes)
			}
			maps.Copy(chat["state"].(object), state)
			delete(data, "state")
		}
		maps.Copy(chat, data)
	}
	if patches < 50 {
		t.Fatalf("expected patches, got %d", patches)
	}
	for id, chat := range got {
		c := w.byChat[id]
		want := parse(t, w.show(c, c.lastSent))
		for _, k := range []string{"pinned", "updated_at"} {
			if chat[k] != want[k] {
				t.Fatalf("expected %s of chat %s to be %v, got %v", k, id, want[k], chat[k])
			}
		}
		for _, k := range []string{"admin_unseen_count", "user_unseen_count", "ai_enabled"} {
			if chat["state"].(object)[k] != want["state"].(object)[k] {
				t.Fatalf("expected %s of chat %s to be %v, got %v", k, id, want["state"].(object)[k], chat["state"].(object)[k])
			}
		}
	}
}

func TestEventsAreRepeatedVerbatim(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{Repeats: 0.2}, 2000)
	seen, again := map[string]bool{}, 0
	for _, f := range frames {
		if seen[string(f.Bytes)] {
			again++
		}
		seen[string(f.Bytes)] = true
	}
	if again < 200 || again > 500 {
		t.Fatalf("expected about a sixth of 2000 frames to be repeats, got %d", again)
	}
}

func TestEventsOvertakeEachOther(t *testing.T) {
	t.Parallel()
	end := Config{Seed: 61, Orgs: 1, Chats: 30, End: time.Date(2025, 1, 20, 0, 0, 0, 0, time.UTC)}
	ordered := take(NewWorld(end), 1<<20)
	end.Quirks.Unordered = 0.2
	w := NewWorld(end)
	frames := take(w, 1<<20)
	if len(frames) < len(ordered)/2 {
		t.Fatalf("expected no frame to be lost, got %d", len(frames))
	}
	last, same, ids := map[string]string{}, 0, map[string]bool{}
	for _, f := range frames {
		data := parse(t, f.Bytes)
		ids[data["identifier"].(string)] = true
		at := data["data"].(object)["updated_at"].(string)
		if at < last[f.ChatID] {
			same++
		}
		last[f.ChatID] = max(last[f.ChatID], at)
	}
	if same < 20 {
		t.Errorf("expected events of one chat out of order, got %d", same)
	}
	if len(ids) != len(frames) {
		t.Errorf("expected every event once, got %d of %d", len(ids), len(frames))
	}
	for id, c := range w.byChat {
		if want := parse(t, w.show(c, c.lastSent))["updated_at"]; last[id] != want {
			t.Fatalf("expected the newest event of chat %s, of %s, to be among them, the newest is of %s", id, want, last[id])
		}
	}
}

func TestUnsortedListsHoldTheSameInAnotherOrder(t *testing.T) {
	t.Parallel()
	plain, _ := quirky(t, Quirks{}, 2000)
	unsorted, _ := quirky(t, Quirks{UnsortedLists: true}, 2000)
	org := plain.Orgs()[0].ID
	a, b := plain.ChatIDs(org), unsorted.ChatIDs(org)
	if slices.Equal(a, b) {
		t.Fatal("expected another order, got the same")
	}
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Fatalf("expected the same chats, got %d and %d", len(a), len(b))
	}
}

func TestUnknownTypesOccurEverywhere(t *testing.T) {
	t.Parallel()
	_, frames := quirky(t, Quirks{UnknownTypes: 0.5}, 1500)
	seen := map[string]map[string]bool{}
	for _, f := range frames {
		sight("", map[string]any(parse(t, f.Bytes)), seen)
	}
	for path, value := range map[string]string{
		"type":                   "touch",
		"data.state.state":       "PARKED",
		"data.visibility":        "TEAM",
		"data.last_message.role": "supervisor",
		"data.last_message.messages[].parts[].type": "location",
		"data.members[].role":                       "OBSERVER",
		"data.sla.tier":                             "gold",
	} {
		if !seen[path][value] {
			t.Errorf("expected %s to be %s at times, never saw it", path, value)
		}
	}
	if seen["version"] == nil {
		t.Error("expected an unknown field at the top, never saw it")
	}
}

func TestDeletedChatsLeaveTheLists(t *testing.T) {
	t.Parallel()
	w, frames := quirky(t, Quirks{Deletions: true}, 6000)
	var deleted []string
	for _, f := range frames {
		if bytes.HasPrefix(f.Bytes, []byte(`{"type":"delete"`)) {
			deleted = append(deleted, f.ChatID)
		} else if slices.Contains(deleted, f.ChatID) {
			t.Fatalf("expected nothing more of the deleted chat %s, got %.100s", f.ChatID, f.Bytes)
		}
	}
	org := w.Orgs()[0].ID
	known := w.DeletedChatIDs(org)
	if len(deleted) == 0 || len(known) != len(deleted) {
		t.Fatalf("expected deletions, as many as the world knows of, got %d and %d", len(deleted), len(known))
	}
	for _, id := range deleted {
		if _, there := w.Chat(org, id); there || slices.Contains(w.ChatIDs(org), id) {
			t.Fatalf("expected chat %s to be gone from the lists, it is there", id)
		}
	}
}

func TestIdentifiersStandForWhatTheyAreSetTo(t *testing.T) {
	t.Parallel()
	for per, want := range map[IdentifierPer]string{PerEvent: "event", PerChat: "chat", PerSubscription: "subscription"} {
		w := NewWorld(Config{Seed: 61, Orgs: 2, Chats: 30, Quirks: Quirks{IdentifierPer: per}})
		owners := map[string]string{}
		for i, f := range take(w, 500) {
			owner := map[IdentifierPer]string{PerEvent: string(rune(i)), PerChat: f.ChatID, PerSubscription: f.OrgID}[per]
			id := parse(t, f.Bytes)["identifier"].(string)
			if known, ok := owners[id]; ok && known != owner || ok && per == PerEvent {
				t.Fatalf("expected one identifier for each %s, got %s again", want, id)
			}
			owners[id] = owner
		}
		owned := map[string]bool{}
		for _, owner := range owners {
			if owned[owner] {
				t.Fatalf("expected one identifier for each %s, got several", want)
			}
			owned[owner] = true
		}
	}
}
