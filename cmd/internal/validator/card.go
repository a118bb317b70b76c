package validator

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"intercom/cmd/internal/config"
	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
)

// Card is what the others of a network need to know of a validator. Nothing in
// it is secret.
type Card struct {
	Operator string             `json:"operator"`      // address of the account that earns
	Key      identity.PublicKey `json:"validator_key"` // what it votes with
	Node     string             `json:"node"`          // its id among nodes, for --peers
	Peer     identity.PublicKey `json:"peer"`          // what light clients know it by
}

// dir is where the files of the node lie.
func dir(cfg config.Config) string { return filepath.Join(cfg.Store(), "validator") }

// Init makes the keys of a node where they are missing and gives its card. The
// operator is the address that earns, "" for the identity of the store.
func Init(cfg config.Config, passphrase []byte, operator string) (Card, error) {
	if operator != "" {
		if _, err := identity.ParseAddress(operator); err != nil {
			return Card{}, err
		}
	}
	id, _, err := identity.OpenOrCreate(cfg.Store(), passphrase)
	if err != nil {
		return Card{}, err
	}
	if operator == "" {
		operator = id.PublicKey().Address()
	}
	key, err := bft.ValidatorKey(dir(cfg))
	if err != nil {
		return Card{}, err
	}
	node, err := bft.PeerID(dir(cfg))
	return Card{Operator: operator, Key: key, Node: node, Peer: id.PublicKey()}, err
}

// initialised tells whether Init was done.
func initialised(cfg config.Config) bool {
	_, err := os.Stat(filepath.Join(dir(cfg), "validator.key"))
	return !errors.Is(err, fs.ErrNotExist)
}

// ReadCards reads files that hold a card, or a list of cards, each.
func ReadCards(files []string) (cards []Card, err error) {
	for _, file := range files {
		raw, err := readFile(file, 1<<20)
		if err != nil {
			return nil, err
		}
		var list []Card
		var one Card
		if strict(raw, &list) == nil {
			cards = append(cards, list...)
		} else if err := strict(raw, &one); err == nil {
			cards = append(cards, one)
		} else {
			return nil, fault.New(fault.Invalid, "%s holds no card of a validator: %v", file, err).
				WithHint("each validator makes its card with `intercom validator init --json`")
		}
	}
	return cards, nil
}

// ReadBalances reads a file with what accounts begin with: an object of address
// and amount.
func ReadBalances(file string) (map[string]string, error) {
	raw, err := readFile(file, bft.MaxGenesis)
	if err != nil {
		return nil, err
	}
	var balances map[string]string
	if err := json.Unmarshal(raw, &balances); err != nil {
		return nil, fault.New(fault.Invalid, "%s holds no balances: %v", file, err).
			WithHint(`write an object like {"trac1…": "1000.5"}`)
	}
	return balances, nil
}
