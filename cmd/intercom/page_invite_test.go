package main

import (
	"encoding/json"
	"fmt"
	"testing"
)

// An owner invites a friend's key on one page; the friend pastes the link on
// another, and is in the same room.
func TestInviteByLinkBetweenTwoPages(t *testing.T) {
	m := newMachine(t)
	first, _ := m.page(t, "--peer-store-name", "a")
	second, friend := m.page(t, "--peer-store-name", "b")
	a, b := openTab(t, first), openTab(t, second)
	a.shows(t, "#state", "connected")
	a.eval(t, `document.querySelector("#join-form details").open = true`)
	a.click(t, "#join-form [name=create]")
	a.click(t, "#join-form [name=invite_only]")
	a.join(t, "family")
	a.shows(t, "#about", "You own this room", "invited peers only")
	a.click(t, "#open-invites")
	a.fill(t, "#invite-dialog input", "nonsense")
	a.click(t, "#invite-dialog [type=submit]")
	a.shows(t, "#invite-dialog .error", "pubkey")
	var keys struct{ Address string }
	if err := json.Unmarshal(result(t, dialBridge(t, friend), "get_keys", `{}`), &keys); err != nil {
		t.Fatal(err)
	}
	a.fill(t, "#invite-dialog input", keys.Address)
	a.click(t, "#invite-dialog [type=submit]")
	a.until(t, `document.querySelector("#invite-dialog textarea")?.value.includes("invite=") && document.querySelector("#invite-dialog .qr path")`)
	var link string
	if err := json.Unmarshal(a.eval(t, `document.querySelector("#invite-dialog textarea").value`), &link); err != nil {
		t.Fatal(err)
	}

	b.shows(t, "#state", "connected")
	b.until(t, `!document.querySelector("#join").disabled`)
	b.eval(t, `document.querySelector("#join-form details").open = true`)
	b.fill(t, "#invite-in", link)
	b.until(t, `document.querySelector("#channel").value === "family"`)
	b.click(t, "#join")
	b.shows(t, "#room-name", "family")
	b.shows(t, "#about", "Its owner is", "invited peers only")
	b.shows(t, "#here", "1 peer")
	b.fill(t, "#chat-text", "thank you")
	b.click(t, "#send")
	a.shows(t, "#chat", "thank you")
	a.sound(t)
	b.sound(t)
}

// The digests are of codes that an independent reader (jsQR 1.4.0) reads back: of
// versions 1, 5, 22 and 40.
func TestCodesAreTheOnesThatAReaderReads(t *testing.T) {
	link, _ := newMachine(t).page(t)
	p := openTab(t, link)
	for length, want := range map[int]string{
		1:    "4b92f5d424b848a730164351d23d04d4189677c31c4cae0756b7fb164a0d1f8c",
		100:  "d987a959f20aac85f83b7b70db43eb1608d4be2229644d65c4bb406637de5463",
		1000: "e493cb386f0a5b4abc8c36fec62147a3606729604655264b9717b890d994248e",
		2953: "a8a7012019b3ee0db4833f6c5fcb1de1f9d981df2f27fe4f96b3655cb7364910",
	} {
		got := string(p.eval(t, fmt.Sprintf(`import("/js/qr.js").then(async ({ encode }) => {
			const text = encode("q".repeat(%d)).map((row) => row.map(Number).join("")).join("\n");
			const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
			return Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
		})`, length)))
		if got != quote(want) {
			t.Errorf("the code of %d bytes is another one: %s", length, got)
		}
	}
	if got := string(p.eval(t, `import("/js/qr.js").then(({ encode }) => encode("q".repeat(2954)))`)); got != "null" {
		t.Errorf("a text that is too long gives %.100s", got)
	}
}

// A changed entry shows its new shares and its history, and each change can be
// taken back.
func TestEditAndUndoOnThePage(t *testing.T) {
	link, peer := newMachine(t).page(t)
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	c := dialBridge(t, peer)
	result(t, c, "expense_add", `{"channel":"trip-nyc","payers":"ann:20,ben:10","amount":"30","split":"ann:2,ben:1","mode":"shares","currency":"EUR","note":"boat"}`)
	p.shows(t, "#entries", "boat", "ann 20.00 · ben 10.00")
	p.click(t, "#entries .entry button")
	p.click(t, "#entry-dialog .row button")
	p.until(t, `document.querySelector("#add-form [name=payer]").value === "ann:20.00,ben:10.00" && document.querySelector("#add-form [name=split]").value === "ann:2,ben:1"`)
	p.fill(t, "#add-form [name=mode]", "equal")
	p.fill(t, "#add-form [name=split]", "ann,ben,cleo")
	p.shows(t, "#preview", "cleo 10.00 EUR")
	p.click(t, "#add")
	p.shows(t, "#balances", "cleo", "-10.00 EUR")
	p.shows(t, "#feed", "changed: boat")
	p.click(t, "#entries .entry button")
	p.shows(t, "#entry-dialog .history", "recorded", "changed money")
	p.click(t, "#entry-dialog .history button")
	p.until(t, `!document.querySelector("#balances").innerText.includes("cleo")`)
	p.sound(t)
}
