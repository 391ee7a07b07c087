package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"archiver/postgres/dbtest"

	"github.com/coder/websocket"
	"github.com/jackc/pgx/v5"
)

func TestEveryFrameOfAReelArrivesOnceAndInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t.TempDir(), 1, 50, 100)
	r, err := w.record(300)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.payloads()
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0, 3_000} {
		t.Run(fmt.Sprintf("at a rate of %v", rate), func(t *testing.T) {
			t.Parallel()
			address := startTestFeed(t)
			conn, _, err := websocket.Dial(t.Context(), "ws://"+address+"/orgs/"+w.orgs[0]+"/inbox/ws", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseNow()
			conn.SetReadLimit(16 << 20)
			answered := make(chan error, 1)
			go func() {
				query := url.Values{"reel": {r.dir}, "rate": {fmt.Sprint(rate)}}
				resp, err := http.Post("http://"+address+"/play?"+query.Encode(), "", nil)
				if err == nil {
					defer resp.Body.Close()
					body, _ := io.ReadAll(resp.Body)
					if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), `"frames":300`) {
						err = fmt.Errorf("playing was answered with %s: %s", resp.Status, body)
					}
				}
				answered <- err
			}()
			for i := range want {
				typ, frame, err := conn.Read(t.Context())
				if err != nil || typ != websocket.MessageText || !bytes.Equal(frame, want[i]) {
					t.Fatalf("frame %d should arrive as it is in the reel (type %v, %d bytes, want %d, error: %v)", i, typ, len(frame), len(want[i]), err)
				}
			}
			if err := <-answered; err != nil {
				t.Error(err)
			}
		})
	}
}

func startTestFeed(t *testing.T) (address string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	in, held := io.Pipe()
	from, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Feed(ctx, in, out) }()
	t.Cleanup(func() {
		held.Close()
		defer cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Error("the feed should end when its input does")
		}
	})
	if _, err := fmt.Fscanln(from, &address); err != nil {
		t.Fatal(err)
	}
	return address
}

func TestCopyOnlyStoresThePayloadsAsTheyAre(t *testing.T) {
	t.Parallel()
	r, err := newWorld(t.TempDir(), 2, 50, 100).record(200)
	if err != nil {
		t.Fatal(err)
	}
	payloads, err := r.payloads()
	if err != nil || len(payloads) != 200 {
		t.Fatalf("a reel of 200 frames gives %d payloads (error: %v)", len(payloads), err)
	}
	address := dbtest.EmptyURL(t)
	if err := createCopied(t.Context(), address, lz4); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := copyBatchOf(t.Context(), conn, payloads); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "SELECT payload = ($1::text[])[row_number() OVER (ORDER BY ctid)]::jsonb FROM copied", asText(payloads))
	if err != nil {
		t.Fatal(err)
	}
	equal, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil || len(equal) != len(payloads) {
		t.Fatalf("%d of %d payloads were stored (error: %v)", len(equal), len(payloads), err)
	}
	for i, ok := range equal {
		if !ok {
			t.Errorf("payload %d should be stored as it is", i)
		}
	}
}

func asText(payloads [][]byte) []string {
	list := make([]string, len(payloads))
	for i, p := range payloads {
		list[i] = string(p)
	}
	return list
}
