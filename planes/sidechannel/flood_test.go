package sidechannel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/p2p"
)

// floods are the frames that a flooder sends, each kind alone. The tail of the id
// is different in each, so that none is a repetition.
func floods(now time.Time) map[string]func(n int) []byte {
	vary := func(data []byte) func(int) []byte {
		text := string(data)
		at := strings.Index(text, `","channel"`) - idTail
		return func(n int) []byte { return []byte(text[:at] + fmt.Sprintf("%08d", n) + text[at+idTail:]) }
	}
	make := func(channel string, at time.Time, bits int) []byte {
		d, err := newDraft(someone("mallory").PublicKey(), channel, benchMessage(100), at)
		if err == nil {
			err = d.finish(context.Background(), someone("mallory"), bits)
		}
		if err != nil {
			panic(err)
		}
		return d.encode()
	}
	entry := Entry.quoted()
	return map[string]func(int) []byte{
		"rubbish":       func(n int) []byte { return fmt.Appendf(nil, "rubbish %0600d", n) },
		"old":           vary(make(entry, now.Add(-time.Hour), 0)),
		"other channel": vary(make(`"other"`, now, 0)),
		"without work":  vary(make(entry, now, 0)),
	}
}

// TestProofFlood floods an honest pair with 20 000 frames a second of each kind,
// from a process of its own. Once the block has set in, the pair's messages all
// arrive, and memory stays flat; how fast they are beside a calm run is told, since
// it depends on how many cores flooder and pair share.
func TestProofFlood(t *testing.T) {
	proving := os.Getenv("INTERCOM_PROOF") != ""
	cfg := Config{Policy: Policy{Work: Work{Bits: 8}, Rates: Rates{Bytes: 400_000}}}
	alice, host := newHostWith(t, "alice", cfg)
	bob, _ := newHostWith(t, "bob", cfg, host.Addrs()...)
	connected(t, alice, bob)
	messages, runs, kinds := 60, 1, []string{"rubbish"}
	if proving {
		messages, runs, kinds = 150, 5, []string{"rubbish", "old", "other channel", "without work"}
	}
	calm := median(t, alice, bob, messages, runs)
	for _, kind := range kinds {
		stop := floodFrom(t, kind, host.Addrs()[0])
		key := someone("mallory " + kind).PublicKey() // a key of its own: the one before is blocked
		eventually(t, "the block", func() bool { return alice.barred(key, time.Now()) })
		before := heap()
		stormy := median(t, alice, bob, messages, runs)
		after := heap()
		stop()
		t.Logf("PROOF flood of %s: p99 %v, calm %v (%.1f times) on %d cores, all of %d arrived; heap %d KiB, before %d KiB",
			kind, stormy.Round(time.Microsecond), calm.Round(time.Microsecond), float64(stormy)/float64(calm), runtime.NumCPU(), messages*runs, after>>10, before>>10)
		if after > before+(32<<20) {
			t.Errorf("%s: memory grew by %d bytes", kind, after-before)
		}
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// floodFrom starts a process that floods whoever listens at an address.
func floodFrom(t *testing.T, kind, addr string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestFlooder$", "-test.timeout", "10m")
	cmd.Env = append(os.Environ(), floodEnv+"="+kind+"|"+addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	return stop
}

const floodEnv = "SIDECHANNEL_TEST_FLOOD"

// TestFlooder is the process that floods, when it is told whom.
func TestFlooder(t *testing.T) {
	kind, addr, told := strings.Cut(os.Getenv(floodEnv), "|")
	if !told {
		return
	}
	h, err := p2p.Listen(p2p.Config{
		Identity: someone("mallory " + kind), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: []string{addr}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	go h.Run(t.Context()) //nolint:errcheck // it is killed
	topic, err := h.Join(newPlain(Entry).way.Topic, p2p.Handler{Check: func(*p2p.Message) p2p.Verdict { return p2p.Ignore }})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a victim", func() bool { return len(topic.Peers()) > 0 })
	flood(t.Context(), topic.Publish, floods(time.Now())[kind])
}

// flood publishes 20 000 frames a second until ctx ends, and counts them.
func flood(ctx context.Context, publish func([]byte) error, frame func(int) []byte) (sent int) {
	const rate = 20_000
	begun := time.Now()
	for ctx.Err() == nil {
		for due := int(time.Since(begun).Seconds() * rate); sent < due && ctx.Err() == nil; sent++ {
			publish(frame(sent)) //nolint:errcheck // the engine may be ending
		}
		time.Sleep(time.Millisecond)
	}
	return sent
}

// median is the middle of the p99 latencies of some runs. Every message arrives.
func median(t *testing.T, from, to *Plane, messages, runs int) time.Duration {
	t.Helper()
	var all []time.Duration
	for range runs {
		all = append(all, p99(t, from, to, messages))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func p99(t *testing.T, from, to *Plane, messages int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var took []time.Duration
	for i := range messages {
		at := to.hub.Now()
		begun := time.Now()
		id, _, err := from.Send(ctx, Entry, json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)))
		if err != nil {
			t.Fatal(err)
		}
		for arrived := false; !arrived; {
			batch, err := to.hub.Read(ctx, at, 100)
			if err != nil {
				t.Fatalf("message %d of %d does not arrive: %v", i, messages, err)
			}
			at = batch.Next
			for _, e := range batch.Events {
				arrived = arrived || strings.Contains(string(e.Data), id)
			}
		}
		took = append(took, time.Since(begun))
		time.Sleep(5 * time.Millisecond)
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}
