package invent

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// What a Config means where it says nothing.
const (
	// DefaultBaseURL is where the vendor serves the API.
	DefaultBaseURL = "https://api.useinvent.com"
	// DefaultMaxFrameBytes is far above any frame the vendor documents (a
	// snapshot has a few KB); the size of the largest is not documented.
	DefaultMaxFrameBytes = 16 << 20
	// DefaultHandshakeTimeout bounds connecting, TLS and the upgrade together.
	DefaultHandshakeTimeout = 20 * time.Second
	// DefaultRequestTimeout bounds a REST request from its first byte to the
	// last one of the answer.
	DefaultRequestTimeout = 60 * time.Second
	// DefaultPingInterval keeps a quiet connection inside the idle timeout of the
	// usual proxies and load balancers (60 s).
	DefaultPingInterval = 20 * time.Second
	// DefaultIdleTimeout allows for two lost pings.
	DefaultIdleTimeout = 3 * DefaultPingInterval

	defaultUserAgent = "archiver"

	// maxMaxFrameBytes is what Postgres takes for one value.
	maxMaxFrameBytes = 1 << 30

	// minBodyBytes bounds the body of a REST answer. A page holds up to 100
	// chats, so it is a multiple of what one frame may have.
	minBodyBytes = 64 << 20
)

// Config says where the API is, who asks, and how much and how long to wait.
// BaseURL and APIKey have to be set; for anything else zero means the default.
// It never shows the key, however it is printed or logged.
type Config struct {
	// BaseURL is the API's address without a path of any endpoint, as
	// https://api.useinvent.com. Plain http is allowed to loopback only.
	BaseURL string
	// APIKey is sent as a bearer token with every request.
	APIKey string `json:"-"`
	// MaxFrameBytes bounds one message of the socket. The body of a REST answer
	// may have four times as much, and 64 MiB in any case.
	MaxFrameBytes int64
	// UserAgent names this program to the vendor.
	UserAgent string
	// HandshakeTimeout bounds Dial.
	HandshakeTimeout time.Duration
	// RequestTimeout bounds one REST request with the reading of its answer.
	RequestTimeout time.Duration
	// PingInterval is the time between two pings on the socket.
	PingInterval time.Duration
	// IdleTimeout is how long the socket may bring nothing, not even a pong,
	// before it counts as dead. It has to be longer than PingInterval.
	IdleTimeout time.Duration
}

// Validate reports the first setting that cannot be used, with the flag and the
// environment variable to change. It never quotes the key.
func (c Config) Validate() error {
	if _, err := c.baseURL(); err != nil {
		return err
	}
	if err := c.validateKey(); err != nil {
		return err
	}
	c = c.withDefaults()
	if c.MaxFrameBytes < 0 || c.MaxFrameBytes > maxMaxFrameBytes {
		return fmt.Errorf("the largest frame cannot be %d bytes: set --max-frame-bytes or ARCHIVER_MAX_FRAME_BYTES to a number from 1 to %d", c.MaxFrameBytes, maxMaxFrameBytes)
	}
	for _, t := range []struct {
		name string
		d    time.Duration
	}{
		{"HandshakeTimeout", c.HandshakeTimeout},
		{"RequestTimeout", c.RequestTimeout},
		{"PingInterval", c.PingInterval},
		{"IdleTimeout", c.IdleTimeout},
	} {
		if t.d < 0 {
			return fmt.Errorf("%s is %s: it has to be positive, or zero for the default", t.name, t.d)
		}
	}
	if c.IdleTimeout <= c.PingInterval {
		return fmt.Errorf("IdleTimeout is %s: it has to be longer than PingInterval (%s), or every quiet connection would be taken for a dead one", c.IdleTimeout, c.PingInterval)
	}
	return nil
}

const urlRemedy = "set --api-url or INVENT_API_URL to something like " + DefaultBaseURL

// baseURL parses and checks BaseURL. A password in it, which is refused, is not quoted.
func (c Config) baseURL() (*url.URL, error) {
	if c.BaseURL == "" {
		return nil, errors.New("no API URL: " + urlRemedy)
	}
	if strings.ContainsAny(c.BaseURL, "@") {
		return nil, errors.New("the API URL has a user name or an @ in it (not shown here); the key has its own place, INVENT_API_KEY or --api-key-file: " + urlRemedy)
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("the API URL %q cannot be parsed: %s", c.BaseURL, urlRemedy)
	}
	switch {
	case u.Hostname() == "":
		return nil, fmt.Errorf("the API URL %q names no host: %s", c.BaseURL, urlRemedy)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, fmt.Errorf("the API URL %q has a query or a fragment, which would not be sent: %s", c.BaseURL, urlRemedy)
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("the API URL %q is plain http and would send the API key in the clear; that is allowed to localhost, 127.0.0.0/8 and ::1 only: %s", c.BaseURL, urlRemedy)
	default:
		return nil, fmt.Errorf("the API URL %q has to start with https:// (the socket's address is made from it): %s", c.BaseURL, urlRemedy)
	}
}

