package chain

import (
	"intercom/core/bft"
	"intercom/core/fault"
)

// Query answers a light client's question. It may be called at any time.
func (a *App) Query(path string, data []byte) ([]byte, error) {
	if path != queryLeaves {
		return nil, fault.New(fault.Invalid, "%.40q is no question", path).WithHint("use a light client of this version")
	}
	height, keys, err := decodeQuestion(data)
	if err != nil {
		return nil, err
	}
	view, err := a.at(height)
	if err != nil {
		return nil, err
	}
	out := newAnswer()
	for _, key := range keys {
		value, ok, proof, err := view.Prove(key)
		if err != nil {
			return nil, err
		}
		if out.add(value, ok, proof); len(out.out) > bft.MaxAnswer {
			return nil, fault.New(fault.Limited, "an answer of more than %d bytes", bft.MaxAnswer).WithHint("ask for fewer leaves")
		}
	}
	return out.out, nil
}
