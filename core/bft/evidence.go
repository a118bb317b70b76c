package bft

import "fmt"

// Evidence is two valid headers of one height: more than 1/3 of the votes were
// cast twice, or old keys were used to forge. Which of the two is the chain's
// own cannot be told from them; whoever follows stops and asks people.
type Evidence struct {
	Height int64     `json:"height"`
	A      []byte    `json:"a"` // signed headers
	B      []byte    `json:"b"`
	From   [2]string `json:"from"` // the servers that gave them
}

// VerifyEvidence checks that both headers hold and differ.
func VerifyEvidence(t Trust, e Evidence) error {
	a, err := VerifyHeader(t, e.A)
	if err != nil {
		return err
	}
	b, err := VerifyHeader(t, e.B)
	if err != nil {
		return err
	}
	if a.Height != e.Height || b.Height != e.Height || a.Hash == b.Hash {
		return unproven("evidence", fmt.Errorf("headers %d and %d are no contradiction", a.Height, b.Height))
	}
	return nil
}
