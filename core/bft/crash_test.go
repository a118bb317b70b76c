package bft_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"intercom/core/bft"
	"intercom/core/store"
)

// childDir names the place of the child process that is killed.
const childDir = "BFT_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m, leaks...)
}

// leaks are the engine's goroutines that outlive a node that has ended; all of
// them sleep and end by themselves or hold nothing.
var leaks = []goleak.Option{
	// The log of consensus waits for SIGHUP as long as the process lives.
	goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/libs/autofile.(*AutoFile).closeFileRoutine"),
	goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/libs/autofile.OpenAutoFile.func1"),
	goleak.IgnoreAnyFunction("os/signal.loop"),
	// Loops that look whether they are still wanted only after their sleep, of
	// 2 to 8 s; they then read databases that answer that nothing is there.
	goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/blocksync.(*BlockPool).makeRequestersRoutine"),
	goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/consensus.(*Reactor).queryMaj23Routine"),
	goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/p2p.(*Switch).reconnectToPeer"),
}

// child runs a chain, confirms one transaction after the other and prints each
// one that was confirmed.
func child(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
	}
	s, err := store.Open(dir + "/store")
	fail(err)
	text, err := os.ReadFile(dir + "/genesis")
	fail(err)
	g, err := bft.ParseGenesis(text)
	fail(err)
	app := newTally(s, "tally")
	node, err := bft.New(bft.Config{Dir: dir + "/bft", Store: s, Name: "tally", Genesis: g, App: app, Log: quiet()})
	fail(err)
	go func() { fail(node.Run(context.Background())) }()
	for node.Status().Health.State != bft.Healthy {
		time.Sleep(time.Millisecond)
	}
	fmt.Println("ready")
	for i := 0; ; i++ {
		tx := fmt.Sprint(os.Getpid(), " ", i)
		_, err := confirm(node, tx, time.Minute)
		fail(err)
		fmt.Println("tx", tx)
	}
}

func TestNothingConfirmedIsLostByKill(t *testing.T) {
	dir := t.TempDir()
	g := genesis(t, dir+"/bft")
	if err := os.WriteFile(dir+"/genesis", g.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	var confirmed []string
	slowest := time.Duration(0)
	for round := range 12 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); {
			line := lines.Text()
			if line == "ready" {
				slowest = max(slowest, time.Since(began))
				time.AfterFunc(time.Duration(5+round*7)*time.Millisecond, func() { _ = cmd.Process.Kill() })
				continue
			}
			tx, ok := strings.CutPrefix(line, "tx ")
			if !ok {
				t.Fatal(line)
			}
			n++
			confirmed = append(confirmed, tx)
		}
		_ = cmd.Wait()
	}
	t.Logf("%d confirmed, slowest start %v", len(confirmed), slowest)
	s := newSite(t, dir)
	t.Cleanup(func() { s.store.Close() })
	s.genesis = g
	s.start()
	for _, tx := range confirmed {
		if _, ok, err := s.node.Find(bft.TxHash([]byte(tx))); !ok || err != nil {
			t.Errorf("%s is lost: %v", tx, err)
		}
	}
	// What was proposed before the last kill may still be committed now.
	at, _, _ := s.app.Last()
	total := s.app.total()
	for now, _, _ := s.app.Last(); now != at; now, _, _ = s.app.Last() {
		at, total = now, s.app.total()
	}
	if err := s.node.Await(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	blocks := s.transactions(at)
	if total != blocks || blocks < uint64(len(confirmed)) {
		t.Errorf("the application counts %d, the chain %d, confirmed were %d", total, blocks, len(confirmed))
	}
}

// transactions counts what is in the blocks up to a height.
func (s *site) transactions(tip int64) (n uint64) {
	s.t.Helper()
	for height := int64(1); height <= tip; height++ {
		b, err := s.node.Block(height)
		if err != nil {
			s.t.Fatal(err)
		}
		n += uint64(len(b.Txs))
	}
	return n
}
