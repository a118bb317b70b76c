package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	protocol "github.com/mark3labs/mcp-go/mcp"
	engine "github.com/mark3labs/mcp-go/server"
)

// install makes the protocol machine report subscriptions. mcp-go's own
// broadcast neither reaches the listen streams of 2026-07-28 nor looks at URIs.
func (u *updates) install(hooks *engine.Hooks) {
	hooks.AddOnRequestInitialization(u.judge)
	hooks.AddAfterSubscribe(u.subscribe)
	hooks.AddAfterUnsubscribe(u.unsubscribe)
	hooks.AddBeforeSubscriptionsListen(u.listen)
}

// judge refuses a subscription that could not be served, with a reason. The
// bounds themselves are kept where subscriptions are taken in.
func (u *updates) judge(ctx context.Context, _ any, message any) error {
	raw, _ := message.(json.RawMessage)
	if !bytes.Contains(raw, []byte("subscri")) {
		return nil
	}
	var request struct {
		Method protocol.MCPMethod `json:"method"`
		Params struct {
			URI           string                      `json:"uri"`
			Notifications protocol.SubscriptionFilter `json:"notifications"`
		} `json:"params"`
	}
	if json.Unmarshal(raw, &request) != nil {
		return nil // reported where the request is read
	}
	var uris []string
	switch request.Method {
	case protocol.MethodResourcesSubscribe:
		uris = []string{request.Params.URI}
	case protocol.MethodSubscriptionsListen:
		uris = request.Params.Notifications.ResourceSubscriptions
	}
	for _, uri := range uris {
		if _, ok := u.locate(uri); !ok {
			return fmt.Errorf("no resource %q; the forms are: %s", uri, u.forms())
		}
	}
	return u.room(ctx, len(uris))
}

// room tells whether so many URIs more may be subscribed to.
func (u *updates) room(ctx context.Context, more int) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	held := 0
	if session := engine.ClientSessionFromContext(ctx); session != nil {
		if s := u.sessions[session.SessionID()]; s != nil {
			held = len(s.places)
		}
	}
	if more > 0 && (held+more > maxURIs || len(u.all) >= maxSubscriptions) {
		return fmt.Errorf("too many subscriptions: at most %d resources a client and %d clients; unsubscribe from some", maxURIs, maxSubscriptions)
	}
	return nil
}

func (u *updates) forms() string {
	var forms []string
	for _, v := range u.views {
		forms = append(forms, v.prefix+"{name}"+v.suffix)
	}
	return strings.Join(forms, ", ")
}

// subscribe serves resources/subscribe, up to revision 2025-11-25: it lasts as
// long as the session.
func (u *updates) subscribe(ctx context.Context, _ any, request *protocol.SubscribeRequest, _ *protocol.EmptyResult) {
	session := engine.ClientSessionFromContext(ctx)
	at, ok := u.locate(request.Params.URI)
	if session == nil || !ok {
		return
	}
	tell := u.inbox(session.SessionID())
	if tell == nil {
		return // the session has ended meanwhile
	}
	u.mu.Lock()
	s := u.sessions[session.SessionID()]
	if s == nil {
		s = &subscription{places: map[string]place{}, marked: map[string]bool{}, tell: tell}
		u.sessions[session.SessionID()] = s
	}
	if len(s.places) < maxURIs {
		s.places[request.Params.URI] = at
	}
	u.mu.Unlock()
	u.add(ctx, s)
}

func (u *updates) unsubscribe(ctx context.Context, _ any, request *protocol.UnsubscribeRequest, _ *protocol.EmptyResult) {
	session := engine.ClientSessionFromContext(ctx)
	if session == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.sessions[session.SessionID()]
	if s == nil {
		return
	}
	delete(s.places, request.Params.URI)
	delete(s.marked, request.Params.URI)
	if len(s.places) == 0 {
		delete(u.all, s)
		delete(u.sessions, session.SessionID())
	}
}

// listen serves subscriptions/listen of revision 2026-07-28: it lasts as long
// as its request.
func (u *updates) listen(ctx context.Context, id any, request *protocol.SubscriptionsListenRequest) {
	session := engine.ClientSessionFromContext(ctx)
	if session == nil {
		return
	}
	s := &subscription{places: map[string]place{}, marked: map[string]bool{}, tell: func(uri string) bool { return notify(session, uri, id) }}
	s.hangUp, _ = ctx.Value(hangUpKey{}).(context.CancelFunc)
	for _, uri := range request.Params.Notifications.ResourceSubscriptions {
		if at, ok := u.locate(uri); ok && len(s.places) < maxURIs {
			s.places[uri] = at
		}
	}
	u.add(ctx, s)
	context.AfterFunc(ctx, func() { u.remove(s) })
}

// hangUpKey carries the function that ends a request from our side.
type hangUpKey struct{}

// notify tells one session that a resource changed, if it has room. A listen
// stream's id ties the notification to it; nil for none.
func notify(session engine.ClientSession, uri string, listen any) bool {
	select {
	case session.NotificationChannel() <- updated(uri, listen):
		return true
	default:
		return false
	}
}

func updated(uri string, listen any) protocol.JSONRPCNotification {
	n := protocol.JSONRPCNotification{JSONRPC: protocol.JSONRPC_VERSION}
	n.Method = protocol.MethodNotificationResourceUpdated
	n.Params.AdditionalFields = map[string]any{"uri": uri}
	if listen != nil {
		n.Params.Meta = map[string]any{protocol.MetaKeySubscriptionID: listen}
	}
	return n
}
