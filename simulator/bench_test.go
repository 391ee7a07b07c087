package simulator

import (
	"runtime"
	"testing"
)

func BenchmarkNext(b *testing.B) {
	w := NewWorld(Config{Seed: 1, Orgs: 1, Chats: 5000})
	take(w, 1000)
	b.ReportAllocs()
	bytes := 0
	for b.Loop() {
		f, _ := w.Next()
		bytes += len(f.Bytes)
	}
	b.SetBytes(int64(bytes / b.N))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkMemory says what a world of many chats holds on to.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		w := NewWorld(Config{Seed: 1, Orgs: 1, Chats: 20_000})
		frames := 0
		for len(w.byChat) < 20_000 {
			w.Next()
			frames++
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		messages := 0
		for _, c := range w.byChat {
			messages += len(c.messages)
		}
		b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MB")
		b.ReportMetric(float64(frames), "frames")
		b.ReportMetric(float64(messages), "messages")
		runtime.KeepAlive(w)
	}
}
