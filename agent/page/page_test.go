package page_test

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"intercom/agent/page"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a page whose bridge issues the token "issued".
func serve(t *testing.T) *page.Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := page.Config{Bridge: "ws://127.0.0.1:1", Issue: func() string { return "issued" }}
	s := page.New(cfg, listener, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	return s
}

// ask sends a request whose headers are changed before.
func ask(t *testing.T, method, url, body string, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

// exchange asks for a token as the page does.
func exchange(t *testing.T, s *page.Server, code string, change func(*http.Request)) (int, string) {
	t.Helper()
	answer, text := ask(t, http.MethodPost, s.URL()+"session", `{"code":"`+code+`"}`, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", strings.TrimSuffix(s.URL(), "/"))
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if change != nil {
			change(r)
		}
	})
	return answer.StatusCode, text
}

func codeOf(t *testing.T, s *page.Server) string {
	t.Helper()
	url, code, found := strings.Cut(s.Link(), "#code=")
	if !found || url != s.URL() {
		t.Fatalf("the link leads to %q", url)
	}
	return code
}

func TestCodeIsExchangedOnce(t *testing.T) {
	s := serve(t)
	code := codeOf(t, s)
	if status, text := exchange(t, s, code, nil); status != http.StatusOK || !strings.Contains(text, `"token":"issued"`) || !strings.Contains(text, "ws://127.0.0.1:1") {
		t.Fatalf("%d %s", status, text)
	}
	if status, text := exchange(t, s, code, nil); status != http.StatusGone || strings.Contains(text, "issued") {
		t.Errorf("again: %d %s", status, text)
	}
	if status, _ := exchange(t, s, "", nil); status != http.StatusGone {
		t.Errorf("an empty code gave %d", status)
	}
}

func TestCodeIsRefusedToOthersAndStaysGood(t *testing.T) {
	s := serve(t)
	code := codeOf(t, s)
	for name, change := range map[string]func(*http.Request){
		"another origin":       func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"no origin":            func(r *http.Request) { r.Header.Del("Origin") },
		"the origin null":      func(r *http.Request) { r.Header.Set("Origin", "null") },
		"another site":         func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a form":               func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"a name pointed at us": func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") },
		"a GET":                func(r *http.Request) { r.Method = http.MethodGet },
		"a body too long": func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat(" ", 5000))), 5000
		},
	} {
		if status, text := exchange(t, s, code, change); status < 400 || strings.Contains(text, "issued") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, _ := exchange(t, s, code, nil); status != http.StatusOK {
		t.Errorf("the page itself then got %d", status)
	}
}

func TestEveryFileIsServedUnderTheStrictPolicy(t *testing.T) {
	s := serve(t)
	paths := []string{"", "nothing", "js/", "session"}
	if err := fs.WalkDir(os.DirFS("assets"), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		answer, text := ask(t, http.MethodGet, s.URL()+path, "", nil)
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "connect-src 'self' ws://127.0.0.1:* ws://localhost:*;") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%q has the policy %q", path, policy)
		}
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q may be sniffed", path)
		}
		if known := strings.Contains(path, "."); known && (answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") == "" || text == "") {
			t.Errorf("%q gave %d %q", path, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
	}
	if answer, _ := ask(t, http.MethodGet, s.URL(), "", func(r *http.Request) { r.Host = "evil.example:80" }); answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under another name: %d", answer.StatusCode)
	}
}

// What the policy forbids is not there in the first place, and nothing leads
// elsewhere.
func TestNothingIsInlineAndNothingIsElsewhere(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)https?:|//[a-z]|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|<style|\sstyle=|\son[a-z]+=|javascript:|localStorage|document\.cookie`)
	comment := regexp.MustCompile(`(?m)^\s*//.*$`)
	inline := regexp.MustCompile(`(?i)<script(>|\s[^>]*>)[^<]`)
	err := fs.WalkDir(os.DirFS("assets"), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile("assets/" + path)
		text := comment.ReplaceAllString(string(raw), "")
		text = strings.Replace(text, `xmlns="http://www.w3.org/2000/svg"`, "", 1) // a name, which nobody fetches
		text = strings.ReplaceAll(text, "ws://", "")                              // bridges
		if found := forbidden.FindString(text); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		if inline.MatchString(text) {
			t.Errorf("%s has an inline script", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunEndsWithAVisitorInside(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := page.New(page.Config{}, listener, slog.New(slog.DiscardHandler))
	if s.Link() != s.URL() {
		t.Errorf("without a bridge the link is %q", s.Link())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: 127"); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Run does not end")
	}
}
