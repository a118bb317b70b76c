package bft

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"intercom/core/fault"
)

// Server is a node that answers followers, reached through a stream of its own
// for every question. Name is for reports; Open and the stream's reads must end
// with the context and with Close.
type Server struct {
	Name string
	Open func(context.Context) (io.ReadWriteCloser, error)
}

// ask puts one question. The stream ends with ctx.
func (s Server) ask(ctx context.Context, kind byte, body []byte) ([]byte, error) {
	stream, err := s.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	if err := writeFrame(stream, kind, body); err != nil {
		return nil, fmt.Errorf("asking server %s: %w", s.Name, err)
	}
	status, answer, err := readFrame(stream, func(status byte) int {
		if status != statusOK {
			return 0
		}
		return limit(kind)
	})
	if fault.KindOf(err) == fault.Limited {
		return nil, unproven("answer of server "+s.Name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return answer, errorOf(status)
}

func askHeight(height int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(height)) }

// AskGenesis asks a server where its chain begins and takes the answer only if
// it has that hash.
func AskGenesis(ctx context.Context, s Server, hash Hash) (Genesis, error) {
	text, err := s.ask(ctx, askGenesis, nil)
	if err != nil {
		return Genesis{}, err
	}
	g, err := ParseGenesis(text)
	if err != nil {
		return Genesis{}, err
	}
	if g.Hash() != hash {
		return Genesis{}, unproven("genesis", fmt.Errorf("it has hash %s, not %s", g.Hash(), hash))
	}
	return g, nil
}

// tip is what a server says is newest.
type tip struct {
	updates [][]byte
	more    bool
	signed  []byte
}

func decodeTip(raw []byte) (tip, error) {
	r := &reader{rest: raw}
	n := int(r.u8())
	if n > maxUpdates {
		return tip{}, errMalformed
	}
	var t tip
	for i := 0; i < n && !r.bad; i++ {
		t.updates = append(t.updates, r.blob(maxUpdate))
	}
	more := r.u8()
	t.more = more == 1
	t.signed = r.blob(maxSigned)
	if more > 1 || (t.more && n == 0) {
		r.bad = true
	}
	return t, r.end()
}

func decodeResult(raw []byte) (Result, error) {
	r := &reader{rest: raw}
	result := Result{Code: r.u32(), Data: r.blob(maxData), Log: string(r.blob(maxLog))}
	return result, r.end()
}
