package mcp

import (
	"bytes"
	"context"
	"encoding/json"

	protocol "github.com/mark3labs/mcp-go/mcp"
)

// write sends one message as one line. The first failure ends the connection.
func (c *conn) write(message any) {
	raw, err := json.Marshal(message)
	if err != nil {
		c.log.Error("mcp: a message cannot be encoded", "err", err)
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.failure != nil {
		return
	}
	if _, err := c.out.Write(append(raw, '\n')); err != nil {
		c.failure = err
		close(c.broken)
	}
}

func (c *conn) writeBatch(messages []protocol.JSONRPCMessage) {
	if len(messages) > 0 {
		c.write(messages)
	}
}

// forward writes the session's notifications until ctx ends.
func (c *conn) forward(ctx context.Context) {
	for {
		select {
		case n := <-c.session.notices:
			c.write(n)
		case <-ctx.Done():
			return
		}
	}
}

// problem is a JSON-RPC error; no id stands for one that could not be read.
func problem(id json.RawMessage, code int, text string) protocol.JSONRPCMessage {
	e := protocol.JSONRPCError{JSONRPC: protocol.JSONRPC_VERSION, Error: protocol.NewJSONRPCErrorDetails(code, text, nil)}
	if id != nil {
		e.ID = protocol.NewRequestId(id)
	}
	return e
}

// idWithin finds the id in the beginning of a message that is too long, so that
// its sender is not left waiting. Clients write it before the parameters.
func idWithin(beginning []byte) json.RawMessage {
	dec := json.NewDecoder(bytes.NewReader(beginning))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil
		}
		if name == "id" && value[0] != '{' && value[0] != '[' && value[0] != 'n' {
			return value
		}
	}
	return nil
}
