package dashboard

// page is what one address shows.
type page struct {
	id, title string
	about     string // what it answers, in a sentence
	isNow     bool   // shows how things stand, whatever the period
	panels    []*panel
}

const (
	ofCases   = "cases"
	ofReplies = "replies"
	ofRatings = "ratings"
	ofDays    = "days without a gap"
)

// Pages are the paths of all pages, in the order of the menu.
func Pages() (paths []string) {
	for _, p := range pages {
		paths = append(paths, p.path())
	}
	return paths
}

// path is the page's address: the first is at /.
func (p *page) path() string {
	if p == pages[0] {
		return "/"
	}
	return "/" + p.id
}

var freshness = &panel{
	id: "freshness", title: "How fresh this is", kind: figures, counted: "gaps",
	definition: "When the archive last received an event, last heard anything at all on the connection, and last made its numbers anew. A gap is a time in which it did not listen; a repaired one is filled from Invent's lists. n are the gaps that are over, or repaired, of all there ever were.",
}

// pages are all there are, in the order of the menu. The first is shown at /.
var pages = []*page{
	{
		id: "live", title: "Live", isNow: true, about: "How the inbox stands at this moment.",
		panels: []*panel{
			{
				id: "live_now", title: "Right now", kind: figures, counted: "chats", isWide: true,
				definition: "Chats that are open or snoozed and not deleted. Waiting: the customer wrote last and nobody, AI or team, has answered. Unseen: with messages that the team has not looked at.",
			},
			{
				id: "live_waiting", title: "Longest waits", kind: table, counted: "waiting chats", isWide: true, empty: "Nobody waits for a reply.",
				definition: "Chats whose customer waits, the longest first: since the first message that nobody, AI or team, has answered. Follows the facts, so it lags by seconds.",
				columns: []column{
					{name: "waiting", label: "Waiting", unit: seconds}, {name: "chat", label: "Chat", unit: text, link: "link"},
					{name: "channel", label: "Channel", unit: text, filter: "channel", key: "channel"}, {name: "state", label: "State", unit: text},
					{name: "assigned_to", label: "Assigned to", unit: text, filter: "agent", key: "assigned_user_id"},
					{name: "ai_answers", label: "AI answers", unit: yesNo}, {name: "unseen", label: "Unseen", unit: count},
				},
			},
			{
				id: "live_by_agent", title: "Who has them", kind: table, counted: "chats", empty: "No chat is open or snoozed.",
				definition: "Open and snoozed chats by whom they are assigned to.",
				columns: []column{
					{name: "assigned_to", label: "Assigned to", unit: text, filter: "agent", key: "assigned_user_id"}, {name: "open", label: "Open", unit: count, hasBar: true},
					{name: "snoozed", label: "Snoozed", unit: count}, {name: "waiting", label: "Waiting", unit: count},
					{name: "longest_wait", label: "Longest wait", unit: seconds}, {name: "unseen", label: "Unseen", unit: count},
				},
			},
			freshness,
		},
	},
	{
		id: "volume", title: "Volume", about: "How much comes in, when, and over which channels.",
		panels: []*panel{
			{
				id: "volume_cases", title: "Cases", kind: figures, counted: ofCases,
				definition: "A case opens at the first customer message while a chat is new or closed (or at a broadcast or a first message of the team) and ends when the chat is closed. Opened again: in a chat that had a case before. Handed to the team: the AI was switched off, or someone was assigned after it had replied.",
			},
			{
				id: "volume_messages", title: "Messages", kind: figures, counted: ofDays,
				definition: "Messages of the period by who wrote them. The shares are of what the AI and the team wrote together.",
			}, {
				id: "volume_cases_by_day", title: "Cases opened and closed", kind: lines, unit: count, counted: ofCases,
				definition: "Cases by the day they were opened and the day they were closed. Opened again: those of the opened whose chat had a case before.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "opened", label: "Opened", unit: count, color: 1},
					{name: "closed", label: "Closed", unit: count, color: 2}, {name: "again", label: "Opened again", unit: count, color: 3},
				},
			},
			{
				id: "volume_messages_by_day", title: "Messages by sender", kind: stacked, unit: count, what: "Messages", counted: ofDays,
				definition: "Messages by the day they were created and who wrote them. Deleted messages and what nobody wrote (system, tools, notes) are not counted.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "customers", label: "Customers", unit: count, color: 1}, {name: "ai", label: "AI", unit: count, color: 3},
					{name: "team", label: "Team", unit: count, color: 2}, {name: "broadcasts", label: "Broadcasts", unit: count, color: 4},
				},
			},
			{
				id: "volume_heatmap", title: "When customers write", kind: heat, unit: count, what: "Messages", counted: ofDays, isWide: true, empty: "No message was written in these days.",
				definition: "Messages of customers by weekday and hour, in the organization's time zone, summed over the period.",
				columns:    []column{{name: "weekday", label: "Weekday"}, {name: "hour", label: "Hour", unit: hour}, {name: "messages", label: "Messages", unit: count}},
			},

			{
				id: "volume_channels", title: "Channels", kind: table, counted: ofCases, isWide: true, empty: "No case was opened or closed in these days.",
				definition: "Cases by the channel the customer wrote from. Not known: chats whose customer's channel was never told, as with web visitors.",
				columns: []column{
					{name: "channel", label: "Channel", unit: text, filter: "channel", key: "channel_key"}, {name: "opened", label: "Opened", unit: count, hasBar: true},
					{name: "share", label: "Share", unit: percent}, {name: "closed", label: "Closed", unit: count}, {name: "again", label: "Again", unit: count},
					{name: "handed_off", label: "Handed off", unit: count},
				},
			},
		},
	},
	{
		id: "responsiveness", title: "Responsiveness", about: "How long customers wait, for the AI and for people.",
		panels: []*panel{
			{
				id: "response_times", title: "Waits: the median, and what nine of ten stay under", kind: figures, isWide: true,
				definition: "First response: first customer message of a case to the first reply, dated by the reply. Of the team: as if the AI had not written. Later replies: from the first unanswered message to the reply. The large number is the median (p50).",
			},
			{
				id: "case_times", title: "Cases: the median, and what nine of ten stay under", kind: figures, isWide: true,
				definition: "Team after a handoff: from the handoff to the first reply of a person, dated by the handoff. First message to close: from the first customer message of a case to its first close, dated by the close. The large number is the median (p50).",
			},
			{
				id: "response_team_by_day", title: "First response of the team", kind: lines, unit: seconds, counted: ofReplies, isSplit: true,
				definition: "First customer message of a case to the first reply of a person, as if the AI had not written; by the day of the reply. Median and 90th percentile.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "p50", label: "Median", unit: seconds, color: 2}, {name: "p90", label: "90th percentile", unit: seconds, color: 5}},
			},
			{
				id: "response_ai_by_day", title: "First response of the AI", kind: lines, unit: seconds, counted: ofReplies, isSplit: true,
				definition: "First customer message of a case to the first reply, where the AI gave it; by the day of the reply. Median and 90th percentile.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "p50", label: "Median", unit: seconds, color: 3}, {name: "p90", label: "90th percentile", unit: seconds, color: 5}},
			},
			{
				id: "response_buckets", title: "First responses by how long they took", kind: stacked, unit: count, what: "First responses", counted: ofReplies,
				definition: "First responses of the period, by the time from the first customer message and by who gave them.",
				columns:    []column{{name: "bucket", label: "Wait", unit: bucket}, {name: "ai", label: "AI", unit: count, color: 3}, {name: "team", label: "Team", unit: count, color: 2}},
			},
			{
				id: "response_by_hour", title: "Replies of the team by hour", kind: bars, unit: seconds, counted: ofReplies,
				definition: "Median wait that a reply of the team ended, by the hour in which it was written, in the organization's time zone. A reply in the morning may end a wait that began at night.",
				columns:    []column{{name: "hour", label: "Hour", unit: hour}, {name: "p50", label: "Median", unit: seconds, color: 2}},
			},
			{
				id: "unanswered_by_day", title: "Cases without any reply", kind: stacked, unit: count, counted: ofCases, isWide: true,
				definition: "Cases that a customer opened and that neither the AI nor the team has answered by now, by the day they were opened.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "still_open", label: "Still open", unit: count, color: 2}, {name: "closed", label: "Closed unanswered", unit: count, color: 5}},
			},
		},
	},
	{
		id: "ai", title: "AI", about: "How far the assistants get on their own.",
		panels: []*panel{
			{
				id: "ai_rates", title: "Rates", kind: figures, counted: ofCases, isWide: true,
				definition: "Of the cases opened in the period. Involvement: with an AI reply. AI-resolved, assumed: closed, no reply of the team, no handoff, and no customer message for 24 hours after the last AI reply, of the closed ones with an AI reply that are old enough to know. Automation: one times the other. Handed off: of those with an AI reply.",
			},
			{
				id: "ai_by_day", title: "Involvement and resolution", kind: lines, unit: percent, counted: ofCases,
				definition: "The same rates by the day the case was opened. The last days have few cases that are old enough to know whether the AI resolved them.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "involvement", label: "Involvement", unit: percent, color: 1}, {name: "resolved", label: "AI-resolved (assumed)", unit: percent, color: 3},
				},
			},
			{
				id: "ai_handoffs_by_day", title: "Handoffs", kind: stacked, unit: count, counted: "handoffs",
				definition: "The first handoff of each case, by its day: the AI was switched off in the chat, or someone of the team was assigned after the AI had replied.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "switched_off", label: "AI switched off", unit: count, color: 2}, {name: "assigned", label: "Assigned to a person", unit: count, color: 1},
				},
			},
			{
				id: "ai_assistants", title: "Assistants and their versions", kind: table, counted: ofCases, isWide: true, empty: "No case was opened in these days.",
				definition: "Cases by the assistant in charge and its configuration at the time; versions are numbered as the archive first saw them. Rates as above. First response: median time of the AI's first reply.",
				columns: []column{
					{name: "assistant", label: "Assistant", unit: text, filter: "assistant", key: "assistant_id"}, {name: "version", label: "Version", unit: count}, {name: "model", label: "Model", unit: text},
					{name: "cases", label: "Cases", unit: count, hasBar: true}, {name: "involvement", label: "Involvement", unit: percent}, {name: "resolved", label: "AI-resolved", unit: percent},
					{name: "handed_off", label: "Handed off", unit: percent}, {name: "first_response", label: "First response", unit: seconds},
				},
			},
		},
	},
	{
		id: "agents", title: "Agents", about: "What each person of the team did.",
		panels: []*panel{
			{
				id: "agents_totals", title: "The team", kind: figures, counted: ofReplies, isWide: true,
				definition: "Turns that a person's reply ended: from the first unanswered customer message, as if the AI had not written, to the reply. A reply counts for who wrote it.",
			},
			{
				id: "agents", title: "People", kind: table, counted: ofReplies, isWide: true, empty: "Nobody of the team replied, closed a case or was rated in these days.",
				definition: "Turns and times by who wrote the reply. Closed cases by their assignee. CSAT: mean of the ratings given while the chat was assigned to the person. The first hundred by turns.",
				columns: []column{
					{name: "agent", label: "Person", unit: text, filter: "agent", key: "agent_user_id"}, {name: "turns", label: "Turns answered", unit: count, hasBar: true},
					{name: "p50", label: "Reply, median", unit: seconds}, {name: "p90", label: "90th percentile", unit: seconds}, {name: "first_p50", label: "First response, median", unit: seconds},
					{name: "closed", label: "Closed", unit: count}, {name: "csat", label: "CSAT", unit: stars}, {name: "ratings", label: "Ratings", unit: count},
				},
			},
			{
				id: "agents_by_day", title: "Turns answered", kind: stacked, unit: count, what: "Turns", counted: ofReplies, isWide: true,
				definition: "Turns that a person's reply ended, by the day of the reply: the first response of the team in a case, and later ones.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "first", label: "First responses", unit: count, color: 2}, {name: "later", label: "Later replies", unit: count, color: 1}},
			},
		},
	},
	{
		id: "csat", title: "CSAT", about: "How content customers are.",
		panels: []*panel{
			{
				id: "csat_totals", title: "Ratings", kind: figures, isWide: true,
				definition: "Ratings of 1 to 5 stars by the day they were given; of a case's several, the last. The share rated is estimated: of closed cases whose assistant was set to ask, since whether each was asked is not known; n counts these cases.",
			},
			{
				id: "csat_by_day", title: "CSAT", kind: lines, unit: percent, counted: ofRatings,
				definition: "Share of 4 and 5 stars among the ratings of the day. A day without ratings has no point.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "csat", label: "4 or 5 stars", unit: percent, color: 1}},
			},
			{
				id: "csat_histogram", title: "Stars given", kind: bars, unit: count, counted: ofRatings,
				definition: "Ratings of the period by their stars.",
				columns:    []column{{name: "score", label: "Stars", unit: starsRow}, {name: "ratings", label: "Ratings", unit: count, color: 1}},
			},
			{
				id: "csat_by_who", title: "By who answered", kind: table, counted: ofRatings, isWide: true, empty: "Nobody rated in these days.",
				definition: "Ratings by who had replied in the rated case: the AI alone, the AI and the team, or the team alone.",
				columns: []column{
					{name: "answered_by", label: "Answered by", unit: text}, {name: "csat", label: "4 or 5 stars", unit: percent, hasBar: true},
					{name: "average", label: "Average", unit: stars}, {name: "unhappy", label: "1 or 2 stars", unit: count},
				},
			},
			{
				id: "csat_unhappy", title: "One and two stars", kind: table, counted: "ratings shown", isWide: true, empty: "Nobody gave one or two stars in these days.",
				definition: "Ratings of 1 or 2, the newest first. Assigned to: who had the chat when it was rated. Took: first customer message to close.",
				columns: []column{
					{name: "rated_at", label: "Rated", unit: moment}, {name: "score", label: "Stars", unit: starsRow}, {name: "chat", label: "Chat", unit: text, link: "link"},
					{name: "channel", label: "Channel", unit: text, filter: "channel", key: "channel"}, {name: "assigned_to", label: "Assigned to", unit: text, filter: "agent", key: "assigned_user_id"},
					{name: "assistant", label: "Assistant", unit: text, filter: "assistant", key: "assistant_id"}, {name: "resolution", label: "Took", unit: seconds},
				},
			},
		},
	},
	{
		id: "backlog", title: "Backlog", about: "What is not closed, and whether it grows.",
		panels: []*panel{
			{
				id: "backlog_now", title: "Right now", kind: figures, counted: "chats", isWide: true,
				definition: "Chats that are open or snoozed and not deleted, whatever the period. Unassigned: assigned to nobody.",
			},
			{
				id: "backlog_by_day", title: "Backlog at midnight", kind: lines, unit: count, what: "Chats", counted: "days", isWide: true,
				definition: "Chats that were open or snoozed at the midnight with which the day, week or month began. Unassigned: of both.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "open", label: "Open", unit: count, color: 1}, {name: "snoozed", label: "Snoozed", unit: count, color: 3},
					{name: "unassigned", label: "Unassigned", unit: count, color: 2},
				},
			},
			{
				id: "backlog_age", title: "Age of what is open", kind: stacked, unit: count, counted: "chats", isWide: true,
				definition: "Open and snoozed chats now, by the time since their newest case was opened. A chat without a known case has no age.",
				columns:    []column{{name: "age", label: "Age", unit: bucket}, {name: "open", label: "Open", unit: count, color: 1}, {name: "snoozed", label: "Snoozed", unit: count, color: 3}},
			},
			{
				id: "backlog_by_channel", title: "By channel", kind: table, counted: "chats", isWide: true, empty: "No chat is open or snoozed.",
				definition: "Open and snoozed chats now, by the channel the customer writes from.",
				columns: []column{
					{name: "channel", label: "Channel", unit: text, filter: "channel", key: "channel_key"}, {name: "open", label: "Open", unit: count, hasBar: true}, {name: "snoozed", label: "Snoozed", unit: count},
					{name: "unassigned", label: "Unassigned", unit: count}, {name: "waiting", label: "Waiting", unit: count}, {name: "longest_wait", label: "Longest wait", unit: seconds},
				},
			},
		},
	},
	{
		id: "cost", title: "Cost", about: "Tokens, and what they cost by the prices you set.",
		panels: []*panel{
			{
				id: "cost_totals", title: "Tokens and cost", kind: figures, counted: "messages", isWide: true,
				definition: "Usage of the messages of the period, whatever became of them. Estimated: tokens times the price in force on the day (archiver settings, model_prices); a model without a price has no cost.",
			},
			{
				id: "cost_by_day", title: "Estimated cost", kind: bars, unit: money, counted: "messages with a price", empty: "No model of these days has a price. archiver settings sets prices (model_prices).",
				definition: "Tokens times the price in force on the day, in the currency that most messages are priced in. Amounts of different currencies are never added.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "cost", label: "Estimated cost", unit: money, color: 1}},
			},
			{
				id: "cost_tokens_by_day", title: "Tokens", kind: stacked, unit: tokens, counted: "messages",
				definition: "Tokens read, read from the prompt cache, and written, by the day of the message. Reasoning is part of what is written.",
				columns: []column{
					{name: "day", label: "Day", unit: day}, {name: "input", label: "Read", unit: tokens, color: 1}, {name: "cached", label: "Read from the cache", unit: tokens, color: 3},
					{name: "output", label: "Written", unit: tokens, color: 2},
				},
			},
			{
				id: "cost_cases", title: "Per case", kind: table, counted: "cases with a known cost", isWide: true, empty: "No case with an AI reply was opened in these days.",
				definition: "Cases opened in the period with an AI reply, by the assistant in charge: tokens of all messages of the case, and what these cost. A case with a model that has no price, or that is not complete, has no cost and is not in the columns of cost.",
				columns: []column{
					{name: "assistant", label: "Assistant", unit: text, filter: "assistant", key: "assistant_id"}, {name: "cases", label: "Cases", unit: count, hasBar: true},
					{name: "tokens_mean", label: "Tokens a case", unit: tokens}, {name: "cost_p50", label: "Cost, median", unit: money}, {name: "cost_mean", label: "Cost, mean", unit: money},
					{name: "cost", label: "In all", unit: money},
				},
			},
			{
				id: "cost_models", title: "Models", kind: table, counted: "messages with a price", isWide: true, empty: "No message of these days tells its tokens.",
				definition: "Usage by the model that wrote the message. Cached is part of read, reasoning part of written. A model whose price changed its currency has a line for each.",
				columns: []column{
					{name: "model", label: "Model", unit: text}, {name: "messages", label: "Messages", unit: count}, {name: "input", label: "Read", unit: tokens}, {name: "cached", label: "Cached", unit: tokens},
					{name: "output", label: "Written", unit: tokens}, {name: "reasoning", label: "Reasoning", unit: tokens}, {name: "share", label: "Share of tokens", unit: percent, hasBar: true},
					{name: "cost", label: "Estimated cost", unit: money},
				},
			},
		},
	},
	{
		id: "growth", title: "Growth", about: "What ads and broadcasts bring.",
		panels: []*panel{
			{
				id: "growth_totals", title: "Ads and broadcasts", kind: figures,
				definition: "Cases that came by an ad or link, the first after each referral; engaged are those whose customer wrote a second message. Broadcasts: chats they went to, and how many of these wrote within 72 hours, of those of which it is known.",
			},
			{
				id: "ads_funnel", title: "From ad to rating", kind: bars, unit: count, counted: ofCases, empty: "No case of these days came by an ad or link.",
				definition: "What became of those who came by an ad or link: only the first case after each referral, by the day it was opened. Engaged: the customer wrote a second message.",
				columns:    []column{{name: "step", label: "Step", unit: bucket}, {name: "cases", label: "Cases", unit: count, color: 1}},
			},
			{
				id: "ads", title: "Ads", kind: table, counted: ofCases, isWide: true, empty: "No case of these days came by an ad or link.",
				definition: "The same by ad. Shares are of opened.",
				columns: []column{
					{name: "ad", label: "Ad", unit: text}, {name: "source", label: "Source", unit: text}, {name: "opened", label: "Opened", unit: count, hasBar: true}, {name: "engaged", label: "Engaged", unit: percent},
					{name: "answered", label: "Answered", unit: percent}, {name: "handed_off", label: "Handed off", unit: percent}, {name: "closed", label: "Closed", unit: percent}, {name: "rated", label: "Rated", unit: percent},
				},
			},
			{
				id: "broadcasts", title: "Broadcasts", kind: table, counted: "chats", isWide: true, empty: "No broadcast was sent in these days.",
				definition: "Who wrote within 72 hours of a broadcast; a message counts for the last broadcast before it. n of N: of the chats whose 72 hours are over, those of which it is known.",
				columns: []column{
					{name: "day", label: "Sent", unit: day}, {name: "broadcast", label: "Broadcast", unit: text}, {name: "messages", label: "Messages", unit: count}, {name: "chats", label: "Chats", unit: count},
					{name: "responded_chats", label: "Responded", unit: count}, {name: "responded", label: "Share", unit: percent, hasBar: true}, {name: "response_p50", label: "After, median", unit: seconds},
				},
			},
		},
	},
	{
		id: "health", title: "Data health", about: "How much of this can be trusted, and what is missing.",
		panels: []*panel{
			freshness,
			{
				id: "coverage_by_day", title: "Coverage over time", kind: lines, unit: percent, counted: "events",
				definition: "Share of replies with a complete time, and of cases that are complete, by day. A case that is still open is not complete yet, so the newest days are low; one from before the archive never is, for how it stood was not seen.",
				columns:    []column{{name: "day", label: "Day", unit: day}, {name: "replies", label: "Replies", unit: percent, color: 1}, {name: "cases", label: "Cases", unit: percent, color: 3}},
			}, {
				id: "coverage", title: "Coverage", kind: table, counted: "events", empty: "There is nothing to measure in these days.",
				definition: "Of the events that should have a value (eligible), those whose value is known to be complete (measured). What is not measured is in no number of the other pages.",
				columns:    []column{{name: "metric", label: "Number", unit: text}, {name: "measured", label: "Measured", unit: percent, hasBar: true}},
			},

			{
				id: "missing", title: "What is missing, and why", kind: table, counted: "cases and replies complete or open", empty: "Nothing is known to be missing in these days.",
				definition: "Cases and replies that are in no time, by the reason. Partial: something is missing or may be. Imported: from before the archive. archiver backfill reads the message lists again, which completes what can be.",
				columns: []column{
					{name: "fact", label: "What", unit: text}, {name: "missing", label: "Missing", unit: count, hasBar: true}, {name: "are", label: "They are", unit: text}, {name: "reason", label: "Why", unit: text},
				},
			},
			{
				id: "gaps", title: "Gaps", kind: table, counted: "gaps repaired", isWide: true, empty: "The archive listened all the time.",
				definition: "Times in which the archive did not listen, the newest first. What was sent meanwhile is read from the lists afterwards; how a chat's state changed in between is not told by any list.",
				columns: []column{
					{name: "began_at", label: "Began", unit: moment}, {name: "lasted", label: "Lasted", unit: seconds}, {name: "status", label: "Status", unit: text}, {name: "cause", label: "Cause", unit: text},
					{name: "repaired_at", label: "Repaired", unit: moment}, {name: "messages_recovered", label: "Messages recovered", unit: count},
				},
			},
			{
				id: "flaws", title: "Flaws", kind: table, counted: "flaws shown", isWide: true, empty: "Nothing was wrong with what was received in these days.",
				definition: "What was wrong with events as they came, by the day they were received: fields that could not be read, which are NULL in the tables and whole in raw.events.",
				columns: []column{
					{name: "flaw", label: "Flaw", unit: text}, {name: "times", label: "Events", unit: count, hasBar: true}, {name: "last_seen", label: "Last", unit: moment},
				},
			},
			{
				id: "drift", title: "Drift", kind: table, counted: "fields shown", isWide: true, empty: "Invent sends nothing that the archive does not read.",
				definition: "Fields that Invent sends and the archive does not read, seen in the period or after it, the newest first; what is within one of them is left out. Nothing of them is lost: they are in raw.events. archiver drift tells more.",
				columns: []column{
					{name: "path", label: "Field", unit: text}, {name: "json_type", label: "Type", unit: text}, {name: "sightings", label: "Seen", unit: count}, {name: "first_seen_at", label: "First", unit: moment},
				},
			},
		},
	},
}
