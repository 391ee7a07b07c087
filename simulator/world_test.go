package simulator

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// take gives the next n frames of a world, or as many as it has.
func take(w *World, n int) []Frame {
	var frames []Frame
	for len(frames) < n {
		f, ok := w.Next()
		if !ok {
			break
		}
		frames = append(frames, f)
	}
	return frames
}

// chatOf gives the bytes of a frame's data.
func chatOf(t *testing.T, f Frame) []byte {
	t.Helper()
	_, data, ok := bytes.Cut(f.Bytes, []byte(`"data":`))
	i := bytes.LastIndex(data, []byte(`,"identifier":`))
	if !ok || i < 0 {
		t.Fatalf("expected a frame with data and identifier, got %.200s", f.Bytes)
	}
	return data[:i]
}

func TestEqualConfigsGiveEqualFramesByteForByte(t *testing.T) {
	t.Parallel()
	for _, q := range AllQuirks() {
		a, b := NewWorld(Config{Seed: 7, Chats: 50, Quirks: q.Quirks}), NewWorld(Config{Seed: 7, Chats: 50, Quirks: q.Quirks})
		for i := range 500 {
			x, _ := a.Next()
			y, _ := b.Next()
			if !bytes.Equal(x.Bytes, y.Bytes) || x.OrgID != y.OrgID || x.ChatID != y.ChatID || !x.At.Equal(y.At) {
				t.Fatalf("%s: expected frame %d of two worlds to be equal, got %.100s and %.100s", q.Name, i, x.Bytes, y.Bytes)
			}
		}
	}
}

func TestAnotherSeedGivesAnotherWorld(t *testing.T) {
	t.Parallel()
	a, b := take(NewWorld(Config{Seed: 1}), 1), take(NewWorld(Config{Seed: 2}), 1)
	if bytes.Equal(a[0].Bytes, b[0].Bytes) || a[0].OrgID == b[0].OrgID {
		t.Fatal("expected another seed to give other frames and ids, got the same")
	}
}

func TestLookingAtTheListsChangesNothing(t *testing.T) {
	t.Parallel()
	a, b := NewWorld(Config{Seed: 3, Quirks: Quirks{Nulls: NullsMixed}}), NewWorld(Config{Seed: 3, Quirks: Quirks{Nulls: NullsMixed}})
	for i := range 1500 {
		x, _ := a.Next()
		y, _ := b.Next()
		if !bytes.Equal(x.Bytes, y.Bytes) {
			t.Fatalf("expected frame %d to be the same whether or not somebody looked, got another", i)
		}
		if i%100 == 0 {
			a.Chats(x.OrgID)
			a.Messages(x.ChatID)
		}
	}
}

func TestEveryFrameIsValidJSONUnderEveryQuirk(t *testing.T) {
	t.Parallel()
	for _, q := range AllQuirks() {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(Config{Seed: 11, Chats: 60, Quirks: q.Quirks})
			last := time.Time{}
			for i, f := range take(w, 500) {
				if !json.Valid(f.Bytes) {
					t.Fatalf("expected frame %d to be JSON, got %s", i, f.Bytes)
				}
				if bytes.ContainsAny(f.Bytes, "\n\t\r") {
					t.Fatalf("expected frame %d to be compact, got white space between tokens or a raw control character", i)
				}
				if f.At.Before(last) {
					t.Fatalf("expected frame %d to be sent at or after %s, got %s", i, last, f.At)
				}
				last = f.At
			}
			for _, o := range w.Orgs() {
				for _, chat := range w.Chats(o.ID) {
					if !json.Valid(chat) {
						t.Fatalf("expected a listed chat to be JSON, got %s", chat)
					}
				}
			}
		})
	}
}

func TestTheLastFrameOfAChatIsTheTruthAboutIt(t *testing.T) {
	t.Parallel()
	for _, q := range AllQuirks() {
		if q.Lossy || q.Quirks.Nulls == NullsMixed {
			continue // the frame is not the whole truth, or not byte for byte
		}
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(Config{Seed: 5, Chats: 40, Quirks: q.Quirks})
			last := map[string]Frame{}
			for _, f := range take(w, 1500) {
				last[f.ChatID] = f
			}
			for id, f := range last {
				c := w.byChat[id]
				if got, want := chatOf(t, f), w.show(c, c.lastSent); !bytes.Equal(got, want) {
					t.Fatalf("expected the last frame of chat %s to be\n%s, got\n%s", id, want, got)
				}
			}
			if len(last) != len(w.byChat) {
				t.Fatalf("expected every one of %d chats to have been sent, got %d", len(w.byChat), len(last))
			}
		})
	}
}

func TestTheListIsWhatTheLastFrameSaidUntilSomethingSharedChanges(t *testing.T) {
	t.Parallel()
	w := NewWorld(Config{Seed: 6, Chats: 30})
	for range 50 {
		frames := take(w, 40)
		f := frames[len(frames)-1]
		chat, ok := w.Chat(f.OrgID, f.ChatID)
		if !ok || !bytes.Equal(chat, chatOf(t, f)) {
			t.Fatalf("expected the list to show chat %s as its frame just did, got\n%s instead of\n%s", f.ChatID, chat, chatOf(t, f))
		}
		if first := w.ChatIDs(f.OrgID)[0]; first != f.ChatID {
			t.Fatalf("expected the chat that changed last, %s, to be first in the list, got %s", f.ChatID, first)
		}
		if len(w.Messages(f.ChatID)) == 0 {
			t.Fatalf("expected chat %s to have messages, got none", f.ChatID)
		}
	}
}

