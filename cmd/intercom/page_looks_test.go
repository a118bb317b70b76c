package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// axe is axe-core 4.14.1, MPL-2.0: its licence lies beside it.
//
//go:embed testdata/axe-core-4.14.1/axe.min.js
var axe string

// The widths and colours that the page is looked at with.
var allLooks = []looks{
	wide,
	{name: "wide-dark", width: 1600, height: 1000, dark: true},
	{name: "narrow-light", width: 360, height: 740},
	{name: "narrow-dark", width: 360, height: 740, dark: true},
}

func TestPageIsAccessibleAndFitsTheScreen(t *testing.T) {
	walk(t, []looks{allLooks[0], allLooks[3]})
}

// INTERCOM_PICTURES names a directory for what there is to see.
func TestProofPageIsAccessibleInEveryLook(t *testing.T) {
	if !proving() {
		return
	}
	walk(t, allLooks)
	t.Logf("axe-core 4.14.1 has no finding in %d looks", len(allLooks))
}

// walk goes to everything that a person can come to see: it passes axe, and
// nothing stands beyond the edge of the screen.
func walk(t *testing.T, seen []looks) {
	t.Helper()
	m := newMachine(t)
	link, peer := m.page(t)
	p := openTab(t, link)
	p.shows(t, "#state", "connected")
	for _, l := range seen {
		p.as(t, l)
		p.inspect(t, "start", l)
	}
	p.as(t, wide)
	p.join(t, "lisbon")
	spend(t, dialBridge(t, peer))
	p.shows(t, "#entries-count", "9 entries")
	p.shows(t, "#plan-list", "EUR")
	p.fill(t, "#add-form [name=amount]", "100")
	p.fill(t, "#add-form [name=payer]", "dora")
	p.fill(t, "#add-form [name=split]", "ann,ben,cleo")
	p.shows(t, "#preview", "does not divide evenly")
	p.fill(t, "#assist", "taxi 24 ben with ann, cleo")
	p.click(t, "#assist-form button")
	p.shows(t, "#assist-answer", "This is what it would do")
	p.fill(t, "#chat-text", "Who has the museum tickets?")
	p.click(t, "#send")
	p.shows(t, "#chat", "museum")
	p.eval(t, `document.activeElement.blur()`)
	for _, l := range seen {
		p.as(t, l)
		for _, part := range []string{"balances", "expenses", "talk"} {
			if l.width < 600 {
				p.click(t, fmt.Sprintf(`[data-show=%s]`, part))
			} else if part != "balances" {
				continue // all of them stand side by side
			}
			p.inspect(t, "room-"+part, l)
		}
	}
	inspectDialogs(t, p, seen)
	for _, l := range seen {
		p.as(t, l)
		if l.width < 600 {
			p.click(t, `[data-show=expenses]`)
		}
		p.eval(t, `document.querySelector("#entries-title").scrollIntoView()`)
		p.picture(t, "entries-"+l.name)
	}
	p.sound(t)
}

// spend gives a room something to show.
func spend(t *testing.T, c *bridgeClient) {
	t.Helper()
	for _, params := range []string{
		`"payer":"ann","amount":"184.50","split":"ann,ben,cleo,dora","note":"apartment, first night","category":"lodging","date":"2026-05-14"`,
		`"payer":"ben","amount":"62.40","split":"ann,ben,cleo,dora","note":"dinner at the river","category":"food","date":"2026-05-14"`,
		`"payer":"cleo","amount":"18","split":"ben,cleo","note":"tram tickets","category":"transport","date":"2026-05-15"`,
		`"payer":"dora","amount":"95.05","split":"ann:2,ben:1,dora:1","mode":"shares","note":"groceries","category":"food","date":"2026-05-15"`,
		`"payers":"ann:20,ben:25","amount":"45","split":"ann,ben,cleo,dora","note":"museum","category":"culture","date":"2026-05-16"`,
		`"payer":"ann","amount":"-12","split":"ann,ben,cleo,dora","note":"refund of a ticket","category":"culture","date":"2026-05-16"`,
		`"payer":"eli","amount":"33.33","split":"ann,ben,cleo,dora,eli","note":"wine","category":"food","date":"2026-05-17"`,
		`"payer":"cleo","amount":"7.20","split":"cleo,dora","note":"coffee","category":"food","date":"2026-05-17"`,
	} {
		result(t, c, "expense_add", `{"channel":"lisbon","currency":"EUR",`+params+`}`)
	}
	result(t, c, "expense_pay", `{"channel":"lisbon","from":"dora","to":"ann","amount":"10","currency":"EUR"}`)
}

func inspectDialogs(t *testing.T, p *tab, seen []looks) {
	t.Helper()
	for _, l := range seen {
		p.as(t, l)
		if l.width < 600 {
			p.click(t, `[data-show=expenses]`)
		}
		p.click(t, `#entries .entry[aria-posinset="3"] button`)
		p.shows(t, "#entry-dialog", "History", "recorded")
		p.inspect(t, "entry", l)
		p.eval(t, `document.querySelector("#entry-dialog").close()`)
		if l.width < 600 {
			p.click(t, `[data-show=balances]`)
		}
		p.click(t, "#open-invites")
		p.until(t, `document.querySelector("#invite-dialog .qr path")`)
		p.inspect(t, "invite", l)
		p.eval(t, `document.querySelector("#invite-dialog").close()`)
		p.click(t, "#import")
		p.fill(t, "#import-dialog textarea", "payers,amount,split,note\nann,30,\"ann,ben\",lunch\n")
		p.fill(t, "#import-dialog select", "csv-entries")
		p.shows(t, "#import-dialog", "1 new", "lunch")
		p.inspect(t, "import", l)
		p.eval(t, `document.querySelector("#import-dialog").close()`)
	}
}

// inspect looks at the page as it is now: by axe, at its edges, and by eye.
func (p *tab) inspect(t *testing.T, name string, l looks) {
	t.Helper()
	name += "-" + l.name
	p.picture(t, name)
	if got := string(p.eval(t, fmt.Sprintf(`document.documentElement.scrollWidth <= %d`, l.width))); got != "true" {
		t.Errorf("%s: the page is wider than the screen", name)
	}
	if string(p.eval(t, `typeof axe`)) != `"object"` {
		p.eval(t, axe+`; typeof axe`)
	}
	var found []struct {
		ID, Impact, Help string
		Nodes            []struct{ HTML, FailureSummary string }
	}
	raw := p.eval(t, `axe.run(document, {resultTypes: ["violations"]}).then((r) => r.violations)`)
	if err := json.Unmarshal(raw, &found); err != nil {
		t.Fatal(err)
	}
	for _, v := range found {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s (%s): %s\n%s\n%s", name, v.ID, v.Impact, v.Help, n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", " "))
		}
	}
}
