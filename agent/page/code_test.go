package page

import (
	"testing"
	"time"
)

func TestCodeEndsWithItsLife(t *testing.T) {
	var c codes
	now := time.Unix(1_800_000_000, 0)
	old, fresh := c.mint(now), c.mint(now.Add(time.Minute))
	if c.redeem(old, now.Add(CodeLife)) {
		t.Error("a code counts after its life")
	}
	if !c.redeem(fresh, now.Add(CodeLife)) {
		t.Error("a code does not count within its life")
	}
	if c.redeem(fresh, now.Add(CodeLife)) {
		t.Error("a code counts twice")
	}
}

func TestCodesAreBounded(t *testing.T) {
	var c codes
	now := time.Unix(1_800_000_000, 0)
	first := c.mint(now)
	for range maxCodes {
		c.mint(now)
	}
	if len(c.open) != maxCodes || c.redeem(first, now) {
		t.Errorf("%d codes are open, the oldest too", len(c.open))
	}
}