func TestTheMessageOfTheFrameIsTheLastOfTheList(t *testing.T) {
	t.Parallel()
	w := NewWorld(Config{Seed: 6, Chats: 30})
	for range 30 {
		frames := take(w, 60)
		f := frames[len(frames)-1]
		var frame struct {
			Data struct {
				LastMessage json.RawMessage `json:"last_message"`
			}
		}
		if err := json.Unmarshal(f.Bytes, &frame); err != nil {
			t.Fatal(err)
		}
		list := w.Messages(f.ChatID)
		if last := list[len(list)-1]; !bytes.Equal(last, frame.Data.LastMessage) {
			t.Fatalf("expected the last message of the list to be the frame's,\n%s, got\n%s", frame.Data.LastMessage, last)
		}
	}
}

func TestEveryMessageButTheImportedIsShownByAnEvent(t *testing.T) {
	t.Parallel()
	w := NewWorld(Config{Seed: 8, Orgs: 1, Chats: 40})
	shown := map[string]bool{}
	for _, f := range take(w, 1200) {
		if m, ok := parse(t, f.Bytes)["data"].(object)["last_message"].(object); ok {
			shown[m["id"].(string)] = true
		}
	}
	imported := 0
	for _, c := range w.byChat {
		for i := range c.messages {
			switch m := &c.messages[i]; {
			case m.created < c.created:
				imported++
			case !shown[w.id(idMessage, uint64(m.n))]:
				t.Fatalf("expected message %d of chat %s to have been the last message of an event, it was not", i, c.id)
			}
		}
	}
	if imported == 0 {
		t.Fatal("expected imported messages, got none")
	}
}

func TestAWorldWithAnEndEndsThere(t *testing.T) {
	t.Parallel()
	start := time.Date(2024, 2, 27, 0, 0, 0, 0, time.UTC)
	end := start.Add(72 * time.Hour)
	for _, q := range AllQuirks() {
		w := NewWorld(Config{Seed: 9, Chats: 20, Start: start, End: end, Quirks: q.Quirks})
		frames := take(w, 100_000)
		if len(frames) < 50 || len(frames) == 100_000 {
			t.Fatalf("%s: expected some frames in three days and an end, got %d", q.Name, len(frames))
		}
		for _, f := range frames {
			if f.At.Before(start) || f.At.After(end.Add(time.Second)) {
				t.Fatalf("%s: expected frames between %s and %s, got one at %s", q.Name, start, end, f.At)
			}
		}
		if _, more := w.Next(); more {
			t.Fatalf("%s: expected the world to stay at its end, got another frame", q.Name)
		}
		for _, c := range w.byChat {
			if c.dirty {
				t.Fatalf("%s: expected every change to have been sent by the end, chat %s has one that was not", q.Name, c.id)
			}
		}
	}
}

func TestALiveWorldStampsTheTimeItIsGiven(t *testing.T) {
	t.Parallel()
	w := NewWorld(Config{Seed: 4})
	take(w, 500)
	now := w.Now().AddDate(1, 0, 0)
	for range 200 {
		now = now.Add(20 * time.Millisecond)
		f, _ := w.NextAt(now)
		if late := f.At.Sub(now); late < 0 || late > 10*time.Millisecond {
			t.Fatalf("expected a live frame at %s, got %s", now, f.At)
		}
		var frame struct {
			Data struct {
				UpdatedAt time.Time `json:"updated_at"`
			}
		}
		if err := json.Unmarshal(f.Bytes, &frame); err != nil {
			t.Fatal(err)
		}
		if !frame.Data.UpdatedAt.Equal(f.At) {
			t.Fatalf("expected updated_at to be the time given, %s, got %s", f.At, frame.Data.UpdatedAt)
		}
	}
}

func TestFramesAreAsLargeAsRealSnapshots(t *testing.T) {
	t.Parallel()
	w := NewWorld(Config{Seed: 1})
	var sizes []int
	total := 0
	for _, f := range take(w, 6000) {
		sizes = append(sizes, len(f.Bytes))
		total += len(f.Bytes)
	}
	slices.Sort(sizes)
	mean, n := total/len(sizes), len(sizes)
	t.Logf("mean %d, 1%% %d, median %d, 99%% %d, largest %d", mean, sizes[n/100], sizes[n/2], sizes[n*99/100], sizes[n-1])
	if mean < 4200 || mean > 5500 {
		t.Errorf("expected frames of about 4.7 KB on average, got %d bytes", mean)
	}
	if low, high := sizes[n/100], sizes[n*97/100]; low < 2300 || high > 11_500 {
		t.Errorf("expected most frames between 2.6 and 11 KB, got 1%% below %d and 3%% above %d", low, high)
	}
	if i, _ := slices.BinarySearch(sizes, 60_000); i == n || n-i > n/100 {
		t.Errorf("expected a few frames of about 100 KB, got %d", n-i)
	}
}
