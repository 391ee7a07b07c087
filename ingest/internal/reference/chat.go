package reference

import (
	"maps"
	"time"
)

// tracked is a row on its way from the oldest version to the newest.
type tracked struct {
	row     Row
	first   time.Time // the earliest observation that described it
	last    time.Time // the observation of the last version that changed it
	version *time.Time
	isOld   bool
}

func newTracked(columns ...string) *tracked {
	t := &tracked{row: Row{}}
	for _, c := range columns {
		t.row[c] = nil
	}
	return t
}

// describe notes that something observed at a time speaks of the row.
func (t *tracked) describe(at time.Time) {
	if t.first.IsZero() || at.Before(t.first) {
		t.first = at
	}
}

// change applies a version, and reports whether it made a difference. A row's first version always does.
func (t *tracked) change(at time.Time, clock *time.Time, apply func(Row)) bool {
	before := maps.Clone(t.row)
	apply(t.row)
	if t.isOld && maps.Equal(before, t.row) {
		return false
	}
	t.isOld, t.last, t.version = true, at, clock
	return true
}

func (t *tracked) finish() Row {
	t.row["first_seen_at"], t.row["last_seen_at"], t.row["version_at"] = t.first, t.last, orNull(t.version)
	return t.row
}

func orNull(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

// set is the rule of Absent and null.
func (r Row) set(snapshot bool, columns map[string]cell) {
	for name, c := range columns {
		if snapshot || c.named {
			r[name] = c.value
		}
	}
}

var historyColumns = []string{
	"state", "integration_id", "assistant_id", "assistant_integration_id", "ai_enabled", "assigned_user_id",
	"assigned_at", "csat_score", "follow_up_at", "muted_until", "assistant_config_id",
}

// addChat adds the rows of a chat but its messages'; told is all that was said of it, in the order it was observed.
func (t Tables) addChat(told []*said) {
	orgID, chatID := told[0].orgID, told[0].chatID
	versions := inOrder(told, func(s *said) *time.Time { return s.clock })

	chat := newTracked("title", "model", "status", "visibility", "temporary", "pinned", "shared_url", "link",
		"created_at", "updated_at", "toolset_id", "features", "last_message_id", "messages_complete_from",
		"messages_complete_through", "deleted_at")
	chat.row["org_id"], chat.row["chat_id"], chat.row["is_stub"] = orgID, chatID, true
	var newest, stateClock *time.Time
	var listedAt any
	var state *tracked
	members := map[string]*tracked{}
	referrals := map[string]*tracked{}

	for _, v := range versions {
		s, at := v.of, v.of.seen.at
		if v.clock != nil {
			newest = v.clock
		}
		chat.describe(at)
		chat.change(at, v.clock, func(r Row) {
			r.set(s.snapshot, s.own)
			r.set(false, s.parts)
			if s.isChat {
				r["is_stub"] = false
			}
			if s.lastMessage != nil {
				r["last_message_id"] = s.lastMessage
			}
			if deletedAt, was := r["deleted_at"].(time.Time); s.deleted && (!was || at.Before(deletedAt)) {
				r["deleted_at"] = at
			}
		})

		if s.state != nil {
			isFirst := state == nil
			if isFirst {
				state = newTracked()
				state.row["org_id"], state.row["chat_id"] = orgID, chatID
				state.row.set(true, emptied(s.state.columns))
			}
			before := maps.Clone(state.row)
			state.describe(at)
			state.change(at, v.clock, func(r Row) { r.set(s.state.snapshot, s.state.columns) })
			changedAt := at
			if v.clock != nil {
				changedAt = *v.clock
			}
			var rise any
			was, hadCount := before["admin_unseen_count"].(int64)
			is, hasCount := state.row["admin_unseen_count"].(int64)
			if hadCount && hasCount && was >= 0 && is-was >= 2 {
				rise = is - was
			}
			if isFirst || rise != nil || differ(before, state.row, historyColumns) {
				change := Row{
					"org_id": orgID, "chat_id": chatID, "changed_at": changedAt, "stream_id": s.stream.String(),
					"seq": s.seen.seq, "unchanged_until": orNull(stateClock), "unseen_rise": rise,
					"first_seen_at": at, "last_seen_at": at, "version_at": changedAt,
				}
				for _, name := range historyColumns {
					change[name] = state.row[name]
				}
				t.add("chat_state_changes", change)
			}
			stateClock = &changedAt
		}

		for _, m := range s.members {
			if members[m.id] == nil {
				members[m.id] = newTracked("role", "user_id", "session_id", "contact_channel_id")
				members[m.id].row["org_id"], members[m.id].row["chat_id"] = orgID, chatID
				members[m.id].row["member_id"] = m.id
				members[m.id].row["left_at"] = listedAt
			}
			members[m.id].describe(at)
			members[m.id].change(at, v.clock, func(r Row) { r.set(false, m.columns) })
		}
		if s.list != nil {
			listedAt = at
			for memberID, m := range members {
				m.change(at, v.clock, func(r Row) {
					if r["left_at"] = any(at); s.list[memberID] {
						r["left_at"] = nil
					}
				})
			}
		}

		if s.referral != nil {
			referralID := hash(s.referral)
			if referrals[referralID] == nil {
				referrals[referralID] = newTracked()
				referrals[referralID].change(at, v.clock, func(r Row) {
					r["org_id"], r["chat_id"], r["referral_id"] = orgID, chatID, referralID
					r.set(true, referralColumns(s.referral))
				})
			}
			referrals[referralID].describe(at)
		}
	}

	row := chat.finish()
	row["listed_at"] = nil
	var whole *span
	for _, s := range told {
		if s.isListed {
			row["listed_at"] = s.seen.at
		}
		whole = whole.with(s.complete)
	}
	if whole != nil {
		row["messages_complete_from"], row["messages_complete_through"] = microseconds(whole.From), microseconds(whole.Through)
	}
	row["version_at"] = orNull(newest)
	row["observed_at"], row["observed_seq"] = told[len(told)-1].seen.at, told[len(told)-1].seen.seq
	row["state_version_at"], row["members_listed_at"] = orNull(stateClock), listedAt
	t.add("chats", row)
	if state != nil {
		t.add("chat_states", state.finish())
	}
	for _, m := range members {
		t.add("members", m.finish())
	}
	for _, r := range referrals {
		r.last = r.first // what is behind a hash never changes
		t.add("referrals", r.finish())
	}
}

// with joins two spans that touch; of others the one that ends later stays, and of two that end together the newer.
func (a *span) with(b *span) *span {
	if b == nil {
		return a
	}
	joined := *b
	if joined.From.IsZero() {
		joined.From = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if a == nil {
		return &joined
	}
	if apart := joined.From.After(a.Through) || a.From.After(joined.Through); apart {
		if joined.Through.Before(a.Through) {
			return a
		}
		return &joined
	}
	if a.From.Before(joined.From) {
		joined.From = a.From
	}
	if a.Through.After(joined.Through) {
		joined.Through = a.Through
	}
	return &joined
}

func emptied(columns map[string]cell) map[string]cell {
	all := map[string]cell{}
	for name := range columns {
		all[name] = cell{}
	}
	return all
}

func differ(a, b Row, columns []string) bool {
	for _, name := range columns {
		if a[name] != b[name] {
			return true
		}
	}
	return false
}

func referralColumns(o object) map[string]cell {
	ad := nested(o, "ads_context_data")
	return map[string]cell{
		"ref": text(o, "ref"), "ad_id": text(o, "ad_id"), "source": text(o, "source"),
		"referer_uri": text(o, "referer_uri"), "ad_title": text(ad, "ad_title"), "photo_url": text(ad, "photo_url"),
		"video_url": text(ad, "video_url"), "post_id": text(ad, "post_id"), "product_id": text(ad, "product_id"),
		"parts": documentOf[[]any](o, "parts"),
	}
}
