package invent

import (
	"os"
	"testing"
)

func BenchmarkFrame(b *testing.B) {
	body, err := os.ReadFile("testdata/typical.json")
	if err != nil {
		b.Fatal(err)
	}
	var d Decoder
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, r := d.Frame(body); len(r.Flaws) > 0 {
			b.Fatal(r.Flaws)
		}
	}
}
