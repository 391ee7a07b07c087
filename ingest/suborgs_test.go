package ingest_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// logLines is a log that can be looked at.
type logLines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestSubOrgsHaveTheirNamesAndParentAfterConnecting(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	orgs := b.world.Orgs()
	c := b.config(orgs[0].ID, orgs[1].ID)
	c.ReconcileRPM = 60_000
	i, stop := b.start(c)
	b.connected(orgs[0].ID)
	b.connected(orgs[1].ID)
	for _, o := range orgs[1:] {
		b.wait("the name of "+o.ID, func() bool {
			return b.count(`select count(*) from inbox.orgs where org_id = $1 and name = $2 and parent_org_id = $3 and not is_stub`,
				o.ID, o.Name, orgs[0].ID) == 1
		})
	}
	b.wait("the empty list of an org without sub-orgs", func() bool {
		return b.count(`select count(*) from raw.events where org_id = $1 and kind = 'orgs_page' and payload = '[]'`, orgs[1].ID) == 1
	})
	if n := b.count(`select count(*) from inbox.orgs where org_id = $1 and is_stub and parent_org_id is null`, orgs[0].ID); n != 1 {
		t.Errorf("the agency has %d rows that are stubs without a parent, want 1: nothing describes it", n)
	}
	if reasons := i.Status().Reasons; len(reasons) > 0 {
		t.Errorf("it is not ready: %v", reasons)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	b.isAsRebuilt()
	asked := 0
	for _, r := range b.server.Requests() {
		if r.Path == "/orgs/"+orgs[0].ID+"/orgs" {
			asked++
		}
	}
	if asked != 1 {
		t.Errorf("the list was asked for %d times, want once a day", asked)
	}
}

func TestAKeyThatMayNotListSubOrgsIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 404} {
		b := newInbox(t)
		org := b.world.Orgs()[0].ID
		b.server.RefuseLists(1, status, 0)
		c := b.config(org)
		c.ReconcileRPM = 60_000
		log := &logLines{}
		c.Log = slog.New(slog.NewTextHandler(log, nil))
		i, stop := b.start(c)
		b.connected(org)
		b.wait("the refusal", func() bool { return strings.Contains(log.String(), "the list of sub-orgs is not for this key") })
		if reasons := i.Status().Reasons; len(reasons) > 0 {
			t.Errorf("after a %d for the list of sub-orgs it is not ready: %v", status, reasons)
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(log.String(), "level=WARN") || strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("a %d for the list of sub-orgs is warned of:\n%s", status, log)
		}
	}
}
