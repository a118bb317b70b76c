package sidechannel

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"intercom/core/canon"
	"intercom/core/identity"
)

// maxPaper bounds the JSON of an invite or a welcome. Both are some hundred
// bytes and the owner's text.
const maxPaper = 32 << 10

// paper is a signed statement as upstream writes it (upstream 6.4, 6.5):
// {"payload":{…},"sig":hex}. The flat form, with the members of the payload
// beside the signature, and the name "signature" are read too. What it says is
// brought into one form before it is verified, so unknown members do no harm.
type paper struct {
	fields map[string]json.RawMessage // of the payload
	beside map[string]json.RawMessage // what stands beside the payload
	sig    []byte
	bad    error // the first thing that was wrong
}

// readPaper takes a paper apart; nothing is verified yet.
func readPaper(raw []byte) (paper, error) {
	if len(raw) > maxPaper {
		return paper{}, fmt.Errorf("it has %d bytes, more than %d", len(raw), maxPaper)
	}
	compact, err := canon.Compact(raw) // bounds nesting, and numbers read as JavaScript's
	if err != nil || len(compact) == 0 || compact[0] != '{' {
		return paper{}, errors.New("it is not a JSON object")
	}
	p := paper{}
	if err := json.Unmarshal(compact, &p.beside); err != nil {
		return paper{}, errors.New("it is not a JSON object")
	}
	p.fields = p.beside
	if inner := p.beside["payload"]; len(inner) > 0 && inner[0] == '{' {
		p.fields = nil
		if err := json.Unmarshal(inner, &p.fields); err != nil {
			return paper{}, errors.New("its payload is not a JSON object")
		}
	}
	sig := p.beside["sig"]
	if sig == nil {
		sig = p.beside["signature"]
	}
	var text string
	if json.Unmarshal(sig, &text) != nil {
		return paper{}, errors.New("it has no signature")
	}
	p.sig, err = hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(p.sig) != sigDigits/2 {
		return paper{}, errors.New("its signature is not 64 bytes in hex")
	}
	return p, nil
}

// wrong notes what is wrong with a member.
func (p *paper) wrong(name, reason string) {
	if p.bad == nil {
		p.bad = fmt.Errorf("its %s %s", name, reason)
	}
}

func (p *paper) has(name string) bool {
	raw, ok := p.fields[name]
	return ok && string(raw) != "null"
}

// text reads a member that is a text of at most limit bytes; absent is "".
func (p *paper) text(name string, limit int) (text string) {
	if !p.has(name) {
		return ""
	}
	if raw := p.fields[name]; raw[0] != '"' || json.Unmarshal(raw, &text) != nil || len(text) > limit {
		p.wrong(name, fmt.Sprintf("is no text of at most %d bytes", limit))
	}
	return text
}

// channel reads the name of a channel, trimmed if trim says so.
func (p *paper) channel(trim bool) ChannelName {
	text := p.text("channel", 4*maxNameBytes)
	name, err := ParseChannelName(text)
	if err != nil || (!trim && string(name) != text) {
		p.wrong("channel", fmt.Sprintf("%.80q is no channel's name", text))
	}
	return name
}

// key reads a public key: hex, trimmed, in any case.
func (p *paper) key(name string) identity.PublicKey {
	key, err := identity.ParsePublicKey(strings.ToLower(strings.TrimFunc(p.text(name, 2*keyDigits), blank)))
	if err != nil {
		p.wrong(name, "is no public key of 64 hex digits")
	}
	return key
}

// integer reads a whole number that is not negative and that JavaScript holds
// exactly; absent is what stands for it.
func (p *paper) integer(name string, absent int64) int64 {
	if !p.has(name) {
		return absent
	}
	n, err := strconv.ParseInt(string(p.fields[name]), 10, 64)
	if err != nil || n < 0 || n > 1<<53-1 {
		p.wrong(name, "is no whole number")
	}
	return n
}

// moment reads a time in ms, which must be there.
func (p *paper) moment(name string) int64 {
	if !p.has(name) {
		p.wrong(name, "is missing")
	}
	return p.integer(name, 0)
}

// quoteText writes a text as JSON.stringify does.
func quoteText(text string) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		panic("a text is always JSON: " + err.Error())
	}
	raw, err := canon.JSON(bytes.TrimSpace(buf.Bytes()))
	if err != nil {
		panic("a text is always JSON: " + err.Error())
	}
	return string(raw)
}

// ReadWelcome reads a welcome from a text: JSON, or base64 of it with or without
// "b64:" before it.
func ReadWelcome(text string) (*Welcome, error) {
	raw, err := unwrapPaper(text)
	if err != nil {
		return nil, fmt.Errorf("the welcome cannot be read: %w", err)
	}
	return ParseWelcome(raw)
}

// unwrapPaper gives the JSON of a paper that came as JSON, or as base64 of it
// with or without "b64:" before it.
func unwrapPaper(text string) ([]byte, error) {
	text = strings.TrimFunc(text, blank)
	if strings.HasPrefix(text, "{") {
		return []byte(text), nil
	}
	if len(text) > 2*maxPaper {
		return nil, fmt.Errorf("it has %d characters, more than %d", len(text), 2*maxPaper)
	}
	plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.TrimPrefix(text, "b64:"), "="))
	raw, err := base64.RawStdEncoding.DecodeString(plain)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
		return nil, errors.New("it is neither JSON nor base64 of it")
	}
	return raw, nil
}
