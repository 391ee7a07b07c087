package simulator_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"

	"archiver/simulator"
)

// Ten days of history, then frames to whoever listens.
func ExampleServer() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	world := simulator.NewWorld(simulator.Config{Seed: 1, Chats: 20})
	server := simulator.NewServer(world, simulator.ServerOptions{HoldWithoutClient: true})
	web := httptest.NewServer(server)
	defer web.Close()
	defer server.Close()
	server.FastForward(time.Date(2025, 1, 16, 0, 0, 0, 0, time.UTC))

	playing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- server.Play(playing) }()
	conn, _, err := websocket.Dial(ctx, web.URL+"/orgs/c/inbox/ws", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + simulator.DefaultKey}},
	})
	if err != nil {
		fmt.Println(err)
	} else {
		conn.SetReadLimit(16 << 20)
		_, frame, _ := conn.Read(ctx)
		fmt.Printf("%.8s…\n", frame)
		_ = conn.CloseNow()
	}
	stop()
	fmt.Println(<-done)
	// Output:
	// {"type":…
	// context canceled
}
