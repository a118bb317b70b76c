package machine

import (
	"fmt"

	"intercom/core/feed"
	"intercom/core/identity"
)

// A Kind is what an entry does.
type Kind byte

// The kinds. Their names are those of the operations that write them; their numbers
// stand in entries and stay.
const (
	KindFirst Kind = iota + 1
	KindChunk
	KindAddAdmin
	KindUpdateAdmin
	KindAcceptAdmin
	KindAddWriter
	KindRemoveWriter
	KindAddIndexer
	KindRemoveIndexer
	KindSetAutoAddWriters
	KindJoin
	KindEnableTransactions
	KindSetChatStatus
	KindPost
	KindSetNick
	KindMuteStatus
	KindSetMod
	KindSetWhitelistStatus
	KindEnableWhitelist
	KindDeleteMessage
	KindPinMessage
	KindUnpinMessage
	KindFeature
	KindCommand
	KindSettled
	KindMsbSet
)

// A Body is one of the bodies below, by pointer.
type Body interface {
	Kind() Kind
	code(c *coder)
}

// forms tells of each kind how it is called, and makes an empty body.
var forms = map[Kind]struct {
	name  string
	empty func() Body
}{
	KindFirst:              {"first", empty[First]},
	KindChunk:              {"chunk", empty[Chunk]},
	KindAddAdmin:           {"add_admin", empty[AddAdmin]},
	KindUpdateAdmin:        {"update_admin", empty[UpdateAdmin]},
	KindAcceptAdmin:        {"accept_admin", empty[AcceptAdmin]},
	KindAddWriter:          {"add_writer", empty[AddWriter]},
	KindRemoveWriter:       {"remove_writer", empty[RemoveWriter]},
	KindAddIndexer:         {"add_indexer", empty[AddIndexer]},
	KindRemoveIndexer:      {"remove_indexer", empty[RemoveIndexer]},
	KindSetAutoAddWriters:  {"set_auto_add_writers", empty[SetAutoAddWriters]},
	KindJoin:               {"join", empty[Join]},
	KindEnableTransactions: {"enable_transactions", empty[EnableTransactions]},
	KindSetChatStatus:      {"set_chat_status", empty[SetChatStatus]},
	KindPost:               {"post", empty[Post]},
	KindSetNick:            {"set_nick", empty[SetNick]},
	KindMuteStatus:         {"mute_status", empty[MuteStatus]},
	KindSetMod:             {"set_mod", empty[SetMod]},
	KindSetWhitelistStatus: {"set_whitelist_status", empty[SetWhitelistStatus]},
	KindEnableWhitelist:    {"enable_whitelist", empty[EnableWhitelist]},
	KindDeleteMessage:      {"delete_message", empty[DeleteMessage]},
	KindPinMessage:         {"pin_message", empty[PinMessage]},
	KindUnpinMessage:       {"unpin_message", empty[UnpinMessage]},
	KindFeature:            {"feature", empty[Feature]},
	KindCommand:            {"command", empty[Command]},
	KindSettled:            {"settled", empty[Settled]},
	KindMsbSet:             {"msb_set", empty[MsbSet]},
}

func empty[B any, P interface {
	*B
	Body
}]() Body {
	return P(new(B))
}

// String is the kind's name.
func (k Kind) String() string {
	if form, known := forms[k]; known {
		return form.name
	}
	return fmt.Sprintf("kind %d", byte(k))
}

type (
	// AddAdmin names the first admin; the bootstrap author's, once.
	AddAdmin struct{ Key identity.PublicKey }
	// UpdateAdmin names who may become the admin next; the admin's. Naming
	// oneself takes it back. Nothing changes before [AcceptAdmin].
	UpdateAdmin struct{ Key identity.PublicKey }
	// AcceptAdmin makes its author, whom the admin named, the admin: so a key
	// that nobody holds never becomes one.
	AcceptAdmin struct{}
	// AddWriter lets a key write, and lifts its ban; the admin's.
	AddWriter struct{ Key identity.PublicKey }
	// RemoveWriter takes the right to write away and bans the key from coming back
	// by itself; the admin's.
	RemoveWriter struct{ Key identity.PublicKey }
	// SetAutoAddWriters says whether writers may admit others by [Join]; the
	// admin's.
	SetAutoAddWriters struct{ On bool }
	// EnableTransactions says whether transactions are carried out; the admin's.
	EnableTransactions struct{ On bool }
	// Feature is a value that the admin's oracle brings in.
	Feature struct {
		Name  string // of the feature in the contract
		Key   string
		Value []byte // canonical JSON
	}
	// MsbSet brings the next validators of the settlement network: what a header
	// that announces them proves.
	MsbSet struct{ Update []byte }
)

// Limits of what stands in bodies, in bytes.
const (
	MaxFeature = 4096     // of a feature's value (upstream 3.3)
	MaxCommand = 15 << 10 // of a command's value
	MaxProof   = 15 << 10
	MaxUpdate  = 16320 // of the next validators, 100 at most: all that an entry takes
	maxName    = 64
)

func (*AddAdmin) Kind() Kind           { return KindAddAdmin }
func (*UpdateAdmin) Kind() Kind        { return KindUpdateAdmin }
func (*AcceptAdmin) Kind() Kind        { return KindAcceptAdmin }
func (*AddWriter) Kind() Kind          { return KindAddWriter }
func (*RemoveWriter) Kind() Kind       { return KindRemoveWriter }
func (*SetAutoAddWriters) Kind() Kind  { return KindSetAutoAddWriters }
func (*EnableTransactions) Kind() Kind { return KindEnableTransactions }
func (*Feature) Kind() Kind            { return KindFeature }
func (*MsbSet) Kind() Kind             { return KindMsbSet }

func (b *AddAdmin) code(c *coder)           { c.key("key", &b.Key) }
func (b *UpdateAdmin) code(c *coder)        { c.key("key", &b.Key) }
func (b *AcceptAdmin) code(*coder)          {}
func (b *AddWriter) code(c *coder)          { c.key("key", &b.Key) }
func (b *RemoveWriter) code(c *coder)       { c.key("key", &b.Key) }
func (b *SetAutoAddWriters) code(c *coder)  { c.flag("on", &b.On) }
func (b *EnableTransactions) code(c *coder) { c.flag("on", &b.On) }
func (b *MsbSet) code(c *coder)             { c.bytes("update", &b.Update, 1, MaxUpdate) }
func (b *Feature) code(c *coder) {
	c.text("name", &b.Name, 1, maxName)
	c.text("key", &b.Key, 1, 256)
	c.json("value", &b.Value, MaxFeature)
}

type (
	// Command is what a transaction will do once it is settled. Alone it does
	// nothing, but any writer can finish what it began. In a subnet without
	// settlement it is carried out at once, for its author.
	Command struct {
		Requester identity.PublicKey // who pays; without settlement the author
		Type      string
		Value     []byte // canonical JSON
	}
	// Settled is the proof that a command was paid for.
	Settled struct {
		Command feed.ID
		Proof   []byte
	}
)

func (*Command) Kind() Kind { return KindCommand }
func (*Settled) Kind() Kind { return KindSettled }

func (b *Command) code(c *coder) {
	c.key("requester", &b.Requester)
	c.text("type", &b.Type, 1, maxName)
	c.json("value", &b.Value, MaxCommand)
}

func (b *Settled) code(c *coder) {
	c.fixed("command", b.Command[:])
	c.bytes("proof", &b.Proof, 1, MaxProof)
}
