-- +goose Up
create schema inbox;
comment on schema inbox is 'What the inbox looks like now, normalized, and the history of its chats'' states.';

create table inbox.orgs (
    org_id             text not null,
    parent_org_id      text,
    name               text,
    is_stub            bool not null,
    first_seen_at      timestamptz not null,
    last_seen_at       timestamptz not null,
    version_at         timestamptz,
    name_version_at    timestamptz,
    name_version_seq   int8,
    parent_version_at  timestamptz,
    parent_version_seq int8,
    chats_listed_at    timestamptz,
    primary key (org_id)
);
comment on table inbox.orgs is 'One row for each org (workspace) whose inbox is archived, and for each that the list of sub-orgs of one of them names.';
comment on column inbox.orgs.org_id is 'The org the row belongs to.';
comment on column inbox.orgs.parent_org_id is 'The agency org above it: the one whose list of sub-orgs names it. NULL when there is none or it is not known.';
comment on column inbox.orgs.name is 'The orgs name, as the list of sub-orgs gives it; NULL when not known or cleared: frames do not carry it.';
comment on column inbox.orgs.chats_listed_at is 'Start of the newest reading of the whole inbox list. A chat first seen before it whose listed_at is older or NULL was not in it: see inbox.unlisted_chats. NULL when the list was never read to its end.';
comment on column inbox.orgs.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.orgs.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.orgs.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.orgs.version_at is 'Observed time of the newest event that described it; of a stub, first_seen_at.';
comment on column inbox.orgs.name_version_at is 'Bookkeeping: observed time of the newest event that told the name; NULL when none did.';
comment on column inbox.orgs.name_version_seq is 'Bookkeeping: place in its stream of the event name_version_at speaks of; decides between equal times.';
comment on column inbox.orgs.parent_version_at is 'Bookkeeping: observed time of the newest event that told the parent; NULL when none did.';
comment on column inbox.orgs.parent_version_seq is 'Bookkeeping: place in its stream of the event parent_version_at speaks of; decides between equal times.';

