package peer

import (
	"context"
	"net"
	"strings"

	"intercom/agent/page"
	"intercom/core/fault"
)

// web is the web page and where it is served.
type web struct {
	server   *page.Server
	listener net.Listener
}

// listenPage takes the port of the page, if the page is on. The bridge must know
// it before it starts, to let the page in.
func (p *Peer) listenPage() error {
	cfg := p.cfg.Page
	if !cfg.On.Or(false) {
		return nil
	}
	listener, err := net.Listen("tcp", cfg.Address())
	if err != nil && !cfg.PortNamed {
		cfg.Port = 0 // a default port that is taken is no error
		listener, err = net.Listen("tcp", cfg.Address())
	}
	if err != nil {
		return fault.New(fault.Unavailable, "the web page cannot listen on %s: %v", cfg.Address(), err).
			WithHint("name another port with --ui-port, or end what holds it")
	}
	p.page = &web{listener: listener}
	return nil
}

// openPage makes the page's server. Without a bridge it has nothing to let a page
// into, and serves bridges that its user names.
func (p *Peer) openPage() error {
	if p.page == nil {
		return nil
	}
	cfg := page.Config{}
	if p.bridge != nil {
		server := p.bridge.server
		cfg = page.Config{Bridge: reachable(p.BridgeURL()), Issue: func() string { return string(server.Issue()) }}
	}
	p.page.server = page.New(cfg, p.page.listener, p.log)
	return nil
}

// reachable is how the page of this machine reaches a bridge: one that listens
// everywhere is at 127.0.0.1, too.
func reachable(url string) string {
	host, port, err := net.SplitHostPort(strings.TrimPrefix(url, "ws://"))
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return "ws://127.0.0.1:" + port
	}
	return url
}

// PageURL is where the web page is, or "" when it is off.
func (p *Peer) PageURL() string {
	if p.page == nil {
		return ""
	}
	return p.page.server.URL()
}

// PageLink is a link that opens the page and lets it into the peer, once: a
// secret of its user. It is "" when the page is off.
func (p *Peer) PageLink() string {
	if p.page == nil {
		return ""
	}
	return p.page.server.Link()
}

type pageLink struct {
	URL string `json:"url" jsonschema:"the link, with a code that works once"`
}

func (p *Peer) pageLink(context.Context, none) (pageLink, error) {
	if p.page == nil {
		return pageLink{}, fault.New(fault.NotFound, "this peer serves no web page").WithHint("start it with --ui 1")
	}
	return pageLink{URL: p.PageLink()}, nil
}
