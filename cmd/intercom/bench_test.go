package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// echo is the other end of the measure: a process that sends back what it gets.
func echo(size string) {
	n, err := strconv.Atoi(size)
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "echo tcp://"+listener.Addr().String())
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	buf := make([]byte, n)
	for {
		if _, err := io.ReadFull(conn, buf); err != nil {
			return
		}
		if _, err := conn.Write(buf); err != nil {
			return
		}
	}
}

// rawPingPong is the measure of the machine: the median of a round trip of n
// bytes over a plain TCP connection between two processes.
func rawPingPong(b *testing.B, m machine, n int) time.Duration {
	b.Helper()
	m.env = append(slices.Clone(m.env), "INTERCOM_TEST_ECHO="+strconv.Itoa(n))
	p := m.start(b)
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.told(b, "tcp://"), "tcp://"))
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	defer p.kill()
	buf := make([]byte, n)
	var trips []time.Duration
	for range 3000 {
		begun := time.Now()
		if _, err := conn.Write(buf); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, buf); err != nil {
			b.Fatal(err)
		}
		trips = append(trips, time.Since(begun))
	}
	return quantile(trips, 0.5)
}

func quantile(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[int(q*float64(len(sorted)-1))]
}

// BenchmarkBridgeToBridge sends messages from a client of one peer to a client
// of another: bridge, peer, peer, bridge, all in processes of their own. One way
// latency at one in flight is given as a multiple of a raw TCP round trip. Proof
// of work and rate limit are off: they are prices, not costs.
func BenchmarkBridgeToBridge(b *testing.B) {
	m := newMachine(b)
	free := []string{"--sidechannel-pow", "0", "--sidechannel-rate-bytes", "0", "--peer-store-name"}
	alice, _ := m.bridge(b, append(free, "alice")...)
	bob, _ := m.bridge(b, append(free, "bob")...)
	for _, c := range []*bridgeClient{alice, bob} {
		result(b, c, "sc_join", `{"channel":"bench"}`)
	}
	eventually(b, alice, "sc_stats", `{}`, holds(`"name":"bench","members":1`))
	bob.write(b, `{"type":"subscribe","channels":["bench"]}`)
	bob.read(b, func(f frame) bool { return f.Type == "subscribed" })
	for _, size := range []int{100, 1 << 10, 64 << 10} {
		raw := rawPingPong(b, m, size)
		for _, window := range []int{1, 32, 128} {
			b.Run(fmt.Sprintf("%dB/%d_in_flight", size, window), func(b *testing.B) {
				latencies := deliver(b, alice, bob, size, window)
				b.ReportMetric(float64(quantile(latencies, 0.5).Microseconds()), "p50-µs")
				b.ReportMetric(float64(quantile(latencies, 0.99).Microseconds()), "p99-µs")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
				b.ReportMetric(float64(raw.Microseconds()), "rawTCP-µs")
				if window == 1 {
					b.ReportMetric(float64(quantile(latencies, 0.5))/float64(raw), "p50/rawTCP")
				}
			})
		}
	}
}

// deliver sends b.N messages with so many under way, and gives how long each
// took to come out at the other end.
func deliver(b *testing.B, from, to *bridgeClient, size, window int) []time.Duration {
	sent := make([]time.Time, b.N)
	free := make(chan struct{}, window)
	latencies := make([]time.Duration, 0, b.N)
	arrived := make(chan struct{})
	replies := make(chan struct{})
	go func() { // the sender's own replies
		defer close(replies)
		for range b.N {
			from.read(b, func(f frame) bool { return f.Type == "sent" })
		}
	}()
	go func() {
		defer close(arrived)
		for range b.N {
			f := to.read(b, func(f frame) bool { return f.Type == "sidechannel_message" })
			var event struct{ Message string }
			if err := json.Unmarshal(f.raw, &event); err != nil {
				b.Error(err)
			}
			i, _ := strconv.Atoi(event.Message[:strings.IndexByte(event.Message, ' ')])
			latencies = append(latencies, f.at.Sub(sent[i]))
			<-free
		}
	}()
	filler := strings.Repeat("x", size)
	b.ResetTimer()
	for i := range b.N {
		free <- struct{}{}
		text := fmt.Sprintf("%d %s", i, filler)[:size]
		sent[i] = time.Now()
		from.write(b, `{"id":1,"type":"send","channel":"bench","message":"`+text+`"}`)
	}
	<-arrived
	b.StopTimer()
	<-replies
	return latencies
}

// BenchmarkCall is the cost of one call on each surface, in processes of their
// own, beside a raw TCP round trip.
func BenchmarkCall(b *testing.B) {
	raw := rawPingPong(b, newMachine(b), 100)
	bridge, _ := newMachine(b).bridge(b)
	rpcHost := newMachine(b)
	for name, c := range map[string]caller{
		"SC-Bridge": bridge, "JSON-RPC": rpcHost.rpc(b), "JSON-RPC_attached": rpcHost.rpc(b), "MCP": newMachine(b).mcp(b, "--toolsets", "all"),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				result(b, c, "expense_balance", `{"channel":"bench"}`)
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(raw), "x_rawTCP")
		})
	}
}

// BenchmarkStart is from the start of the process to an answered call, with an
// identity that exists.
func BenchmarkStart(b *testing.B) {
	m := newMachine(b)
	first := m.rpc(b)
	result(b, first, "ping", `{}`)
	first.kill()
	for b.Loop() {
		c := m.rpc(b)
		result(b, c, "ping", `{}`)
		c.kill()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms-to-ready")
}

// BenchmarkIdleMemory is what a peer with the bridge holds resident when
// nothing happens.
func BenchmarkIdleMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Fatal("resident memory is read from /proc")
	}
	m := newMachine(b)
	for b.Loop() {
		c, p := m.bridge(b)
		result(b, c, "ping", `{}`)
		time.Sleep(3 * time.Second) // idle is a state of time
		b.ReportMetric(residentMB(b, p.cmd.Process.Pid), "MB-resident")
		p.kill()
	}
}

func residentMB(b *testing.B, pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.SplitSeq(string(raw), "\n") {
		if text, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
