package main

import (
	"strings"
	"testing"
)

// The seed's tutorial (upstream 10.3), played by hand.
func TestTutorialOnThePage(t *testing.T) {
	m := newMachine(t)
	link, peer := m.page(t)
	p := openTab(t, link)
	if got := string(p.eval(t, "location.hash")); got != `""` {
		t.Errorf("the code stays in the address: %s", got)
	}
	p.join(t, "trip-nyc")

	p.fill(t, "#add-form [name=amount]", "30")
	p.fill(t, "#add-form [name=payer]", "alice")
	p.fill(t, "#add-form [name=split]", "alice,bob")
	p.shows(t, "#preview", "alice 15.00", "bob 15.00")
	p.click(t, "#add")
	tutorialBalance(t, p)

	p.click(t, "#export-text")
	p.until(t, `document.querySelector("#export-dialog textarea")?.value.includes("InterSplit Settlement Export")`)
	p.click(t, "#export-dialog .quiet")
	p.click(t, "#persist")
	p.until(t, `/^persist: confirmed. tx=[0-9a-f]{64}$/.test(document.querySelector("#keep-note").textContent)`)
	p.shows(t, "#feed", "persist: accepted")

	peer.kill()
	p.shows(t, "#state", "connection lost")
	m.page(t)
	link, stderr, code := m.run(t, "", "page", "link")
	if code != done {
		t.Fatalf("page link: %d %s", code, stderr)
	}
	p = openTab(t, strings.TrimSpace(link))
	p.join(t, "trip-nyc")
	p.click(t, "#restore")
	p.shows(t, "#keep-note", "source=contract")
	tutorialBalance(t, p)
	p.sound(t)
}

func tutorialBalance(t *testing.T, p *tab) {
	t.Helper()
	p.shows(t, "#balances", "alice", "+15.00", "-15.00")
	p.click(t, "#balance")
	p.shows(t, "#feed", "alice: +15.00", "bob: -15.00", "bob -> alice: 15.00")
}

func TestAssistantShowsBeforeItDoes(t *testing.T) {
	link, _ := newMachine(t).page(t)
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	p.fill(t, "#assist", "add alice 30 split alice,bob note dinner")
	p.click(t, "#assist-form button")
	p.shows(t, "#assist-answer", "expense_add", "alice 15.00")
	if text := string(p.eval(t, `document.querySelector("#entries-count").innerText`)); !strings.HasPrefix(text, `"0 `) {
		t.Errorf("before it was confirmed the list has %s", text)
	}
	p.click(t, "#assist-answer button")
	p.shows(t, "#balances", "+15.00", "-15.00")
	p.fill(t, "#assist", "balance")
	p.click(t, "#assist-form button")
	p.shows(t, "#feed", "alice: +15.00", "bob -> alice: 15.00")
	p.fill(t, "#assist", "gibberish words")
	p.click(t, "#assist-form button")
	p.shows(t, "#assist-answer", "is not understood")
	p.sound(t)
}
