package ingest

import (
	"context"
	"encoding/json"
	"slices"

	"archiver/db"
)

// saveLog queues what is written of the events themselves, and has not gone by COPY.
func (b *batch) saveLog(ctx context.Context, q *db.Queries) error {
	if b.hasFew() {
		if err := b.saveEvents(ctx, q); err != nil {
			return err
		}
	}
	return b.saveEventChats(ctx, q)
}

// saveRows queues the rows of inbox, and which chats have changed.
func (b *batch) saveRows(ctx context.Context, q *db.Queries) error {
	if err := b.save(ctx, q); err != nil {
		return err
	}
	return b.markDirty(ctx, q)
}

// save queues one upsert for each table that has something to write, parents before children. It is the order in
// which a batch's rows come to be.
func (b *batch) save(ctx context.Context, q *db.Queries) error {
	e := b.lane.entities
	for _, step := range []func(context.Context, *db.Queries) error{
		e.saveOrgs,
		e.users.upsert,
		e.saveSessions,
		e.contacts.upsert,
		e.channels.upsert,
		e.assistants.upsert,
		e.integrations.upsert,
		e.saveConfigs,
		e.saveToolsets,
		b.reopen,
		b.saveChats,
		b.saveStates,
		b.saveHistory,
		b.saveMembers,
		b.saveMessages,
		b.saveFiles,
		b.saveReferrals,
	} {
		if err := step(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (e *entities) saveSessions(ctx context.Context, q *db.Queries) error {
	var p db.UpsertSessionsParams
	for _, key := range sortedKeys(e.sessions.staged) {
		at := e.sessions.staged[key].time()
		p.OrgIds = append(p.OrgIds, key.orgID)
		p.SessionIds = append(p.SessionIds, key.id)
		p.FirstSeenAts = append(p.FirstSeenAts, at)
		p.LastSeenAts = append(p.LastSeenAts, at)
		p.VersionAts = append(p.VersionAts, &at)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertSessions(ctx, p)
}

func (e *entities) saveConfigs(ctx context.Context, q *db.Queries) error {
	var p db.UpsertAssistantConfigsParams
	for _, key := range sortedKeys(e.configs.staged) {
		b, at := e.configs.blocks[key].block, e.configs.staged[key].time()
		c := b.config
		p.OrgIds = append(p.OrgIds, key.orgID)
		p.AssistantConfigIds = append(p.AssistantConfigIds, key.id)
		p.Configs = append(p.Configs, string(b.json))
		p.Models = append(p.Models, c.Model.Ptr())
		p.Timezones = append(p.Timezones, c.Timezone.Ptr())
		p.InstructionsList = append(p.InstructionsList, c.Instructions.Ptr())
		p.EnableMemoriesList = append(p.EnableMemoriesList, c.Conversation.EnableMemories.Ptr())
		p.EnableTransferToHumanTools = append(p.EnableTransferToHumanTools, c.Conversation.EnableTransferToHumanTool.Ptr())
		p.EnableEndConversationTools = append(p.EnableEndConversationTools, c.Conversation.EnableEndConversationTool.Ptr())
		p.EnableBlockContactTools = append(p.EnableBlockContactTools, c.Conversation.EnableBlockContactTool.Ptr())
		p.EnableAiRepliesList = append(p.EnableAiRepliesList, c.Conversation.EnableAIReplies.Ptr())
		p.EnableAutoResolves = append(p.EnableAutoResolves, c.Conversation.EnableAutoResolve.Ptr())
		p.EnableAutoFollowUpsList = append(p.EnableAutoFollowUpsList, c.Conversation.EnableAutoFollowUps.Ptr())
		p.EnableAutoCsats = append(p.EnableAutoCsats, c.Conversation.EnableAutoCSAT.Ptr())
		p.EnablePrivateChatsList = append(p.EnablePrivateChatsList, c.Conversation.EnablePrivateChats.Ptr())
		p.EnableUpdateContactTools = append(p.EnableUpdateContactTools, c.Conversation.EnableUpdateContactTool.Ptr())
		p.FirstSeenAts = append(p.FirstSeenAts, at)
		p.LastSeenAts = append(p.LastSeenAts, at)
		p.VersionAts = append(p.VersionAts, &at)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertAssistantConfigs(ctx, p)
}

func (e *entities) saveToolsets(ctx context.Context, q *db.Queries) error {
	var p db.UpsertToolsetsParams
	for _, key := range sortedKeys(e.toolsets.staged) {
		b, at := e.toolsets.blocks[key].block, e.toolsets.staged[key].time()
		names, err := json.Marshal(b.names)
		if err != nil {
			return err
		}
		p.OrgIds = append(p.OrgIds, key.orgID)
		p.ToolsetIds = append(p.ToolsetIds, key.id)
		p.ToolsList = append(p.ToolsList, string(b.json))
		p.ToolNamesList = append(p.ToolNamesList, string(names))
		p.FirstSeenAts = append(p.FirstSeenAts, at)
		p.LastSeenAts = append(p.LastSeenAts, at)
		p.VersionAts = append(p.VersionAts, &at)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertToolsets(ctx, p)
}

// reopen lifts the version guard from the rows of chats that were derived again: what they are now known to be may go
// by an older version than what was believed. History, files and referrals, to which nothing refers, are taken out.
func (b *batch) reopen(ctx context.Context, q *db.Queries) error {
	var orgIDs, chatIDs []string
	for _, c := range b.changedChats {
		if c.rederived {
			orgIDs, chatIDs = append(orgIDs, c.key.orgID), append(chatIDs, c.key.chatID)
		}
	}
	if len(orgIDs) == 0 {
		return nil
	}
	if err := q.ReopenChatStates(ctx, db.ReopenChatStatesParams{OrgIds: orgIDs, ChatIds: chatIDs}); err != nil {
		return err
	}
	if err := q.ReopenMembers(ctx, db.ReopenMembersParams{OrgIds: orgIDs, ChatIds: chatIDs}); err != nil {
		return err
	}
	if err := q.ReopenMessages(ctx, db.ReopenMessagesParams{OrgIds: orgIDs, ChatIds: chatIDs}); err != nil {
		return err
	}
	if err := q.DeleteMessageFiles(ctx, db.DeleteMessageFilesParams{OrgIds: orgIDs, ChatIds: chatIDs}); err != nil {
		return err
	}
	if err := q.DeleteReferrals(ctx, db.DeleteReferralsParams{OrgIds: orgIDs, ChatIds: chatIDs}); err != nil {
		return err
	}
	return q.DeleteChatStateChanges(ctx, db.DeleteChatStateChangesParams{OrgIds: orgIDs, ChatIds: chatIDs})
}

func (b *batch) saveChats(ctx context.Context, q *db.Queries) error {
	var p db.UpsertChatsParams
	for _, c := range b.changedChats {
		if !c.changed.row {
			continue
		}
		r := &c.row
		p.OrgIds = append(p.OrgIds, r.OrgID)
		p.ChatIds = append(p.ChatIds, r.ChatID)
		p.Titles = append(p.Titles, r.Title)
		p.Models = append(p.Models, r.Model)
		p.StatusList = append(p.StatusList, r.Status)
		p.Visibilitys = append(p.Visibilitys, r.Visibility)
		p.Temporarys = append(p.Temporarys, r.Temporary)
		p.Pinneds = append(p.Pinneds, r.Pinned)
		p.SharedUrls = append(p.SharedUrls, r.SharedUrl)
		p.Links = append(p.Links, r.Link)
		p.CreatedAts = append(p.CreatedAts, r.CreatedAt)
		p.UpdatedAts = append(p.UpdatedAts, r.UpdatedAt)
		p.ToolsetIds = append(p.ToolsetIds, r.ToolsetID)
		p.FeaturesList = append(p.FeaturesList, jsonText(&r.Features))
		p.LastMessageIds = append(p.LastMessageIds, r.LastMessageID)
		p.DeletedAts = append(p.DeletedAts, r.DeletedAt)
		p.IsStubs = append(p.IsStubs, r.IsStub)
		p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
		p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
		p.VersionAts = append(p.VersionAts, r.VersionAt)
		p.ObservedAts = append(p.ObservedAts, r.ObservedAt)
		p.ObservedSeqs = append(p.ObservedSeqs, r.ObservedSeq)
		p.StateVersionAts = append(p.StateVersionAts, r.StateVersionAt)
		p.MembersListedAts = append(p.MembersListedAts, r.MembersListedAt)
		p.MessagesCompleteFroms = append(p.MessagesCompleteFroms, r.MessagesCompleteFrom)
		p.MessagesCompleteThroughs = append(p.MessagesCompleteThroughs, r.MessagesCompleteThrough)
		p.ListedAts = append(p.ListedAts, r.ListedAt)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertChats(ctx, p)
}

func (b *batch) saveStates(ctx context.Context, q *db.Queries) error {
	var p db.UpsertChatStatesParams
	for _, c := range b.changedChats {
		if !c.changed.state {
			continue
		}
		r := c.state
		p.OrgIds = append(p.OrgIds, r.OrgID)
		p.ChatIds = append(p.ChatIds, r.ChatID)
		p.StateIds = append(p.StateIds, r.StateID)
		p.States = append(p.States, r.State)
		p.IntegrationIds = append(p.IntegrationIds, r.IntegrationID)
		p.AssistantIds = append(p.AssistantIds, r.AssistantID)
		p.AssistantIntegrationIds = append(p.AssistantIntegrationIds, r.AssistantIntegrationID)
		p.ConversationIds = append(p.ConversationIds, r.ConversationID)
		p.AiEnableds = append(p.AiEnableds, r.AiEnabled)
		p.AdminUnseenCounts = append(p.AdminUnseenCounts, r.AdminUnseenCount)
		p.UserUnseenCounts = append(p.UserUnseenCounts, r.UserUnseenCount)
		p.AssignedUserIds = append(p.AssignedUserIds, r.AssignedUserID)
		p.AssignedAts = append(p.AssignedAts, r.AssignedAt)
		p.AssistantConfigIds = append(p.AssistantConfigIds, r.AssistantConfigID)
		p.FollowUpAts = append(p.FollowUpAts, r.FollowUpAt)
		p.MutedUntils = append(p.MutedUntils, r.MutedUntil)
		p.CsatScores = append(p.CsatScores, r.CsatScore)
		p.LastContactMessageAts = append(p.LastContactMessageAts, r.LastContactMessageAt)
		p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
		p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
		p.VersionAts = append(p.VersionAts, r.VersionAt)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertChatStates(ctx, p)
}

func (b *batch) saveHistory(ctx context.Context, q *db.Queries) error {
	var p db.InsertChatStateChangesParams
	for _, c := range b.changedChats {
		for i := range c.history {
			r := &c.history[i]
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ChatIds = append(p.ChatIds, r.ChatID)
			p.ChangedAts = append(p.ChangedAts, r.ChangedAt)
			p.StreamIds = append(p.StreamIds, r.StreamID)
			p.Seqs = append(p.Seqs, r.Seq)
			p.UnchangedUntils = append(p.UnchangedUntils, r.UnchangedUntil)
			p.States = append(p.States, r.State)
			p.IntegrationIds = append(p.IntegrationIds, r.IntegrationID)
			p.AssistantIds = append(p.AssistantIds, r.AssistantID)
			p.AssistantIntegrationIds = append(p.AssistantIntegrationIds, r.AssistantIntegrationID)
			p.AiEnableds = append(p.AiEnableds, r.AiEnabled)
			p.AssignedUserIds = append(p.AssignedUserIds, r.AssignedUserID)
			p.AssignedAts = append(p.AssignedAts, r.AssignedAt)
			p.AssistantConfigIds = append(p.AssistantConfigIds, r.AssistantConfigID)
			p.FollowUpAts = append(p.FollowUpAts, r.FollowUpAt)
			p.MutedUntils = append(p.MutedUntils, r.MutedUntil)
			p.CsatScores = append(p.CsatScores, r.CsatScore)
			p.UnseenRises = append(p.UnseenRises, r.UnseenRise)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
		}
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.InsertChatStateChanges(ctx, p)
}

func (b *batch) saveMembers(ctx context.Context, q *db.Queries) error {
	var p db.UpsertMembersParams
	for _, c := range b.changedChats {
		for _, id := range sortedIDs(c.changed.members) {
			r := c.members[id]
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ChatIds = append(p.ChatIds, r.ChatID)
			p.MemberIds = append(p.MemberIds, r.MemberID)
			p.Roles = append(p.Roles, r.Role)
			p.UserIds = append(p.UserIds, r.UserID)
			p.SessionIds = append(p.SessionIds, r.SessionID)
			p.ContactChannelIds = append(p.ContactChannelIds, r.ContactChannelID)
			p.LeftAts = append(p.LeftAts, r.LeftAt)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
		}
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertMembers(ctx, p)
}

func (b *batch) saveMessages(ctx context.Context, q *db.Queries) error {
	var p db.UpsertMessagesParams
	for _, m := range b.changed {
		r := &m.row
		p.OrgIds = append(p.OrgIds, r.OrgID)
		p.ChatIds = append(p.ChatIds, r.ChatID)
		p.MessageIds = append(p.MessageIds, r.MessageID)
		p.Roles = append(p.Roles, r.Role)
		p.Senders = append(p.Senders, r.Sender)
		p.MemberIds = append(p.MemberIds, r.MemberID)
		p.UserIds = append(p.UserIds, r.UserID)
		p.ContactChannelIds = append(p.ContactChannelIds, r.ContactChannelID)
		p.SessionIds = append(p.SessionIds, r.SessionID)
		p.Models = append(p.Models, r.Model)
		p.StatusList = append(p.StatusList, r.Status)
		p.Texts = append(p.Texts, r.Text)
		p.Contents = append(p.Contents, jsonText(&r.Content))
		p.ToolsetIds = append(p.ToolsetIds, r.ToolsetID)
		p.FeaturesList = append(p.FeaturesList, jsonText(&r.Features))
		p.Errors = append(p.Errors, r.Error)
		p.BroadcastIds = append(p.BroadcastIds, r.BroadcastID)
		p.IsBroadcastMessages = append(p.IsBroadcastMessages, r.IsBroadcastMessage)
		p.CreatedAts = append(p.CreatedAts, r.CreatedAt)
		p.UpdatedAts = append(p.UpdatedAts, r.UpdatedAt)
		p.InputTokensList = append(p.InputTokensList, r.InputTokens)
		p.OutputTokensList = append(p.OutputTokensList, r.OutputTokens)
		p.TotalTokensList = append(p.TotalTokensList, r.TotalTokens)
		p.ReasoningTokensList = append(p.ReasoningTokensList, r.ReasoningTokens)
		p.InputTokensCacheReads = append(p.InputTokensCacheReads, r.InputTokensCacheRead)
		p.InputTokensCacheWrites = append(p.InputTokensCacheWrites, r.InputTokensCacheWrite)
		p.UsageTurnsList = append(p.UsageTurnsList, jsonText(&r.UsageTurns))
		p.DeletedAts = append(p.DeletedAts, r.DeletedAt)
		p.HasEndeds = append(p.HasEndeds, r.HasEnded)
		p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
		p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
		p.VersionAts = append(p.VersionAts, r.VersionAt)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertMessages(ctx, p)
}

func (b *batch) saveFiles(ctx context.Context, q *db.Queries) error {
	var p db.UpsertMessageFilesParams
	for _, m := range b.changed {
		for _, id := range sortedIDs(m.changedFiles) {
			r := m.files[id]
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ChatIds = append(p.ChatIds, r.ChatID)
			p.MessageIds = append(p.MessageIds, r.MessageID)
			p.FileIds = append(p.FileIds, r.FileID)
			p.PartTypes = append(p.PartTypes, r.PartType)
			p.Paths = append(p.Paths, r.Path)
			p.Filenames = append(p.Filenames, r.Filename)
			p.SizeBytesList = append(p.SizeBytesList, r.SizeBytes)
			p.Mimetypes = append(p.Mimetypes, r.Mimetype)
			p.Urls = append(p.Urls, r.Url)
			p.CreatedAts = append(p.CreatedAts, r.CreatedAt)
			p.DeletedAts = append(p.DeletedAts, r.DeletedAt)
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
		}
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertMessageFiles(ctx, p)
}

func (b *batch) saveReferrals(ctx context.Context, q *db.Queries) error {
	var p db.UpsertReferralsParams
	for _, c := range b.changedChats {
		for _, r := range c.referrals {
			p.OrgIds = append(p.OrgIds, r.OrgID)
			p.ChatIds = append(p.ChatIds, r.ChatID)
			p.ReferralIds = append(p.ReferralIds, r.ReferralID)
			p.Refs = append(p.Refs, r.Ref)
			p.AdIds = append(p.AdIds, r.AdID)
			p.Sources = append(p.Sources, r.Source)
			p.RefererUris = append(p.RefererUris, r.RefererUri)
			p.AdTitles = append(p.AdTitles, r.AdTitle)
			p.PhotoUrls = append(p.PhotoUrls, r.PhotoUrl)
			p.VideoUrls = append(p.VideoUrls, r.VideoUrl)
			p.PostIds = append(p.PostIds, r.PostID)
			p.ProductIds = append(p.ProductIds, r.ProductID)
			p.PartsList = append(p.PartsList, jsonText(&r.Parts))
			p.FirstSeenAts = append(p.FirstSeenAts, r.FirstSeenAt)
			p.LastSeenAts = append(p.LastSeenAts, r.LastSeenAt)
			p.VersionAts = append(p.VersionAts, r.VersionAt)
		}
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.UpsertReferrals(ctx, p)
}

func (b *batch) markDirty(ctx context.Context, q *db.Queries) error {
	p := db.MarkDirtyChatsParams{DirtyAt: b.lane.now().UTC()}
	for _, c := range b.changedChats {
		p.OrgIds = append(p.OrgIds, c.key.orgID)
		p.ChatIds = append(p.ChatIds, c.key.chatID)
	}
	if len(p.OrgIds) == 0 {
		return nil
	}
	return q.MarkDirtyChats(ctx, p)
}

func sortedIDs(set map[string]bool) []string {
	if len(set) == 0 {
		return nil
	}
	ids := make([]string, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
