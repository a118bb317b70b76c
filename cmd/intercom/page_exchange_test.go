package main

import (
	"encoding/json"
	"fmt"
	"testing"
)

// Two members who were apart say different things of one entry. The page marks it,
// shows both, and an edit settles it.
func TestConflictIsMarkedOnThePage(t *testing.T) {
	here, away := newMachine(t), newMachine(t) // machines that never meet
	link, peer := here.page(t)
	c := dialBridge(t, peer)
	other, _ := away.bridge(t)
	result(t, c, "expense_add", `{"channel":"trip-nyc","payer":"ann","amount":"30","split":"ann,ben","note":"boat"}`)
	carry(t, c, other)
	result(t, c, "expense_edit", `{"channel":"trip-nyc","id":"last","note":"big boat"}`)
	result(t, other, "expense_edit", `{"channel":"trip-nyc","id":"last","note":"small boat"}`)
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	carry(t, other, c)
	p.shows(t, "#entries .tag", "conflict")
	p.click(t, "#entries .entry button")
	p.shows(t, "#entry-dialog .notice", "Conflict about note")
	p.shows(t, "#entry-dialog .history", "big boat", "small boat")
	p.inspect(t, "conflict", wide)
	p.click(t, "#entry-dialog .row button")
	p.fill(t, "#add-form [name=note]", "the boat")
	p.click(t, "#add")
	p.shows(t, "#entries", "the boat")
	p.until(t, `!document.querySelector("#entries .tag")`)
	p.sound(t)
}

// carry brings the signed entries of the room from one peer to another.
func carry(t *testing.T, from, to caller) {
	t.Helper()
	var export struct{ Data string }
	if err := json.Unmarshal(result(t, from, "expense_export", `{"channel":"trip-nyc","format":"json"}`), &export); err != nil {
		t.Fatal(err)
	}
	result(t, to, "expense_import", fmt.Sprintf(`{"channel":"trip-nyc","format":"json","data":%s}`, quote(export.Data)))
}

// What one room exports, another takes in, after a look at it.
func TestExportAndImportOnThePage(t *testing.T) {
	link, peer := newMachine(t).page(t)
	c := dialBridge(t, peer)
	result(t, c, "expense_add", `{"channel":"trip-nyc","payer":"ann","amount":"30","split":"ann,ben","note":"boat","currency":"EUR"}`)
	p := openTab(t, link)
	p.join(t, "trip-nyc")
	p.click(t, "#export")
	for format, holds := range map[string]string{"csv-entries": "boat", "markdown": "ann", "beancount": "EUR", "text": "ann: +15.00 EUR"} {
		p.fill(t, "#export-dialog select", format)
		p.until(t, fmt.Sprintf(`document.querySelector("#export-dialog textarea").value.includes(%s)`, quote(holds)))
	}
	p.fill(t, "#export-dialog select", "csv-entries")
	p.until(t, `document.querySelector("#export-dialog textarea").value.startsWith("id,") || document.querySelector("#export-dialog textarea").value.includes("payers")`)
	data := p.eval(t, `document.querySelector("#export-dialog textarea").value`)
	p.eval(t, `document.querySelector("#export-dialog").close()`)

	p.click(t, "#change-room")
	p.shows(t, "#known-rooms", "trip-nyc", "1 entry")
	p.join(t, "elsewhere")
	p.shows(t, "#entries-count", "0 entries")
	p.click(t, "#import")
	p.fill(t, "#import-dialog select", "csv-entries")
	p.fill(t, "#import-dialog textarea", "nonsense")
	p.until(t, `document.querySelector("#import-dialog .error")?.innerText`)
	p.eval(t, fmt.Sprintf(`{ const f = document.querySelector("#import-dialog textarea"); f.value = %s; f.dispatchEvent(new Event("input", {bubbles: true})); true }`, data))
	p.shows(t, "#import-dialog", "1 new", "boat")
	p.shows(t, "#entries-count", "0 entries")
	p.click(t, "#import-dialog .row button")
	p.shows(t, "#entries", "boat")
	p.shows(t, "#balances", "+15.00 EUR")
	p.sound(t)
}
