package bench

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"archiver/simulator"
)

// world makes reels, each going on where the last one ended.
type world struct {
	world *simulator.World
	dir   string
	orgs  []string
	seen  map[string]bool // chats that were in a reel
	sizes sizes           // of all frames so far
	extra padding         // of each frame
}

// newWorld makes orgs organizations that have chats live chats between them, after history events.
func newWorld(dir string, orgs, chats, history int) *world {
	w := &world{world: simulator.NewWorld(simulator.Config{Seed: 1, Orgs: orgs, Chats: chats / orgs}), dir: dir, seen: map[string]bool{}}
	for _, o := range w.world.Orgs() {
		w.orgs = append(w.orgs, o.ID)
	}
	for range history {
		w.world.Next()
	}
	return w
}

// reel is a number of frames in files, one an organization, each frame as a WebSocket server sends it.
type reel struct {
	dir    string // holds a file for each organization, named by its id
	frames int
	bytes  int64 // of JSON
	chats  int   // that the frames speak of
	fresh  int   // of these, those that no reel before spoke of
}

// record writes the next frames.
func (w *world) record(frames int) (*reel, error) {
	dir, err := os.MkdirTemp(w.dir, "reel-")
	if err != nil {
		return nil, fmt.Errorf("making frames: %w", err)
	}
	r := &reel{dir: dir, frames: frames}
	files := map[string]*bufio.Writer{}
	for _, id := range w.orgs {
		f, err := os.Create(filepath.Join(r.dir, id))
		if err != nil {
			return nil, fmt.Errorf("making frames: %w", err)
		}
		defer f.Close()
		files[id] = bufio.NewWriterSize(f, 1<<20)
	}
	chats := map[string]bool{}
	for range frames {
		f, ok := w.world.Next()
		if !ok {
			return nil, errors.New("making frames: the simulated world has ended")
		}
		chats[f.ChatID] = true
		if !w.seen[f.ChatID] {
			w.seen[f.ChatID] = true
			r.fresh++
		}
		begin, rest := w.extra.of(), f.Bytes[1:]
		length := len(begin) + len(rest)
		w.sizes.add(length)
		r.bytes += int64(length)
		out := files[f.OrgID]
		_, _ = out.Write(frameHeader(length)) // an error shows in Flush
		_, _ = out.Write(begin)
		_, _ = out.Write(rest)
	}
	r.chats = len(chats)
	for _, out := range files {
		if err := out.Flush(); err != nil {
			return nil, fmt.Errorf("making frames: %w", err)
		}
	}
	return r, nil
}

func (r *reel) remove() { _ = os.RemoveAll(r.dir) } // with the directory above it, at the latest

// payloads reads all frames back, the organizations' one after the other.
func (r *reel) payloads() ([][]byte, error) {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return nil, fmt.Errorf("reading frames: %w", err)
	}
	var all [][]byte
	for _, e := range entries {
		f, err := os.Open(filepath.Join(r.dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading frames: %w", err)
		}
		in := bufio.NewReaderSize(f, 1<<20)
		for {
			frame, header, err := readFrame(in, nil)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				f.Close()
				return nil, err
			}
			all = append(all, frame[header:])
		}
		f.Close()
	}
	return all, nil
}

// frameHeader starts an unmasked text frame of RFC 6455 that is a whole message.
func frameHeader(length int) []byte {
	const finText = 0x81
	switch {
	case length < 126:
		return []byte{finText, byte(length)}
	case length < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{finText, 126}, uint16(length))
	}
	return binary.BigEndian.AppendUint64([]byte{finText, 127}, uint64(length))
}

// readFrame appends the next frame to buf, its header included, and says how long that is. io.EOF at the end.
func readFrame(in *bufio.Reader, buf []byte) (_ []byte, header int, err error) {
	begin, err := in.Peek(2)
	if err != nil {
		return buf, 0, io.EOF
	}
	header, length := 2, uint64(begin[1])
	if length >= 126 {
		header = map[byte]int{126: 4, 127: 10}[begin[1]]
		if begin, err = in.Peek(header); err != nil {
			return buf, 0, fmt.Errorf("reading a frame's header: %w", err)
		}
		length = 0
		for _, b := range begin[2:] {
			length = length<<8 | uint64(b)
		}
	}
	at := len(buf)
	total := header + int(length)
	buf = append(buf, make([]byte, total)...)
	if _, err := io.ReadFull(in, buf[at:]); err != nil {
		return buf[:at], 0, fmt.Errorf("reading a frame of %d bytes: %w", length, err)
	}
	return buf, header, nil
}

// sizes is what frames are like.
type sizes struct {
	count, least, most int
	sum                int64
}

func (s *sizes) add(frame int) {
	if s.count == 0 || frame < s.least {
		s.least = frame
	}
	s.most = max(s.most, frame)
	s.sum += int64(frame)
	s.count++
}
