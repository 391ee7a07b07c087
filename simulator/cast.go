package simulator

import (
	"fmt"
	"strconv"
)

// moment is a point in the world's history. Everything that is described inside other objects (a name, a configuration)
// keeps its versions, so that a chat can be rendered as it is now or as it was when it was last sent.
type moment struct {
	revision uint32 // counts the world's steps
	at       int64  // milliseconds since 1970
}

// organization is one org with everybody and everything in it.
type organization struct {
	n          int
	id, name   string
	parent     *organization
	language   uint8
	agents     []*agent // the deleted ones included
	assistants []*assistant
	contacts   []*contact
	chats      []*chat
	broadcasts []*broadcast
	shifted    int // how often a list was shifted under its reader
}

// agent is a person of the team. Seen_at is a pure function of time, since it changes all day without any event.
type agent struct {
	id, email string
	phase     int64
	deleted   bool
	versions  []agentVersion
}

type agentVersion struct {
	since        uint32
	name, avatar string
}

func (a *agent) asOf(m moment) *agentVersion {
	i := len(a.versions) - 1
	for i > 0 && a.versions[i].since > m.revision {
		i--
	}
	return &a.versions[i]
}

// seenAt steps every twenty minutes, at another minute for each agent.
func (a *agent) seenAt(m moment) int64 {
	const step = 20 * minute
	return (m.at-a.phase)/step*step + a.phase
}

// assistant is an AI assistant; a version is one configuration of it with the JSON blocks that every event repeats.
type assistant struct {
	org          *organization
	id           string
	number       int
	integrations []*integration // in the order of integrationKinds
	versions     []assistantVersion
}

type assistantVersion struct {
	since        uint32
	name, avatar string
	enabled      bool
	deleted      bool
	model        string
	csat         bool // enable_auto_csat
	followUps    bool // enable_auto_follow_ups
	seed         uint64
	tools        int
	// The blocks, rendered with unset fields absent and as null.
	description, config, toolset, features [2][]byte
}

func (a *assistant) asOf(m moment) *assistantVersion {
	i := len(a.versions) - 1
	for i > 0 && a.versions[i].since > m.revision {
		i--
	}
	return &a.versions[i]
}

func (a *assistant) now() *assistantVersion { return &a.versions[len(a.versions)-1] }

// integration connects an assistant to one kind of channel.
type integration struct {
	kind     *integrationKind
	id       string
	versions []integrationVersion
}

type integrationVersion struct {
	since              uint32
	enabled, connected bool
}

func (i *integration) asOf(m moment) integrationVersion {
	n := len(i.versions) - 1
	for n > 0 && i.versions[n].since > m.revision {
		n--
	}
	return i.versions[n]
}

// contact is a customer; a channel is one of the ways to reach them.
type contact struct {
	n        uint64
	language uint8
	admin    bool
	channels []*channel
	versions []contactVersion
}

type contactVersion struct {
	since   uint32
	name    uint32 // seed of the name; 0: not known yet
	avatar  uint32 // 0: none
	blocked bool
}

func (c *contact) asOf(m moment) contactVersion {
	i := len(c.versions) - 1
	for i > 0 && c.versions[i].since > m.revision {
		i--
	}
	return c.versions[i]
}

func (c *contact) now() contactVersion { return c.versions[len(c.versions)-1] }

// change adds a version that differs as edit says.
func (c *contact) change(revision uint32, edit func(*contactVersion)) {
	v := c.now()
	v.since = revision
	edit(&v)
	c.versions = append(c.versions, v)
}

type channel struct {
	n       uint64
	contact *contact
	kind    *integrationKind
}

// broadcast is one mass message with what became of it for each chat.
type broadcast struct {
	n          uint64
	at         int64
	kind       *integrationKind
	recipients []recipient
}

type recipient struct {
	chat                        *chat
	at, delivered, opened, fail int64
}

// cast peoples the world: the agency and its sub-organizations, each with a team and assistants.
func (w *World) cast() {
	for n := range w.cfg.Orgs {
		o := &organization{
			n: n, id: w.id(idOrg, uint64(n)), name: companies[n%len(companies)],
			language: uint8(w.rng.IntN(len(languages))),
		}
		if n == 0 {
			o.name = "Harbor Agency"
		} else {
			o.parent = w.orgs[0]
		}
		if n >= len(companies) {
			o.name += " " + strconv.Itoa(n)
		}
		for range w.cfg.Agents {
			w.hire(o)
		}
		for i := range w.cfg.Assistants {
			w.build(o, i)
		}
		w.orgs = append(w.orgs, o)
		w.byOrg[o.id] = o
	}
}

