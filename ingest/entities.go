package ingest

import (
	"cmp"
	"slices"

	"archiver/db"
	"archiver/invent"
)

// entities are the rows of an org that are not of one chat alone.
type entities struct {
	users        *table[db.InboxUser, invent.User]
	contacts     *table[db.InboxContact, invent.Contact]
	channels     *table[db.InboxContactChannel, channelDescription]
	assistants   *table[db.InboxAssistant, invent.Assistant]
	integrations *table[db.InboxAssistantIntegration, integrationDescription]
	orgs         *sightings
	listed       map[string]*db.InboxOrg // staged: what the batch at hand says of orgs
	chatsListed  map[string]listing      // staged: whose whole list of chats it has read
	sessions     *sightings
	configs      *sightings
	toolsets     *sightings
}

// How many rows of a kind are remembered. A row that is not is read again when it is described again; the sizes hold
// the memory of an inbox of some ten thousand busy chats to a few tens of MB.
const (
	keptContacts = 16_384
	keptTeam     = 1_024
)

func newEntities() *entities {
	return &entities{
		users:        newTable(users, keptTeam),
		contacts:     newTable(contacts, keptContacts),
		channels:     newTable(contactChannels, keptContacts),
		assistants:   newTable(assistants, keptTeam),
		integrations: newTable(assistantIntegrations, keptTeam),
		orgs:         newSightings(keptTeam),
		sessions:     newSightings(keptContacts),
		configs:      newSightings(keptTeam),
		toolsets:     newSightings(keptTeam),
	}
}

// mentions are what a batch says of the rows of each kind, in the order of its events.
type mentions struct {
	users        []mention[invent.User]
	contacts     []mention[invent.Contact]
	channels     []mention[channelDescription]
	assistants   []mention[invent.Assistant]
	integrations []mention[integrationDescription]
	orgs         map[entityKey]observation
	listed       map[string]*db.InboxOrg // orgs that are described, by id
	chatsListed  map[string]listing      // orgs whose whole list of chats was read, by id
	sessions     map[entityKey]observation
	configs      map[entityKey]shown
	toolsets     map[entityKey]shown

	// What the mentions point to that is no part of an event.
	ofChannels     []channelDescription
	ofIntegrations []integrationDescription
}

// channelDescription is a channel and the contact it belongs to.
type channelDescription struct {
	*invent.ContactChannel
	contactID invent.Field[string]
}

// integrationDescription is an integration and the assistant of the state that names it.
type integrationDescription struct {
	*invent.AssistantIntegration
	assistantID invent.Field[string]
}

// shown is a block and when it was first shown.
type shown struct {
	*block
	seen observation
}

func newMentions() *mentions {
	return &mentions{
		orgs: map[entityKey]observation{}, listed: map[string]*db.InboxOrg{}, chatsListed: map[string]listing{}, sessions: map[entityKey]observation{},
		configs: map[entityKey]shown{}, toolsets: map[entityKey]shown{},
	}
}

// add collects what a description says of other rows than the chat's own.
func (m *mentions) add(d *description) {
	for _, b := range d.blocks {
		kind := m.toolsets
		if b.config != nil {
			kind = m.configs
		}
		key := entityKey{d.orgID, b.id}
		if was, ok := kind[key]; !ok || d.seen.compare(was.seen) < 0 {
			kind[key] = shown{b, d.seen}
		}
	}
	for member := range d.members() {
		m.addMember(d, member)
	}
	if d.chat != nil && d.chat.State.Given() {
		m.addState(d, d.chat.State.V)
	}
}

func (m *mentions) addMember(d *description, v *invent.Member) {
	if v.User.Given() {
		m.addUser(d, &v.User.V)
	}
	if v.Session.Given() && v.Session.V.ID.Given() {
		earliest(m.sessions, entityKey{d.orgID, v.Session.V.ID.V}, d.seen)
	}
	if c := &v.ContactChannel.V; v.ContactChannel.Given() && c.ID.Given() {
		contact := refer(c.Contact.Presence, c.Contact.V.ID)
		m.channels = append(m.channels, mention[channelDescription]{
			entityKey{d.orgID, c.ID.V}, d.seen, appended(&m.ofChannels, channelDescription{c, contact}),
		})
		if contact.Given() {
			m.contacts = append(m.contacts, mention[invent.Contact]{
				entityKey{d.orgID, contact.V}, d.seen, &c.Contact.V,
			})
		}
	}
}

