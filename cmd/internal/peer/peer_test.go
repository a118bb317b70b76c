package peer_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/fault"
	"intercom/core/op"
)

// alone is a peer that meets nobody.
func alone(t *testing.T) config.Config {
	return config.Config{
		Home: t.TempDir(), StoresDir: "stores", StoreName: "peer", Listen: []string{"/ip4/127.0.0.1/tcp/0"},
		Bridge: config.Bridge{On: config.Off, Host: "127.0.0.1"}, Page: config.Page{On: config.Off},
	}
}

func open(t *testing.T, cfg config.Config) *peer.Peer {
	t.Helper()
	p, err := peer.Open(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// What an example names need not exist on a fresh peer, and its caller may lack the
// right; it is valid all the same.
func TestEveryExampleOfAnOperationIsAnswered(t *testing.T) {
	p := open(t, alone(t))
	done := make(chan error)
	go func() { done <- p.Run(t.Context()) }()
	fine := []fault.Kind{fault.NotFound, fault.Denied}
	for _, info := range p.Registry.Ops() {
		if info.Name == "exit" {
			continue // last
		}
		if _, err := p.Registry.Call(t.Context(), op.Request{Name: info.Name, Params: info.Example, Grant: op.Admin, Text: true}); err != nil && !slices.Contains(fine, fault.KindOf(err)) {
			t.Errorf("%s %s: %v (%s)", info.Name, info.Example, err, fault.Of(err).Hint)
		}
	}
	if _, err := p.Registry.Call(t.Context(), op.Request{Name: "exit", Grant: op.Admin}); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after exit, Run gave %v", err)
	}
}

func TestDeclarationsNeedNoPeer(t *testing.T) {
	declared, _ := json.Marshal(peer.Declared())
	real, _ := json.Marshal(open(t, alone(t)).Registry.Ops())
	if string(declared) != string(real) {
		t.Error("the declarations differ from those of a peer")
	}
}

func TestTokenIsMadeOnceAndForItsOwnerOnly(t *testing.T) {
	cfg := alone(t)
	cfg.Bridge.On = config.On
	p := open(t, cfg)
	info, err := os.Stat(p.TokenPlace())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	first, _ := os.ReadFile(p.TokenPlace())
	if p.Close(); len(strings.TrimSpace(string(first))) != 64 {
		t.Errorf("the token has %d characters", len(first))
	}
	again, err := peer.KeptToken(filepath.Join(cfg.Store(), "sc-bridge-token"))
	if err != nil || again != strings.TrimSpace(string(first)) {
		t.Errorf("the token changed: %v", err)
	}
}

func TestTakenPortIsAnErrorOnlyWhenNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := alone(t)
	cfg.Bridge.On, cfg.Bridge.Port = config.On, taken.Addr().(*net.TCPAddr).Port
	if url := open(t, cfg).BridgeURL(); url == "" || strings.HasSuffix(url, taken.Addr().String()) {
		t.Errorf("the bridge is at %q", url)
	}
	cfg.StoreName, cfg.Bridge.PortNamed = "other", true
	if _, err := peer.Open(cfg, slog.New(slog.DiscardHandler)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a named port that is taken gave %v", err)
	}
}

func TestTakenPortOfThePageIsAnErrorOnlyWhenNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg := alone(t)
	cfg.Page.On, cfg.Page.Port = config.On, taken.Addr().(*net.TCPAddr).Port
	if url := open(t, cfg).PageURL(); url == "" || strings.Contains(url, taken.Addr().String()) {
		t.Errorf("the page is at %q", url)
	}
	cfg.StoreName, cfg.Page.PortNamed = "other", true
	if _, err := peer.Open(cfg, slog.New(slog.DiscardHandler)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a named port that is taken gave %v", err)
	}
}

func TestLinkToThePageIsToldToAdminsOnly(t *testing.T) {
	cfg := alone(t)
	cfg.Bridge.On, cfg.Page.On = config.On, config.On
	p := open(t, cfg)
	reply, err := p.Registry.Call(t.Context(), op.Request{Name: "page_link", Grant: op.Admin})
	if err != nil || !strings.Contains(string(reply.Value), p.PageURL()+"#code=") {
		t.Errorf("%s, %v", reply.Value, err)
	}
	if _, err := p.Registry.Call(t.Context(), op.Request{Name: "page_link", Grant: op.Write}); fault.KindOf(err) != fault.Denied {
		t.Errorf("who may write got %v", err)
	}
	if reply, _ := p.Registry.Call(t.Context(), op.Request{Name: "info", Grant: op.Read}); !strings.Contains(string(reply.Value), `"ui":"`+p.PageURL()) || strings.Contains(string(reply.Value), "code=") {
		t.Errorf("info tells %s", reply.Value)
	}
}

func TestSecretsStayOutOfLogsAndInfo(t *testing.T) {
	var log strings.Builder
	cfg := alone(t)
	cfg.Bridge.On = config.On
	p, err := peer.Open(cfg, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	said := ""
	for _, name := range []string{"info", "stats", "get_keys", "ops"} {
		reply, err := p.Registry.Call(ctx, op.Request{Name: name, Grant: op.Admin, Text: true})
		if err != nil {
			t.Error(err)
		}
		said += string(reply.Value) + reply.Text
	}
	token, _ := os.ReadFile(p.TokenPlace())
	words := p.Words().Reveal()
	cancel()
	<-done
	p.Close()
	for what, secret := range map[string]string{"token": strings.TrimSpace(string(token)), "words": words} {
		if secret == "" || strings.Contains(log.String()+said, secret) {
			t.Errorf("the %s is told", what)
		}
	}
}
