package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
)

// How the cost of an event goes with what it depends on, each by itself.
var (
	scaleOrgs  = []int{1, 4, 16}
	scaleExtra = []int{0, 5_000, 15_000} // bytes added to each frame
)

// scale measures full work with one thing varied: over how many orgs the same chats are spread, and how large a frame is. What a larger
// archive costs is the section growth.
func (b *bench) scale(ctx context.Context) error {
	for _, orgs := range scaleOrgs {
		s, err := b.newStage(orgs, 2, 0)
		if err != nil {
			return err
		}
		if err := b.scaleTo(ctx, s, fmt.Sprintf("%d org(s), two lanes", orgs)); err != nil {
			return err
		}
	}
	for _, extra := range scaleExtra {
		s, err := b.newStage(1, 1, extra)
		if err != nil {
			return err
		}
		if err := b.scaleTo(ctx, s, fmt.Sprintf("frames of %.1f KB", s.meanFrame()/1_000)); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) scaleTo(ctx context.Context, s *stage, what string) error {
	defer s.remove()
	var work []worked
	for range b.plan.Rounds {
		b.plan.Progress("scale: " + what)
		w, err := b.work(ctx, s, false, false)
		if err != nil {
			return err
		}
		work = append(work, w)
	}
	r := &b.report
	r.add("scale", what+": events/s", "1/s", each(work, func(i int) float64 { return work[i].perSecond })...)
	r.add("scale", what+": JSON", "MB/s", each(work, func(i int) float64 { return work[i].perSecond * s.meanFrame() / 1e6 })...)
	r.add("scale", what+": Postgres CPU", "µs/event", each(work, func(i int) float64 { return work[i].postgresCPU })...)
	r.add("scale", what+": archiver CPU", "µs/event", each(work, func(i int) float64 { return work[i].archiverCPU })...)
	r.add("scale", what+": archiver memory, peak", "MiB", each(work, func(i int) float64 { return work[i].peak / (1 << 20) })...)
	return nil
}

// meanFrame is the size of the frames that are measured, in bytes.
func (s *stage) meanFrame() float64 { return float64(s.reel.bytes) / float64(s.reel.frames) }

func (s *stage) remove() {
	s.warm.remove()
	s.reel.remove()
}

// padding makes frames larger by a field that the archiver does not know: text that compresses about as well as that of chats.
type padding struct {
	bytes  int
	random *rand.Rand
}

const padText = "the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what all " +
	"were we when your can said there use an each which she do how their if will up other about out many then them these so some her would make"

func newPadding(bytes int) padding { return padding{bytes, rand.New(rand.NewPCG(1, 1))} }

// of is the beginning of a frame, in the place of its first byte.
func (p padding) of() []byte {
	if p.bytes == 0 {
		return []byte{'{'}
	}
	b := append(make([]byte, 0, p.bytes+16), `{"extra":"`...)
	for len(b) < p.bytes {
		at := p.random.IntN(len(padText) - 12)
		b = append(b, padText[at:at+4+p.random.IntN(8)]...)
	}
	return append(b, `",`...)
}
