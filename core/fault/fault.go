// Package fault is the closed list of error kinds that every surface shares.
//
// An error that reaches a caller says three things: its kind, which is the
// contract; a message that names the wrong value; and a hint that says what to
// do next. Each surface translates kinds into its own numbers or frames in one
// function of its own. What is not a fault is a bug of ours and becomes
// [Internal] without its text, so that nothing private leaks.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind is what a caller may branch on. The list is closed.
type Kind string

// The kinds, in the order in which surfaces number them.
const (
	Invalid     Kind = "invalid"     // the request itself is wrong: fix it and call again
	Unknown     Kind = "unknown"     // no operation of that name
	Denied      Kind = "denied"      // the caller lacks the right
	NotFound    Kind = "not_found"   // the thing named does not exist
	Conflict    Kind = "conflict"    // it contradicts what is already recorded
	Limited     Kind = "limited"     // a stated limit is reached: less, or later
	Unavailable Kind = "unavailable" // cannot be done now: call again later
	Cancelled   Kind = "cancelled"   // the caller gave up
	Internal    Kind = "internal"    // a bug of ours
)

// Kinds lists every kind.
var Kinds = []Kind{Invalid, Unknown, Denied, NotFound, Conflict, Limited, Unavailable, Cancelled, Internal}

// Error is a failure that a caller can act on.
type Error struct {
	Kind    Kind   `json:"kind"`
	Message string `json:"message"`
	Hint    string `json:"hint"`

	cause error
}

// New makes an error. The message names the wrong value; [Error.WithHint] adds
// what to do next. A %w verb keeps its cause inspectable.
func New(kind Kind, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: wrapped.Error(), cause: errors.Unwrap(wrapped)}
}

// WithHint returns a copy that says what to do next.
func (e *Error) WithHint(format string, args ...any) *Error {
	hinted := *e
	hinted.Hint = fmt.Sprintf(format, args...)
	return &hinted
}

func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause, if there is one.
func (e *Error) Unwrap() error { return e.cause }

// Of translates any error. A fault stays itself, a cancelled or expired context
// becomes [Cancelled], and anything else becomes [Internal] with its text kept
// as the cause only. Of(nil) is nil.
func Of(err error) *Error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Cancelled, Message: "the call was cancelled", Hint: "call again, with more time if it ran out", cause: err}
	default:
		return &Error{Kind: Internal, Message: "internal error", Hint: "look at the peer's log, and report it", cause: err}
	}
}

// KindOf is the kind of err, or "" for nil.
func KindOf(err error) Kind {
	if f := Of(err); f != nil {
		return f.Kind
	}
	return ""
}
