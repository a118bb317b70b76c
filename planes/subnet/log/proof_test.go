package log_test

import (
	"os"
	"testing"
)

// proving says that the long forms of the tests are to run: see make proof.
func proving() bool { return os.Getenv("INTERCOM_PROOF") != "" }

// figure reports a number that a proof is about.
func figure(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf("PROOF "+format, args...)
}

func TestProofThousandShuffledArrivalsGiveOneLocalRoot(t *testing.T) {
	if !proving() {
		return
	}
	shuffledArrivals(t, 1000)
	figure(t, "1000 shuffled arrival orders of 58 entries: one local root")
}

func TestProofTwoHundredPowerCuts(t *testing.T) {
	if proving() {
		crashes(t, 200)
	}
}
