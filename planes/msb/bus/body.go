package bus

import (
	"intercom/core/canon"
	"intercom/core/identity"
)

// A Kind is what a transaction does, numbered as upstream (upstream 2.1).
type Kind byte

// The kinds.
const (
	KindWhitelist       Kind = 4
	KindAddValidator    Kind = 5
	KindRemoveValidator Kind = 6
	KindBan             Kind = 10
	KindDeployment      Kind = 11
	KindContract        Kind = 12
	KindTransfer        Kind = 13
)

// String is upstream's name of the kind.
func (k Kind) String() string {
	if form, known := forms[k]; known {
		return form.name
	}
	return "UNKNOWN"
}

// A Body is one of the bodies below.
type Body interface {
	kind() Kind
	fields() [][]byte
}

type (
	// Transfer moves an amount, which may be zero, to an account, which is made
	// if it is new. To oneself it costs the fee alone.
	Transfer struct {
		To     identity.PublicKey
		Amount Amount
	}
	// Contract settles a command of a subnet, named by its hash.
	Contract struct {
		Subnet  identity.PublicKey // the bootstrap key
		Command [32]byte
	}
	// Deployment registers a subnet; from then on its deployer earns from its
	// contract transactions. Proof is the bootstrap key's signature, from
	// [ProveDeployment].
	Deployment struct {
		Subnet  identity.PublicKey
		Channel [32]byte
		Proof   [64]byte
	}
	// AddValidator makes the requester, who must be whitelisted, a validator and
	// takes its stake. Proof is the validator key's signature, from
	// [ProveValidator]: the key exists, and consents. Whether its engine runs only
	// people can know: the admin whitelists those who can be relied on, since with
	// a third of the validators absent the network stands still.
	AddValidator struct {
		Key   identity.PublicKey // of the engine, not of the account
		Proof [64]byte
	}
	// RemoveValidator ends the requester's being a validator and returns its stake.
	RemoveValidator struct{}
	// Whitelist lets an account become a validator; the admin's alone.
	Whitelist struct{ Account identity.PublicKey }
	// Ban takes all roles from an account and returns its stake; the admin's alone.
	Ban struct{ Account identity.PublicKey }
)

// KindOf tells what a body does.
func KindOf(b Body) Kind { return b.kind() }

func (Transfer) kind() Kind        { return KindTransfer }
func (Contract) kind() Kind        { return KindContract }
func (Deployment) kind() Kind      { return KindDeployment }
func (AddValidator) kind() Kind    { return KindAddValidator }
func (RemoveValidator) kind() Kind { return KindRemoveValidator }
func (Whitelist) kind() Kind       { return KindWhitelist }
func (Ban) kind() Kind             { return KindBan }

func (b Transfer) fields() [][]byte      { return [][]byte{b.To[:], b.Amount.append(nil)} }
func (b Contract) fields() [][]byte      { return [][]byte{b.Subnet[:], b.Command[:]} }
func (b Deployment) fields() [][]byte    { return [][]byte{b.Subnet[:], b.Channel[:], b.Proof[:]} }
func (b AddValidator) fields() [][]byte  { return [][]byte{b.Key[:], b.Proof[:]} }
func (RemoveValidator) fields() [][]byte { return nil }
func (b Whitelist) fields() [][]byte     { return [][]byte{b.Account[:]} }
func (b Ban) fields() [][]byte           { return [][]byte{b.Account[:]} }

// form is how a kind is called and read: the sizes of its fields, of which none
// but an amount may be all zeros.
type form struct {
	name  string
	sizes []int
	read  func(fields [][]byte) Body
}

var forms = map[Kind]form{
	KindTransfer: {"TRANSFER", []int{32, amountSize}, func(f [][]byte) Body {
		return Transfer{identity.PublicKey(f[0]), amountOf(f[1])}
	}},
	KindContract: {"TX", []int{32, 32}, func(f [][]byte) Body {
		return Contract{identity.PublicKey(f[0]), [32]byte(f[1])}
	}},
	KindDeployment: {"BOOTSTRAP_DEPLOYMENT", []int{32, 32, 64}, func(f [][]byte) Body {
		return Deployment{identity.PublicKey(f[0]), [32]byte(f[1]), [64]byte(f[2])}
	}},
	KindAddValidator: {"ADD_WRITER", []int{32, 64}, func(f [][]byte) Body {
		return AddValidator{identity.PublicKey(f[0]), [64]byte(f[1])}
	}},
	KindRemoveValidator: {"REMOVE_WRITER", nil, func([][]byte) Body { return RemoveValidator{} }},
	KindWhitelist: {"APPEND_WHITELIST", []int{32}, func(f [][]byte) Body {
		return Whitelist{identity.PublicKey(f[0])}
	}},
	KindBan: {"BAN_VALIDATOR", []int{32}, func(f [][]byte) Body { return Ban{identity.PublicKey(f[0])} }},
}

// claimant is a body that claims control of another key than the requester's.
type claimant interface {
	claim(network string, requester identity.PublicKey) (key identity.PublicKey, preimage []byte, proof [64]byte)
}

func (b Deployment) claim(network string, requester identity.PublicKey) (identity.PublicKey, []byte, [64]byte) {
	return b.Subnet, deploymentPreimage(network, requester, b.Subnet, b.Channel), b.Proof
}

func (b AddValidator) claim(network string, requester identity.PublicKey) (identity.PublicKey, []byte, [64]byte) {
	return b.Key, validatorPreimage(network, requester, b.Key), b.Proof
}

// ProveDeployment is the deployment of the signer's subnet by that requester on
// that network; for any other it is worthless.
func ProveDeployment(bootstrap Signer, network string, requester identity.PublicKey, channel [32]byte) Deployment {
	d := Deployment{Subnet: bootstrap.PublicKey(), Channel: channel}
	copy(d.Proof[:], bootstrap.Sign(deploymentPreimage(network, requester, d.Subnet, channel)))
	return d
}

// ProveValidator is the consent of the engine's key to validate for that
// requester on that network.
func ProveValidator(key Signer, network string, requester identity.PublicKey) AddValidator {
	b := AddValidator{Key: key.PublicKey()}
	copy(b.Proof[:], key.Sign(validatorPreimage(network, requester, b.Key)))
	return b
}

func deploymentPreimage(network string, requester, subnet identity.PublicKey, channel [32]byte) []byte {
	return canon.Preimage("intercom/msb/deployment/v1", []byte(network), requester[:], subnet[:], channel[:])
}

func validatorPreimage(network string, requester, key identity.PublicKey) []byte {
	return canon.Preimage("intercom/msb/validator/v1", []byte(network), requester[:], key[:])
}
