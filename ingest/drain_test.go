package ingest_test

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatWasSetAsideInTheSpoolOfAnEarlierRunIsKept(t *testing.T) {
	t.Parallel()
	b := newInbox(t)
	orgID := b.world.Orgs()[0].ID
	c := b.config(orgID)
	c.Lanes = 2
	i, stop := b.start(c)
	b.wait("readiness", func() bool { return len(i.Status().Reasons) == 0 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	with, without := filepath.Join(b.spool, "lane-1-of-2"), filepath.Join(b.spool, "lane-2-of-2")
	aside := "00000000000000000001-x.seg.corrupt-64"
	if err := os.WriteFile(filepath.Join(with, aside), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Lanes = 1
	for range 2 { // the second start finds what the first one left
		i, stop = b.start(c)
		b.wait("readiness", func() bool { return len(i.Status().Reasons) == 0 })
		b.wait("the drained spool to be removed", func() bool {
			_, err := os.Stat(without)
			segments, _ := filepath.Glob(filepath.Join(with, "*.seg"))
			return os.IsNotExist(err) && len(segments) == 0
		})
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		left, err := os.ReadDir(with)
		if err != nil || len(left) != 1 || left[0].Name() != aside {
			t.Errorf("the directory of the spool of an earlier run holds %v (%v), want only what was set aside", left, err)
		}
	}
}
