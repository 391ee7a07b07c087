package simulator

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPacedWorldKeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{rate: 10}
		began := time.Now()
		for range 21 {
			if err := p.wait(context.Background(), time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Fatalf("expected 21 frames at 10 a second to take 2 s, got %s", took)
		}
		time.Sleep(time.Hour) // nobody asked for frames
		began = time.Now()
		for range 11 {
			_ = p.wait(context.Background(), time.Time{})
		}
		if took := time.Since(began); took < 900*time.Millisecond {
			t.Fatalf("expected no burst after a pause, 11 frames took %s", took)
		}
	})
}

func TestAPacedWorldKeepsItsSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pacer{speed: 60}
		began, simulated := time.Now(), time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC)
		for i := range 3 {
			if err := p.wait(context.Background(), simulated.Add(time.Duration(i)*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 2*time.Minute {
			t.Fatalf("expected two simulated hours to take 2 minutes at speed 60, got %s", took)
		}
	})
}
