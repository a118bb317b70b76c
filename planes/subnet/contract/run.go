package contract

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"intercom/core/identity"
)

// A Way is by which door a contract is called.
type Way byte

// The ways.
const (
	ByTransaction Way = iota + 1
	ByFeature
	ByMessage
)

// An Invocation is what calls a contract. All of it is replicated data, the same
// on every peer.
type Invocation struct {
	Way       Way
	Name      string          // of the function or the feature
	Key       string          // that a feature gives a value
	Value     json.RawMessage // canonical; of a message it is not read
	Message   Message
	Caller    identity.PublicKey
	Validator identity.PublicKey // who settled the transaction; zero when nobody did
	ID        [32]byte           // of the transaction, or of the entry
	TS        int64              // the author's clock, ms since 1970
}

// A Result is what came of a call.
type Result struct {
	Failure string          // why nothing changed; "" when it succeeded
	Value   json.RawMessage // what the function returned, for its caller; nil for nothing
	Changed []string        // leaves, in the order of their first change
}

// Failures that are not the contract's own words are upstream's where it has them
// (upstream 3.6). They stand in the state, so none repeats what another library or
// version of Go would word differently.
const (
	failUnknown  = "Unknown contract operation type."
	failSchema   = "Invalid schema."
	failPanic    = "The contract panicked."
	failBudget   = "The budget of the call is exceeded."
	failEmpty    = "Error"
	maxFailure   = 256     // bytes
	maxResult    = 8 << 10 // bytes
	failTooLarge = "The result is too large."
	failResult   = "The result is not JSON."
)

// Run calls the contract on a state. The changes of a call that succeeds are made
// there, those of one that fails nowhere. It is total: the error is one of the
// storage, and then nothing is known.
func (c *Contract) Run(on Storage, inv Invocation) (Result, error) {
	run, failure := c.find(inv)
	if failure != "" {
		return Result{Failure: failure}, nil
	}
	if run == nil {
		return Result{}, nil // a message, and nobody to see it
	}
	call := &Call{contract: c, inv: inv, draft: NewDraft(on), steps: MaxSteps, bytes: MaxBytes}
	value, failure := call.guard(run)
	switch {
	case call.broken != nil:
		return Result{}, call.broken
	case call.failure != "": // also when the function caught it
		return Result{Failure: call.failure}, nil
	case failure != "":
		return Result{Failure: failure}, nil
	}
	call.draft.Keep(on)
	return Result{Value: value, Changed: call.draft.Changed()}, nil
}

// find gives what an invocation runs, or why there is nothing.
func (c *Contract) find(inv Invocation) (run func(*Call) (any, error), failure string) {
	group := c.functions
	switch inv.Way {
	case ByMessage:
		if c.message == nil {
			return nil, ""
		}
		return func(call *Call) (any, error) { return nil, c.message(call, inv.Message) }, ""
	case ByFeature:
		group = c.features
	}
	f := group[inv.Name]
	if f == nil {
		return nil, failUnknown
	}
	if err := f.in.check(inv.Value); err != nil {
		return nil, clip(strings.TrimSuffix(failSchema, ".") + ": " + err.Error())
	}
	return func(call *Call) (any, error) { return f.run(call, inv.Key, inv.Value) }, ""
}

// guard runs a function so that whatever it does ends here. What a panic says is
// not repeated: it may differ from one machine to another.
func (call *Call) guard(run func(*Call) (any, error)) (value json.RawMessage, failure string) {
	defer func() {
		if r := recover(); r != nil {
			value, failure = nil, failPanic
		}
	}()
	out, err := run(call)
	if err != nil {
		return nil, clip(err.Error())
	}
	if out == nil {
		return nil, ""
	}
	value, err = encode(out)
	switch {
	case err != nil:
		return nil, failResult
	case len(value) > maxResult:
		return nil, failTooLarge
	}
	return value, ""
}

// clip makes a failure's text fit to be recorded.
func clip(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if text == "" {
		return failEmpty
	}
	if len(text) <= maxFailure {
		return text
	}
	cut := maxFailure
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut]
}
