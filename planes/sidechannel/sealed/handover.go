package sealed

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"intercom/core/identity"
)

// Protocol is the name of the handover stream.
const Protocol = "/intercom/sc/key/1"

// meetTimeout bounds one handover.
const meetTimeout = 10 * time.Second

var errStranger = errors.New("the other end does not belong to the channel")

// offer greets as the end that opened the stream. Both ends greet, then both
// give; the opener gives first. It gives nothing before the other end has proven
// that it belongs.
func (c *Circle) offer(s io.ReadWriter, remote identity.PublicKey) error {
	self := c.signer.PublicKey()
	wire, nonce := greeting{Standing: c.standing(), proof: c.gate.Ticket()}.encode(c.ch, route{from: self, to: remote})
	if err := writeMessage(s, wire); err != nil {
		return err
	}
	wire, err := readMessage(s, maxGreeting)
	if err != nil {
		return err
	}
	theirs, err := decodeGreeting(wire, c.ch, route{from: remote, to: self, answers: nonce})
	if err != nil {
		return err
	}
	if !admits(c.gate, remote, theirs.proof, time.Now()) {
		return errStranger
	}
	if err := c.give(s, theirs.Standing, remote); err != nil {
		return err
	}
	return c.receive(s, remote)
}

// answer is the other end: wire is the greeting that came. Nothing is written
// before the opener has proven that it belongs.
func (c *Circle) answer(s io.ReadWriter, remote identity.PublicKey, wire []byte) error {
	self := c.signer.PublicKey()
	theirs, err := decodeGreeting(wire, c.ch, route{from: remote, to: self})
	if err != nil {
		return err
	}
	if !admits(c.gate, remote, theirs.proof, time.Now()) {
		return errStranger
	}
	_, nonce, err := splitGreeting(wire)
	if err != nil {
		return err
	}
	reply, _ := greeting{Standing: c.standing(), proof: c.gate.Ticket()}.encode(c.ch, route{from: self, to: remote, answers: nonce})
	if err := writeMessage(s, reply); err != nil {
		return err
	}
	if err := c.receive(s, remote); err != nil {
		return err
	}
	return c.give(s, theirs.Standing, remote)
}

// give hands over what the other end lacks, unless it was revoked meanwhile. The
// key is looked at before the revocations: those that it honours are then among
// them, so that nobody gets a key without knowing whom it is kept from.
func (c *Circle) give(s io.Writer, theirs Standing, remote identity.PublicKey) error {
	held := c.current()
	if held == nil || !theirs.behind(Standing{Epoch: held.Record.Epoch, KID: held.Record.KID}) {
		held = nil
	}
	var revocations [][]byte
	if c.known() != theirs.Revocations {
		revocations = c.gate.Revocations()
	}
	if !c.gate.Belongs(remote, time.Now()) {
		return errStranger
	}
	return writeMessage(s, newGift(held, revocations).encode())
}

// receive takes what the other end hands over. Revocations count first: they may
// be about the other end itself, or about who made the key.
func (c *Circle) receive(s io.Reader, remote identity.PublicKey) error {
	data, err := readMessage(s, maxGift)
	if err != nil {
		return err
	}
	g, err := decodeGift(data)
	if err != nil {
		return err
	}
	if len(g.revocations) > 0 {
		c.gate.Revoke(g.revocations, time.Now())
	}
	if !c.gate.Belongs(remote, time.Now()) {
		return errStranger
	}
	if g.held == nil {
		return nil
	}
	_, err = c.take(g.held, time.Now())
	return err
}

// writeMessage writes u32 length ‖ bytes, at once.
func writeMessage(w io.Writer, data []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(data)), uint32(len(data))), data...))
	return err
}

// readMessage reads one message. Memory grows with what has come, not with what
// is announced.
func readMessage(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size > int64(limit) {
		return nil, fmt.Errorf("a message of %d bytes is longer than %d", size, limit)
	}
	var data bytes.Buffer
	if n, err := data.ReadFrom(io.LimitReader(r, size)); err != nil {
		return nil, err
	} else if n < size {
		return nil, io.ErrUnexpectedEOF
	}
	return data.Bytes(), nil
}
