package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"

	"archiver/dashboard"
	"archiver/postgres"
)

type dashboardCommand struct {
	Listen       string   `name:"listen" placeholder:"HOST:PORT" default:"127.0.0.1:8080" from:"ARCHIVER_DASHBOARD_LISTEN" help:"Where the page is served. Anything but loopback needs a password."`
	PasswordFile string   `name:"password-file" placeholder:"FILE" from:"ARCHIVER_DASHBOARD_PASSWORD_FILE" help:"File that holds the password (any user name goes with it) or bearer token, unless it is in $$ARCHIVER_DASHBOARD_PASSWORD; where both are set, the file counts."`
	AllowHost    []string `name:"allow-host" placeholder:"NAME" from:"ARCHIVER_DASHBOARD_HOSTS" help:"Names, repeated or with commas, under which browsers may ask for it, as those a reverse proxy serves it under; localhost and IP addresses always may."`
	Role         string   `name:"role" placeholder:"ROLE" from:"ARCHIVER_DASHBOARD_ROLE" help:"Read as this role, which archiver grant lets read, and see its organizations only (default: as the user of the connection)."`
}

// Help is kong's longer description.
func (dashboardCommand) Help() string {
	return `Pictures and tables of the archive as web pages: how the inbox stands, volume, response times, what the AI does, agents, CSAT, backlog, cost, ads and broadcasts, and how complete all of it is. Each shows of how many it is, what it means, and its SQL, and can be had as CSV. It reads the schemas inbox and analytics, and writes nothing. Without encryption of its own: on a network, put a reverse proxy with TLS before it (docs/dashboard.md).

Examples:

    archiver dashboard
    archiver dashboard --role dashboard --listen 127.0.0.1:9000
    ARCHIVER_DASHBOARD_PASSWORD=… archiver dashboard --listen 0.0.0.0:8080 --allow-host inbox.example.com`
}

func (*dashboardCommand) endless() {}

// Run serves the page until the program is told to stop.
func (c *dashboardCommand) Run(p *program) error {
	password, err := c.password(p.env)
	if err != nil {
		return err
	}
	if err := c.validate(password); err != nil {
		return err
	}
	return p.lookInto(func(db *database) error {
		// A role that archiver grant lets read may not ask for the schema's version: the pages tell what is not there.
		if err := db.checkSchema(p.ctx); err != nil && !isForbidden(err) {
			return err
		}
		listener, err := listenOn(c.Listen, "--listen or ARCHIVER_DASHBOARD_LISTEN")
		if err != nil {
			return err
		}
		board, err := openDashboard(p.ctx, db, c.Role, dashboard.Config{Password: password, Hosts: hostNames(c.AllowHost), Log: p.log})
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		defer board.close()
		fmt.Fprintf(p.stdout, "The dashboard is on http://%s/\nCtrl-C stops it.\n", listener.Addr())
		return board.Serve(p.ctx, listener)
	})
}

// password reads the password from its file, else from the environment.
func (c *dashboardCommand) password(env environment) (string, error) {
	if c.PasswordFile == "" {
		return strings.TrimRight(env.get("ARCHIVER_DASHBOARD_PASSWORD"), "\r\n"), nil
	}
	content, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", usagef("the file of --password-file or ARCHIVER_DASHBOARD_PASSWORD_FILE cannot be read: %w", err)
	}
	password := strings.TrimRight(string(content), "\r\n")
	if password == "" {
		return "", usagef("the file %s of --password-file or ARCHIVER_DASHBOARD_PASSWORD_FILE is empty: write a password into it", c.PasswordFile)
	}
	return password, nil
}

// validate refuses to show the inbox to a whole network.
func (c *dashboardCommand) validate(password string) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return usagef("--listen or ARCHIVER_DASHBOARD_LISTEN is %q: write it as host:port, as 127.0.0.1:8080", c.Listen)
	}
	if password == "" && !isLoopback(host) {
		return usagef("--listen or ARCHIVER_DASHBOARD_LISTEN is %q, where others can reach it, and there is no password: set ARCHIVER_DASHBOARD_PASSWORD or --password-file, or listen on 127.0.0.1", c.Listen)
	}
	return nil
}

// isLoopback reports whether only this machine can reach what listens there. A name other than localhost may resolve to anything.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

// hostNames takes what was repeated or separated by commas apart.
func hostNames(given []string) (names []string) {
	for _, list := range given {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// board is a dashboard with connections of its own, which cannot write.
type board struct {
	*dashboard.Server
	close func()
}

func openDashboard(ctx context.Context, db *database, role string, config dashboard.Config) (*board, error) {
	pool, err := postgres.Connect(ctx, db.pool.Config().ConnString(), dashboard.Reading(role))
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		if role != "" {
			return nil, usagef("--role or ARCHIVER_DASHBOARD_ROLE is %q, which the user of the connection cannot take on: %w; make the role, archiver grant it, and GRANT it to that user", role, err)
		}
		return nil, db.explain(err)
	}
	config.Pool = pool
	server, err := dashboard.New(config)
	if err != nil {
		pool.Close()
		return nil, err
	}
	return &board{server, pool.Close}, nil
}

// serveDemo serves the dashboard of a demo on the usual port, or on a free one, until ctx ends; url is empty where it cannot.
func serveDemo(ctx context.Context, db *database, log *slog.Logger) (url string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return "", nil, fmt.Errorf("finding a free port for the dashboard: %w", err)
		}
	}
	board, err := openDashboard(ctx, db, "", dashboard.Config{Log: log})
	if err != nil {
		return "", nil, errors.Join(err, listener.Close())
	}
	serving, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := board.Serve(serving, listener); err != nil {
			log.Warn("the dashboard is not served any more", "error", err)
		}
	}()
	return "http://" + listener.Addr().String() + "/", func() {
		end()
		<-done
		board.close()
	}, nil
}
