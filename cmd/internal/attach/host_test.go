package attach_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/cmd/internal/attach"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

type addressFile struct {
	Socket   string `json:"socket"`
	Token    string `json:"token"`
	Protocol int    `json:"protocol"`
	Instance string `json:"instance"`
	PID      int    `json:"pid"`
}

func readFile(t *testing.T, dir string) (a addressFile) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "attach.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a addressFile) write(t *testing.T, dir string) {
	t.Helper()
	raw, _ := json.Marshal(a)
	if err := os.WriteFile(filepath.Join(dir, "attach.json"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreForTheOwnerAloneAndGoWithTheHost(t *testing.T) {
	dir := t.TempDir()
	stop := host(t, dir, attach.Embedded{Caller: optest.NewPeer(t), Instance: "one"})
	a := readFile(t, dir)
	if a.Protocol != attach.Protocol || a.Instance != "one" || len(a.Token) < 26 || len(filepath.Base(a.Socket)) != len("01234567.sock") || len(a.Socket) > 100 {
		t.Errorf("attach.json says %+v", a)
	}
	if runtime.GOOS != "windows" {
		for path, want := range map[string]os.FileMode{
			filepath.Join(dir, "attach.json"): 0o600, filepath.Dir(a.Socket): 0o700, a.Socket: 0o600,
		} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
			}
		}
	}
	stop()
	for _, path := range []string{filepath.Join(dir, "attach.json"), a.Socket} {
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left behind", path)
		}
	}
}

func TestLongRuntimeDirectoryIsNotUsed(t *testing.T) {
	place := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	if err := os.MkdirAll(place, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", place)
	dir := t.TempDir()
	host(t, dir, attach.Embedded{Caller: optest.NewPeer(t)})
	if a := readFile(t, dir); len(a.Socket) > 100 {
		t.Errorf("the socket lies at %s", a.Socket)
	}
	dial(t, dir)
}

func TestDirectoryOpenToOthersIsNotUsed(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // rights are inherited there
	}
	place := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "open")
	if err := os.MkdirAll(filepath.Join(place, "intercom"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", place)
	dir := t.TempDir()
	host(t, dir, attach.Embedded{Caller: optest.NewPeer(t)})
	if a := readFile(t, dir); strings.HasPrefix(a.Socket, place) {
		t.Errorf("the socket lies at %s", a.Socket)
	}
}

func TestStrangersLearnNothing(t *testing.T) {
	dir := t.TempDir()
	host(t, dir, attach.Embedded{Caller: optest.NewPeer(t), Instance: "one"})
	right := readFile(t, dir)
	for name, wrong := range map[string]addressFile{
		"no token":      {Socket: right.Socket, Protocol: right.Protocol},
		"another token": {Socket: right.Socket, Protocol: right.Protocol, Token: strings.Repeat("A", 26)},
	} {
		wrong.write(t, dir)
		if _, err := attach.Dial(t.Context(), dir); fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), right.Token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	right.write(t, dir)
	for name, sent := range map[string]string{
		"garbage":                 "GET / HTTP/1.1\r\n\r\n" + strings.Repeat("x", 10_000),
		"a frame of 4 GiB":        "\xff\xff\xff\xff\xff\xff\xff\xff",
		"a greeting too large":    "\x00\x00\x20\x00\x00\x00\x00\x00" + strings.Repeat(" ", 8192),
		"no greeting but a call":  frame(`{"id":1,"now":true}`),
		"a greeting of no object": frame(`[]`),
	} {
		conn, err := net.Dial("unix", right.Socket)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(sent))
		conn.SetReadDeadline(time.Now().Add(patience))
		answer := make([]byte, 4096)
		n, _ := conn.Read(answer)
		if strings.Contains(string(answer[:n]), "toy_echo") {
			t.Errorf("%s was answered %q", name, answer[:n])
		}
		for err = nil; err == nil; { // until it is closed
			_, err = conn.Read(answer)
		}
		if os.IsTimeout(err) {
			t.Errorf("%s: the connection stays", name)
		}
		conn.Close()
	}
	dial(t, dir) // the host goes on
}

func frame(header string) string {
	return string([]byte{0, 0, 0, byte(len(header)), 0, 0, 0, 0}) + header
}

func TestAnotherProtocolVersionIsAConflictThatNamesBoth(t *testing.T) {
	dir := t.TempDir()
	host(t, dir, attach.Embedded{Caller: optest.NewPeer(t)})
	a := readFile(t, dir)
	a.Protocol = 99
	a.write(t, dir)
	lock, _, err := attach.TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	for _, attempt := range []func() error{
		func() error { _, err := attach.Dial(t.Context(), dir); return err },
		func() error { _, err := attach.Decide(t.Context(), dir); return err },
	} {
		err := attempt()
		if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "99") || !strings.Contains(err.Error(), fmt.Sprint(attach.Protocol)) {
			t.Errorf("got %v", err)
		}
	}
}

