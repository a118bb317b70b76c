package docs

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/rpc"
)

var update = flag.Bool("update", false, "write the derived parts again")

const root = "../../.."

func TestDerivedPartsAreFresh(t *testing.T) {
	for _, name := range []string{"README.md", "SKILL.md"} {
		path := filepath.Join(root, name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := derive(string(raw), peer.Declared())
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case fresh == string(raw):
		case *update:
			if err := os.WriteFile(path, []byte(fresh), 0o644); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is stale; run `make docs`", name)
		}
	}
}

// Every exchange that a document shows happens just so on a fresh peer.
func TestExamplesAreTrue(t *testing.T) {
	skills, err := filepath.Glob(filepath.Join(root, "skills", "*", "SKILL.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(skills, filepath.Join(root, "SKILL.md")) {
		t.Run(path[len(root)+1:], func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := examples(string(raw))
			if len(found) == 0 {
				t.Fatal("no example")
			}
			ask := serve(t)
			for _, e := range found {
				got := ask(e.ask)
				var want, reply any
				if err := json.Unmarshal([]byte(e.reply), &want); err != nil {
					t.Fatalf("%s: %v", e.reply, err)
				}
				if json.Unmarshal([]byte(got), &reply) != nil || !fits(want, reply) {
					t.Errorf("> %s\n< %s\nthe document says\n< %s", e.ask, got, e.reply)
				}
			}
		})
	}
}

// serve runs a fresh peer behind JSON-RPC and gives a way to ask it.
func serve(t *testing.T) func(line string) string {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	p, err := peer.Open(config.Config{
		Home: t.TempDir(), StoresDir: "stores", StoreName: "peer",
		Listen: []string{"/ip4/127.0.0.1/tcp/0"}, Bridge: config.Bridge{On: config.Off},
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	in, input := io.Pipe()
	output, out := io.Pipe()
	running, serving := make(chan error, 1), make(chan error, 1)
	go func() { running <- p.Run(ctx) }()
	go func() { serving <- rpc.Serve(ctx, in, out, p.Registry, rpc.Options{}) }()
	t.Cleanup(func() {
		input.Close()
		<-serving
		cancel()
		<-running
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 1<<20)
	return func(line string) string {
		if _, err := io.WriteString(input, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("no answer to %s", line)
		}
		return lines.Text()
	}
}
