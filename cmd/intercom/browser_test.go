package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the one browser of this test binary; it starts with the first tab
// and ends with the tests.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func launch() {
	path, err := exec.LookPath("chromium")
	if err != nil {
		chromium.err = fmt.Errorf("%w: `make tools` installs it", err)
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(2*patience))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // it refuses to run otherwise
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	chromium.ctx, chromium.stop = ctx, func() { closeBrowser(); end() }
	chromium.err = chromedp.Do(ctx)
}

func closeBrowser() {
	if chromium.stop != nil {
		chromium.stop()
	}
}

// tab is one page of the browser.
type tab struct {
	ctx    context.Context
	mu     sync.Mutex
	wrongs []string // exceptions, and what the browser or the policy refused
}

// openTab opens a page as a new visitor, who shares nothing with others.
func openTab(t testing.TB, url string) *tab {
	t.Helper()
	chromium.once.Do(launch)
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
	return newTab(t, chromium.ctx, url, chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same visitor.
func (p *tab) another(t testing.TB, url string) *tab {
	t.Helper()
	return newTab(t, p.ctx, url)
}

func newTab(t testing.TB, parent context.Context, url string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	p := &tab{}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(p.listen))...)
	t.Cleanup(cancel)
	p.ctx = ctx
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the page said %q and shows:\n%s", p.told(), p.shown())
		}
	})
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lives as long as ctx
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	p.as(t, wide)
	p.do(t, chromedp.Navigate(url))
	return p
}

func (p *tab) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			text = e.Entry.Text
		}
	}
	if text != "" {
		p.mu.Lock()
		p.wrongs = append(p.wrongs, text)
		p.mu.Unlock()
	}
}

func (p *tab) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.wrongs...)
}

// shown is the text of the page, for a failed test.
func (p *tab) shown() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	return text
}

func (p *tab) do(t testing.TB, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// eval gives the value of an expression as JSON.
func (p *tab) eval(t testing.TB, expression string) json.RawMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[[]byte](expression, chromedp.EvalAsValue, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits for an expression to be true.
func (p *tab) until(t testing.TB, expression string) {
	t.Helper()
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if string(p.eval(t, "Boolean("+expression+")")) == "true" {
			return
		}
	}
	t.Fatalf("%s did not become true", expression)
}

// shows waits until an element shows all the texts.
func (p *tab) shows(t testing.TB, selector string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		p.until(t, fmt.Sprintf(`document.querySelector(%s)?.innerText.includes(%s)`, quote(selector), quote(text)))
	}
}

// fill types a value into a field, as a user would see it arrive.
func (p *tab) fill(t testing.TB, selector, value string) {
	t.Helper()
	p.eval(t, fmt.Sprintf(`{ const f = document.querySelector(%s); f.value = %s; f.dispatchEvent(new Event("input", {bubbles: true})); f.dispatchEvent(new Event("change", {bubbles: true})); true }`,
		quote(selector), quote(value)))
}

// click presses what a person could: it is there, shown, enabled and not covered.
// All of it is one step of the page, which may draw the thing anew at any time.
func (p *tab) click(t testing.TB, selector string) {
	t.Helper()
	p.until(t, fmt.Sprintf(`(() => {
		const thing = document.querySelector(%s);
		if (!thing?.checkVisibility() || thing.disabled) return false;
		thing.scrollIntoView({ block: "center" });
		const box = thing.getBoundingClientRect();
		const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
		if (!thing.contains(hit)) return false;
		thing.focus();
		thing.click();
		return true;
	})()`, quote(selector)))
}

// join enters a room on the first screen.
func (p *tab) join(t testing.TB, channel string) {
	t.Helper()
	p.shows(t, "#state", "connected")
	p.until(t, `!document.querySelector("#join").disabled`)
	p.fill(t, "#channel", channel)
	p.click(t, "#join")
	p.shows(t, "#room-name", channel)
	p.until(t, `!document.querySelector("#room").hidden && document.querySelector("#entries-count").innerText !== ""`)
}

// looks is how a page is looked at.
type looks struct {
	name          string
	width, height int64
	dark          bool
}

var wide = looks{name: "wide-light", width: 1600, height: 1000}

func (p *tab) as(t testing.TB, l looks) {
	t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	view := emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 600}
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, view); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

// picture keeps a screenshot in the directory that INTERCOM_PICTURES names; without
// it, it only tells that there is something to see.
func (p *tab) picture(t testing.TB, name string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 2*patience)
	defer cancel()
	shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if len(shot) < 5000 {
		t.Errorf("the picture %s has %d bytes: the page is blank", name, len(shot))
	}
	if dir := os.Getenv("INTERCOM_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), shot, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// quote makes a text a literal of JavaScript.
func quote(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// page starts a peer with its page, and gives the link that it told.
func (m machine) page(t testing.TB, args ...string) (link string, p *process) {
	t.Helper()
	p = m.start(t, append([]string{"run", "--sc-bridge-port", "0", "--ui", "1", "--ui-port", "0"}, args...)...)
	return p.told(t, "#code="), p
}

// sound fails the test when the page threw, or the browser refused it something.
func (p *tab) sound(t testing.TB) {
	t.Helper()
	for _, text := range p.told() {
		t.Errorf("the page: %s", strings.TrimSpace(text))
	}
}
