package invent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MaxTake is the most entries the API puts on one page.
const MaxTake = 100

// Page is the answer to one request of a REST list, whole and unparsed, with
// what was asked: it is archived like a frame.
type Page struct {
	// Status is 2xx, or for messages also 404 and 410.
	Status int
	// Path is the escaped path that was asked for, Query the encoded query;
	// neither holds the key.
	Path, Query string
	// StartedAt is just before the request was sent: what the body says is at least as
	// fresh. FinishedAt is when the last byte had arrived. Both by this machine's clock.
	StartedAt, FinishedAt time.Time
	// ServerDate is the server's clock as it answered, in whole seconds; zero when it did
	// not say.
	ServerDate time.Time
	// Count (entries in the whole list), Page (1-based) and Take (entries a page)
	// are the answer's pagination headers; -1 where absent or no number.
	Count, Page, Take int
	// Body is the body, decompressed. It belongs to the caller.
	Body []byte
}

// InboxPage fetches a page of the org's chats. page counts from 1, take is at most MaxTake.
//
// Errors, here and for the other lists: [*StatusError], [*RedirectError],
// [*TooLargeError], or what the network said; the time limit is Config.RequestTimeout.
func (c *Client) InboxPage(ctx context.Context, orgID string, page, take int) (*Page, error) {
	return c.list(ctx, listRequest{segments: []string{"orgs", orgID, "inbox"}, page: page, take: take})
}

// OrgsPage fetches a page of the org's sub-organizations.
func (c *Client) OrgsPage(ctx context.Context, orgID string, page, take int) (*Page, error) {
	return c.list(ctx, listRequest{segments: []string{"orgs", orgID, "orgs"}, page: page, take: take})
}

// MessagesPage fetches a page of a chat's messages written at from or later; a zero from
// means all of them. 404 and 410 are a Page with that Status and no error: they
// say something about the chat.
func (c *Client) MessagesPage(ctx context.Context, chatID string, from time.Time, page, take int) (*Page, error) {
	r := listRequest{segments: []string{"chats", chatID, "messages"}, page: page, take: take, goneIsAnswer: true}
	if !from.IsZero() {
		// The API's times have milliseconds at most; cutting the rest off asks for
		// a little more, never for less.
		r.from = from.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z07:00")
	}
	return c.list(ctx, r)
}

type listRequest struct {
	segments     []string // of the path
	page, take   int
	from         string // from_date; empty is not sent
	goneIsAnswer bool   // 404 and 410 are a Page
}

// list makes one request within the time limit.
func (c *Client) list(ctx context.Context, r listRequest) (*Page, error) {
	if r.page < 1 || r.take < 1 || r.take > MaxTake {
		return nil, fmt.Errorf("asking for page %d of %d entries: pages count from 1 and hold 1 to %d", r.page, r.take, MaxTake)
	}
	u, err := c.url(r.segments...)
	if err != nil {
		return nil, fmt.Errorf("asking for a list: %w", err)
	}
	query := url.Values{"page": {strconv.Itoa(r.page)}, "take": {strconv.Itoa(r.take)}}
	if r.from != "" {
		query.Set("from_date", r.from)
	}
	u.RawQuery = query.Encode()

	limited, cancel := context.WithTimeout(ctx, c.request)
	defer cancel()
	p, err := c.get(limited, u, r.goneIsAnswer)
	switch {
	case err == nil:
		return p, nil
	case ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("GET %s: no complete answer after %s (RequestTimeout): %w", u.EscapedPath(), c.request, context.DeadlineExceeded)
	default:
		return nil, err
	}
}

func (c *Client) get(ctx context.Context, u *url.URL, goneIsAnswer bool) (*Page, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", u.EscapedPath(), err)
	}
	req.Header = c.header()
	req.Header.Set("Accept", "application/json")

	p := &Page{Path: u.EscapedPath(), Query: u.RawQuery, StartedAt: time.Now()}
	resp, err := c.rest.Do(req)
	if err != nil {
		if redirect, ok := errors.AsType[*RedirectError](err); ok {
			return nil, redirect
		}
		return nil, fmt.Errorf("GET %s: %w", p.Path, withoutURL(err))
	}
	defer resp.Body.Close()
	gone := resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone
	if ok := resp.StatusCode >= 200 && resp.StatusCode < 300; !ok && !(gone && goneIsAnswer) {
		return nil, newStatusError(resp, p.Path, time.Now())
	}
	if p.Body, err = c.body(resp.Body, p.Path); err != nil {
		return nil, err
	}
	p.FinishedAt = time.Now()
	p.Status = resp.StatusCode
	p.ServerDate, _ = http.ParseTime(resp.Header.Get("Date"))
	p.Count = headerNumber(resp.Header, "Pagination-Count")
	p.Page = headerNumber(resp.Header, "Pagination-Page")
	p.Take = headerNumber(resp.Header, "Pagination-Take")
	return p, nil
}

// body reads a body within its bound.
func (c *Client) body(r io.Reader, path string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, c.maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer to GET %s, after %d bytes: %w", path, len(b), err)
	}
	if int64(len(b)) > c.maxBody {
		return nil, &TooLargeError{Limit: c.maxBody, Path: path}
	}
	return b, nil
}

// headerNumber returns a count from a header, -1 when there is none.
func headerNumber(h http.Header, name string) int {
	n, err := strconv.Atoi(h.Get(name))
	if err != nil || n < 0 {
		return -1
	}
	return n
}
