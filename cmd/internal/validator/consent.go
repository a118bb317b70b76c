package validator

import (
	"encoding/hex"

	"intercom/cmd/internal/config"
	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// Consent is what an operator needs to make this node's key a validator's on a
// network that runs: the key's signature that it may.
type Consent struct {
	Network  string             `json:"network"`
	Operator string             `json:"operator"`
	Key      identity.PublicKey `json:"validator_key"`
	Proof    string             `json:"proof"`
}

// ConsentTo makes the consent for that operator's address.
func ConsentTo(cfg config.Config, operator string) (Consent, error) {
	account, err := identity.ParseAddress(operator)
	if err != nil {
		return Consent{}, err
	}
	g, ok, err := kept(cfg)
	if err != nil {
		return Consent{}, err
	}
	if !ok || !initialised(cfg) {
		return Consent{}, fault.New(fault.NotFound, "this node belongs to no network yet").
			WithHint("start it once with --follow and --msb-genesis <file>, then ask again")
	}
	key, err := bft.OpenStatements(dir(cfg))
	if err != nil {
		return Consent{}, err
	}
	body := bus.ProveValidator(key, g.ChainID, account)
	return Consent{Network: g.ChainID, Operator: operator, Key: body.Key, Proof: hex.EncodeToString(body.Proof[:])}, nil
}
