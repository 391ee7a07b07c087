package dashboard

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed templates/*.html static/*
var files embed.FS

// Config is what a Server is made of.
type Config struct {
	// Pool is where it asks. Make it with Reading, so that it cannot write.
	Pool *pgxpool.Pool
	// Password opens the page, as the password of any user (HTTP Basic) or as a bearer token. Empty: nobody is asked, which is
	// for loopback only.
	Password string
	// Hosts are the names, without a port, under which it may be asked, beside localhost and IP addresses: what another name
	// resolves to is in somebody else's hands.
	Hosts []string
	Log   *slog.Logger
}

// Server is the web page. It is an http.Handler; Serve puts it on a listener.
type Server struct {
	pool      *pgxpool.Pool
	log       *slog.Logger
	handler   http.Handler
	templates *template.Template
	style     []byte
	styleURL  string
}

const (
	// statementTimeout bounds a statement; pageTimeout all of a page.
	statementTimeout = 10 * time.Second
	pageTimeout      = 20 * time.Second
	// connections are what all visitors share. A page asks its panels at once, and as many as there are cores answer faster.
	connections = 4
)

// Reading makes a pool's sessions such as the page needs: they cannot write, end a statement that takes too long, and take on a
// role when one is named, whose rights and orgs then hold. It is for pgxpool.Config, as postgres.Connect takes it.
func Reading(role string) func(*pgxpool.Config) {
	return func(config *pgxpool.Config) {
		parameters := config.ConnConfig.RuntimeParams
		parameters["application_name"] = "archiver dashboard"
		parameters["default_transaction_read_only"] = "on"
		parameters["statement_timeout"] = fmt.Sprint(statementTimeout.Milliseconds())
		parameters["jit"] = "off"
		// What a month's percentiles sort fits into it. A page's panels are asked side by side, which is what more cores are for.
		parameters["work_mem"] = "32MB"
		parameters["max_parallel_workers_per_gather"] = "0"
		// A plan for any filter would be one for no filter.
		parameters["plan_cache_mode"] = "force_custom_plan"
		config.MaxConns = connections
		if role == "" {
			return
		}
		before := config.AfterConnect
		config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			if before != nil {
				if err := before(ctx, conn); err != nil {
					return err
				}
			}
			if _, err := conn.Exec(ctx, "set role "+pgx.Identifier{role}.Sanitize()); err != nil {
				return fmt.Errorf("taking on role %s: %w", role, err)
			}
			return nil
		}
	}
}

// New makes a Server.
func New(config Config) (*Server, error) {
	if config.Pool == nil || config.Log == nil {
		return nil, errors.New("dashboard: a Config needs a Pool and a Log")
	}
	s := &Server{pool: config.Pool, log: config.Log}
	var err error
	if s.templates, err = template.ParseFS(files, "templates/*.html"); err != nil {
		return nil, fmt.Errorf("reading the templates: %w", err)
	}
	if s.style, err = files.ReadFile("static/style.css"); err != nil {
		return nil, fmt.Errorf("reading the stylesheet: %w", err)
	}
	icon, err := files.ReadFile("static/icon.svg")
	if err != nil {
		return nil, fmt.Errorf("reading the icon: %w", err)
	}
	sum := sha256.Sum256(s.style)
	s.styleURL = "/style-" + hex.EncodeToString(sum[:6]) + ".css"

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { s.servePage(w, r, pages[0]) })
	for _, p := range pages {
		mux.HandleFunc("GET /"+p.id, func(w http.ResponseWriter, r *http.Request) { s.servePage(w, r, p) })
	}
	mux.HandleFunc("GET /sql/{panel}", s.serveSQL)
	mux.HandleFunc("GET /csv/{panel}", s.serveCSV)
	mux.HandleFunc("GET "+s.styleURL, serveFile("text/css; charset=utf-8", s.style))
	mux.HandleFunc("GET /icon.svg", serveFile("image/svg+xml", icon))
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		s.message(w, http.StatusNotFound, "There is no such page", "The address may be mistyped.", "/")
	})
	guarded := newGuard(config.Password).protect(mux)

	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", s.serveHealth)
	outer.Handle("/", guarded)
	s.handler = withHeaders(onlyHosts(config.Hosts, http.NewCrossOriginProtection().Handler(onlyReading(outer))))
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pageTimeout)
	defer cancel()
	began := time.Now()
	s.handler.ServeHTTP(w, r.WithContext(ctx))
	// The address holds ids, which are nobody's business: only which page it was is logged.
	s.log.Debug("a page was asked for", "path", r.URL.Path, "took_ms", time.Since(began).Milliseconds())
}

// Serve answers on a listener until ctx ends, and then waits a moment for the answers that are under way.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: pageTimeout + 10*time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving the dashboard: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if server.Shutdown(ending) != nil {
		_ = server.Close() // somebody reads too slowly to be waited for
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the dashboard: %w", err)
	}
	return nil
}

func serveFile(contentType string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		_, _ = w.Write(content) // fails only when the one who asked has gone
	}
}

// serveHealth says whether the database answers, and nothing else: it is asked without a password.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if s.pool.Ping(ctx) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, "the database does not answer")
		return
	}
	fmt.Fprintln(w, "ok")
}
