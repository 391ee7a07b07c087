package bench

type query struct{ name, sql string }

// dashboardQueries are what a panel asks of each view: the last thirty days, grouped; of the daily ones also whole rows, which have
// percentiles. %s is the condition on the org.
var dashboardQueries = []query{
	{"cases_wide by day", `
		select opened_local_date, count(*), count(closed_at), count(handoff_at), avg(csat_score), percentile_cont(0.5) within group (order by first_response_seconds)
		from analytics.cases_wide where %s and opened_local_date >= current_date - 30 group by 1 order by 1`},
	{"cases_wide by assistant", `
		select assistant_name, assistant_config_version, count(*), count(handoff_at), count(*) filter (where is_ai_resolved), avg(resolution_seconds)
		from analytics.cases_wide where %s and opened_local_date >= current_date - 30 group by 1, 2 order by 1, 2`},
	{"cases_wide by hour of the week", `
		select opened_local_weekday, opened_local_hour, count(*), avg(first_response_seconds)
		from analytics.cases_wide where %s and opened_local_date >= current_date - 30 group by 1, 2 order by 1, 2`},
	{"cases_wide, the newest 100", `
		select * from analytics.cases_wide where %s and opened_local_date >= current_date - 1 order by opened_at desc limit 100`},
	{"chats_wide, the backlog", `
		select assigned_user_name, count(*), count(waiting_since), min(waiting_since)
		from analytics.chats_wide where %s and deleted_at is null and state in ('OPEN', 'SNOOZED') group by 1 order by 2 desc`},
	{"turns, percentiles", `
		select replied_by, count(reply_seconds), percentile_cont(array[0.5, 0.9]) within group (order by reply_seconds)
		from analytics.turns where %s and pass = 'any' and is_first_response and replied_local_date >= current_date - 30 group by 1`},
	{"response_times_daily", `
		select local_date, replied_by, sum(n), sum(n_eligible), sum(sum_seconds) / nullif(sum(n), 0), sum(within_5_minutes)
		from analytics.response_times_daily where %s and pass = 'any' and kind = 'first' and local_date >= current_date - 30 group by 1, 2 order by 1, 2`},
	{"response_times_daily, every column", `select count(d) from analytics.response_times_daily as d where %s and local_date >= current_date - 30`},
	{"csat_daily", `
		select assigned_user_id, sum(n), sum(satisfied), sum(sum_score) / nullif(sum(n), 0), sum(asked_cases_rated), sum(asked_cases)
		from analytics.csat_daily where %s and local_date >= current_date - 30 group by 1 order by 2 desc`},
	{"csat_daily, every column", `select count(d) from analytics.csat_daily as d where %s and local_date >= current_date - 30`},
	{"volume_hourly", `
		select weekday, local_hour, sum(customer_messages), sum(human_messages), sum(ai_messages)
		from analytics.volume_hourly where %s and local_date >= current_date - 30 group by 1, 2 order by 1, 2`},
	{"agents_daily", `
		select agent_name, sum(replies), sum(closed_cases), avg(reply_p50_seconds), avg(average_score)
		from analytics.agents_daily where %s and local_date >= current_date - 30 group by 1 order by 2 desc`},
	{"agents_daily, every column", `select count(d) from analytics.agents_daily as d where %s and local_date >= current_date - 30`},
	{"assistants_daily", `
		select assistant_name, assistant_config_version, sum(cases), sum(ai_resolved_cases), sum(ai_closed_cases)
		from analytics.assistants_daily where %s and local_date >= current_date - 30 group by 1, 2 order by 1, 2`},
	{"assistants_daily, every column", `select count(d) from analytics.assistants_daily as d where %s and local_date >= current_date - 30`},
	{"channels_daily", `
		select channel_type, sum(opened_cases), sum(closed_cases), sum(handoffs), avg(first_response_p50_seconds)
		from analytics.channels_daily where %s and local_date >= current_date - 30 group by 1 order by 2 desc`},
	{"channels_daily, every column", `select count(d) from analytics.channels_daily as d where %s and local_date >= current_date - 30`},
	{"token_usage_daily", `
		select model, sum(total_tokens), sum(estimated_cost)
		from analytics.token_usage_daily where %s and local_date >= current_date - 30 group by 1 order by 2 desc`},
	{"ad_funnel", `
		select ad_id, sum(opened), sum(engaged), sum(answered), sum(closed), sum(rated)
		from analytics.ad_funnel where %s and local_date >= current_date - 30 group by 1 order by 2 desc`},
	{"broadcast_effect", `
		select broadcast_id, sum(chats), sum(measured_chats), sum(responded_chats)
		from analytics.broadcast_effect where %s and local_date >= current_date - 30 group by 1 order by 1`},
	{"coverage_daily", `
		select metric, sum(eligible), sum(measured)
		from analytics.coverage_daily where %s and local_date >= current_date - 30 group by 1 order by 1`},
	{"coverage_daily, every column", `select count(d) from analytics.coverage_daily as d where %s and local_date >= current_date - 30`},
	{"chat_state_history of a chat", `
		select * from analytics.chat_state_history where %s and chat_id = (select chat_id from analytics.cases limit 1) order by began_at`},
	{"backlog_daily", `
		select local_date, sum(open_chats), sum(unassigned_chats)
		from analytics.backlog_daily where %s and local_date >= current_date - 30 group by 1 order by 1`},
	{"calendar", `
		select * from analytics.calendar where %s and local_date between current_date - 30 and current_date`},
	{"assistant_versions", `select * from analytics.assistant_versions where %s`},
	{"channels", `select * from analytics.channels where %s`},
	{"gaps", `select local_date, sum(gap_seconds) from (select began_at::date as local_date, gap_seconds from analytics.gaps where %s) as g group by 1`},
	{"freshness", `select * from analytics.freshness where %s`},
}

// rareQueries are what no panel asks, because another view has it stored: the changes of states of a month are in channels_daily,
// and chat_state_history is for who looks at a chat. They have no target.
var rareQueries = []query{
	{"chat_state_history of all chats", `
		select began_at::date, count(*) filter (where is_closed), count(*) filter (where is_reopened), count(*) filter (where is_handoff)
		from analytics.chat_state_history where %s and began_at >= current_date - 30 group by 1 order by 1`},
}
