package rpc

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/fault"
)

// own lists the kinds that JSON-RPC has no number for, in the order of their
// numbers: denied is -32000, not_found -32001, and so on down to -32005.
var own = []fault.Kind{fault.Denied, fault.NotFound, fault.Conflict, fault.Limited, fault.Unavailable, fault.Cancelled}

// code is the one translation of kinds into numbers.
func code(kind fault.Kind) int64 {
	switch kind {
	case fault.Invalid:
		return jsonrpc2.CodeInvalidParams
	case fault.Unknown:
		return jsonrpc2.CodeMethodNotFound
	}
	if i := slices.Index(own, kind); i >= 0 {
		return -32000 - int64(i)
	}
	return jsonrpc2.CodeInternalError
}

// data is what error.data holds: the contract of every surface.
type data struct {
	Kind fault.Kind `json:"kind"`
	Hint string     `json:"hint"`
}

// failure translates any error of a call.
func failure(err error) *jsonrpc2.Error {
	f := fault.Of(err)
	return refusal(code(f.Kind), f)
}

// refusal is an error with a number of its own, for what goes wrong before a
// method is known.
func refusal(number int64, f *fault.Error) *jsonrpc2.Error {
	raw := json.RawMessage(encode(data{Kind: f.Kind, Hint: f.Hint}))
	return &jsonrpc2.Error{Code: number, Message: f.Message, Data: &raw}
}

func parseError(message, hint string) *jsonrpc2.Error {
	return refusal(jsonrpc2.CodeParseError, fault.New(fault.Invalid, "Parse error: %s", message).WithHint("%s", hint))
}

func invalidRequest(message, hint string) *jsonrpc2.Error {
	return refusal(jsonrpc2.CodeInvalidRequest, fault.New(fault.Invalid, "Invalid Request: %s", message).WithHint("%s", hint))
}

// encode gives compact JSON without escapes for HTML. Only values of this
// package and JSON that was checked come here; what cannot be encoded becomes
// null rather than a missing answer.
func encode(v any) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return []byte("null")
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}
