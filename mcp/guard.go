package mcp

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// guard tells why a request is refused; 0 if it is not. A name that resolves to
// this machine is not enough as host or origin: that is how a web page reaches a
// local server through DNS rebinding.
func (w *web) guard(r *http.Request) (status int, text string) {
	switch {
	case !loopback(r.Host):
		return http.StatusForbidden, "the Host header does not name a loopback address"
	case !ownOrigin(r.Header.Values("Origin")):
		return http.StatusForbidden, "the Origin is not of this machine"
	case !w.authorized(r.Header.Values("Authorization")):
		return http.StatusUnauthorized, "a bearer token is needed"
	case r.URL.Path != Path:
		return http.StatusNotFound, "MCP is served at " + Path
	}
	return 0, ""
}

// authorized compares in constant time, also for tokens of another length.
func (w *web) authorized(headers []string) bool {
	if len(headers) != 1 {
		return false
	}
	scheme, given, _ := strings.Cut(headers[0], " ")
	want, got := sha256.Sum256([]byte(w.token)), sha256.Sum256([]byte(strings.TrimSpace(given)))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// ownOrigin admits no origin, which is what programs send, and pages of this
// machine.
func ownOrigin(headers []string) bool {
	for _, header := range headers {
		origin, err := url.Parse(header)
		if err != nil || (origin.Scheme != "http" && origin.Scheme != "https") || !loopback(origin.Host) {
			return false
		}
	}
	return true
}

// loopback tells whether a host, with or without a port, is spelled as this
// machine's own.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// deadlined gives every write its own time, so that a client that reads nothing
// holds its request for that long only.
type deadlined struct {
	http.ResponseWriter
	control *http.ResponseController
}

func (d *deadlined) Write(p []byte) (int, error) {
	_ = d.control.SetWriteDeadline(time.Now().Add(writeTime)) // the transport has deadlines
	return d.ResponseWriter.Write(p)
}

// Flush implements [http.Flusher], which streams need.
func (d *deadlined) Flush() {
	_ = d.control.SetWriteDeadline(time.Now().Add(writeTime))
	_ = d.control.Flush()
}

// Unwrap serves [http.ResponseController].
func (d *deadlined) Unwrap() http.ResponseWriter { return d.ResponseWriter }

// limited closes connections over a number as they come.
type limited struct {
	net.Listener
	slots chan struct{}
}

func limit(l net.Listener, most int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, most)}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			_ = conn.Close() // its client may try again
		}
	}
}

type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
