package sidechannel

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/op"
)

// Entry is the channel in which all peers meet. It is always joined.
const Entry ChannelName = "0000intercom"

// maxNameBytes bounds a name. Upstream has no bound; a name stands in every
// frame, so a long one would cost every member for nothing.
const maxNameBytes = 256

// ChannelName names a channel: 1 to 256 bytes of UTF-8 without control
// characters, case-sensitive, without blanks around it (upstream 6.1 trims
// them). Make one with [ParseChannelName].
type ChannelName string

// ParseChannelName trims text and checks it.
func ParseChannelName(text string) (ChannelName, error) {
	name := strings.TrimFunc(text, blank)
	switch {
	case name == "":
		return "", fault.New(fault.Invalid, "the channel name is empty").
			WithHint("name a channel, for example \"trip-nyc\"")
	case len(name) > maxNameBytes:
		return "", fault.New(fault.Invalid, "the channel name beginning with %q has %d bytes, more than %d", name[:32], len(name), maxNameBytes).
			WithHint("take a shorter name")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "", fault.New(fault.Invalid, "the channel name %q holds a control character or is not UTF-8", name).
			WithHint("use printable characters only")
	}
	return ChannelName(name), nil
}

// blank is what JavaScript's trim takes away, so that a name means the same
// channel here and there.
func blank(r rune) bool {
	return unicode.Is(unicode.Zs, r) || strings.ContainsRune("\t\n\v\f\r\u2028\u2029\ufeff", r)
}

// Schema is the rule of a channel name, as far as a schema can say it: its
// length counts characters, and it lets blanks alone pass.
func (ChannelName) Schema() op.Schema {
	return op.Schema{
		"type": "string", "minLength": 1, "maxLength": maxNameBytes,
		"pattern": `^\s*[^\x00-\x1f\x7f-\x9f]+\s*$`,
	}
}

// UnmarshalText reads a name as [ParseChannelName] does.
func (n *ChannelName) UnmarshalText(text []byte) (err error) {
	*n, err = ParseChannelName(string(text))
	return err
}

// topic is where the members of a channel meet (upstream 6.1).
func (n ChannelName) topic() [32]byte {
	return sha256.Sum256([]byte("sidechannel:" + string(n)))
}

// quoted is the name as it stands in frames and under signatures.
func (n ChannelName) quoted() string {
	raw, err := json.Marshal(string(n))
	if err == nil {
		raw, err = canon.JSON(raw)
	}
	if err != nil { // a string is always JSON
		panic("channel name " + string(n) + ": " + err.Error())
	}
	return string(raw)
}
