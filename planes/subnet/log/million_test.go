package log_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
)

// childOf is how a test tells its child process what to do.
const childOf = "LOG_TEST_CHILD"

func TestMain(m *testing.M) {
	if plan := os.Getenv(childOf); plan != "" {
		if err := child(plan); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// plan is a child's task: to begin in a directory from a snapshot, or, without an
// address, to open what is there.
type plan struct {
	Dir     string
	Addr    string // of a server: one byte chooses chain or snapshot
	Genesis []byte
	First   []byte
}

// told is what a child measured.
type told struct {
	Ready     time.Duration
	Confirmed uint64
	Root      string
	MB        float64 // the most memory that the process had
	CPU       time.Duration
}

func child(text string) error {
	var p plan
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	first, err := feed.Decode(p.First)
	if err != nil {
		return err
	}
	began := time.Now()
	s := &site{dir: p.Dir}
	t := &loudly{}
	s.prepare(t, 1, first, nil)
	if p.Addr != "" {
		if err := restoreFrom(s, p); err != nil {
			return err
		}
	}
	if s.value("key0000007") == "" {
		return fmt.Errorf("a key is missing")
	}
	now := s.log.Status()
	ready := time.Since(began)
	out, err := json.Marshal(told{Ready: ready, Confirmed: now.Confirmed, Root: now.Root.String(), MB: peak()})
	fmt.Println(string(out))
	_ = s.store.Close()
	return err
}

func restoreFrom(s *site, p plan) error {
	g, err := bft.ParseGenesis(p.Genesis)
	if err != nil {
		return err
	}
	open := func(what byte) (net.Conn, error) {
		conn, err := net.Dial("tcp", p.Addr)
		if err == nil {
			_, err = conn.Write([]byte{what})
		}
		return conn, err
	}
	server := bft.Server{Name: "parent", Open: func(context.Context) (io.ReadWriteCloser, error) { return open('c') }}
	chain, err := bft.NewFollower(bft.FollowerConfig{Genesis: g, Servers: func() []bft.Server { return []bft.Server{server} }, Log: quiet()})
	if err != nil {
		return err
	}
	conn, err := open('s')
	if err != nil {
		return err
	}
	defer conn.Close()
	return s.log.Restore(context.Background(), conn, chain)
}

// loudly is a test's face for a process that is none.
type loudly struct{ testing.TB }

func (loudly) Helper()           {}
func (loudly) Cleanup(func())    {}
func (loudly) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// peak is the most memory that this process had, in MB.
func peak() float64 {
	text, _ := os.ReadFile("/proc/self/status")
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	kilobytes, _ := strconv.Atoi(strings.Fields(after + " 0")[0])
	return float64(kilobytes) / 1024
}

// serve answers children until the test ends.
func (s *site) serve() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				what := []byte{0}
				if _, err := io.ReadFull(conn, what); err == nil && what[0] == 's' {
					_ = s.log.ServeSnapshot(context.Background(), conn)
				} else {
					_ = s.node.Serve(context.Background(), conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func runChild(t *testing.T, p plan) (out told) {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+string(text))
	answer, err := cmd.CombinedOutput()
	if err == nil {
		err = json.Unmarshal(answer, &out)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	out.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return out
}

// history has an indexer confirm that many entries, half of which set a key of
// their own to 100 bytes.
func history(t *testing.T, entries int) (*site, time.Duration) {
	a := subnetOf(t, 1)[0]
	filler := strings.Repeat("v", 91)
	began := time.Now()
	for from := 0; from < entries; from += 1000 {
		var bodies [][]byte
		for i := from; i < min(from+1000, entries); i++ {
			bodies = append(bodies, fmt.Appendf(nil, "put key%07d %s%08d", i%max(entries/2, 1), filler, i))
		}
		said, err := a.feeds.AppendAll(context.Background(), subnet, author(0), bodies, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		last := said[len(said)-1]
		wait(t, "a thousand entries", func() bool { return a.confirmed(last) })
	}
	spent := time.Since(began)
	a.settled()
	return a, spent
}

// newcomers shows how long a newcomer and a restart take behind a history.
func newcomers(t *testing.T, entries int) {
	a, spent := history(t, entries)
	p := plan{Dir: t.TempDir(), Addr: a.serve(), Genesis: a.genesis.Encode(), First: a.first.Encode()}
	began := time.Now()
	if err := a.log.ServeSnapshot(context.Background(), io.Discard); err != nil {
		t.Fatal(err)
	}
	made := time.Since(began)
	came := runChild(t, p)
	p.Addr = ""
	again := runChild(t, p)
	now := a.log.Status()
	for _, out := range []told{came, again} {
		if out.Confirmed != now.Confirmed || out.Root != now.Root.String() {
			t.Errorf("%+v, and %+v", out, now)
		}
	}
	figure(t, "%d entries, %d live keys of 100 B: signed, stored, confirmed and applied by one process in %s (%.0f/s)", entries, entries/2, spent.Round(time.Second), float64(entries)/spent.Seconds())
	figure(t, "a snapshot is made, once for many newcomers, in %s", made.Round(time.Millisecond))
	figure(t, "newcomer ready from a snapshot over loopback: %s, %s of CPU, at most %.0f MB", came.Ready.Round(time.Millisecond), came.CPU.Round(time.Millisecond), came.MB)
	figure(t, "restart: %s, %s of CPU, at most %.0f MB", again.Ready.Round(time.Millisecond), again.CPU.Round(time.Millisecond), again.MB)
}

func TestNewcomerInAnotherProcessBeginsFromASnapshot(t *testing.T) { newcomers(t, 400) }

func TestProofMillionEntries(t *testing.T) {
	if proving() {
		newcomers(t, 1_000_000)
	}
}
