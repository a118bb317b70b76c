package bus

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/merkle"
)

// A Genesis is what a network begins with. Everybody who has it agrees on the
// first root. As JSON it is the state of the engine's genesis file.
type Genesis struct {
	Network     string    `json:"network"`         // the engine's chain id
	Development bool      `json:"development"`     // one key on one machine, with a faucet
	Admin       string    `json:"admin,omitempty"` // address; without one nobody is whitelisted or banned
	Accounts    []Funds   `json:"accounts"`
	Validators  []Founder `json:"validators"`
}

// Funds are what an account begins with.
type Funds struct {
	Address string `json:"address"`
	Balance Amount `json:"balance"`
}

// A Founder is a validator of the first block. Its stake is given to it.
type Founder struct {
	Key      identity.PublicKey `json:"key"`      // of the engine
	Operator string             `json:"operator"` // address of the account
}

// maxGenesis bounds the accounts of a genesis, and so the time that it takes.
const maxGenesis = 1_000_000

// ParseGenesis reads the JSON form strictly: unknown members are refused.
func ParseGenesis(raw []byte) (Genesis, error) {
	var g Genesis
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&g)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = fault.New(fault.Invalid, "something follows it")
		}
	}
	if err != nil {
		return Genesis{}, fault.New(fault.Invalid, "the genesis cannot be read: %w", err).
			WithHint("make one with intercom validator init")
	}
	_, err = g.begin()
	return g, err
}

// Check tells whether a network can begin like this.
func (g Genesis) Check() error {
	_, err := g.begin()
	return err
}

// Begin puts the genesis into the update of an empty map and gives the first
// validators, ascending by key.
func (g Genesis) Begin(u *merkle.Update) ([]Change, error) {
	l, err := g.begin()
	if err != nil {
		return nil, err
	}
	if err := l.flush(u); err != nil {
		return nil, err
	}
	supply, _ := l.total()
	u.Set([]byte(leafSupply), supply.append(nil))
	u.Set([]byte(leafNetwork), []byte(g.Network))
	if g.Development {
		u.Set([]byte(leafDevelopment), []byte{1})
	}
	if !l.admin.IsZero() {
		u.Set([]byte(leafAdmin), l.admin[:])
	}
	return differences(nil, l.seats), nil
}

// begin makes the first state.
func (g Genesis) begin() (*ledger, error) {
	if g.Network == "" || len(g.Network) > MaxNetwork || strings.Trim(g.Network, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return nil, badGenesis("network %q is not 1 to %d of a-z, 0-9 and -", g.Network, MaxNetwork)
	}
	if len(g.Accounts) > maxGenesis || len(g.Validators) > MaxValidators || len(g.Validators) == 0 {
		return nil, badGenesis("%d accounts and %d validators", len(g.Accounts), len(g.Validators))
	}
	l := open(nowhere{}, 0)
	if err := g.fund(l); err != nil {
		return nil, err
	}
	if err := g.seat(l); err != nil {
		return nil, err
	}
	if g.Admin != "" {
		admin, err := identity.ParseAddress(g.Admin)
		if err != nil {
			return nil, err
		}
		l.admin = admin
	}
	if _, ok := l.total(); !ok {
		return nil, badGenesis("the supply exceeds the maximum")
	}
	return l, nil
}

func (g Genesis) fund(l *ledger) error {
	for _, f := range g.Accounts {
		key, err := identity.ParseAddress(f.Address)
		if err != nil {
			return err
		}
		if l.account(key).exists {
			return badGenesis("account %s stands in it twice", f.Address)
		}
		l.change(key).Balance = f.Balance
	}
	return nil
}

func (g Genesis) seat(l *ledger) error {
	for _, f := range g.Validators {
		key, err := identity.ParseAddress(f.Operator)
		if err != nil {
			return err
		}
		h := l.change(key)
		if f.Key.IsZero() || l.taken(f.Key) || h.Role == Validator {
			return badGenesis("validator %s of %s stands in it twice or is empty", f.Key, f.Operator)
		}
		h.Role, h.ValidatorKey, h.Stake = Validator, f.Key, Stake
		l.license(key)
		l.sit(Seat{Key: f.Key, Operator: key})
	}
	return nil
}

// total is the sum of what all known accounts have.
func (l *ledger) total() (sum Amount, ok bool) {
	for _, h := range l.accounts {
		for _, part := range []Amount{h.Balance, h.Stake} {
			if sum, ok = sum.Add(part); !ok {
				return Amount{}, false
			}
		}
	}
	return sum, true
}

func badGenesis(format string, args ...any) error {
	return fault.New(fault.Invalid, "the genesis is wrong: "+format, args...).
		WithHint("make one with intercom validator init")
}

// nowhere is a state without leaves.
type nowhere struct{}

func (nowhere) Get([]byte) ([]byte, bool, error) { return nil, false, nil }
