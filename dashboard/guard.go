package dashboard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// policy forbids scripts, frames, and everything from elsewhere.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// withHeaders sets what holds for every answer.
func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// onlyHosts refuses requests under a name that is not ours: a page elsewhere can let its own name resolve to this machine and read
// what its browser is then given (DNS rebinding). No name resolves to a literal address, so these are safe.
func onlyHosts(names []string, next http.Handler) http.Handler {
	var allowed []string
	for _, name := range append([]string{"localhost"}, names...) {
		allowed = append(allowed, strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), ".")))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host
		if host, _, err := net.SplitHostPort(name); err == nil {
			name = host
		}
		name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
		if _, err := netip.ParseAddr(name); err != nil && !slices.Contains(allowed, name) {
			http.Error(w, "This dashboard does not go by that name. Whoever runs it can allow the name with --allow-host.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onlyReading refuses every method that is meant to change something.
func onlyReading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "This dashboard can only be read.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guard asks for the password.
type guard struct {
	isOpen bool
	sum    [sha256.Size]byte
	now    func() time.Time

	mu       sync.Mutex
	failures map[netip.Prefix]*allowance
}

// allowance is how many wrong passwords an address may still send.
type allowance struct {
	left float64
	at   time.Time
}

const (
	// failuresAtOnce may be wrong one after another; then one more every failureEvery.
	failuresAtOnce = 10
	failureEvery   = 6 * time.Second
	// mostAddresses bounds what is remembered of them.
	mostAddresses = 10_000
)

func newGuard(password string) *guard {
	return &guard{isOpen: password == "", sum: sha256.Sum256([]byte(password)), now: time.Now, failures: map[netip.Prefix]*allowance{}}
}

func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.isOpen {
			next.ServeHTTP(w, r)
			return
		}
		from := addressOf(r)
		given, isGiven := credential(r)
		verdict := notGiven
		if isGiven {
			verdict = g.try(from, given)
		}
		switch verdict {
		case right:
			next.ServeHTTP(w, r)
			return
		case throttled:
			w.Header().Set("Retry-After", "60")
			http.Error(w, "Too many wrong passwords came from your address. Wait a minute.", http.StatusTooManyRequests)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="archiver dashboard", charset="UTF-8"`)
		http.Error(w, "A password is needed; any user name will do.", http.StatusUnauthorized)
	})
}

// credential is the password of Basic, or the token of Bearer.
func credential(r *http.Request) (string, bool) {
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// addressOf is who asks: an address, or the network of an IPv6 one, of which one machine has many. Behind a proxy it is the
// proxy's: headers that name another can be made up.
func addressOf(r *http.Request) netip.Prefix {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	address := from.Addr().Unmap()
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}

// verdict is what became of a password.
type verdict int

const (
	notGiven verdict = iota
	wrong
	right
	throttled
)

// try compares a password, unless the address has sent too many wrong ones: then it is not even looked at.
func (g *guard) try(from netip.Prefix, given string) verdict {
	sum := sha256.Sum256([]byte(given))
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	a := g.failures[from]
	if a != nil {
		if a.refill(now); a.left < 1 {
			return throttled
		}
	}
	if subtle.ConstantTimeCompare(sum[:], g.sum[:]) == 1 {
		return right
	}
	if a == nil {
		if len(g.failures) >= mostAddresses {
			g.forget(now)
		}
		a = &allowance{left: failuresAtOnce, at: now}
		g.failures[from] = a
	}
	a.left--
	return wrong
}

func (a *allowance) refill(now time.Time) {
	a.left = min(failuresAtOnce, a.left+float64(now.Sub(a.at))/float64(failureEvery))
	a.at = now
}

// forget makes room: whoever has all of the allowance again is as unknown; without any of these, all are forgotten.
func (g *guard) forget(now time.Time) {
	for from, a := range g.failures {
		if a.refill(now); a.left >= failuresAtOnce {
			delete(g.failures, from)
		}
	}
	if len(g.failures) >= mostAddresses {
		clear(g.failures)
	}
}
