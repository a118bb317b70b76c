package subnet

import (
	"encoding/json"
	"sync"
)

// maxResults and maxResultBytes bound what is remembered of results.
const (
	maxResults     = 256
	maxResultBytes = 64 << 10 // of one; a greater one is left out
)

// results are what the newest transactions returned when they were carried out here:
// no part of the state, and forgotten at the end.
type results struct {
	mu    sync.Mutex
	order []string
	byTx  map[string]json.RawMessage
}

func newResults() *results { return &results{byTx: map[string]json.RawMessage{}} }

func (r *results) keep(tx string, value json.RawMessage) {
	if len(value) == 0 || len(value) > maxResultBytes {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.byTx[tx]; !known {
		if r.order = append(r.order, tx); len(r.order) > maxResults {
			delete(r.byTx, r.order[0])
			r.order = r.order[1:]
		}
	}
	r.byTx[tx] = value
}

// of gives what a transaction returned, nil when that is not known.
func (r *results) of(tx string) json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byTx[tx]
}
