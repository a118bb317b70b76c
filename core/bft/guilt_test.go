package bft_test

import (
	"fmt"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/store"
)

// A validator whose key votes in two places at once votes twice sooner or
// later: the engine's evidence reaches every application, in the same block, and
// a replica that executes the blocks finds the same ones guilty.
func TestWhoVotesTwiceIsFoundGuiltyEverywhere(t *testing.T) {
	sites := plan(t, 4)
	for _, s := range sites {
		s.edit = func(c *bft.Config) { c.Strangers = true }
		s.withAlbum().start()
	}
	twin := newcomer(t, sites)
	copyKey(t, sites[0].dir+"/bft", twin.dir+"/bft")
	edit := twin.edit
	twin.edit = func(c *bft.Config) {
		edit(c)
		c.Strangers = true
	}
	twin.renamed = true // or the others would take the two for one node
	twin.start()

	cheat := sites[0].node.Key()
	honest := sites[1:]
	end := time.Now().Add(60 * time.Second)
	for i := 0; !honest[0].album.names(cheat); i++ {
		if time.Now().After(end) {
			t.Fatal("nobody was found guilty")
		}
		if _, err := confirm(honest[i%3].node, fmt.Sprint("tx", i), 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	twin.end()
	honest[0].confirm("the last one")
	wait(t, "every honest one has the same state", func() bool {
		for _, s := range honest {
			_, here, _ := s.album.Last()
			_, there, _ := honest[0].album.Last()
			if here != there || !s.album.shows([]byte("the last one")) || !s.album.names(cheat) {
				return false
			}
		}
		return true
	})
	for _, s := range honest {
		if honest[0].album.names(s.node.Key()) {
			t.Errorf("an honest validator was found guilty")
		}
	}

	memory, _ := store.OpenMemory()
	defer memory.Close()
	app := newAlbum(memory)
	r, err := bft.NewReplica(sites[0].genesis, app, memory.Space("replica"))
	if err != nil {
		t.Fatal(err)
	}
	server := served(t, "one", honest[0].node)
	for tip := honest[0].node.Status().Height; r.Height() < tip; {
		if _, err := r.Ask(t.Context(), server); err != nil {
			t.Fatal(err)
		}
	}
	if !app.names(cheat) {
		t.Error("the replica found nobody guilty")
	}
}
