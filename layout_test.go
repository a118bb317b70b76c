package intercom_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The house: which folder may import which, and why. Lower never imports
// upper, siblings do not know each other, and a folder that is not listed may
// import nothing of ours. Tests obey too, save for what the last column adds.
var house = []struct {
	folder string
	why    string
	may    []string // folders of ours, besides the ones within the folder itself
	tests  []string // what only its tests may import
}{
	{"core/fault", "the error kinds stand below everything", nil, nil},
	{"core/canon", "bytes that are signed depend on nothing but their rules", nil, nil},
	{"core/event", "the hub knows that something happened, not what", []string{"core/fault"}, nil},
	{"core/identity", "keys sign canonical bytes", []string{"core/canon", "core/fault"}, nil},
	{"core/store", "keeps bytes, whatever they mean", []string{"core/fault"}, nil},
	{"core/merkle", "an authenticated map is nodes in a store, whatever they mean", []string{"core/fault", "core/store"}, nil},
	{"core/op", "operations know errors and events, not their owners", []string{"core/event", "core/fault"}, nil},
	{"core/ondemand", "what begins at its first use is known to whoever runs it", nil, nil},
	{"core/p2p", "the network knows keys and bytes", []string{"core/canon", "core/fault", "core/identity"}, nil},
	{"core/bft", "an engine that agrees on bytes, whatever they mean", []string{"core/canon", "core/fault", "core/identity", "core/store"}, nil},
	{"core/feed", "signed entries in a store", []string{"core/canon", "core/fault", "core/identity", "core/store"}, nil},
	{"core", "the runner knows planes as an interface", []string{"core/op"}, nil},
	{"planes/sidechannel", "a plane stands on core alone, not on the runner or another plane",
		[]string{"core/canon", "core/event", "core/fault", "core/identity", "core/op", "core/p2p", "core/store"}, nil},
	{"planes/msb/bus", "the state machine knows transactions and state, no engine and no network",
		[]string{"core/canon", "core/fault", "core/identity", "core/merkle"}, []string{"core/store"}},
	{"planes/msb/chain", "the bus on a chain knows the engine's port and the map, no peers and no operations",
		[]string{"core/bft", "core/fault", "core/identity", "core/merkle", "core/store", "planes/msb/bus"}, nil},
	{"planes/msb/outbox", "what waits to be settled knows transactions and asks the network through a port",
		[]string{"core/fault", "core/store", "planes/msb/bus"}, []string{"core/bft", "core/identity", "planes/msb/chain"}},
	{"planes/msb/settle", "what a contract checks is functions of bytes, no engine runs and nothing is stored",
		[]string{"core/bft", "core/fault", "core/identity", "planes/msb/bus"}, []string{"core/store", "planes/msb/chain"}},
	{"planes/msb", "the settlement plane stands on core alone, not on the runner or another plane",
		[]string{"core/bft", "core/canon", "core/event", "core/fault", "core/identity", "core/ondemand", "core/op", "core/p2p", "core/store"}, nil},
	{"planes/subnet/contract", "what an application registers knows the state it is given, not whose it is",
		[]string{"core/canon", "core/fault", "core/identity"}, nil},
	{"planes/subnet/log", "the log joins a feed with a chain and knows what entries mean as an interface",
		[]string{"core/bft", "core/fault", "core/feed", "core/identity", "core/merkle", "core/store"}, nil},
	{"planes/subnet/machine", "the state machine knows entries and state, no engine, no network and no log",
		[]string{"core/canon", "core/fault", "core/feed", "core/identity", "planes/subnet/contract"}, []string{"core/bft", "core/merkle", "core/store", "planes/subnet/log"}},
	{"planes/subnet", "a plane stands on core and its own parts, not on the runner or another plane",
		[]string{"core/bft", "core/canon", "core/event", "core/fault", "core/feed", "core/identity", "core/merkle", "core/ondemand", "core/op", "core/p2p", "core/store"}, nil},
	{"intersplit", "the application states what it needs of a channel as interfaces",
		[]string{"core/canon", "core/event", "core/fault", "core/feed", "core/identity", "core/op", "core/store"}, nil},
	{"agent", "a surface knows operations and events, not planes", []string{"core/event", "core/fault", "core/op"}, nil},
	{"rpc", "a surface knows operations and events, not planes", []string{"core/event", "core/fault", "core/op"}, nil},
	{"mcp", "a surface knows operations and events, not planes", []string{"core/event", "core/fault", "core/op"}, nil},
	{"cmd/internal/config", "flags know nothing of what they set", []string{"core/fault"}, nil},
	{"cmd/internal/attach", "a peer in another process is a caller like any other", []string{"core/event", "core/fault", "core/op"}, []string{"rpc"}},
	{"cmd/internal/peer", "the assembly is the one place that knows every part",
		[]string{"core", "planes/msb", "planes/sidechannel", "planes/subnet", "intersplit", "agent", "cmd/internal/config"}, []string{"rpc", "mcp"}},
	{"cmd/internal/validator", "a node of a settlement network is assembled without a peer's planes",
		[]string{"core", "planes/msb", "cmd/internal/config", "cmd/internal/attach"}, nil},
	{"cmd/intercom", "the program: assembly, surfaces, flags",
		[]string{"core", "planes/sidechannel", "intersplit", "agent", "rpc", "mcp", "cmd/internal"}, []string{"planes/msb/bus"}},
	{"cmd/internal/docs", "documents are derived from the assembled list of operations",
		[]string{"core", "cmd/internal/config", "cmd/internal/peer"}, []string{"rpc"}},
}

