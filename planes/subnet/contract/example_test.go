package contract_test

import (
	"errors"
	"fmt"

	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// A shared purse: anybody pays in, and what is taken out has to be there. The second
// withdrawal fails, and changes nothing.
func Example() {
	type amount struct {
		Amount contract.Decimal `json:"amount" about:"how much, as a text: \"12.50\""`
	}
	c := contract.New("purse", 1)
	move := func(call *contract.Call, amount contract.Decimal) (any, error) {
		var purse contract.Decimal
		call.Read("purse", &purse)
		purse = purse.Add(amount)
		call.Put("moved/"+call.Tx()[:8], call.Caller())
		call.Put("purse", purse)
		if purse.Sign() < 0 {
			return nil, errors.New("that much is not there")
		}
		return purse, nil
	}
	contract.Function(c, "pay", "put an amount into the purse", func(call *contract.Call, in amount) (any, error) {
		return move(call, in.Amount)
	})
	contract.Function(c, "take", "take an amount out", func(call *contract.Call, in amount) (any, error) {
		return move(call, contract.Decimal{}.Sub(in.Amount))
	})

	state := contract.NewMemory()
	alice := identity.FromSeed([32]byte{1}).PublicKey()
	for i, command := range []string{
		`{"type":"pay","value":{"amount":"20"}}`, `{"type":"take","value":{"amount":"12.50"}}`, `{"type":"take","value":{"amount":"8"}}`,
	} {
		d, err := c.Command(command)
		if err != nil {
			fmt.Println(err)
			return
		}
		result, _ := c.Run(state, contract.Invocation{
			Way: contract.ByTransaction, Name: d.Type, Value: d.Value, Caller: alice, ID: [32]byte{byte(i)},
		})
		fmt.Printf("%s: %s%s\n", d.Type, result.Value, result.Failure)
	}
	fmt.Println(state.Names(), string(state.Value("purse")))
	// Output:
	// pay: "20"
	// take: "7.5"
	// take: that much is not there
	// [moved/00000000 moved/01000000 purse] "7.5"
}
