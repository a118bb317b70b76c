package bft_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
)

// shelf is an application that keeps what waits itself, as a feed does.
type shelf struct {
	*tally
	mine    sync.Mutex
	waiting []string
}

func (s *shelf) Pending() bool {
	s.mine.Lock()
	defer s.mine.Unlock()
	return len(s.waiting) > 0
}

func (s *shelf) put(tx string) {
	s.mine.Lock()
	defer s.mine.Unlock()
	s.waiting = append(s.waiting, tx)
}

func (s *shelf) Propose(p bft.Proposal) (txs [][]byte) {
	s.mine.Lock()
	defer s.mine.Unlock()
	for _, tx := range s.waiting {
		txs = append(txs, []byte(tx))
	}
	return txs
}

func (s *shelf) Execute(p bft.Proposal) (bft.Executed, error) {
	s.mine.Lock()
	defer s.mine.Unlock()
	for _, tx := range p.Txs {
		if i := slices.Index(s.waiting, string(tx)); i >= 0 {
			s.waiting = slices.Delete(s.waiting, i, i+1)
		}
	}
	return s.tally.Execute(p)
}

func TestApplicationWithItsOwnPoolIsWoken(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, dir)
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, dir+"/bft")
	var app *shelf
	s.edit = func(c *bft.Config) {
		app = &shelf{tally: s.app, waiting: []string{"from before the start"}}
		c.App = app
	}
	s.start()
	wait(t, "what waited before the start", func() bool { return s.app.total() == 1 })
	for i := range 20 {
		app.put(fmt.Sprint("tx", i))
		s.node.Wake()
		if i%3 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	wait(t, "all that waits", func() bool { return s.app.total() == 21 })
	tip := s.settled()
	s.node.Wake() // with nothing pending
	time.Sleep(500 * time.Millisecond)
	if now := s.node.Status(); now.Height != tip || now.Waiting != 0 {
		t.Errorf("idle at %d, then %+v", tip, now)
	}
}
