package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"intercom/cmd/internal/config"
	"intercom/core/fault"
	"intercom/core/op"
)

// maxInput bounds parameters that are read from standard input.
const maxInput = 4 << 20

// oneShot runs one operation given as words: `expense add --payer alice …`.
func (p program) oneShot(ctx context.Context, words []string, info op.Info) int {
	cfg, rest, err := config.Parse(words, p.getenv, func(name string) bool { return notAFlag(name) || parameter(info, name) })
	if err != nil {
		return p.fail(cfg, err, usage)
	}
	_, rest, _ = op.Match([]op.Info{info}, rest)
	if rest, err = fromFiles(info, rest); err != nil {
		return p.fail(cfg, err, usage)
	}
	params, err := op.ReadParams(info, rest)
	if err != nil {
		return p.fail(cfg, err, usage)
	}
	return p.code(cfg, p.callOnce(ctx, cfg, info.Name, params))
}

// parameter tells whether an operation takes a parameter of that name, which
// then is no flag.
func parameter(info op.Info, name string) bool {
	for _, q := range info.Parameters() {
		if q.Name == name {
			return true
		}
	}
	return false
}

// call runs `call <op> [json]`.
func (p program) call(ctx context.Context, cfg config.Config, rest []string) error {
	const form = "write `intercom call <operation> [json]`, with - for standard input"
	if len(rest) == 0 || len(rest) > 2 {
		return misused(form, "call takes an operation and its parameters as one JSON text")
	}
	params := []byte("{}")
	if len(rest) == 2 {
		params = []byte(rest[1])
	}
	if string(params) == "-" {
		var err error
		if params, err = io.ReadAll(io.LimitReader(p.in, maxInput+1)); err != nil || len(params) > maxInput {
			return fault.New(fault.Invalid, "the parameters cannot be read, or are longer than %d bytes", maxInput)
		}
	}
	if !json.Valid(params) {
		return misused(form, "%.80q is not JSON", params)
	}
	return p.callOnce(ctx, cfg, rest[0], params)
}

// callOnce calls one operation of the peer that runs on the store, or of one
// that lives just for this call.
func (p program) callOnce(ctx context.Context, cfg config.Config, name string, params json.RawMessage) error {
	s, err := p.join(ctx, cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	reply, err := s.Call(ctx, op.Request{Name: name, Params: params, Grant: op.Admin, Client: "shell", Text: !cfg.JSON})
	if err != nil {
		return err
	}
	if cfg.JSON {
		fmt.Fprintf(p.out, "%s\n", reply.Value)
		return nil
	}
	fmt.Fprintln(p.out, plain(reply.Text))
	return nil
}

// jsonText writes JSON without escapes for HTML.
func jsonText(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(buf.Bytes(), "\n"), err
}
