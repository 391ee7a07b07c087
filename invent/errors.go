package invent

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// ErrSilent is in the chain of the error of a Read whose connection was given up
// because nothing arrived on it, not even the answer to a ping.
var ErrSilent = errors.New("the connection is silent")

// maxRetryAfter bounds what a server can make us wait.
const maxRetryAfter = time.Hour

// StatusError is an answer with a status that cannot be used: to a handshake, any other than
// 101; to a REST request, any but success.
type StatusError struct {
	// Status is the HTTP status code.
	Status int
	// Path is the escaped path that was asked for, without host and query.
	Path string
	// RetryAfter is how long the server wants to be left alone, between 0 (it
	// did not say) and one hour.
	RetryAfter time.Duration
}

// newStatusError keeps nothing of the body, which may hold personal data.
func newStatusError(resp *http.Response, path string, now time.Time) *StatusError {
	return &StatusError{Status: resp.StatusCode, Path: path, RetryAfter: retryAfter(resp.Header, now)}
}

// Refused tells whether asking again is pointless until somebody changes the key, the org or
// the address: 401, 403 and 404.
func (e *StatusError) Refused() bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

// Error says what happened and what to check.
func (e *StatusError) Error() string {
	status := strings.TrimSpace(strconv.Itoa(e.Status) + " " + http.StatusText(e.Status))
	return fmt.Sprintf("Invent answered GET %s with %s: %s", e.Path, status, e.remedy())
}

func (e *StatusError) remedy() string {
	wait := "try again later"
	if e.RetryAfter > 0 {
		wait = "try again in " + e.RetryAfter.String()
	}
	switch {
	case e.Status == http.StatusBadRequest:
		return "a parameter is not accepted; the API may have changed, or --api-url names something else than Invent's API"
	case e.Status == http.StatusUnauthorized:
		return "the API key is missing or invalid; check INVENT_API_KEY or the file of --api-key-file"
	case e.Status == http.StatusForbidden:
		return "the API key may not read this; check --org, and which workspace the key in INVENT_API_KEY or --api-key-file belongs to"
	case e.Status == http.StatusNotFound:
		return "there is no such thing for this key; check --org (the workspace's id, or c for the key's own) and --api-url"
	case e.Status == http.StatusTooManyRequests:
		return "too many requests; " + wait
	case e.Status >= 500:
		return "the server has a problem of its own; " + wait
	default:
		return "this is not how Invent's API answers; check --api-url and any proxy in between"
	}
}

// retryAfter reads the header's two forms, seconds and a date. A date is taken relative to the
// server's own clock where the answer has one, so a wrong clock here does no harm.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// RedirectError is an answer that points elsewhere. It is never followed, not even on the same
// host, because the API key would be sent along.
type RedirectError struct {
	// Path is the escaped path that was asked for.
	Path string
	// Target is scheme and host of where the answer points, as https://example.com.
	Target string
}

// Error names the target.
func (e *RedirectError) Error() string {
	return fmt.Sprintf("GET %s is redirected to %s, which is refused because the API key would go along; if that is the right place, set --api-url or INVENT_API_URL to it", e.Path, e.Target)
}

// TooLargeError is a frame or the body of a REST answer that has more bytes than allowed.
type TooLargeError struct {
	// Limit is the number of bytes allowed. How many there were is not known:
	// reading stops at the limit.
	Limit int64
	// Path is the escaped path of the REST request; empty for a frame.
	Path string
}

// Error names the limit and how to raise it.
func (e *TooLargeError) Error() string {
	what := "a frame of the inbox socket"
	if e.Path != "" {
		what = "the answer to GET " + e.Path
	}
	return fmt.Sprintf("%s has more than the allowed %d bytes; raise --max-frame-bytes or ARCHIVER_MAX_FRAME_BYTES", what, e.Limit)
}

// CloseError is the server's close frame: it ended the connection in good order.
type CloseError struct {
	// Code is the close code; 1005 when the frame has none.
	Code int
	// Reason is the server's text, at most 123 bytes. It is not part of Error,
	// because nobody knows what it may quote.
	Reason string
}

// Error names the code.
func (e *CloseError) Error() string {
	name := strings.TrimPrefix(websocket.StatusCode(e.Code).String(), "Status")
	return fmt.Sprintf("the server closed the inbox socket with code %d (%s)", e.Code, name)
}

// CloseStatus returns code and reason of the close frame that err tells of; ok is
// false when the connection ended without one.
func CloseStatus(err error) (code int, reason string, ok bool) {
	closed, ok := errors.AsType[*CloseError](err)
	if !ok {
		return 0, "", false
	}
	return closed.Code, closed.Reason, true
}
