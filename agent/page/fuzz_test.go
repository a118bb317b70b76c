package page

import (
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whatever is sent instead of the code, no token is given and nothing breaks.
func FuzzExchange(f *testing.F) {
	for _, seed := range []string{``, `{}`, `{"code":""}`, `{"code":"0123"}`, `{"code":1}`, `[]`, `null`, `{"code":"a","code":"b"}`, "\xff", `{"code":"` + strings.Repeat("a", 2000) + `"}`} {
		f.Add(seed)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { listener.Close() })
	s := New(Config{Bridge: "ws://127.0.0.1:1", Issue: func() string { return "issued" }}, listener, slog.New(slog.DiscardHandler))
	s.Link()
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, s.URL()+"session", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", strings.TrimSuffix(s.URL(), "/"))
		w := httptest.NewRecorder()
		s.serve(w, r)
		if w.Code != http.StatusBadRequest && w.Code != http.StatusGone || strings.Contains(w.Body.String(), "issued") {
			t.Errorf("%q gave %d %s", body, w.Code, w.Body)
		}
	})
}
