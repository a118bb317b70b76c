package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Two people, each with a page on a peer of their own, talk and share a ledger.
func TestTwoPagesOnTwoPeers(t *testing.T) {
	m := newMachine(t)
	first, _ := m.page(t, "--peer-store-name", "a")
	second, _ := m.page(t, "--peer-store-name", "b")
	a, b := openTab(t, first), openTab(t, second)
	a.join(t, "trip-nyc")
	b.join(t, "trip-nyc")
	a.shows(t, "#here", "1 peer")
	b.shows(t, "#here", "1 peer")
	a.fill(t, "#chat-text", "hello from the first")
	a.click(t, "#send")
	b.shows(t, "#chat", "hello from the first")
	b.shows(t, "#feed", "message from", "hello from the first")
	b.fill(t, "#chat-text", "and back")
	b.click(t, "#send")
	a.shows(t, "#chat", "and back")
	b.fill(t, "#assist", "add bob 12 split alice,bob")
	b.click(t, "#assist-form button")
	b.shows(t, "#assist-answer", "bob 6.00")
	b.click(t, "#assist-answer button")
	a.shows(t, "#balances", "bob", "+6.00")
	a.shows(t, "#feed", "added", "12.00")
	a.sound(t)
	b.sound(t)
}

// The seed's manual way, from a page to the bridge of another peer, in two tabs of
// one peer at once; and a connection that breaks.
func TestManualWayTwoTabsAndAReconnect(t *testing.T) {
	m := newMachine(t)
	link, _ := m.page(t, "--peer-store-name", "a")
	url, _, _ := strings.Cut(link, "#")
	port := freePort(t)
	start := func() *process {
		return m.start(t, "run", "--peer-store-name", "b", "--sc-bridge-port", fmt.Sprint(port), "--sc-bridge-origins", strings.TrimSuffix(url, "/"))
	}
	other := start()
	token, err := os.ReadFile(other.told(t, "sc-bridge-token"))
	if err != nil {
		t.Fatal(err)
	}
	manual := func() *tab {
		p := openTab(t, url)
		p.until(t, `document.querySelector("#join").disabled`)
		p.fill(t, "#ws-url", other.told(t, "ws://"))
		p.fill(t, "#token", strings.TrimSpace(string(token)))
		p.click(t, "#connect")
		p.join(t, "trip-nyc")
		return p
	}
	p, q := manual(), manual()
	p.fill(t, "#assist", "add ann 9 split ann,ben,cleo")
	p.click(t, "#assist-form button")
	p.click(t, "#assist-answer button")
	p.shows(t, "#balances", "+6.00")
	q.shows(t, "#balances", "+6.00")

	other.kill()
	p.shows(t, "#state", "connection lost")
	other = start()
	c := dialBridge(t, other)
	result(t, c, "expense_pay", `{"channel":"trip-nyc","from":"ben","to":"ann","amount":"3"}`)
	for _, tab := range []*tab{p, q} {
		tab.shows(t, "#state", "connected")
		tab.shows(t, "#notice", "connection was lost")
		tab.shows(t, "#balances", "+3.00")
		tab.shows(t, "#entries-count", "2 entries")
	}
	p.fill(t, "#chat-text", "still here")
	p.click(t, "#send")
	p.shows(t, "#chat", "still here")

	p.do(t, chromedp.Reload()) // the tab knows its room and its token
	p.shows(t, "#room-name", "trip-nyc")
	p.shows(t, "#balances", "+3.00")
	r := p.another(t, url)
	r.until(t, `!document.querySelector("#connect").disabled && document.querySelector("#token").value === ""`)
	r.fill(t, "#ws-url", other.told(t, "ws://"))
	r.fill(t, "#token", strings.TrimSpace(string(token)))
	r.click(t, "#connect")
	r.join(t, "trip-nyc")
	r.fill(t, "#chat-text", "from the other tab")
	r.click(t, "#send")
	p.shows(t, "#chat", "you", "from the other tab")

	wrong := openTab(t, url)
	wrong.fill(t, "#ws-url", other.told(t, "ws://"))
	wrong.fill(t, "#token", "wrong")
	wrong.click(t, "#connect")
	wrong.shows(t, "#connect-error", "refuses the token")
}

// A page of another origin reaches neither the bridge nor a code, although it runs
// in the same browser on the same machine.
func TestPageOfAnotherOriginIsRefused(t *testing.T) {
	m := newMachine(t)
	link, peer := m.page(t, "--peer-store-name", "a")
	url, code, _ := strings.Cut(link, "#code=")
	foreign, _ := m.page(t, "--peer-store-name", "b") // a page like any other, on another port
	p := openTab(t, strings.Split(foreign, "#")[0])
	opened := fmt.Sprintf(`new Promise((done) => { const s = new WebSocket(%s); s.onopen = () => done("open"); s.onerror = () => done("refused") })`, quote(peer.told(t, "ws://")))
	if got := string(p.eval(t, opened)); got != `"refused"` {
		t.Errorf("the socket is %s", got)
	}
	asked := fmt.Sprintf(`fetch(%s, {method: "POST", mode: "no-cors", headers: {"Content-Type": "text/plain"}, body: JSON.stringify({code: %s})}).then(() => "sent", () => "refused")`, quote(url+"session"), quote(code))
	if got := string(p.eval(t, asked)); got != `"refused"` {
		t.Errorf("the request was %s", got)
	}
	framed := fmt.Sprintf(`new Promise((done) => { const f = document.createElement("iframe"); f.onload = () => { let seen = "hidden"; try { seen = f.contentDocument?.title || seen } catch {} done(seen) }; f.src = %s; document.body.append(f); setTimeout(() => done("hidden"), 3000) })`, quote(url))
	if got := string(p.eval(t, framed)); got != `"hidden"` {
		t.Errorf("the frame shows %s", got)
	}
	own := openTab(t, link) // the code was not used up
	own.shows(t, "#state", "connected")
	if got := string(own.eval(t, `JSON.stringify(localStorage) + document.cookie + location.href`)); strings.Contains(got, "code") || got != quote("{}"+url) {
		t.Errorf("the page leaves %s behind", got)
	}
}