// The homes of the outside libraries: replacing one touches one folder.
var homes = []struct {
	library string
	folders []string
	why     string
}{
	{"github.com/libp2p/", []string{"core/p2p"}, "peers, streams and topics"},
	{"github.com/ipfs/", []string{"core/p2p"}, "keys and records of the DHT"},
	{"github.com/multiformats/", []string{"core/p2p"}, "addresses of libp2p"},
	{"github.com/cockroachdb/pebble/", []string{"core/store"}, "the store"},
	{"github.com/cometbft/", []string{"core/bft"}, "agreement of several"},
	{"github.com/coder/websocket", []string{"agent", "cmd/intercom"}, "the bridge; as a client in the tests of the program"},
	{"github.com/chromedp/", []string{"cmd/intercom"}, "the browser of the page's tests"},
	{"github.com/sourcegraph/jsonrpc2", []string{"rpc"}, "JSON-RPC dispatch"},
	{"github.com/mark3labs/mcp-go", []string{"mcp"}, "the MCP server"},
	{"github.com/modelcontextprotocol/go-sdk", []string{"mcp", "cmd/intercom"}, "the independent MCP client of the tests"},
	{"github.com/santhosh-tekuri/jsonschema", []string{"core/op", "mcp"}, "validation; mcp's tests check results against the schemas a client sees"},
	{"github.com/google/jsonschema-go", []string{"core/op", "mcp", "cmd/intercom"}, "schemas from structs; elsewhere tests, which check results"},
	{"github.com/tyler-smith/go-bip39", []string{"core/identity"}, "words"},
	{"github.com/anyproto/go-slip10", []string{"core/identity"}, "derivation"},
	{"github.com/btcsuite/btcd/btcutil", []string{"core/identity"}, "addresses"},
	{"golang.org/x/crypto", []string{"core/identity", "planes/sidechannel/sealed"}, "key files; envelopes"},
	{"github.com/gowebpki/jcs", []string{"core/canon"}, "JSON numbers"},
	{"github.com/bojanz/currency", []string{"intersplit"}, "exponents of currencies"},
	{"golang.org/x/text", []string{"intersplit"}, "one form of a name"},
	{"golang.org/x/term", []string{"cmd/intercom"}, "the terminal"},
	{"github.com/lmittmann/tint", []string{"cmd/intercom"}, "logs on a terminal"},
}

const module = "intercom"

func TestFoldersDependUpwardOnly(t *testing.T) {
	walkImports(t, func(file, folder, imported string) {
		switch {
		case strings.HasPrefix(imported, module+"/"):
			checkOurs(t, file, folder, strings.TrimPrefix(imported, module+"/"))
		default:
			checkLibrary(t, file, folder, imported)
		}
	})
}

func checkOurs(t *testing.T, file, folder, imported string) {
	for _, room := range house {
		if !within(folder, room.folder) || (room.folder == "core" && folder != "core") {
			continue
		}
		if imported == room.folder || (within(imported, room.folder) && room.folder != "core") {
			return
		}
		may := room.may
		if strings.HasSuffix(file, "_test.go") {
			may = slices.Concat(may, room.tests)
		}
		if !slices.ContainsFunc(may, func(m string) bool { return within(imported, m) }) {
			t.Errorf("%s imports %s: %s (%s)", file, imported, room.folder, room.why)
		}
		return
	}
	t.Errorf("%s: folder %q has no place in the house; give it a row and a reason", file, folder)
}

func checkLibrary(t *testing.T, file, folder, imported string) {
	for _, home := range homes {
		if !strings.HasPrefix(imported, home.library) {
			continue
		}
		if !slices.ContainsFunc(home.folders, func(f string) bool { return within(folder, f) }) {
			t.Errorf("%s imports %s, whose home is %s (%s)", file, imported, strings.Join(home.folders, " and "), home.why)
		}
	}
}

// within tells whether folder is root or lies in it.
func within(folder, root string) bool { return folder == root || strings.HasPrefix(folder, root+"/") }

// walkImports visits every import of every Go file of the project.
func walkImports(t *testing.T, visit func(file, folder, imported string)) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || !strings.Contains(file, string(filepath.Separator)) {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		seen++
		folder := path.Dir(filepath.ToSlash(file))
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			visit(file, folder, imported)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("walked %d files: %v", seen, err)
	}
}