create table inbox.users (
    org_id         text not null,
    user_id        text not null,
    name           text,
    email          text,
    avatar         text,
    seen_at        timestamptz,
    is_stub        bool not null,
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    version_at     timestamptz,
    version_seq    int8 not null,
    field_versions jsonb,
    primary key (org_id, user_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.users is 'The team: one row for each person of the orgs team (human agents).';
comment on column inbox.users.org_id is 'The org the row belongs to.';
comment on column inbox.users.user_id is 'The vendors id of the user.';
comment on column inbox.users.name is 'Display name; NULL when never told or cleared.';
comment on column inbox.users.email is 'E-mail address; NULL when never told or cleared.';
comment on column inbox.users.avatar is 'URL of the picture; may expire. NULL when never told or cleared.';
comment on column inbox.users.seen_at is 'When the user was last seen online, by the vendor; NULL when never told or cleared.';
comment on column inbox.users.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.users.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.users.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.users.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';
comment on column inbox.users.version_seq is 'Place in its stream of the event version_at speaks of; decides between equal times.';
comment on column inbox.users.field_versions is 'Bookkeeping: fields last named by an older event than version_at, each with that events [observed_at in µs, seq]; NULL when there are none.';

create table inbox.sessions (
    org_id        text not null,
    session_id    text not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    version_at    timestamptz,
    primary key (org_id, session_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.sessions is 'Web visitors: one row for each anonymous session of the web widget. The vendor tells nothing but the id.';
comment on column inbox.sessions.org_id is 'The org the row belongs to.';
comment on column inbox.sessions.session_id is 'The vendors id of the session.';
comment on column inbox.sessions.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.sessions.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.sessions.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';

create table inbox.contacts (
    org_id         text not null,
    contact_id     text not null,
    name           text,
    blocked        bool,
    is_admin       bool,
    is_stub        bool not null,
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    version_at     timestamptz,
    version_seq    int8 not null,
    field_versions jsonb,
    primary key (org_id, contact_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.contacts is 'The people who write to the org: one row for each contact, who may have several channels.';
comment on column inbox.contacts.org_id is 'The org the row belongs to.';
comment on column inbox.contacts.contact_id is 'The vendors id of the contact.';
comment on column inbox.contacts.name is 'Display name; NULL when never told or cleared.';
comment on column inbox.contacts.blocked is 'Whether the contact is blocked; NULL when never told or cleared.';
comment on column inbox.contacts.is_admin is 'Whether the vendor marks the contact as an admin; NULL when never told or cleared.';
comment on column inbox.contacts.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.contacts.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.contacts.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.contacts.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';
comment on column inbox.contacts.version_seq is 'Place in its stream of the event version_at speaks of; decides between equal times.';
comment on column inbox.contacts.field_versions is 'Bookkeeping: fields last named by an older event than version_at, each with that events [observed_at in µs, seq]; NULL when there are none.';

create table inbox.contact_channels (
    org_id             text not null,
    contact_channel_id text not null,
    contact_id         text,
    type               text,
    user_id            text,
    name               text,
    username           text,
    email              text,
    phone              text,
    country            text,
    agent              text,
    ip                 text,
    language           text,
    avatar             text,
    link               text,
    is_stub            bool not null,
    first_seen_at      timestamptz not null,
    last_seen_at       timestamptz not null,
    version_at         timestamptz,
    version_seq        int8 not null,
    field_versions     jsonb,
    primary key (org_id, contact_channel_id),
    foreign key (org_id) references inbox.orgs,
    foreign key (org_id, contact_id) references inbox.contacts
);
comment on table inbox.contact_channels is 'Addresses contacts write from: one row for each channel (a WhatsApp number, an e-mail address, a web widget visitor, …).';
comment on column inbox.contact_channels.org_id is 'The org the row belongs to.';
comment on column inbox.contact_channels.contact_channel_id is 'The vendors id of the channel.';
comment on column inbox.contact_channels.contact_id is 'The contact it belongs to; NULL when never told or cleared.';
comment on column inbox.contact_channels.type is 'The kind of channel, the vendors value; NULL when never told or cleared.';
comment on column inbox.contact_channels.user_id is 'The vendors user_id of the channel; its meaning is not documented, so it refers to no table. NULL when never told or cleared.';
comment on column inbox.contact_channels.name is 'Display name on this channel; NULL when never told or cleared.';
comment on column inbox.contact_channels.username is 'User name on this channel; NULL when never told or cleared.';
comment on column inbox.contact_channels.email is 'E-mail address; NULL when never told or cleared.';
comment on column inbox.contact_channels.phone is 'Phone number, as sent; NULL when never told or cleared.';
comment on column inbox.contact_channels.country is 'Country, as sent; NULL when never told or cleared.';
comment on column inbox.contact_channels.agent is 'The clients user agent, as sent; NULL when never told or cleared.';
comment on column inbox.contact_channels.ip is 'IP address, as sent (text: it need not be a valid one); NULL when never told or cleared.';
comment on column inbox.contact_channels.language is 'Language, as sent; NULL when never told or cleared.';
comment on column inbox.contact_channels.avatar is 'URL of the picture; may expire. NULL when never told or cleared.';
comment on column inbox.contact_channels.link is 'Link to the channel; NULL when never told or cleared.';
comment on column inbox.contact_channels.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.contact_channels.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.contact_channels.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.contact_channels.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';
comment on column inbox.contact_channels.version_seq is 'Place in its stream of the event version_at speaks of; decides between equal times.';
comment on column inbox.contact_channels.field_versions is 'Bookkeeping: fields last named by an older event than version_at, each with that events [observed_at in µs, seq]; NULL when there are none.';

create table inbox.assistants (
    org_id         text not null,
    assistant_id   text not null,
    name           text,
    enabled        bool,
    deleted        bool,
    avatar_url     text,
    config         jsonb,
    is_stub        bool not null,
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    version_at     timestamptz,
    version_seq    int8 not null,
    field_versions jsonb,
    primary key (org_id, assistant_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.assistants is 'AI assistants of the org.';
comment on column inbox.assistants.org_id is 'The org the row belongs to.';
comment on column inbox.assistants.assistant_id is 'The vendors id of the assistant.';
comment on column inbox.assistants.name is 'The assistants name; NULL when never told or cleared.';
comment on column inbox.assistants.enabled is 'Whether it is switched on; NULL when never told or cleared.';
comment on column inbox.assistants.deleted is 'Whether the vendor marks it as deleted; NULL when never told or cleared.';
comment on column inbox.assistants.avatar_url is 'URL of the picture; may expire. NULL when never told or cleared.';
comment on column inbox.assistants.config is 'The short configuration that comes with the assistant (state.assistant.config); NULL when never told or cleared. The full one is in assistant_configs.';
comment on column inbox.assistants.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.assistants.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.assistants.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.assistants.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';
comment on column inbox.assistants.version_seq is 'Place in its stream of the event version_at speaks of; decides between equal times.';
comment on column inbox.assistants.field_versions is 'Bookkeeping: fields last named by an older event than version_at, each with that events [observed_at in µs, seq]; NULL when there are none.';

create table inbox.assistant_integrations (
    org_id                   text not null,
    assistant_integration_id text not null,
    assistant_id             text,
    enabled                  bool,
    has_connection           bool,
    is_stub                  bool not null,
    first_seen_at            timestamptz not null,
    last_seen_at             timestamptz not null,
    version_at               timestamptz,
    version_seq              int8 not null,
    field_versions           jsonb,
    primary key (org_id, assistant_integration_id),
    foreign key (org_id) references inbox.orgs,
    foreign key (org_id, assistant_id) references inbox.assistants
);
comment on table inbox.assistant_integrations is 'Connections of an assistant to a channel provider.';
comment on column inbox.assistant_integrations.org_id is 'The org the row belongs to.';
comment on column inbox.assistant_integrations.assistant_integration_id is 'The vendors id of the integration.';
comment on column inbox.assistant_integrations.assistant_id is 'The assistant it belongs to, as the chat states name both; NULL when never told.';
comment on column inbox.assistant_integrations.enabled is 'Whether it is switched on; NULL when never told or cleared.';
comment on column inbox.assistant_integrations.has_connection is 'Whether it is connected; NULL when never told or cleared.';
comment on column inbox.assistant_integrations.is_stub is 'True while it is known by its id only: something refers to it, nothing has described it.';
comment on column inbox.assistant_integrations.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.assistant_integrations.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.assistant_integrations.version_at is 'Observed time of the newest event that is known to have described it: nested descriptions have no clock of their own.';
comment on column inbox.assistant_integrations.version_seq is 'Place in its stream of the event version_at speaks of; decides between equal times.';
comment on column inbox.assistant_integrations.field_versions is 'Bookkeeping: fields last named by an older event than version_at, each with that events [observed_at in µs, seq]; NULL when there are none.';

create table inbox.assistant_configs (
    org_id                        text not null,
    assistant_config_id           text not null,
    config                        jsonb not null,
    model                         text,
    timezone                      text,
    instructions                  text,
    enable_memories               bool,
    enable_transfer_to_human_tool bool,
    enable_end_conversation_tool  bool,
    enable_block_contact_tool     bool,
    enable_ai_replies             bool,
    enable_auto_resolve           bool,
    enable_auto_follow_ups        bool,
    enable_auto_csat              bool,
    enable_private_chats          bool,
    enable_update_contact_tool    bool,
    first_seen_at                 timestamptz not null,
    last_seen_at                  timestamptz not null,
    version_at                    timestamptz,
    primary key (org_id, assistant_config_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.assistant_configs is 'Versions of the assistants configuration: one row for each distinct content, however often it is sent.';
comment on column inbox.assistant_configs.org_id is 'The org the row belongs to.';
comment on column inbox.assistant_configs.assistant_config_id is 'SHA-256 (hex) of the configurations canonical JSON.';
comment on column inbox.assistant_configs.config is 'The whole configuration (state.assistant_config).';
comment on column inbox.assistant_configs.model is 'config.model; NULL when unset.';
comment on column inbox.assistant_configs.timezone is 'config.timezone; NULL when unset.';
comment on column inbox.assistant_configs.instructions is 'config.instructions, the prompt; NULL when unset.';
comment on column inbox.assistant_configs.enable_memories is 'config.conversation.enable_memories; NULL when unset.';
comment on column inbox.assistant_configs.enable_transfer_to_human_tool is 'config.conversation.enable_transfer_to_human_tool; NULL when unset.';
comment on column inbox.assistant_configs.enable_end_conversation_tool is 'config.conversation.enable_end_conversation_tool; NULL when unset.';
comment on column inbox.assistant_configs.enable_block_contact_tool is 'config.conversation.enable_block_contact_tool; NULL when unset.';
comment on column inbox.assistant_configs.enable_ai_replies is 'config.conversation.enable_ai_replies; NULL when unset.';
comment on column inbox.assistant_configs.enable_auto_resolve is 'config.conversation.enable_auto_resolve; NULL when unset.';
comment on column inbox.assistant_configs.enable_auto_follow_ups is 'config.conversation.enable_auto_follow_ups; NULL when unset.';
comment on column inbox.assistant_configs.enable_auto_csat is 'config.conversation.enable_auto_csat; NULL when unset.';
comment on column inbox.assistant_configs.enable_private_chats is 'config.conversation.enable_private_chats; NULL when unset.';
comment on column inbox.assistant_configs.enable_update_contact_tool is 'config.conversation.enable_update_contact_tool; NULL when unset.';
comment on column inbox.assistant_configs.first_seen_at is 'Observed time of the first event that showed it.';
comment on column inbox.assistant_configs.last_seen_at is 'The same as first_seen_at: the content behind a hash never changes.';
comment on column inbox.assistant_configs.version_at is 'The same as first_seen_at: the content behind a hash never changes.';

create table inbox.toolsets (
    org_id        text not null,
    toolset_id    text not null,
    tools         jsonb not null,
    tool_names    text[] not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    version_at    timestamptz,
    primary key (org_id, toolset_id),
    foreign key (org_id) references inbox.orgs
);
comment on table inbox.toolsets is 'Sets of tools offered to the AI: one row for each distinct array, however often it is sent.';
comment on column inbox.toolsets.org_id is 'The org the row belongs to.';
comment on column inbox.toolsets.toolset_id is 'SHA-256 (hex) of the arrays canonical JSON.';
comment on column inbox.toolsets.tools is 'The whole array.';
comment on column inbox.toolsets.tool_names is 'The tools names, in order; tools without one are left out.';
comment on column inbox.toolsets.first_seen_at is 'Observed time of the first event that showed it.';
comment on column inbox.toolsets.last_seen_at is 'The same as first_seen_at: the content behind a hash never changes.';
comment on column inbox.toolsets.version_at is 'The same as first_seen_at: the content behind a hash never changes.';

create table inbox.chats (
    org_id                    text not null,
    chat_id                   text not null,
    title                     text,
    model                     text,
    status                    text,
    visibility                text,
    temporary                 bool,
    pinned                    bool,
    shared_url                text,
    link                      text,
    created_at                timestamptz,
    updated_at                timestamptz,
    toolset_id                text,
    features                  jsonb,
    last_message_id           text,
    messages_complete_from    timestamptz,
    messages_complete_through timestamptz,
    deleted_at                timestamptz,
    is_stub                   bool not null,
    first_seen_at             timestamptz not null,
    last_seen_at              timestamptz not null,
    version_at                timestamptz,
    observed_at               timestamptz not null,
    observed_seq              int8 not null,
    state_version_at          timestamptz,
    members_listed_at         timestamptz,
    listed_at                 timestamptz,
    primary key (org_id, chat_id),
    foreign key (org_id) references inbox.orgs,
    foreign key (org_id, toolset_id) references inbox.toolsets
) with (fillfactor = 70);
comment on table inbox.chats is 'Conversations: one row for each chat, as its newest version describes it.';
comment on column inbox.chats.org_id is 'The org the row belongs to.';
comment on column inbox.chats.chat_id is 'The vendors id of the chat.';
comment on column inbox.chats.title is 'Title; NULL when unset.';
comment on column inbox.chats.model is 'AI model the chat is set to; NULL when unset.';
comment on column inbox.chats.status is 'Status of the chats run (RUNNING, COMPLETED, …), the vendors value; whether it is open or closed is in chat_states.state. NULL when unset.';
comment on column inbox.chats.visibility is 'Visibility (PRIVATE, …), the vendors value; NULL when unset.';
comment on column inbox.chats.temporary is 'Whether it is a temporary chat; NULL when unset.';
comment on column inbox.chats.pinned is 'Whether it is pinned; NULL when unset.';
comment on column inbox.chats.shared_url is 'Public link, when shared; NULL when unset.';
comment on column inbox.chats.link is 'Link to the chat in the product; NULL when unset.';
comment on column inbox.chats.created_at is 'When the chat was created, by the sources clock; NULL when unset.';
comment on column inbox.chats.updated_at is 'When the chat was last changed, by the sources clock; NULL when unset.';
comment on column inbox.chats.toolset_id is 'The tools offered in the chat (toolsets); NULL when never told or cleared.';
comment on column inbox.chats.features is 'Feature settings (web search, reasoning); NULL when never told or cleared.';
comment on column inbox.chats.last_message_id is 'The newest message the chats events showed; no foreign key, since messages refer to chats. NULL when none was shown.';
comment on column inbox.chats.messages_complete_from is 'From when on the chats messages are known to be all here, since its message list was read to its end; 1970-01-01 means from the very first. NULL when that was never done.';
comment on column inbox.chats.messages_complete_through is 'Until when the chats messages are known to be all here: the start of that reading. NULL when that was never done.';
comment on column inbox.chats.deleted_at is 'Observed time of the first event or response that said the chat was deleted; NULL when none did.';
comment on column inbox.chats.is_stub is 'True while nothing has described the chat itself: only its messages are known.';
comment on column inbox.chats.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.chats.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.chats.version_at is 'The source''s clock of the newest version seen (data.updated_at); NULL when no event gave one.';
comment on column inbox.chats.observed_at is 'Bookkeeping: observed time of the newest event about the chat or its messages; an event before it is late and has the chat derived again.';
comment on column inbox.chats.observed_seq is 'Bookkeeping: place in its stream of the event observed_at speaks of.';
comment on column inbox.chats.state_version_at is 'Bookkeeping: the sources clock of the newest version that described the state; NULL when none did.';
comment on column inbox.chats.listed_at is 'Observed time of the newest page of the inbox list that named it. NULL when none did.';
comment on column inbox.chats.members_listed_at is 'Bookkeeping: observed time of the newest complete members list; NULL when there was none.';

create view inbox.unlisted_chats with (security_invoker = true) as
select c.org_id, c.chat_id, c.listed_at, o.chats_listed_at
from inbox.chats as c
join inbox.orgs as o on o.org_id = c.org_id
where c.deleted_at is null and c.first_seen_at < o.chats_listed_at
    and (c.listed_at is null or c.listed_at < o.chats_listed_at);
comment on view inbox.unlisted_chats is 'Chats that the newest reading of the whole inbox list did not bring, and that nothing says are deleted.';
comment on column inbox.unlisted_chats.org_id is 'The chats org.';
comment on column inbox.unlisted_chats.chat_id is 'The chat.';
comment on column inbox.unlisted_chats.listed_at is 'When it was last in the list; NULL when it never was.';
comment on column inbox.unlisted_chats.chats_listed_at is 'Start of the reading that did not bring it.';

create table inbox.chat_states (
    org_id                   text not null,
    chat_id                  text not null,
    state_id                 text,
    state                    text,
    integration_id           text,
    assistant_id             text,
    assistant_integration_id text,
    conversation_id          text,
    ai_enabled               bool,
    admin_unseen_count       int8,
    user_unseen_count        int8,
    assigned_user_id         text,
    assigned_at              timestamptz,
    assistant_config_id      text,
    follow_up_at             timestamptz,
    muted_until              timestamptz,
    csat_score               int4,
    last_contact_message_at  timestamptz,
    first_seen_at            timestamptz not null,
    last_seen_at             timestamptz not null,
    version_at               timestamptz,
    primary key (org_id, chat_id),
    foreign key (org_id, chat_id) references inbox.chats,
    foreign key (org_id, assistant_id) references inbox.assistants,
    foreign key (org_id, assistant_integration_id) references inbox.assistant_integrations,
    foreign key (org_id, assigned_user_id) references inbox.users,
    foreign key (org_id, assistant_config_id) references inbox.assistant_configs
) with (fillfactor = 70);
comment on table inbox.chat_states is 'How each chat stands now: open or closed, who is in charge, its rating.';
comment on column inbox.chat_states.org_id is 'The org the row belongs to.';
comment on column inbox.chat_states.chat_id is 'The chat.';
comment on column inbox.chat_states.state_id is 'The vendors id of the state; NULL when unset.';
comment on column inbox.chat_states.state is 'OPEN, SNOOZED, CLOSED, the vendors value; NULL when unset.';
comment on column inbox.chat_states.integration_id is 'The integration the chat runs over (whatsapp_bot, internal, …), the vendors value; NULL when unset.';
comment on column inbox.chat_states.assistant_id is 'The assistant in charge; NULL when unset.';
comment on column inbox.chat_states.assistant_integration_id is 'The assistants integration; NULL when unset.';
comment on column inbox.chat_states.conversation_id is 'The vendors conversation_id; NULL when unset.';
comment on column inbox.chat_states.ai_enabled is 'Whether the AI answers; false after a handoff to a human. NULL when unset.';
comment on column inbox.chat_states.admin_unseen_count is 'Messages the team has not seen; NULL when unset.';
comment on column inbox.chat_states.user_unseen_count is 'Messages the contact has not seen; NULL when unset.';
comment on column inbox.chat_states.assigned_user_id is 'The user the chat is assigned to; NULL when unassigned.';
comment on column inbox.chat_states.assigned_at is 'When it was assigned; NULL when unset.';
comment on column inbox.chat_states.assistant_config_id is 'The assistants configuration in force (assistant_configs); NULL when not told.';
comment on column inbox.chat_states.follow_up_at is 'When the next automatic follow-up is due; NULL when unset.';
comment on column inbox.chat_states.muted_until is 'Until when the chat is muted; NULL when unset.';
comment on column inbox.chat_states.csat_score is 'The contacts rating, 1 to 5 stars; NULL when not rated.';
comment on column inbox.chat_states.last_contact_message_at is 'When the contact last wrote, by the vendor; NULL when unset.';
comment on column inbox.chat_states.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.chat_states.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.chat_states.version_at is 'The source''s clock of the version the row''s content goes by (data.updated_at of the event that last changed it); NULL when no event gave one.';

create table inbox.chat_state_changes (
    org_id                   text not null,
    chat_id                  text not null,
    changed_at               timestamptz not null,
    stream_id                uuid not null,
    seq                      int8 not null,
    unchanged_until          timestamptz,
    state                    text,
    integration_id           text,
    assistant_id             text,
    assistant_integration_id text,
    ai_enabled               bool,
    assigned_user_id         text,
    assigned_at              timestamptz,
    assistant_config_id      text,
    follow_up_at             timestamptz,
    muted_until              timestamptz,
    csat_score               int4,
    unseen_rise              int8,
    first_seen_at            timestamptz not null,
    last_seen_at             timestamptz not null,
    version_at               timestamptz,
    primary key (org_id, chat_id, changed_at, stream_id, seq),
    foreign key (org_id, chat_id) references inbox.chats
);
comment on table inbox.chat_state_changes is 'History of chat_states: one row for each time one of these columns was seen to differ from the version before, or admin_unseen_count to rise by several, with all of their new values. Changes between two versions that were never seen are not here.';
comment on column inbox.chat_state_changes.org_id is 'The org the row belongs to.';
comment on column inbox.chat_state_changes.chat_id is 'The chat.';
comment on column inbox.chat_state_changes.changed_at is 'The sources clock (data.updated_at) of the first version with the new values: the change happened after unchanged_until and not after this.';
comment on column inbox.chat_state_changes.stream_id is 'The event that showed it (raw.events).';
comment on column inbox.chat_state_changes.seq is 'The event that showed it (raw.events).';
comment on column inbox.chat_state_changes.unchanged_until is 'The sources clock of the last version that still had the old values; NULL on a chats first row.';
comment on column inbox.chat_state_changes.state is 'OPEN, SNOOZED, CLOSED, the vendors value; NULL when unset.';
comment on column inbox.chat_state_changes.integration_id is 'The integration the chat runs over (whatsapp_bot, internal, …), the vendors value; NULL when unset.';
comment on column inbox.chat_state_changes.assistant_id is 'The assistant in charge; NULL when unset.';
comment on column inbox.chat_state_changes.assistant_integration_id is 'The assistants integration; NULL when unset.';
comment on column inbox.chat_state_changes.ai_enabled is 'Whether the AI answers; false after a handoff to a human. NULL when unset.';
comment on column inbox.chat_state_changes.assigned_user_id is 'The user the chat is assigned to; NULL when unassigned.';
comment on column inbox.chat_state_changes.assigned_at is 'When it was assigned; NULL when unset.';
comment on column inbox.chat_state_changes.assistant_config_id is 'The assistants configuration in force (assistant_configs); NULL when not told.';
comment on column inbox.chat_state_changes.follow_up_at is 'When the next automatic follow-up is due; NULL when unset.';
comment on column inbox.chat_state_changes.muted_until is 'Until when the chat is muted; NULL when unset.';
comment on column inbox.chat_state_changes.csat_score is 'The contacts rating, 1 to 5 stars; NULL when not rated.';
comment on column inbox.chat_state_changes.unseen_rise is 'By how much admin_unseen_count rose at once: so many messages of the contact were written after unchanged_until, of which the socket shows the last alone. NULL where it rose by one or not.';
comment on column inbox.chat_state_changes.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.chat_state_changes.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.chat_state_changes.version_at is 'The same as changed_at.';

create table inbox.members (
    org_id             text not null,
    chat_id            text not null,
    member_id          text not null,
    role               text,
    user_id            text,
    session_id         text,
    contact_channel_id text,
    left_at            timestamptz,
    first_seen_at      timestamptz not null,
    last_seen_at       timestamptz not null,
    version_at         timestamptz,
    primary key (org_id, chat_id, member_id),
    foreign key (org_id, chat_id) references inbox.chats,
    foreign key (org_id, user_id) references inbox.users,
    foreign key (org_id, session_id) references inbox.sessions,
    foreign key (org_id, contact_channel_id) references inbox.contact_channels
);
comment on table inbox.members is 'Who takes part in a chat: team members, contacts, web visitors.';
comment on column inbox.members.org_id is 'The org the row belongs to.';
comment on column inbox.members.chat_id is 'The chat.';
comment on column inbox.members.member_id is 'The vendors id of the member.';
comment on column inbox.members.role is 'Role in the chat (ADMIN, …), the vendors value; NULL when never told or cleared.';
comment on column inbox.members.user_id is 'The teams user behind the member; NULL when it is none.';
comment on column inbox.members.session_id is 'The web visitor behind the member; NULL when it is none.';
comment on column inbox.members.contact_channel_id is 'The contacts channel behind the member; NULL when it is none.';
comment on column inbox.members.left_at is 'Observed time of the newest complete members list that does not name the member; NULL while the newest one does.';
comment on column inbox.members.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.members.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.members.version_at is 'The source''s clock of the version the row''s content goes by (data.updated_at of the event that last changed it); NULL when no event gave one.';

create table inbox.messages (
    org_id                   text not null,
    chat_id                  text not null,
    message_id               text not null,
    role                     text,
    sender                   text not null,
    member_id                text,
    user_id                  text,
    contact_channel_id       text,
    session_id               text,
    model                    text,
    status                   text,
    text                     text,
    content                  jsonb,
    toolset_id               text,
    features                 jsonb,
    error                    text,
    broadcast_id             text,
    is_broadcast_message     bool,
    created_at               timestamptz,
    updated_at               timestamptz,
    input_tokens             int8,
    output_tokens            int8,
    total_tokens             int8,
    reasoning_tokens         int8,
    input_tokens_cache_read  int8,
    input_tokens_cache_write int8,
    usage_turns              jsonb,
    deleted_at               timestamptz,
    has_ended                bool not null,
    first_seen_at            timestamptz not null,
    last_seen_at             timestamptz not null,
    version_at               timestamptz,
    primary key (org_id, chat_id, message_id),
    foreign key (org_id, chat_id) references inbox.chats,
    foreign key (org_id, chat_id, member_id) references inbox.members,
    foreign key (org_id, user_id) references inbox.users,
    foreign key (org_id, contact_channel_id) references inbox.contact_channels,
    foreign key (org_id, session_id) references inbox.sessions,
    foreign key (org_id, toolset_id) references inbox.toolsets
) with (fillfactor = 85);
comment on table inbox.messages is 'Messages of the chats, each as its newest version describes it. The socket shows a chats last message only: see chats.messages_complete_from and _through.';
comment on column inbox.messages.org_id is 'The org the row belongs to.';
comment on column inbox.messages.chat_id is 'The chat.';
comment on column inbox.messages.message_id is 'The vendors id of the message.';
comment on column inbox.messages.role is 'user, assistant, system, tool, event, note, the vendors value; NULL when unset. Who wrote it is in sender.';
comment on column inbox.messages.sender is 'Who wrote it, by the archives one rule: customer, human (of the team), ai, broadcast, none (system, tool, event, note: never a reply) or unknown.';
comment on column inbox.messages.member_id is 'The member who wrote it; NULL when unset.';
comment on column inbox.messages.user_id is 'The teams user who wrote it; NULL when it was none.';
comment on column inbox.messages.contact_channel_id is 'The contacts channel it came from; NULL when it came from none.';
comment on column inbox.messages.session_id is 'The web visitor who wrote it; NULL when it was none.';
comment on column inbox.messages.model is 'AI model that wrote it; NULL when unset.';
comment on column inbox.messages.status is 'RUNNING, COMPLETED, FAILED, CANCELED, the vendors value; only a COMPLETED message, or one without a status, counts as a reply. NULL when unset.';
comment on column inbox.messages.text is 'All text parts in order, joined by newlines; NULL when there is none.';
comment on column inbox.messages.content is 'The content whole (the messages array); NULL when unset.';
comment on column inbox.messages.toolset_id is 'The tools offered for the message (toolsets); NULL when never told or cleared.';
comment on column inbox.messages.features is 'Feature settings of the message; NULL when never told or cleared.';
comment on column inbox.messages.error is 'Error of a failed message, the vendors text; NULL when unset.';
comment on column inbox.messages.broadcast_id is 'The broadcast that sent it; NULL when none did.';
comment on column inbox.messages.is_broadcast_message is 'Whether it is a broadcasts message; NULL when unset.';
comment on column inbox.messages.created_at is 'When it was created, by the sources clock; NULL when unset.';
comment on column inbox.messages.updated_at is 'When it was last changed, by the sources clock; NULL when unset.';
comment on column inbox.messages.input_tokens is 'Tokens read by the model; NULL when unset.';
comment on column inbox.messages.output_tokens is 'Tokens written by the model; NULL when unset.';
comment on column inbox.messages.total_tokens is 'Tokens in all, as the vendor sums them; NULL when unset.';
comment on column inbox.messages.reasoning_tokens is 'Tokens of reasoning; NULL when unset.';
comment on column inbox.messages.input_tokens_cache_read is 'Tokens read from the prompt cache; NULL when unset.';
comment on column inbox.messages.input_tokens_cache_write is 'Tokens written to the prompt cache; NULL when unset.';
comment on column inbox.messages.usage_turns is 'Usage by turn of the model: parts of the columns before, never to be added to them. NULL when unset.';
comment on column inbox.messages.deleted_at is 'Observed time of the event or response that said the message was deleted; NULL when none did.';
comment on column inbox.messages.has_ended is 'Bookkeeping: a description as COMPLETED, FAILED or CANCELED was seen, so one as RUNNING is not believed any more.';
comment on column inbox.messages.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.messages.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.messages.version_at is 'The message''s own clock (updated_at, else created_at) of the version the row goes by; NULL when none gave one.';

create table inbox.message_files (
    org_id        text not null,
    chat_id       text not null,
    message_id    text not null,
    file_id       text not null,
    part_type     text,
    path          text,
    filename      text,
    size_bytes    int8,
    mimetype      text,
    url           text,
    created_at    timestamptz,
    deleted_at    timestamptz,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    version_at    timestamptz,
    primary key (org_id, chat_id, message_id, file_id),
    foreign key (org_id, chat_id, message_id) references inbox.messages
);
comment on table inbox.message_files is 'Audio and files in messages. The bytes themselves are not archived.';
comment on column inbox.message_files.org_id is 'The org the row belongs to.';
comment on column inbox.message_files.chat_id is 'The chat.';
comment on column inbox.message_files.message_id is 'The message.';
comment on column inbox.message_files.file_id is 'The vendors id of the file.';
comment on column inbox.message_files.part_type is 'The type of the part that holds it (audio, file, …); where the part names none, the key it was found under.';
comment on column inbox.message_files.path is 'file_path; NULL when unset.';
comment on column inbox.message_files.filename is 'file_filename; NULL when unset.';
comment on column inbox.message_files.size_bytes is 'file_size, in bytes; NULL when unset.';
comment on column inbox.message_files.mimetype is 'file_mimetype; NULL when unset.';
comment on column inbox.message_files.url is 'file_url; may expire. NULL when unset.';
comment on column inbox.message_files.created_at is 'When the file was created, by the sources clock; NULL when unset.';
comment on column inbox.message_files.deleted_at is 'Observed time of the version of the message that no longer has the file; NULL while it has.';
comment on column inbox.message_files.first_seen_at is 'Observed time of the first event that named it.';
comment on column inbox.message_files.last_seen_at is 'Observed time of the last event that changed it.';
comment on column inbox.message_files.version_at is 'The message''s own clock of the version that described the file.';

create table inbox.referrals (
    org_id        text not null,
    chat_id       text not null,
    referral_id   text not null,
    ref           text,
    ad_id         text,
    source        text,
    referer_uri   text,
    ad_title      text,
    photo_url     text,
    video_url     text,
    post_id       text,
    product_id    text,
    parts         jsonb,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    version_at    timestamptz,
    primary key (org_id, chat_id, referral_id),
    foreign key (org_id, chat_id) references inbox.chats
);
comment on table inbox.referrals is 'Click-to-chat ads and links that brought a chat: one row for each distinct referral of a chat.';
comment on column inbox.referrals.org_id is 'The org the row belongs to.';
comment on column inbox.referrals.chat_id is 'The chat.';
comment on column inbox.referrals.referral_id is 'SHA-256 (hex) of the referrals canonical JSON.';
comment on column inbox.referrals.ref is 'The referrals ref; NULL when unset.';
comment on column inbox.referrals.ad_id is 'The ads id; NULL when unset.';
comment on column inbox.referrals.source is 'Where it came from, the vendors value; NULL when unset.';
comment on column inbox.referrals.referer_uri is 'The referring page; NULL when unset.';
comment on column inbox.referrals.ad_title is 'ads_context_data.ad_title; NULL when unset.';
comment on column inbox.referrals.photo_url is 'ads_context_data.photo_url; NULL when unset.';
comment on column inbox.referrals.video_url is 'ads_context_data.video_url; NULL when unset.';
comment on column inbox.referrals.post_id is 'ads_context_data.post_id; NULL when unset.';
comment on column inbox.referrals.product_id is 'ads_context_data.product_id; NULL when unset.';
comment on column inbox.referrals.parts is 'The referrals parts (links, files); NULL when unset.';
comment on column inbox.referrals.first_seen_at is 'Observed time of the first event that showed it.';
comment on column inbox.referrals.last_seen_at is 'The same as first_seen_at: the content behind a hash never changes.';
comment on column inbox.referrals.version_at is 'The sources clock of the oldest version that showed it; NULL when none gave one.';

-- What analysts filter and join by, and what the foreign keys' other side is looked up by. org_id comes last: in tables
-- that have no statistics yet, a foreign key's check would take an index that begins with it for as good as the primary
-- key, and read all entries of the org. None has a column that changes with every event: a row whose index entries change
-- is written anew into every index of its table.
create index messages_created_at on inbox.messages (created_at, org_id) include (sender, deleted_at);
create index contact_channels_contact_id on inbox.contact_channels (contact_id, org_id);
create index chat_states_assigned_user_id on inbox.chat_states (assigned_user_id, org_id);

-- +goose Down
drop schema inbox cascade;
