package ingest

import (
	"context"
	"unsafe"

	"archiver/db"
	"archiver/invent"
)

// The kinds of entity: what each table's columns are, and which words of a description fill them.

var users = kind[db.InboxUser, invent.User]{
	fields: []string{"name", "email", "avatar", "seen_at"},
	fresh:  func(k entityKey) db.InboxUser { return db.InboxUser{OrgID: k.orgID, UserID: k.id, IsStub: true} },
	key:    func(r *db.InboxUser) entityKey { return entityKey{r.OrgID, r.UserID} },
	common: func(r *db.InboxUser) bookkeeping {
		return bookkeeping{&r.IsStub, &r.FirstSeenAt, &r.LastSeenAt, &r.VersionAt, &r.VersionSeq, &r.FieldVersions}
	},
	describe: func(t *taker, r *db.InboxUser, d *invent.User) {
		take(t, &r.Name, &d.Name)
		take(t, &r.Email, &d.Email)
		take(t, &r.Avatar, &d.Avatar)
		takeTime(t, &r.SeenAt, &d.SeenAt)
	},
	load: func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]db.InboxUser, error) {
		return q.GetUsers(ctx, db.GetUsersParams{OrgIds: orgIDs, UserIds: ids})
	},
	save: func(ctx context.Context, q *db.Queries, rows []*db.InboxUser) error {
		var p db.UpsertUsersParams
		for _, r := range rows {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.UserIds = append(p.UserIds, r.UserID)
			p.Names = append(p.Names, r.Name)
			p.Emails = append(p.Emails, r.Email)
			p.Avatars = append(p.Avatars, r.Avatar)
			p.SeenAts = append(p.SeenAts, r.SeenAt)
			p.IsStubs = append(p.IsStubs, r.IsStub)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
			p.VersionSeqs = append(p.VersionSeqs, r.VersionSeq)
			p.FieldVersionsList = append(p.FieldVersionsList, jsonText(&r.FieldVersions))
		}
		return q.UpsertUsers(ctx, p)
	},
}

var contacts = kind[db.InboxContact, invent.Contact]{
	fields: []string{"name", "blocked", "is_admin"},
	fresh: func(k entityKey) db.InboxContact {
		return db.InboxContact{OrgID: k.orgID, ContactID: k.id, IsStub: true}
	},
	key: func(r *db.InboxContact) entityKey { return entityKey{r.OrgID, r.ContactID} },
	common: func(r *db.InboxContact) bookkeeping {
		return bookkeeping{&r.IsStub, &r.FirstSeenAt, &r.LastSeenAt, &r.VersionAt, &r.VersionSeq, &r.FieldVersions}
	},
	describe: func(t *taker, r *db.InboxContact, d *invent.Contact) {
		take(t, &r.Name, &d.Name)
		take(t, &r.Blocked, &d.Blocked)
		take(t, &r.IsAdmin, &d.IsAdmin)
	},
	load: func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]db.InboxContact, error) {
		return q.GetContacts(ctx, db.GetContactsParams{OrgIds: orgIDs, ContactIds: ids})
	},
	save: func(ctx context.Context, q *db.Queries, rows []*db.InboxContact) error {
		var p db.UpsertContactsParams
		for _, r := range rows {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ContactIds = append(p.ContactIds, r.ContactID)
			p.Names = append(p.Names, r.Name)
			p.Blockeds = append(p.Blockeds, r.Blocked)
			p.IsAdmins = append(p.IsAdmins, r.IsAdmin)
			p.IsStubs = append(p.IsStubs, r.IsStub)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
			p.VersionSeqs = append(p.VersionSeqs, r.VersionSeq)
			p.FieldVersionsList = append(p.FieldVersionsList, jsonText(&r.FieldVersions))
		}
		return q.UpsertContacts(ctx, p)
	},
}

var contactChannels = kind[db.InboxContactChannel, channelDescription]{
	fields: []string{
		"contact_id", "type", "user_id", "name", "username", "email", "phone", "country", "agent", "ip", "language",
		"avatar", "link",
	},
	fresh: func(k entityKey) db.InboxContactChannel {
		return db.InboxContactChannel{OrgID: k.orgID, ContactChannelID: k.id, IsStub: true}
	},
	key: func(r *db.InboxContactChannel) entityKey { return entityKey{r.OrgID, r.ContactChannelID} },
	common: func(r *db.InboxContactChannel) bookkeeping {
		return bookkeeping{&r.IsStub, &r.FirstSeenAt, &r.LastSeenAt, &r.VersionAt, &r.VersionSeq, &r.FieldVersions}
	},
	describe: func(t *taker, r *db.InboxContactChannel, d *channelDescription) {
		take(t, &r.ContactID, &d.contactID)
		take(t, &r.Type, &d.Type)
		take(t, &r.UserID, &d.UserID)
		take(t, &r.Name, &d.Name)
		take(t, &r.Username, &d.Username)
		take(t, &r.Email, &d.Email)
		take(t, &r.Phone, &d.Phone)
		take(t, &r.Country, &d.Country)
		take(t, &r.Agent, &d.Agent)
		take(t, &r.Ip, &d.IP)
		take(t, &r.Language, &d.Language)
		take(t, &r.Avatar, &d.Avatar)
		take(t, &r.Link, &d.Link)
	},
	load: func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]db.InboxContactChannel, error) {
		return q.GetContactChannels(ctx, db.GetContactChannelsParams{OrgIds: orgIDs, ContactChannelIds: ids})
	},
	save: func(ctx context.Context, q *db.Queries, rows []*db.InboxContactChannel) error {
		var p db.UpsertContactChannelsParams
		for _, r := range rows {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ContactChannelIds = append(p.ContactChannelIds, r.ContactChannelID)
			p.ContactIds = append(p.ContactIds, r.ContactID)
			p.Types = append(p.Types, r.Type)
			p.UserIds = append(p.UserIds, r.UserID)
			p.Names = append(p.Names, r.Name)
			p.Usernames = append(p.Usernames, r.Username)
			p.Emails = append(p.Emails, r.Email)
			p.Phones = append(p.Phones, r.Phone)
			p.Countrys = append(p.Countrys, r.Country)
			p.Agents = append(p.Agents, r.Agent)
			p.Ips = append(p.Ips, r.Ip)
			p.Languages = append(p.Languages, r.Language)
			p.Avatars = append(p.Avatars, r.Avatar)
			p.Links = append(p.Links, r.Link)
			p.IsStubs = append(p.IsStubs, r.IsStub)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
			p.VersionSeqs = append(p.VersionSeqs, r.VersionSeq)
			p.FieldVersionsList = append(p.FieldVersionsList, jsonText(&r.FieldVersions))
		}
		return q.UpsertContactChannels(ctx, p)
	},
}

