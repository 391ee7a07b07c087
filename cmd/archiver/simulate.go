package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"strings"
	"time"

	"archiver/simulator"

	"golang.org/x/sync/errgroup"
)

type simulateCommand struct {
	Listen string   `name:"listen" placeholder:"HOST:PORT" default:"127.0.0.1:8787" help:"Where it is served."`
	Seed   uint64   `name:"seed" placeholder:"N" default:"1" help:"Decides everything that is left to chance: the same seed gives the same organizations and conversations."`
	Orgs   int      `name:"orgs" placeholder:"N" default:"3" help:"Organizations; the first is the agency, the others its sub-organizations."`
	Chats  int      `name:"chats" placeholder:"N" default:"200" help:"Live chats of an organization at a time."`
	Days   int      `name:"days" placeholder:"N" default:"30" help:"Days of history up to now."`
	Rate   float64  `name:"rate" placeholder:"N" default:"10" help:"Events a second, over all organizations."`
	Speed  float64  `name:"speed" placeholder:"N" help:"Instead of --rate: send the history over the socket at this many simulated seconds a second, once every organization has a client; it ends now."`
	Replay bool     `name:"replay" help:"Send the history over the socket first, as fast as it is taken, once every organization has a client; then go on at --rate."`
	Quirks []string `name:"quirks" placeholder:"NAME" help:"Readings of the API that its documentation leaves open, by name; several are put together. One of: ${quirks}."`
}

// Help is kong's longer description.
func (simulateCommand) Help() string {
	return `Serves Invent's API on this machine: the inbox socket and the REST lists, with made-up conversations that go on as long as it runs. Nothing is stored.

Examples:

    archiver simulate
    archiver simulate --listen 127.0.0.1:9000 --seed 7 --rate 500
    archiver simulate --orgs 1 --days 60 --replay
    archiver simulate --days 90 --speed 50000 --quirks nulls,repeats`
}