// Whatever a name, note or message holds, it is shown as text and moves nothing.
func TestHostileWordsAreHarmless(t *testing.T) {
	m := newMachine(t)
	link, _ := m.page(t, "--peer-store-name", "a")
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	c, _ := m.bridge(t, "--peer-store-name", "b")
	result(t, c, "sc_join", `{"channel":"trip-nyc"}`)
	p.shows(t, "#here", "1 peer")
	markup := `<img src=x onerror=\"globalThis.broken=1\"><script>globalThis.broken=1</script>`
	turned := `evil\u202etxt.exe\u2067`
	long := strings.Repeat("w", 900)
	for _, params := range []string{
		`"payer":"<b>ann</b>","amount":"3","split":["<b>ann</b>","<script>alert(1)</script>"],"note":"` + markup + `","category":"<svg onload=alert(1)>"`,
		`"payer":"ben","amount":"3","split":["ben","x<script>alert(1)</script>"],"note":"note ` + long + `"`,
	} {
		result(t, c, "expense_add", `{"channel":"trip-nyc",`+params+`}`)
	}
	for _, message := range []string{`"` + markup + `"`, `"` + turned + `"`, `"` + strings.Repeat("long ", 2000) + `"`, `"` + strings.Repeat("n", 10000) + `"`, `{"text":"<i>in an object</i>"}`, `[1,{"a":null}]`} {
		result(t, c, "sc_send", `{"channel":"trip-nyc","message":`+message+`}`)
	}
	p.shows(t, "#chat", "<img src=x", "evil", "long long", "nnnn", "in an object", `"a":null`)
	p.shows(t, "#entries", "<img src=x")
	p.shows(t, "#balances", "<b>ann</b>")
	p.shows(t, "#plan-list", "<b>ann</b>")
	p.click(t, `#entries .entry[aria-posinset="2"] button`)
	p.shows(t, "#entry-dialog", "<script>", "History", "recorded")
	p.picture(t, "hostile-entry")
	p.eval(t, `document.querySelector("#entry-dialog").close()`)
	for _, l := range []looks{wide, allLooks[3]} {
		p.as(t, l)
		if got := string(p.eval(t, fmt.Sprintf(`document.documentElement.scrollWidth <= %d`, l.width))); got != "true" {
			t.Errorf("%s: the page is wider than the screen", l.name)
		}
		p.picture(t, "hostile-"+l.name)
	}
	if got := string(p.eval(t, `[globalThis.broken === undefined, document.querySelectorAll("#room img, #room script, #room b:not(.tag), iframe, #room i").length]`)); got != "[true,0]" {
		t.Errorf("the words became markup: %s", got)
	}
	p.sound(t)
}

// Adding an expense needs no mouse, and an error stands beside its field.
func TestKeyboardAloneAddsAnExpense(t *testing.T) {
	link, _ := newMachine(t).page(t)
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	p.eval(t, `document.querySelector("#add-form [name=amount]").focus()`)
	p.do(t, chromedp.KeyEvent("10.005\t"), chromedp.KeyEvent("EUR\t"), chromedp.KeyEvent("ann\t"), chromedp.KeyEvent("ann,ben"))
	p.shows(t, "#error-amount", "10.005", "decimals")
	p.until(t, `document.querySelector("#add-form [name=amount]").getAttribute("aria-describedby") === "error-amount"`)
	p.fill(t, "#add-form [name=amount]", "10.01")
	p.shows(t, "#preview", "ann 5.01 EUR", "ben 5.00 EUR", "does not divide evenly")
	p.do(t, chromedp.KeyEvent("\r"))
	p.shows(t, "#entries-count", "1 entry")
	p.until(t, `document.activeElement.name === "amount"`)
	p.eval(t, `document.querySelector("#entries").focus()`)
	p.do(t, chromedp.KeyEvent(kb.ArrowDown))
	p.until(t, `document.activeElement.closest(".entry")?.dataset.index === "0"`)
	p.do(t, chromedp.KeyEvent("\r"))
	p.shows(t, "#entry-dialog", "10.01 EUR")
	p.click(t, "#entry-dialog .danger")
	p.shows(t, "#entries-count", "0 entries")
	p.click(t, "#filter-deleted")
	p.shows(t, "#entries", "deleted")
	p.click(t, `#entries .entry button`)
	p.shows(t, "#entry-dialog", "Bring it back")
	p.click(t, "#entry-dialog .row button")
	p.shows(t, "#balances", "+5.00")
	p.click(t, "#plan-list button")
	p.shows(t, "#plan-facts", "nobody owes anything")
	p.sound(t)
}
