package p2p

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

var benchSizes = []int{100, 1 << 10, 64 << 10}

// BenchmarkListen is what a host costs at the start of a peer.
func BenchmarkListen(b *testing.B) {
	for b.Loop() {
		h, err := Listen(Config{Identity: someone()})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		h.Close()
		b.StartTimer()
	}
}

// BenchmarkLatency is one frame at a time from Publish to Deliver, beside a raw
// TCP round trip of the same size on the same machine in the same run.
func BenchmarkLatency(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			publish, delivered := benchPair(b)
			ping := rawPing(b, size)
			frame := make([]byte, size)
			var took, raw []time.Duration
			for n := uint64(1); b.Loop(); n++ {
				frame = slices.Clone(frame)
				binary.BigEndian.PutUint64(frame, n)
				begin := time.Now()
				publish(frame)
				<-delivered
				took = append(took, time.Since(begin))
				raw = append(raw, ping())
			}
			p50, p95, tcp := quantile(took, 50), quantile(took, 95), quantile(raw, 50)
			b.ReportMetric(float64(p50.Microseconds()), "p50-µs")
			b.ReportMetric(float64(p95.Microseconds()), "p95-µs")
			b.ReportMetric(float64(tcp.Microseconds()), "tcp-p50-µs")
			b.ReportMetric(float64(p50)/float64(tcp), "×tcp")
		})
	}
}

// BenchmarkThroughput keeps a window of frames under way.
func BenchmarkThroughput(b *testing.B) {
	const window = 128
	for _, size := range benchSizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			publish, delivered := benchPair(b)
			free := make(chan struct{}, window)
			for range window {
				free <- struct{}{}
			}
			done := make(chan struct{})
			go func() {
				for range b.N {
					<-delivered
					free <- struct{}{}
				}
				close(done)
			}()
			b.SetBytes(int64(size))
			b.ResetTimer()
			for n := range b.N {
				<-free
				frame := make([]byte, size)
				binary.BigEndian.PutUint64(frame, uint64(n))
				publish(frame)
			}
			<-done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// benchPair is two connected hosts in one topic.
func benchPair(b *testing.B) (publish func([]byte), delivered <-chan struct{}) {
	from, to := listen(b), listen(b)
	link(b, from, to)
	got := make(chan struct{}, 1024)
	ours := join(b, from, "bench", Handler{})
	theirs := join(b, to, "bench", Handler{Deliver: func(*Message) { got <- struct{}{} }})
	members(b, ours, 1)
	members(b, theirs, 1)
	return func(frame []byte) {
		if err := ours.Publish(frame); err != nil {
			b.Fatal(err)
		}
	}, got
}

// rawPing is a TCP connection over loopback whose other end echoes.
func rawPing(b *testing.B, size int) (ping func() time.Duration) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		buf := make([]byte, size)
		for {
			if _, err := io.ReadFull(conn, buf); err != nil {
				return
			}
			conn.Write(buf)
		}
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	buf := make([]byte, size)
	return func() time.Duration {
		begin := time.Now()
		conn.Write(buf)
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
		return time.Since(begin)
	}
}

func quantile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[(len(all)-1)*percent/100]
}
