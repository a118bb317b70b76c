package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	protocol "github.com/mark3labs/mcp-go/mcp"
)

// sessionHeader carries the session of the revisions before 2026-07-28.
const sessionHeader = "Mcp-Session-Id"

// serve handles a request that may be served.
func (w *web) serve(rw *deadlined, r *http.Request) {
	modern := protocol.IsModernProtocol(r.Header.Get(protocol.HeaderProtocolVersion))
	id := r.Header.Get(sessionHeader)
	switch {
	case !modern && id == "" && !w.sessions.room():
		busy(rw, "too many sessions")
		return
	case !modern && r.Method == http.MethodGet:
		w.stream(rw, r, id)
		return
	case !modern && r.Method == http.MethodDelete:
		w.sessions.end(id)
	case r.Method == http.MethodPost:
		body, status := readBody(rw, r)
		if status != 0 {
			rw.Header().Set("Connection", "close")
			http.Error(rw, http.StatusText(status), status)
			return
		}
		if modern && cancels(body) {
			rw.WriteHeader(http.StatusAccepted)
			return
		}
		if !modern && len(body) > 0 && body[0] == '[' {
			w.batch(rw, r, body)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w.machine.ServeHTTP(rw, r.WithContext(context.WithValue(ctx, hangUpKey{}, cancel)))
}

// readBody reads a body of bounded length in bounded time.
func readBody(rw *deadlined, r *http.Request) (body []byte, status int) {
	_ = rw.control.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxMessage))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, http.StatusBadRequest
	}
	_ = rw.control.SetReadDeadline(time.Time{}) // or the request would end with it
	return bytes.TrimSpace(body), 0
}

// cancels tells whether a message is a cancellation. Since revision 2026-07-28 a
// client cancels by closing its request; the machine keeps the ids of all those
// clients in one table, and would let one cancel another's.
func cancels(body []byte) bool {
	var m struct {
		Method string `json:"method"`
	}
	return bytes.Contains(body, []byte("cancelled")) && json.Unmarshal(body, &m) == nil && m.Method == "notifications/cancelled"
}

// batch serves what revision 2025-03-26 may send: several messages in a list.
// They are handled in turn, each as a request of its own.
func (w *web) batch(rw http.ResponseWriter, r *http.Request, body []byte) {
	var messages []json.RawMessage
	if json.Unmarshal(body, &messages) != nil || len(messages) == 0 || len(messages) > maxBatch {
		http.Error(rw, fmt.Sprintf("a batch has 1 to %d messages", maxBatch), http.StatusBadRequest)
		return
	}
	var answers []json.RawMessage
	for _, message := range messages {
		one := r.Clone(r.Context())
		one.Body = io.NopCloser(bytes.NewReader(message))
		kept := &keeper{header: http.Header{}}
		w.machine.ServeHTTP(kept, one)
		answer := bytes.TrimSpace(kept.body.Bytes())
		switch {
		case len(answer) == 0: // a notification
		case json.Valid(answer):
			answers = append(answers, answer)
		default: // such as a session that does not exist: so for all of them
			http.Error(rw, string(answer), kept.status)
			return
		}
	}
	if len(answers) == 0 {
		rw.WriteHeader(http.StatusAccepted)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(answers) // a client that has gone needs none
}

// keeper keeps an answer.
type keeper struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (k *keeper) Header() http.Header         { return k.header }
func (k *keeper) WriteHeader(status int)      { k.status = status }
func (k *keeper) Write(p []byte) (int, error) { return k.body.Write(p) }

// stream serves the GET stream of a session: what its resources/subscribe asked
// to be told. The machine's own would lose a notification that comes while one
// of the session's requests ends.
func (w *web) stream(rw *deadlined, r *http.Request, id string) {
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		http.Error(rw, "the stream is text/event-stream", http.StatusNotAcceptable)
		return
	}
	s := w.sessions.get(id)
	if s == nil {
		http.Error(rw, "no such session: initialize first", http.StatusNotFound)
		return
	}
	replaced, leave := s.attach()
	defer leave()
	rw.Header().Set("Content-Type", "text/event-stream")
	rw.Header().Set("Cache-Control", "no-cache")
	rw.WriteHeader(http.StatusOK)
	rw.Flush()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-s.news:
			err = writeEvents(rw, s.take())
		case <-beat.C:
			_, err = io.WriteString(rw, ": still here\n\n")
		case <-replaced:
			return
		case <-r.Context().Done():
			return
		}
		if err != nil {
			return
		}
		rw.Flush()
	}
}

// writeEvents tells which resources changed, one event each.
func writeEvents(rw io.Writer, uris []string) error {
	for _, uri := range uris {
		raw, err := json.Marshal(updated(uri, nil))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(rw, "event: message\ndata: %s\n\n", raw); err != nil {
			return err
		}
	}
	return nil
}