// hire adds an agent to the team.
func (w *World) hire(o *organization) *agent {
	w.agents++
	seed := w.rng.Uint64()
	lang := o.language
	if seed%3 == 0 {
		lang = 0
	}
	a := &agent{
		id:    w.id(idUser, uint64(w.agents)),
		email: fmt.Sprintf("agent%d@%s.example.com", w.agents, "team"+strconv.Itoa(o.n)),
		phase: int64(seed % uint64(20*minute)),
	}
	v := agentVersion{since: w.revision, name: personName(lang, seed)}
	if seed%5 != 0 {
		v.avatar = avatarURL(seed)
	}
	a.versions = append(a.versions, v)
	o.agents = append(o.agents, a)
	return a
}

// build adds an assistant with an integration of every kind.
func (w *World) build(o *organization, number int) {
	a := &assistant{org: o, id: w.id(idAssistant, uint64(o.n)<<16|uint64(number)), number: number}
	for i := range integrationKinds {
		a.integrations = append(a.integrations, &integration{
			kind:     &integrationKinds[i],
			id:       w.id(idIntegration, uint64(o.n)<<32|uint64(number)<<16|uint64(i)),
			versions: []integrationVersion{{since: w.revision, enabled: true, connected: integrationKinds[i].id != "internal"}},
		})
	}
	v := assistantVersion{
		since: w.revision, name: assistantNames[(o.n*3+number)%len(assistantNames)], enabled: true,
		model: models[w.rng.IntN(len(models))], csat: number != 2, followUps: true, seed: w.rng.Uint64(),
	}
	v.tools = w.toolCount(a)
	if number != 2 {
		v.avatar = avatarURL(v.seed)
	}
	w.render(a, &v)
	a.versions = append(a.versions, v)
	o.assistants = append(o.assistants, a)
}

// Assistants come in three makes: usual ones, plain ones without tools and with short instructions, and elaborate ones.
const (
	makeUsual = iota
	makePlain
	makeElaborate
)

func (a *assistant) make() int { return a.number % 3 }

func (w *World) toolCount(a *assistant) int {
	switch a.make() {
	case makePlain:
		return 0
	case makeElaborate:
		return 8 + w.rng.IntN(5)
	}
	return 6 + w.rng.IntN(2)
}

// anAssistant picks an assistant for a new chat; plain ones are the most common.
func (w *World) anAssistant(o *organization) *assistant {
	a := o.assistants[w.rng.IntN(len(o.assistants))]
	if a.make() == makeElaborate && w.chance(0.5) {
		a = o.assistants[w.rng.IntN(len(o.assistants))]
	}
	if a.make() != makePlain && len(o.assistants) > 1 && w.chance(0.6) {
		a = o.assistants[1]
	}
	return a
}

func avatarURL(seed uint64) string {
	return "https://cdn.example.com/avatars/" + strconv.FormatUint(seed>>40, 36) + ".png"
}

// changeAssistant gives an assistant a new version.
func (w *World) changeAssistant(a *assistant, edit func(*assistantVersion)) {
	v := *a.now()
	v.since = w.revision
	edit(&v)
	w.render(a, &v)
	a.versions = append(a.versions, v)
}

// meet makes a new contact; its name may become known later.
func (w *World) meet(o *organization, lang uint8) *contact {
	w.contacts++
	c := &contact{n: uint64(w.contacts), language: lang, admin: w.chance(0.02)}
	v := contactVersion{since: w.revision}
	if w.chance(0.85) {
		v.name = w.rng.Uint32() | 1
	}
	if w.chance(0.5) {
		v.avatar = w.rng.Uint32() | 1
	}
	c.versions = []contactVersion{v}
	o.contacts = append(o.contacts, c)
	return c
}

// reach gives the contact's channel of a kind, made when there is none.
func (w *World) reach(c *contact, kind *integrationKind) *channel {
	for _, ch := range c.channels {
		if ch.kind == kind {
			return ch
		}
	}
	w.channels++
	ch := &channel{n: uint64(w.channels), contact: c, kind: kind}
	c.channels = append(c.channels, ch)
	return ch
}
