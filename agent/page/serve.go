package page

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
)

// policy is the Content-Security-Policy of every answer. Trusted Types make the
// browser itself refuse to take text for markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self' ws://127.0.0.1:* ws://localhost:*; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=(), clipboard-write=(self)",
	"Cache-Control":                "no-store", // the next version of the program may serve the same address
}

// sessionPath is where a code is exchanged.
const sessionPath = "/session"

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	switch {
	case !s.own(r):
		http.Error(w, "This page is only at 127.0.0.1 and localhost.", http.StatusMisdirectedRequest)
	case r.URL.Path == sessionPath:
		s.session(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD.", http.StatusMethodNotAllowed)
	default:
		s.file(w, r)
	}
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	f, known := s.files[r.URL.Path]
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.kind)
	if _, err := w.Write(f.body); err != nil { // of HEAD, net/http sends no body
		s.log.Debug("page: a file was not delivered", "path", r.URL.Path, "err", err)
	}
}

// maxExchange bounds the body of an exchange, in bytes.
const maxExchange = 1024

// granted is the answer to a code.
type granted struct {
	Bridge string `json:"bridge"` // URL of the SC-Bridge
	Token  string `json:"token"`  // of that bridge, for this page
}

// session exchanges a code for a token. Only a page of this origin asks so: other
// pages cannot send JSON here without the browser asking first, and are refused.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		http.Error(w, "Only POST.", http.StatusMethodNotAllowed)
		return
	}
	if !s.same(r) {
		http.Error(w, "Only the page itself may ask.", http.StatusForbidden)
		return
	}
	var asked struct {
		Code string `json:"code"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExchange))
	if err != nil || json.Unmarshal(body, &asked) != nil {
		http.Error(w, "The request is not understood.", http.StatusBadRequest)
		return
	}
	if s.cfg.Issue == nil || !s.redeem(asked.Code) {
		http.Error(w, "The code of this link was used, or is too old.", http.StatusGone)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(granted{s.cfg.Bridge, s.cfg.Issue()}); err != nil {
		s.log.Debug("page: a token was not delivered", "err", err)
	}
}

// same tells whether a request comes from the page under this very address, and
// carries JSON.
func (s *Server) same(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	site := r.Header.Values("Sec-Fetch-Site")
	return err == nil && kind == "application/json" &&
		slices.Equal(r.Header.Values("Origin"), []string{"http://" + r.Host}) &&
		(len(site) == 0 || slices.Equal(site, []string{"same-origin"}))
}
