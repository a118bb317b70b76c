package machine

import (
	"encoding/binary"
	"encoding/json"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// Settings is how a subnet stands, as its state has it.
type Settings struct {
	Subnet       identity.PublicKey
	Contract     contract.Version
	Settlement   string             // the network; "" when nothing is settled
	Trust        []byte             // whom the port believes; nil while its chunks are missing
	Admin        identity.PublicKey // zero when there is none yet
	Next         identity.PublicKey // who may become the admin; zero for nobody
	Indexers     []Indexer
	Writers      uint64
	AutoAdd      bool
	Transactions bool
	Chat         bool
	Whitelist    bool
	Messages     uint64
}

// SettingsOf reads the settings of a state.
func SettingsOf(from contract.Source) (Settings, error) {
	v := view{from: from}
	s := Settings{
		Subnet: v.subnet(), Settlement: string(v.own("settlement")), Trust: v.own("trust"),
		Admin: v.admin(), Indexers: v.indexers(), Writers: v.number("wrl"), AutoAdd: v.on("auto_add_writers"),
		Transactions: v.is("txen", true), Chat: v.on("chat_status"), Whitelist: v.is("wlst", false), Messages: v.number("msgl"),
	}
	copy(s.Contract[:], v.own("contract"))
	copy(s.Next[:], v.own("next"))
	return s, v.err
}

// Indexers lists the indexers of a state, ascending by author, one vote each.
func (m *Machine) Indexers(from contract.Source) ([]Indexer, error) {
	v := view{from: from}
	return v.indexers(), v.err
}

// MayWrite tells whether a key is a writer, and whether it ever was one.
func MayWrite(from contract.Source, key identity.PublicKey) (now, ever bool, err error) {
	v := view{from: from}
	standing, ever := v.writer(key)
	return standing == writing, ever, v.err
}

// Value reads the value of a name as canonical JSON; nil when there is none.
func Value(from contract.Source, name string) (json.RawMessage, error) {
	v := view{from: from}
	return v.leaf(contract.Leaf(name)), v.err
}

// TransactionOf is the record of a transaction by its hash, in hex.
func TransactionOf(from contract.Source, tx string) (t Transaction, ok bool, err error) {
	v := view{from: from}
	var n uint64
	ok = v.read("tx/"+tx, &n) && v.read(numbered("txi", n), &t)
	return t, ok, v.err
}

// A Posted is a message with what the chat shows of it.
type Posted struct {
	Message
	Number uint64
	Entry  feed.ID
	TS     int64  // of its author's clock, ms since 1970
	Nick   string // of its author, "" without one
}

// MessageAt reads the message of that number.
func MessageAt(from contract.Source, n uint64) (p Posted, ok bool, err error) {
	v := view{from: from}
	p.Number = n
	if ok = v.read(numbered("msg", n), &p.Message); ok {
		v.read("nick/"+p.Address.String(), &p.Nick)
		if record := v.own("posted/", u64(n)); len(record) == 40 {
			p.TS = int64(binary.BigEndian.Uint64(record))
			p.Entry = feed.ID(record[8:])
		}
	}
	return p, ok, v.err
}
