package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestLargeRoomKeepsFewRowsAndFindsAnyEntry(t *testing.T) {
	p := largeRoom(t, 400)
	p.scroll(t)
	if got := p.filter(t, "note 77 of"); got.Shown != "1 of 400 entries" {
		t.Errorf("the filter shows %q", got.Shown)
	}
	p.sound(t)
}

// No task of the page takes longer than 100 ms while its user scrolls through 5 000
// entries, and a filter is on the screen within 100 ms: by the browser's own clock.
func TestProofLargeRoomIsSmooth(t *testing.T) {
	if !proving() {
		return
	}
	p := largeRoom(t, 5000)
	longest := p.scroll(t)
	slowest := 0.0
	for _, text := range []string{"note 77 of", "no", "taxi", "no such thing", ""} {
		got := p.filter(t, text)
		slowest = max(slowest, got.MS)
		t.Logf("filter %q: %s in %.1f ms", text, got.Shown, got.MS)
	}
	t.Logf("5000 entries: longest task while scrolling %.0f ms (0: none above 50 ms), slowest filter %.1f ms", longest, slowest)
	if longest > 100 || slowest > 100 {
		t.Error("more than 100 ms")
	}
}

// largeRoom is a page on a room with n entries.
func largeRoom(t *testing.T, n int) *tab {
	t.Helper()
	m := newMachine(t)
	link, peer := m.page(t)
	var rows strings.Builder
	rows.WriteString("payers,amount,split,note,category\n")
	for i := range n {
		fmt.Fprintf(&rows, "ann,%d.%02d,\"ann,ben,cleo,dora\",note %d of many,%s\n", 1+i%300, i%100, i, []string{"food", "taxi", "rent"}[i%3])
	}
	data, err := json.Marshal(rows.String())
	if err != nil {
		t.Fatal(err)
	}
	result(t, dialBridge(t, peer), "expense_import", fmt.Sprintf(`{"channel":"large","format":"csv-entries","data":%s}`, data))
	p := openTab(t, link)
	p.join(t, "large")
	p.shows(t, "#entries-count", fmt.Sprintf("%d entries", n))
	return p
}

// scroll goes through the whole list and gives the longest task meanwhile, in ms.
func (p *tab) scroll(t *testing.T) float64 {
	t.Helper()
	var seen struct {
		Longest float64
		Rows    int
		End     bool
	}
	raw := p.eval(t, `(async () => {
		let longest = 0, rows = 0;
		const watch = new PerformanceObserver((list) => list.getEntries().forEach((e) => (longest = Math.max(longest, e.duration))));
		watch.observe({ type: "longtask" });
		const box = document.querySelector("#entries");
		const frame = () => new Promise((done) => requestAnimationFrame(done));
		const step = Math.max(200, box.scrollHeight / 300);
		while (box.scrollTop + box.clientHeight < box.scrollHeight - 1) {
			box.scrollTop += step;
			await frame();
			rows = Math.max(rows, box.querySelectorAll(".entry").length);
		}
		await frame();
		await frame();
		watch.disconnect();
		const last = box.querySelector(".entry[aria-posinset='" + box.querySelector(".entry").getAttribute("aria-setsize") + "']");
		return { Longest: longest, Rows: rows, End: Boolean(last) };
	})()`)
	if err := json.Unmarshal(raw, &seen); err != nil {
		t.Fatal(err)
	}
	if seen.Rows == 0 || seen.Rows > 60 || !seen.End {
		t.Errorf("%d rows exist at once, the last one is there: %v", seen.Rows, seen.End)
	}
	return seen.Longest
}

// filtered is what a filter shows and how long it took until it was drawn.
type filtered struct {
	Shown string
	MS    float64
}

func (p *tab) filter(t *testing.T, text string) (got filtered) {
	t.Helper()
	raw := p.eval(t, fmt.Sprintf(`(async () => {
		const field = document.querySelector("#filter-text");
		const start = performance.now();
		field.value = %s;
		field.dispatchEvent(new Event("input", { bubbles: true }));
		document.querySelector("#entries").getBoundingClientRect();
		await new Promise((done) => requestAnimationFrame(done));
		const ms = performance.now() - start;
		return { Shown: document.querySelector("#entries-count").innerText, MS: ms };
	})()`, quote(text)))
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}