func TestNamesOfClientsAreKeptApartAndReleased(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	var released []string
	hub := event.NewHub("one", event.Limits{})
	r := op.NewRegistry(hub, quiet())
	r.Add(whoami("one"))
	t.Cleanup(r.Close)
	host(t, dir, attach.Embedded{Caller: r, Release: func(client string) {
		mu.Lock()
		defer mu.Unlock()
		released = append(released, client)
	}})
	has := func(client string) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(released, client)
	}
	eventually := func(client string) {
		t.Helper()
		for begun := time.Now(); !has(client); time.Sleep(time.Millisecond) {
			if time.Since(begun) > patience {
				t.Fatalf("%s was not released", client)
			}
		}
	}
	name := func(c op.Caller, client string) string {
		var out nameOut
		if err := json.Unmarshal([]byte(ask(t, c, "who", client)), &out); err != nil {
			t.Fatal(err)
		}
		return out.Client
	}
	a, b := dial(t, dir), dial(t, dir)
	a1, a2, a0, b1 := name(a, "mcp/1"), name(a, "mcp/2"), name(a, ""), name(b, "mcp/1")
	if a1 == a2 || a1 == b1 || a0 == "" || name(a, "mcp/1") != a1 || !strings.HasSuffix(a1, "mcp/1") {
		t.Errorf("names are %q %q %q %q", a1, a2, a0, b1)
	}
	a.Release("mcp/2")
	eventually(a2)
	if has(a1) {
		t.Error("a client was released too early")
	}
	a.Close()
	eventually(a1)
	eventually(a0)
	if has(b1) {
		t.Error("the client of another process was released")
	}
}

func TestEventsAreReadThroughTheSocket(t *testing.T) {
	dir := t.TempDir()
	p := optest.NewPeer(t)
	host(t, dir, attach.Embedded{Caller: p})
	c := dial(t, dir)
	cursor, err := c.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan event.Batch, 1)
	go func() {
		batch, _ := c.Events(t.Context(), cursor, 10)
		got <- batch
	}()
	p.Hub.Publish("hello", map[string]string{"text": "<&>"})
	if batch := <-got; len(batch.Events) != 1 || batch.Events[0].Kind != "hello" || batch.Next == cursor {
		t.Errorf("got %+v", batch)
	}
	if _, err := c.Events(t.Context(), "nonsense", 10); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a cursor that is none: %v", err)
	}
	cursor, _ = c.Now(t.Context())
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if batch, err := c.Events(short, cursor, 10); err != nil || len(batch.Events) != 0 || batch.Events == nil || batch.Next != cursor {
		t.Errorf("without events: %+v, %v", batch, err)
	}
}

func TestEndOfTheHostAnswersItsCalls(t *testing.T) {
	dir := t.TempDir()
	p := optest.NewPeer(t)
	stop := host(t, dir, attach.Embedded{Caller: p})
	c := dial(t, dir)
	done := make(chan error, 1)
	go func() {
		_, err := c.Call(context.Background(), op.Request{Name: "toy_wait", Grant: op.Read})
		done <- err
	}()
	<-p.Waiting
	stop()
	if err := <-done; fault.KindOf(err) != fault.Unavailable || fault.Of(err).Hint == "" {
		t.Errorf("the call in flight got %v", err)
	}
	<-c.Done()
	if _, err := c.Call(t.Context(), op.Request{Name: "ping"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a call after it got %v", err)
	}
}

func TestOneProcessCannotTakeEveryPlace(t *testing.T) {
	dir := t.TempDir()
	p := optest.NewPeer(t)
	host(t, dir, attach.Embedded{Caller: p})
	c := dial(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 1024 {
		wg.Go(func() { c.Events(ctx, "optest:0", 1) })
	}
	short, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	for short.Err() == nil { // until all places are taken
		c.Now(short)
	}
	if _, err := c.Now(short); fault.KindOf(err) != fault.Cancelled {
		t.Errorf("call 1025 got %v", err)
	}
	if _, err := dial(t, dir).Now(t.Context()); err != nil {
		t.Errorf("another process: %v", err)
	}
	cancel()
	wg.Wait()
	if _, err := c.Now(t.Context()); err != nil {
		t.Errorf("with the places free again: %v", err)
	}
}
