package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"archiver/simulator"
	"archiver/spool"
)

// simulated is n frames of a simulated inbox, with the times they were sent as their observed times.
func simulated(t testing.TB, cfg simulator.Config, n int) (records []spool.Record) {
	t.Helper()
	world := simulator.NewWorld(cfg)
	for len(records) < n {
		records = append(records, nextFrame(t, world))
	}
	return apart(records)
}

func nextFrame(t testing.TB, world *simulator.World) spool.Record {
	t.Helper()
	f, ok := world.Next()
	if !ok {
		t.Fatal("the simulated world ended too soon")
	}
	return frame(f.OrgID, f.At, string(f.Bytes))
}

// apart makes all observed times different, in the order of the records, as those of a spool are. Between equal ones
// the place in the spool decides, and that is another when the records are shuffled.
func apart(records []spool.Record) []spool.Record {
	taken := map[time.Time]bool{}
	for i := range records {
		for taken[records[i].ObservedAt] {
			records[i].ObservedAt = records[i].ObservedAt.Add(time.Microsecond)
		}
		taken[records[i].ObservedAt] = true
	}
	return records
}

func shuffled(records []spool.Record, seed uint64) []spool.Record {
	all := slices.Clone(records)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// under is the same records as those of another org.
func under(prefix string, records []spool.Record) []spool.Record {
	all := slices.Clone(records)
	for i := range all {
		all[i].OrgID = prefix + all[i].OrgID
	}
	return all
}

func TestTwentyThousandFramesMakeTheTablesThatTheReferenceMakes(t *testing.T) {
	t.Parallel()
	records := simulated(t, simulator.Config{Seed: 1}, upToThousand(20))
	a := newArchive(t)
	a.append(records...)
	a.write()
	a.likeReference(false)
	a.nothingIsFlawed()
	for table, rows := range a.tables() {
		if len(rows) == 0 {
			t.Errorf("inbox.%s is empty after %d frames: nothing was compared", table, len(records))
		}
	}

	before := a.tables()
	a.write()
	a.sameTables(before, a.tables(), false)
	if n := a.count("select count(*) from raw.events"); n != len(records) {
		t.Errorf("raw.events has %d rows after a restart over a spool that is written already, want %d", n, len(records))
	}
}

func (a *archive) nothingIsFlawed() {
	a.t.Helper()
	for _, r := range a.rows("select org_id, seq, flaws from raw.events where flaws is not null or raw is not null or payload is null limit 5") {
		a.t.Errorf("the event at seq %d has flaws %v or bytes kept beside the payload, want none: the simulator sends nothing bad", r["seq"], r["flaws"])
	}
}

// A late event has its chat derived again from all of its events, so what this costs goes with the length of the
// chats: they are many here, and of the usual length in the other tests, which shuffle less.
func TestTheOrderThatTwentyThousandFramesComeInMakesNoDifference(t *testing.T) {
	t.Parallel()
	records := shuffled(simulated(t, simulator.Config{Seed: 2, Chats: 2_000}, upToThousand(20)), 1)
	a := newArchive(t)
	a.append(records[:1_000]...)
	a.write()
	// Autovacuum does this in time; the tests' server has none, and its plans would be those of empty tables.
	if _, err := a.check.Exec(t.Context(), "analyze"); err != nil {
		t.Fatal(err)
	}
	a.append(records[1_000:]...)
	a.write()
	a.likeReference(true)
}

// upToThousand is so many thousands of frames, and a tenth of that under -short (as with the race detector).
func upToThousand(n int) int {
	if testing.Short() {
		return max(n*100, 1_100)
	}
	return n * 1_000
}

// TestFramesThatComeTwiceAreWordsLikeOthers: the second time they are observed later, and so are newer words of the
// same versions.
func TestFramesThatComeTwiceAreWordsLikeOthers(t *testing.T) {
	t.Parallel()
	records := simulated(t, simulator.Config{Seed: 3}, upToThousand(3))
	a := newArchive(t)
	a.append(records...)
	a.write()
	end := records[len(records)-1].ObservedAt
	for i, r := range records {
		r.ObservedAt = end.Add(time.Duration(i+1) * time.Millisecond)
		a.append(r)
	}
	a.write()
	a.likeReference(false)
}

// TestUnderEveryReadingOfTheAPITheTablesAreTheReferences runs each reading of what the vendor leaves open, lists and
// frames mixed, twice at a time: in order, and shuffled; both with restarts in the middle of everything.
func TestUnderEveryReadingOfTheAPITheTablesAreTheReferences(t *testing.T) {
	t.Parallel()
	for i, reading := range simulator.AllQuirks() {
		t.Run(reading.Name, func(t *testing.T) {
			t.Parallel()
			seed := uint64(100 + i)
			world := simulator.NewWorld(simulator.Config{Seed: seed, Orgs: 2, Chats: 25, Activity: 3, Quirks: reading.Quirks})
			records := mixed(t, world, 500, rand.New(rand.NewPCG(seed, 1)))
			a := newArchive(t)
			all := append(under("in-order-", records), under("shuffled-", shuffled(records, seed))...)
			// The two halves go side by side, so that a batch has something of both.
			side := make([]spool.Record, 0, len(all))
			for i := range records {
				side = append(side, all[i], all[len(records)+i])
			}
			a.writeWithRestarts(side, rand.New(rand.NewPCG(seed, 2)), 4)
			a.likeReference(true)
			a.nothingIsFlawed()
		})
	}
}

// writeWithRestarts brings records into Postgres by lanes that are stopped at any moment.
func (a *archive) writeWithRestarts(records []spool.Record, random *rand.Rand, restarts int) {
	a.t.Helper()
	for len(records) > 0 && restarts > 0 {
		n := 1 + random.IntN(len(records))
		if restarts > 1 {
			n = 1 + random.IntN(2*len(records)/restarts+1)
		}
		n = min(n, len(records))
		ctx, stop := context.WithCancel(a.t.Context())
		ended := make(chan error, 1)
		lane := a.lane()
		go func() { ended <- lane.Run(ctx) }()
		a.append(records[:n]...)
		records = records[n:]
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond) // anything may be going on by then
		stop()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			a.t.Fatalf("the lane ended with %v, want that it was canceled", err)
		}
		a.reopen()
		restarts--
	}
	a.append(records...)
	a.write()
}

