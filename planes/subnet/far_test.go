package subnet_test

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// A newcomer that is far behind begins from a snapshot, and goes on with blocks.
func TestProofANewcomerThatIsFarBehindCatchesUp(t *testing.T) {
	if os.Getenv("INTERCOM_PROOF") == "" {
		return
	}
	a := start(t, "a", setup{})
	a.must("add_admin", with{"address": "self"})
	a.must("set_chat_status", with{"enabled": true})
	const messages = 600
	for i := range messages {
		a.must("post", with{"message": fmt.Sprint("message ", i)})
	}
	begun := time.Now()
	b := start(t, "b", setup{bootstrap: a.key(), seeds: a.host.Addrs()})
	b.has("msgl", float64(messages))
	took := time.Since(begun)
	b.wait("the roots are equal", func() bool {
		return a.must("subnet_info", with{})["root"] == b.must("subnet_info", with{})["root"]
	})
	a.must("post", with{"message": "one more"})
	b.has("msgl", float64(messages+1))
	t.Logf("PROOF a newcomer is ready %v after its start, %v blocks behind", took.Round(time.Millisecond), b.must("subnet_info", with{})["height"])
}