// Run serves the simulator until the program is told to stop.
func (c *simulateCommand) Run(p *program) error {
	quirks, err := c.validate()
	if err != nil {
		return err
	}
	listener, err := listenOn(c.Listen, "--listen")
	if err != nil {
		return err
	}
	defer listener.Close()
	world, server := c.world(p, quirks)
	c.introduce(p, world, listener.Addr())

	group, ctx := errgroup.WithContext(p.ctx)
	group.Go(func() error { return server.Run(ctx, listener) })
	group.Go(func() error {
		if c.Replay {
			if err := c.replay(ctx, p, world, server); err != nil {
				return err
			}
		}
		err := server.Play(ctx)
		if err == nil {
			fmt.Fprintln(p.stdout, "The history was sent; the lists stay. Ctrl-C stops it.")
		}
		return err
	})
	if err := group.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// world makes the history, and the server that goes on with it or sends it.
func (c *simulateCommand) world(p *program, quirks simulator.Quirks) (*simulator.World, *simulator.Server) {
	now := time.Now()
	config := simulator.Config{Seed: c.Seed, Orgs: c.Orgs, Chats: c.Chats, Start: now.AddDate(0, 0, -c.Days), Quirks: quirks}
	options := simulator.ServerOptions{NoLedger: true, PingEvery: 30 * time.Second, Log: p.log}
	if c.Speed > 0 {
		config.End, options.Speed, options.HoldWithoutClient = now, c.Speed, true
		world := simulator.NewWorld(config)
		return world, simulator.NewServer(world, options)
	}
	options.Rate, options.Live = c.Rate, true
	world := simulator.NewWorld(config)
	server := simulator.NewServer(world, options)
	if c.Replay {
		return world, server
	}
	fmt.Fprintf(p.stdout, "Making %d days of history …\n", c.Days)
	fmt.Fprintf(p.stdout, "%d events happened; what came of them is in the lists.\n", server.FastForward(now))
	return world, server
}

// replay sends the history to those who listen, so that they see what happened and not only what came of it.
func (c *simulateCommand) replay(ctx context.Context, p *program, world *simulator.World, server *simulator.Server) error {
	for _, org := range world.Orgs() {
		if err := server.WaitForClients(ctx, org.ID, 1); err != nil {
			return err
		}
	}
	events, err := server.PlayUntil(ctx, time.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%d days of history, %d events, were sent; it goes on at %g events a second.\n", c.Days, events, c.Rate)
	return nil
}

// validate checks the numbers and puts the quirks together.
func (c *simulateCommand) validate() (quirks simulator.Quirks, err error) {
	for _, f := range []struct {
		name  string
		value float64
	}{{"orgs", float64(c.Orgs)}, {"chats", float64(c.Chats)}, {"rate", c.Rate}} {
		if !(f.value > 0) {
			return quirks, usagef("--%s is %v: it has to be above 0", f.name, f.value)
		}
	}
	if c.Speed < 0 {
		return quirks, usagef("--speed is %v: it has to be above 0; leave it out for --rate", c.Speed)
	}
	if c.Speed > 0 && c.Replay {
		return quirks, usagef("--replay sends the history as fast as it is taken and --speed at a pace: leave one of them out")
	}
	if c.Days < 0 || c.Days > 3650 {
		return quirks, usagef("--days is %d: it has to be from 0 to 3650", c.Days)
	}
	all := reflect.ValueOf(&quirks).Elem()
	for _, name := range c.Quirks {
		one, ok := findQuirks(name)
		if !ok {
			return quirks, usagef("--quirks %s is not known: use one or several of %s", name, strings.Join(quirkNames(), ", "))
		}
		for i, field := range reflect.ValueOf(one).Fields() {
			if !field.IsZero() {
				all.FieldByIndex(i.Index).Set(field)
			}
		}
	}
	return quirks, nil
}

func findQuirks(name string) (simulator.Quirks, bool) {
	for _, q := range simulator.AllQuirks() {
		if quirkName(q) == strings.ReplaceAll(name, " ", "-") {
			return q.Quirks, true
		}
	}
	return simulator.Quirks{}, false
}

// quirkName is a name that needs no quotes in a shell.
func quirkName(q simulator.NamedQuirks) string { return strings.ReplaceAll(q.Name, " ", "-") }

func quirkNames() (names []string) {
	for _, q := range simulator.AllQuirks() {
		names = append(names, quirkName(q))
	}
	return names
}

// introduce says how to use it.
func (c *simulateCommand) introduce(p *program, world *simulator.World, address net.Addr) {
	base := "http://" + address.String()
	pace := fmt.Sprintf("%g events a second", c.Rate)
	if c.Replay {
		pace = fmt.Sprintf("%d days of history once it is listened to, and then %g events a second", c.Days, c.Rate)
	}
	if c.Speed > 0 {
		pace = fmt.Sprintf("%d days of history at %g simulated seconds a second, once it is listened to", c.Days, c.Speed)
	}
	fmt.Fprintf(p.stdout, "\nA local Invent is served on %s, with %s. Its API key: %s\n\n", base, pace, simulator.DefaultKey)
	t := newTable(p.stdout)
	t.AppendHeader([]any{"organization", "name", "chats"})
	var ids []string
	for _, org := range world.Orgs() {
		ids = append(ids, org.ID)
		t.AppendRow([]any{org.ID, org.Name, len(world.ChatIDs(org.ID))})
	}
	t.Render()
	fmt.Fprintf(p.stdout, `
Archive it, in another terminal:

    INVENT_API_KEY=%[1]s %[4]s ingest --api-url %[2]s --org %[3]s

Look at it:

    curl -s -H 'Authorization: Bearer %[1]s' '%[2]s/orgs/c/inbox?take=2'

Ctrl-C stops it.
`, simulator.DefaultKey, base, strings.Join(ids, ","), self())
}