// mixed is about n frames of a world with pages of its lists in between. A page is observed when it was asked for, and
// comes after frames that were sent meanwhile.
func mixed(t testing.TB, world *simulator.World, n int, random *rand.Rand) (records []spool.Record) {
	t.Helper()
	for len(records) < n {
		asked := len(records)
		for range 1 + random.IntN(20) {
			records = append(records, nextFrame(t, world))
		}
		since := records[asked].ObservedAt
		org := world.Orgs()[random.IntN(len(world.Orgs()))].ID
		chats := world.ChatIDs(org)
		if len(chats) == 0 {
			continue
		}
		chatID := chats[random.IntN(len(chats))]
		switch random.IntN(5) {
		case 0, 1:
			all := world.Chats(org)
			from := random.IntN(len(all))
			records = append(records, page(t, org, KindChatsPage, "/orgs/"+org+"/inbox", 200, since, all[from:min(from+10, len(all))]))
		case 2:
			records = append(records, page(t, org, KindMessagesPage, "/chats/"+chatID+"/messages", 200, since, world.Messages(chatID)))
		case 3:
			records = append(records, page(t, org, KindMessagesPage, "/chats/"+chatID+"/messages", 200, since, nil))
		case 4:
			for _, gone := range world.DeletedChatIDs(org) {
				records = append(records, page(t, org, KindMessagesPage, "/chats/"+gone+"/messages", 404, since, nil))
			}
		}
	}
	return apart(records)
}

func page(t testing.TB, org, kind, path string, status int, asked time.Time, entries [][]byte) spool.Record {
	t.Helper()
	body := append(append([]byte("["), bytes.Join(entries, []byte(","))...), ']')
	if status != 200 {
		body = fmt.Appendf(nil, `{"error":"no such chat"}`)
	}
	return spool.Record{
		OrgID: org, Source: SourceREST, Kind: kind, Body: body, Request: request(path, status), ObservedAt: asked,
	}
}
