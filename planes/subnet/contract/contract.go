package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Contract is what an application registers. It is built once, before it is run,
// and never changes afterwards; its functions may then be run from anywhere.
//
// A declaration that is wrong (a name twice, a type without a schema) is a bug and
// panics, so that no test passes over it.
type Contract struct {
	name      string
	number    uint32
	functions map[string]*function
	features  map[string]*function
	message   func(*Call, Message) error
	command   func(text string) (name string, value any, err error)
	prefixes  []string
	sources   [][]byte
}

// function is one entry point.
type function struct {
	about string
	in    *shape
	run   func(call *Call, key string, value json.RawMessage) (any, error)
}

// New makes a contract without functions. The number is raised whenever what the
// contract does changes: it is part of the version, as the name is.
func New(name string, number uint32) *Contract {
	if name == "" {
		panic("contract: a contract has a name")
	}
	return &Contract{name: name, number: number, functions: map[string]*function{}, features: map[string]*function{}}
}

// None is the input of a function that takes none: null or {}.
type None struct{}

// Message is a chat message before it is stored.
type Message struct {
	Text        string
	Attachments []string
	ReplyTo     *uint64 // the number of the message that it answers
}

// Function registers a function that transactions call. What it returns is shown
// to the caller; only what it puts becomes state. nil is no result.
//
// The fields of In say what is taken: names by their json tags, `rule:"min=1 max=8"`
// bounds numbers, the characters of texts and the items of lists, `rule:"one=a|b"`
// lists the texts there are, `about:"…"` explains. A field is needed unless its tag
// says omitempty, and null is taken by pointers and json.RawMessage alone.
func Function[In any](c *Contract, name, about string, run func(*Call, In) (any, error)) {
	c.register(c.functions, name, &function{about: about, in: shapeOf[In](name), run: func(call *Call, _ string, value json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(value, &in); err != nil {
			return nil, errFit
		}
		return run(call, in)
	}})
}

// Feature registers what happens when the admin's feature of that name gives a key
// a value: an oracle. Names of features and functions are one list.
func Feature[In any](c *Contract, name, about string, run func(call *Call, key string, value In) error) {
	c.register(c.features, name, &function{about: about, in: shapeOf[In](name), run: func(call *Call, key string, value json.RawMessage) (any, error) {
		var in In
		if err := json.Unmarshal(value, &in); err != nil {
			return nil, errFit
		}
		return nil, run(call, key, in)
	}})
}

// errFit is about a value that its schema lets pass and its type does not.
var errFit = errors.New("the value does not fit")

func (c *Contract) register(group map[string]*function, name string, f *function) {
	if c.functions[name] != nil || c.features[name] != nil {
		panic(fmt.Sprintf("contract: %q is registered already", name))
	}
	if !wellFormed(name) || strings.ContainsAny(name, " /") || len(name) > MaxName {
		panic(fmt.Sprintf("contract: %q is no name", name))
	}
	group[name] = f
}

// MaxName is the most bytes that the name of a function or a feature has.
const MaxName = 64

// OnMessage has every chat message shown to the contract before it is stored; an
// error refuses the message.
func (c *Contract) OnMessage(handle func(*Call, Message) error) {
	if c.message != nil {
		panic("contract: there is one message handler")
	}
	c.message = handle
}

// Collection makes the keys with a prefix iterable, by [Call.Each], which costs
// every new key of it a few writes more.
func (c *Contract) Collection(prefix string) {
	if !wellFormed(prefix) || slices.Contains(c.prefixes, prefix) {
		panic(fmt.Sprintf("contract: %q is no prefix, or there already", prefix))
	}
	c.prefixes = append(c.prefixes, prefix)
	slices.Sort(c.prefixes)
}

// Sources makes the contract's Go files part of its version, so that peers whose
// code differs find out before their states do. The files are embedded by the
// package that has them: //go:embed *.go. Line ends do not count.
func (c *Contract) Sources(files fs.FS) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		c.sources = append(c.sources, []byte(path), []byte(strings.ReplaceAll(string(text), "\r\n", "\n")))
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("contract: %v", err))
	}
}
