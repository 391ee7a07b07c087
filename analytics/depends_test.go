package analytics

import (
	"bytes"
	"testing"
	"time"

	"archiver/postgres/dbtest"

	"github.com/google/uuid"
)

// TestAChangeOfSettingsOrGapsRecomputesWhatDependsOnThem goes by the second turn of ai_then_human.txt: asked at 10:06:00,
// answered at 10:06:30 UTC.
func TestAChangeOfSettingsOrGapsRecomputesWhatDependsOnThem(t *testing.T) {
	t.Parallel()
	pool := dbtest.New(t)
	var c *conversation
	for _, other := range readConversations(t) {
		if other.name == "ai_then_human" {
			c = other
		}
	}
	const orgID = "org"
	v := shoot(t, c, orgID)
	lines := v.frames(func(time.Time) bool { return true })
	lines = append(lines, v.pages(lines[0].at.Add(time.Millisecond))...)
	connect(t, pool, orgID, c.listening)
	importLines(t, pool, bytes.NewReader(envelopes(lines, nil)))
	refresher := NewRefresher(pool, discard)

	settings := &Settings{OrgID: orgID, ZoneName: "UTC"}
	save := func(t *testing.T, zone string) {
		settings.ZoneName = zone
		if err := SaveSettings(t.Context(), pool, settings); err != nil {
			t.Fatal(err)
		}
	}
	gap, at := uuid.New(), func(clock string) time.Time { return c.events[0].at.Truncate(24 * time.Hour).Add(clockOf(t, clock)) }
	for _, step := range []struct {
		name string
		do   func(t *testing.T)
		want row
	}{
		{"without settings", func(*testing.T) {}, row{
			"reply_seconds": 30.0, "reply_business_seconds": nil, "replied_local_hour": 10.0, "completeness": complete,
		}},
		{"in a zone 5:45 ahead", func(t *testing.T) { save(t, "Asia/Kathmandu") }, row{"replied_local_hour": 15.0}},
		{"with business hours that begin at 10:06:10 UTC", func(t *testing.T) {
			settings.Hours = []Stretch{{
				Schedule: "default", ValidFrom: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Weekday: 1,
				Opens: clockOf(t, "15:51:10"), Closes: clockOf(t, "18:00:00"),
			}}
			save(t, "Asia/Kathmandu")
		}, row{"reply_business_seconds": 20.0}},
		{"on a holiday", func(t *testing.T) {
			settings.Holidays = []Holiday{{Day: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), Name: "holiday"}}
			save(t, "Asia/Kathmandu")
		}, row{"reply_business_seconds": 0.0}},
		{"with a gap that lasts since right before the reply", func(t *testing.T) {
			execute(t, pool, `insert into ops.gaps (org_id, gap_id, began_at, cause, status, chats_swept, messages_recovered)
				values ($1, $2, $3, 'test', 'open', 0, 0)`, orgID, gap, at("10:06:20"))
		}, row{"reply_seconds": nil, "reply_business_seconds": nil, "reply_observed_seconds": 30.0, "completeness": partial}},
		{"with the gap ended", func(t *testing.T) {
			execute(t, pool, "update ops.gaps set ended_at = $3, status = 'repairing' where org_id = $1 and gap_id = $2", orgID, gap, at("10:06:25"))
		}, row{"reply_seconds": nil, "completeness": partial}},
		{"with the gap repaired", func(t *testing.T) {
			execute(t, pool, "update ops.gaps set status = 'repaired' where org_id = $1 and gap_id = $2", orgID, gap)
		}, row{"reply_seconds": 30.0, "completeness": complete}},
		{"with the settings gone", func(t *testing.T) {
			execute(t, pool, "delete from analytics.settings")
			execute(t, pool, "delete from analytics.business_hours")
		}, row{"reply_business_seconds": nil, "replied_local_hour": 10.0}},
	} {
		step.do(t)
		if _, err := refresher.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, r := range rowsByOrg(t, pool, "turns")[orgID] {
			for column, want := range step.want {
				if r["pass"] == "any" && r["turn_number"] == 2.0 && r[column] != want {
					t.Errorf("%s: %s is %v, want %v", step.name, column, r[column], want)
				}
			}
		}
	}
	if n, err := refresher.Refresh(t.Context()); err != nil || n != 0 {
		t.Errorf("where nothing changed %d chats were done (%v), want none", n, err)
	}
}

func clockOf(t *testing.T, clock string) time.Duration {
	t.Helper()
	at, err := time.Parse(time.TimeOnly, clock)
	if err != nil {
		t.Fatal(err)
	}
	return at.Sub(at.Truncate(24 * time.Hour))
}