var assistants = kind[db.InboxAssistant, invent.Assistant]{
	fields: []string{"name", "enabled", "deleted", "avatar_url", "config"},
	fresh: func(k entityKey) db.InboxAssistant {
		return db.InboxAssistant{OrgID: k.orgID, AssistantID: k.id, IsStub: true}
	},
	key: func(r *db.InboxAssistant) entityKey { return entityKey{r.OrgID, r.AssistantID} },
	common: func(r *db.InboxAssistant) bookkeeping {
		return bookkeeping{&r.IsStub, &r.FirstSeenAt, &r.LastSeenAt, &r.VersionAt, &r.VersionSeq, &r.FieldVersions}
	},
	describe: func(t *taker, r *db.InboxAssistant, d *invent.Assistant) {
		take(t, &r.Name, &d.Name)
		take(t, &r.Enabled, &d.Enabled)
		take(t, &r.Deleted, &d.Deleted)
		take(t, &r.AvatarUrl, &d.AvatarURL)
		takeJSON(t, &r.Config, &d.Config)
	},
	load: func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]db.InboxAssistant, error) {
		return q.GetAssistants(ctx, db.GetAssistantsParams{OrgIds: orgIDs, AssistantIds: ids})
	},
	save: func(ctx context.Context, q *db.Queries, rows []*db.InboxAssistant) error {
		var p db.UpsertAssistantsParams
		for _, r := range rows {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.AssistantIds = append(p.AssistantIds, r.AssistantID)
			p.Names = append(p.Names, r.Name)
			p.Enableds = append(p.Enableds, r.Enabled)
			p.Deleteds = append(p.Deleteds, r.Deleted)
			p.AvatarUrls = append(p.AvatarUrls, r.AvatarUrl)
			p.Configs = append(p.Configs, jsonText(&r.Config))
			p.IsStubs = append(p.IsStubs, r.IsStub)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
			p.VersionSeqs = append(p.VersionSeqs, r.VersionSeq)
			p.FieldVersionsList = append(p.FieldVersionsList, jsonText(&r.FieldVersions))
		}
		return q.UpsertAssistants(ctx, p)
	},
}

var assistantIntegrations = kind[db.InboxAssistantIntegration, integrationDescription]{
	fields: []string{"assistant_id", "enabled", "has_connection"},
	fresh: func(k entityKey) db.InboxAssistantIntegration {
		return db.InboxAssistantIntegration{OrgID: k.orgID, AssistantIntegrationID: k.id, IsStub: true}
	},
	key: func(r *db.InboxAssistantIntegration) entityKey { return entityKey{r.OrgID, r.AssistantIntegrationID} },
	common: func(r *db.InboxAssistantIntegration) bookkeeping {
		return bookkeeping{&r.IsStub, &r.FirstSeenAt, &r.LastSeenAt, &r.VersionAt, &r.VersionSeq, &r.FieldVersions}
	},
	describe: func(t *taker, r *db.InboxAssistantIntegration, d *integrationDescription) {
		take(t, &r.AssistantID, &d.assistantID)
		take(t, &r.Enabled, &d.Enabled)
		take(t, &r.HasConnection, &d.HasConnection)
	},
	load: func(ctx context.Context, q *db.Queries, orgIDs, ids []string) ([]db.InboxAssistantIntegration, error) {
		return q.GetAssistantIntegrations(ctx, db.GetAssistantIntegrationsParams{
			OrgIds: orgIDs, AssistantIntegrationIds: ids,
		})
	},
	save: func(ctx context.Context, q *db.Queries, rows []*db.InboxAssistantIntegration) error {
		var p db.UpsertAssistantIntegrationsParams
		for _, r := range rows {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.AssistantIntegrationIds = append(p.AssistantIntegrationIds, r.AssistantIntegrationID)
			p.AssistantIds = append(p.AssistantIds, r.AssistantID)
			p.Enableds = append(p.Enableds, r.Enabled)
			p.HasConnections = append(p.HasConnections, r.HasConnection)
			p.IsStubs = append(p.IsStubs, r.IsStub)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
			p.VersionSeqs = append(p.VersionSeqs, r.VersionSeq)
			p.FieldVersionsList = append(p.FieldVersionsList, jsonText(&r.FieldVersions))
		}
		return q.UpsertAssistantIntegrations(ctx, p)
	},
}

// jsonText is a jsonb column as the upserts take it: the same bytes, which are not changed before they are sent. A slice
// begins with what a string is.
func jsonText(column *[]byte) *string {
	if *column == nil {
		return nil
	}
	return (*string)(unsafe.Pointer(column)) //nolint:gosec // as strings.Builder does; see above
}
