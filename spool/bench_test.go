package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// A frame of the inbox socket, as most are.
const benchBody = 4700

// BenchmarkAppend measures appending until everything is durable, on the disk of the temporary directory; alone, with
// a reader that trims, and against the yardstick of writing and fsyncing the same bytes in the same groups.
func BenchmarkAppend(b *testing.B) {
	b.Run("yardstick", benchYardstick)
	b.Run("alone", func(b *testing.B) { benchAppend(b, false) })
	b.Run("with reader", func(b *testing.B) { benchAppend(b, true) })
}

func benchRecord() Record {
	return Record{ConnectionID: uuid.New(), OrgID: "org_0123456789abcdef", Source: "socket", Kind: "frame", Body: fill(1, benchBody)}
}

func benchAppend(b *testing.B, reading bool) {
	s := open(b, b.TempDir(), Options{MaxBytes: 1 << 40})
	r := benchRecord()
	b.SetBytes(benchBody)
	b.ReportAllocs()
	var wg sync.WaitGroup
	if reading {
		wg.Go(func() { drain(b, s) })
	}
	b.ResetTimer()
	for range b.N {
		r.ReceivedAt, r.ObservedAt = time.Time{}, time.Time{}
		if err := s.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
	s.Seal()
	wg.Wait()
	mustClose(b, s)
	b.ReportMetric(float64(b.N)/float64(max(1, s.Stats().Syncs)), "records/fsync")
}

func drain(b *testing.B, s *Spool) {
	r := s.NewReader(0)
	var batches [2]Batch
	for i := 0; ; i++ {
		batch := &batches[i%2]
		if err := r.Next(context.Background(), batch, 2000, 8<<20); err != nil {
			if !errors.Is(err, io.EOF) {
				b.Error(err)
			}
			return
		}
		if err := s.Trim(batch.Records[len(batch.Records)-1].Seq); err != nil {
			b.Error(err)
		}
	}
}

// benchYardstick is the least that any such log has to do.
func benchYardstick(b *testing.B) {
	f := must1(os.Create(b.TempDir() + "/log"))
	defer f.Close()
	record := fill(1, benchBody+headSize+30)
	b.SetBytes(benchBody)
	b.ReportAllocs()
	dirty, synced := make(chan struct{}, 1), make(chan int)
	go func() {
		n := 0
		for range dirty {
			time.Sleep(groupDelay)
			must(b, f.Sync())
			n++
		}
		synced <- n
	}()
	b.ResetTimer()
	for range b.N {
		if _, err := f.Write(record); err != nil {
			b.Fatal(err)
		}
		select {
		case dirty <- struct{}{}:
		default:
		}
	}
	close(dirty)
	n := <-synced
	must(b, f.Sync())
	b.ReportMetric(float64(b.N)/float64(n+1), "records/fsync")
}

// BenchmarkNext measures reading a backlog, at the speed of memory: the files were just written.
func BenchmarkNext(b *testing.B) {
	s := open(b, scratch(b), Options{})
	r := benchRecord()
	const backlog = 20_000
	for range backlog {
		if err := s.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
	s.Seal()
	reader, batch := s.NewReader(0), Batch{}
	b.SetBytes(benchBody)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(batch.Records) {
		err := reader.Next(context.Background(), &batch, 500, 8<<20)
		if errors.Is(err, io.EOF) {
			reader = s.NewReader(0)
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen measures recovery of a backlog of 64 MiB, at the speed of memory.
func BenchmarkOpen(b *testing.B) {
	dir := scratch(b)
	s := open(b, dir, Options{SegmentBytes: 8 << 20})
	r := benchRecord()
	for s.Stats().Bytes < 64<<20 {
		if err := s.Append(&r); err != nil {
			b.Fatal(err)
		}
	}
	mustClose(b, s)
	b.SetBytes(64 << 20)
	for b.Loop() {
		mustClose(b, open(b, dir, Options{SegmentBytes: 8 << 20}))
	}
}
