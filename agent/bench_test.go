package agent_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"intercom/agent"
	"intercom/core/op/optest"
)

// BenchmarkRoundTrip sets the bridge beside a raw TCP ping-pong of the same
// machine and run: what counts is the ratio.
func BenchmarkRoundTrip(b *testing.B) {
	b.Run("tcp", rawPingPong)
	addr := serve(b, optest.NewPeer(b), agent.Config{})
	for name, request := range map[string]string{
		"ping": `{"id":1,"type":"ping"}`,
		"call": `{"id":1,"type":"toy_echo","text":"` + fmt.Sprintf("%050d", 7) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			c := login(b, addr)
			ctx := context.Background()
			for b.Loop() {
				if err := c.conn.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
					b.Fatal(err)
				}
				if _, _, err := c.conn.Read(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func rawPingPong(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			io.Copy(conn, conn)
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	frame := make([]byte, 100)
	for b.Loop() {
		if _, err := conn.Write(frame); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, frame); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDelivery is the way of a message from the hub to a client.
func BenchmarkDelivery(b *testing.B) {
	for _, size := range []int{100, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			peer := newFake(b)
			c := login(b, serve(b, peer, agent.Config{}))
			message := `"` + strings.Repeat("x", size) + `"`
			ctx := context.Background()
			b.SetBytes(int64(size))
			for b.Loop() {
				peer.message("trip", message)
				if _, _, err := c.conn.Read(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
