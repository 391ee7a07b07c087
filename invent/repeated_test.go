package invent

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// repeatingFrames have blocks that come again, some of them changed by a byte.
func repeatingFrames() (frames [][]byte) {
	for i := range 60 {
		model := strings.Repeat("model", i%7/3)
		frames = append(frames, fmt.Appendf(nil,
			`{"type":"update","data":{"id":"c%d","tools":[{"name":"a","icon":"i%d"},{"name":"b","x":null}],"state":{"id":"s","assistant":{"id":"a","config":{"n":%d}},`+
				`"assistant_config":{"model":%q,"stt":{"model":"m"},"tools":[{"name":%q}]}},"last_message":{"id":"m","tools":[{"name":"b"}]}}}`,
			i, i%3, i%2, model, model))
	}
	return append(frames,
		[]byte(`{"data":{"id":"c","tools":[{"name":"a","icon":"i0"},{"name":"b","x":null}}}`),
		[]byte(`{"data":{"id":"c","tools":[{"name":"a","icon":"i0"},{"name":"b","x":null}],"tools":[]}}`),
		[]byte(`{"data":{"id":"c","tools":[{"name":"a","name":"b"}]}}`),
		[]byte(`{"data":{"id":"c","tools":[1e100000]}}`),
		[]byte(`{"data":{"id":"c","tools":{"name":"a"}}}`),
	)
}

func TestWhatComesAgainIsReadAsIfItWereNew(t *testing.T) {
	t.Parallel()
	var used Decoder
	for _, frame := range repeatingFrames() {
		var fresh Decoder
		got, reading := used.Frame(bytes.Clone(frame))
		want, wanted := fresh.Frame(frame)
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(reading, wanted) {
			t.Errorf("%s\nis read as %+v, flaws %q\nwant %+v, flaws %q, as by a decoder that has read nothing before", frame, got.Data.V, reading.Flaws, want.Data.V, wanted.Flaws)
		}
	}
	if len(used.repeated) == 0 {
		t.Error("nothing was remembered: nothing was tested")
	}
}

func TestWhatComesAgainIsCountedAsIfItWereNew(t *testing.T) {
	t.Parallel()
	var d Decoder
	used, plain := NewSightings(), NewSightings()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for round := range 3 {
		for i, frame := range repeatingFrames()[:60] {
			at := at.Add(time.Duration((i*37)%50+round*100) * time.Second)
			for _, p := range plain.known {
				p.isRepeated = false
			}
			if got, want := used.Note(&d, OfFrame, frame, at), plain.Note(&d, OfFrame, frame, at); got != want {
				t.Errorf("frame %d, round %d: whether there is something new: %v, want %v", i, round, got, want)
			}
		}
		if got, want := used.Take(), plain.Take(); !reflect.DeepEqual(got, want) {
			t.Errorf("round %d: the sightings are %+v\nwant %+v", round, got, want)
		}
	}
	remembered := 0
	for _, p := range used.known {
		remembered += len(p.walked)
	}
	if remembered == 0 {
		t.Error("nothing was remembered: nothing was tested")
	}
}