func (m *mentions) addUser(d *description, u *invent.User) {
	if u.ID.Given() {
		m.users = append(m.users, mention[invent.User]{entityKey{d.orgID, u.ID.V}, d.seen, u})
	}
}

func (m *mentions) addState(d *description, s *invent.State) {
	if s.AssignedUser.Given() {
		m.addUser(d, &s.AssignedUser.V)
	}
	assistant := orNested(s.AssistantID, s.Assistant.Given(), s.Assistant.V.ID)
	integration := orNested(s.AssistantIntegrationID, s.AssistantIntegration.Given(), s.AssistantIntegration.V.ID)
	if assistant.Given() {
		m.assistants = append(m.assistants, mention[invent.Assistant]{
			key: entityKey{d.orgID, assistant.V}, seen: d.seen,
		})
	}
	if s.Assistant.Given() && s.Assistant.V.ID.Given() {
		m.assistants = append(m.assistants, mention[invent.Assistant]{
			entityKey{d.orgID, s.Assistant.V.ID.V}, d.seen, &s.Assistant.V,
		})
	}
	if integration.Given() {
		m.addIntegration(d, integration.V, integrationDescription{&undescribed, onlyGiven(assistant)})
	}
	if i := &s.AssistantIntegration.V; s.AssistantIntegration.Given() && i.ID.Given() {
		m.addIntegration(d, i.ID.V, integrationDescription{i, invent.Field[string]{}})
	}
}

func (m *mentions) addIntegration(d *description, id string, v integrationDescription) {
	m.integrations = append(m.integrations, mention[integrationDescription]{
		entityKey{d.orgID, id}, d.seen, appended(&m.ofIntegrations, v),
	})
}

// appended puts v behind the others, of which many are allocated at once, and says where it is. That stays true when the
// slice grows: what was appended is not changed again.
func appended[T any](to *[]T, v T) *T {
	*to = append(*to, v)
	return &(*to)[len(*to)-1]
}

// undescribed is an integration of which nothing is said.
var undescribed invent.AssistantIntegration

// onlyGiven makes of a null that nothing is said: a state without an assistant does not take the integration from its.
func onlyGiven(f invent.Field[string]) invent.Field[string] {
	if !f.Given() {
		return invent.Field[string]{}
	}
	return f
}

func earliest(of map[entityKey]observation, key entityKey, seen observation) {
	if was, ok := of[key]; !ok || seen.compare(was) < 0 {
		of[key] = seen
	}
}

// stage returns the queries for the rows that are mentioned and not remembered.
func (e *entities) stage(m *mentions) (reads []step) {
	e.orgs.stage(m.orgs)
	e.listed, e.chatsListed = m.listed, m.chatsListed
	e.sessions.stage(m.sessions)
	e.configs.stageBlocks(m.configs)
	e.toolsets.stageBlocks(m.toolsets)
	for _, read := range []step{
		e.users.stage(m.users),
		e.contacts.stage(m.contacts),
		e.channels.stage(m.channels),
		e.assistants.stage(m.assistants),
		e.integrations.stage(m.integrations),
	} {
		if read != nil {
			reads = append(reads, read)
		}
	}
	return reads
}

// apply works out what the batch makes of the rows.
func (e *entities) apply(m *mentions, mayBeLate bool) {
	e.users.applyAll(m.users, mayBeLate)
	e.contacts.applyAll(m.contacts, mayBeLate)
	e.channels.applyAll(m.channels, mayBeLate)
	e.assistants.applyAll(m.assistants, mayBeLate)
	e.integrations.applyAll(m.integrations, mayBeLate)
}

func (e *entities) committed() {
	e.users.committed()
	e.contacts.committed()
	e.channels.committed()
	e.assistants.committed()
	e.integrations.committed()
	for _, s := range []*sightings{e.orgs, e.sessions, e.configs, e.toolsets} {
		s.committed()
	}
	e.listed, e.chatsListed = nil, nil
}

func compareKeys(a, b entityKey) int {
	return cmp.Or(cmp.Compare(a.orgID, b.orgID), cmp.Compare(a.id, b.id))
}

func sortedKeys[V any](m map[entityKey]V) []entityKey {
	keys := make([]entityKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}
