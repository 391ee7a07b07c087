//go:build linux

package faults_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// mountSmall makes dir a file system of that size. Only root may mount: for anybody else the test has nothing to run on.
func mountSmall(t *testing.T, dir, size string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size)
	if errors.Is(err, syscall.EPERM) && os.Geteuid() != 0 {
		t.Skip("a small disk can be mounted by root only")
	}
	if err != nil {
		t.Fatalf("mounting a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until there is no room left; release takes it away.
func fill(t *testing.T, dir string) (release func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, size := range []int{1 << 20, 4096, 1} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

func TestAFullDiskUnderTheSpoolStopsTheReaderRecordsTheGapAndPasses(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	s.spoolDir = filepath.Join(mountSmall(t, filepath.Join(t.TempDir(), "small"), "16m"), "spool")
	p := s.start("ARCHIVER_DATA_DIR=" + t.TempDir())
	s.connected()
	s.flows(50)
	release := fill(t, filepath.Dir(s.spoolDir))
	p.says("the spool is full")
	s.wait("the archiver to be not ready", func() bool { code, _ := p.ready(); return code == 503 })
	release()
	s.flows(100)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where cause = 'the spool is full'"); n == 0 {
		t.Error("no gap says that the spool was full")
	}
	s.verdict()
}

// Nothing can be deleted but the one segment there is, and nothing can be written before.
func TestADiskThatTheSpoolAloneFillsIsGoneOnWith(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	small := mountSmall(t, filepath.Join(t.TempDir(), "small"), "3m")
	s.spoolDir = filepath.Join(small, "spool")
	p := s.start("ARCHIVER_DATA_DIR="+t.TempDir(), "ARCHIVER_FAILPOINTS="+quickReconnects)
	s.connected()
	s.flows(50)
	release := s.lock("lock table raw.events in access exclusive mode")
	p.says("the spool is full")
	s.wait("the last block to be taken", func() bool {
		var disk syscall.Statfs_t
		if err := syscall.Statfs(small, &disk); err != nil {
			t.Fatal(err)
		}
		return disk.Bfree == 0
	})
	release()
	s.flows(1000)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where cause = 'the spool is full'"); n == 0 {
		t.Error("no gap says that the spool was full")
	}
	s.verdict()
}

func TestAtItsQuotaTheReaderStopsAndGoesOnWhenPostgresIsBack(t *testing.T) {
	t.Parallel()
	s := newStage(t, 300)
	p := s.start("ARCHIVER_SPOOL_MAX_BYTES=3MiB")
	s.connected()
	s.flows(50)
	release := s.lock("lock table raw.events in access exclusive mode")
	p.says("the spool is full")
	release()
	s.flows(300)
	s.caughtUp(p)
	p.stop()
	if n := s.count("select count(*) from ops.gaps where cause = 'the spool is full'"); n == 0 {
		t.Error("no gap says that the spool was full")
	}
	s.verdict()
}