// isLoopback tells whether what is sent to host stays on this machine. A name
// is not looked up, so localhost is the only one believed.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (c Config) validateKey() error {
	if c.APIKey == "" {
		return errors.New("no API key: set INVENT_API_KEY, or name a file that holds it with --api-key-file or INVENT_API_KEY_FILE")
	}
	for i := range len(c.APIKey) {
		if b := c.APIKey[i]; b <= ' ' || b >= 0x7f {
			return fmt.Errorf("the API key has a space or an unprintable character at position %d of %d: check INVENT_API_KEY or the file of --api-key-file", i+1, len(c.APIKey))
		}
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MaxFrameBytes == 0 {
		c.MaxFrameBytes = DefaultMaxFrameBytes
	}
	if c.UserAgent == "" {
		c.UserAgent = defaultUserAgent
	}
	if c.HandshakeTimeout == 0 {
		c.HandshakeTimeout = DefaultHandshakeTimeout
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.PingInterval == 0 {
		c.PingInterval = DefaultPingInterval
	}
	if c.IdleTimeout == 0 {
		c.IdleTimeout = max(DefaultIdleTimeout, 3*c.PingInterval)
	}
	return c
}

// String shows the address only. With GoString and LogValue it keeps the key
// out of %v, %+v, %#v and slog.
func (c Config) String() string { return "invent.Config{" + c.shownURL() + "}" }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// LogValue is String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) shownURL() string {
	u, err := c.baseURL()
	if err != nil {
		return "unusable URL"
	}
	return u.String()
}

// Client asks the Invent API, for any number of orgs and from any number of
// goroutines. It holds idle REST connections; [Client.CloseIdle] gives them back.
type Client struct {
	base *url.URL
	// header returns the headers of a request, the key among them. It is a function
	// so that printing a Client cannot print the key.
	header func() http.Header
	rest   *http.Client
	tls    *tls.Config // nil: the system's roots

	maxFrame, maxBody          int64
	handshake, request         time.Duration
	pingInterval, idleInterval time.Duration
}

// NewClient validates cfg and returns a client. It sends nothing yet.
func NewClient(cfg Config) (*Client, error) { return newClient(cfg, nil) }

func newClient(cfg Config, roots *tls.Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	base, err := cfg.baseURL()
	if err != nil {
		return nil, err
	}
	base = base.JoinPath("/") // a path that is joined to none would lack its slash
	cfg = cfg.withDefaults()
	c := &Client{
		base: base,
		header: func() http.Header {
			return http.Header{
				"Authorization": {"Bearer " + cfg.APIKey},
				"User-Agent":    {cfg.UserAgent},
			}
		},
		tls:          roots,
		maxFrame:     cfg.MaxFrameBytes,
		maxBody:      max(minBodyBytes, 4*cfg.MaxFrameBytes),
		handshake:    cfg.HandshakeTimeout,
		request:      cfg.RequestTimeout,
		pingInterval: cfg.PingInterval,
		idleInterval: cfg.IdleTimeout,
	}
	c.rest = &http.Client{Transport: c.transport(newDialer().DialContext), CheckRedirect: refuseRedirect}
	return c, nil
}

// transport speaks HTTP/1.1 over connections made by dial. The WebSocket upgrade
// needs HTTP/1.1; REST keeps to it because a request that timed out then takes
// its connection with it, where HTTP/2 would send the next one down the same dead one.
func (c *Client) transport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                  proxyFromEnvironment,
		DialContext:            dial,
		TLSClientConfig:        c.tls.Clone(),
		Protocols:              protocols,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    c.handshake,
		MaxResponseHeaderBytes: 1 << 20,
	}
}

func newDialer() *net.Dialer {
	return &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
}

// proxyFromEnvironment obeys HTTPS_PROXY and NO_PROXY. Its error does not quote the
// proxy's address, which may hold a password.
func proxyFromEnvironment(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy in HTTPS_PROXY or HTTP_PROXY is no usable URL (not shown here)")
	}
	return u, nil
}

// refuseRedirect keeps the key from following a redirect to wherever it points.
func refuseRedirect(req *http.Request, via []*http.Request) error {
	return &RedirectError{Path: via[0].URL.EscapedPath(), Target: req.URL.Scheme + "://" + req.URL.Host}
}

// url makes the address of an endpoint. Ids among the segments come from the
// vendor's data and are escaped; those that would still change the path are refused.
func (c *Client) url(segments ...string) (*url.URL, error) {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return nil, fmt.Errorf("the id %q cannot be part of an address", s)
		}
		escaped[i] = url.PathEscape(s)
	}
	return c.base.JoinPath(escaped...), nil
}

// CloseIdle closes the REST connections that no request is using. The client
// can be used again afterwards.
func (c *Client) CloseIdle() { c.rest.CloseIdleConnections() }
