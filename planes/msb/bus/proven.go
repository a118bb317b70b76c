package bus

import (
	"crypto/sha256"
	"sync"
)

// provenMax is how many transactions a generation of the memory holds; with 32
// bytes each and two generations that is a few megabytes. Too low and a
// transaction is verified again for the proposal, the vote and the block.
const provenMax = 32_768

// proven remembers which transactions verified, by all their bytes: the same
// transaction with another signature is another entry. It saves work and changes
// nothing else. Its zero value is ready.
type proven struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]struct{}
}

func (p *proven) verify(s *Signed) Result {
	sum := sha256.Sum256(s.Encode())
	if p.knows(sum) {
		return Result{}
	}
	refused := s.verify()
	if refused.Code == OK {
		p.keep(sum)
	}
	return refused
}

func (p *proven) knows(sum [sha256.Size]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, young := p.young[sum]
	_, old := p.old[sum]
	return young || old
}

func (p *proven) keep(sum [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.young == nil || len(p.young) >= provenMax {
		p.old, p.young = p.young, make(map[[sha256.Size]byte]struct{})
	}
	p.young[sum] = struct{}{}
}
