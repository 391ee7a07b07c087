package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jedib0t/go-pretty/v6/table"
)

// demoQuery is a question to the archive, as the demo shows it to be typed and as it asks itself.
type demoQuery struct{ question, sql string }

// demoQueries are what who leads a support team wants to know first.
var demoQueries = []demoQuery{
	{"Where is the work? Chats by channel, and who has them", `SELECT s.integration_id AS channel,
       count(*) FILTER (WHERE s.state = 'OPEN' AND s.ai_enabled) AS open_with_ai,
       count(*) FILTER (WHERE s.state = 'OPEN' AND NOT s.ai_enabled) AS open_with_people,
       count(*) FILTER (WHERE s.state = 'SNOOZED') AS snoozed,
       count(*) FILTER (WHERE s.state = 'CLOSED') AS closed,
       count(*) AS chats
FROM inbox.chat_states s JOIN inbox.chats c USING (org_id, chat_id)
WHERE c.deleted_at IS NULL
GROUP BY channel ORDER BY chats DESC`},
	{"How content are customers, by who had the chat last? Stars from 1 to 5, of closed chats", `SELECT CASE WHEN u.user_id IS NULL THEN 'AI: ' || a.name ELSE u.name END AS handled_by,
       count(*) AS closed, count(s.csat_score) AS rated,
       round(avg(s.csat_score), 2) AS csat,
       count(*) FILTER (WHERE s.csat_score <= 2) AS unhappy
FROM inbox.chat_states s
LEFT JOIN inbox.users u ON (u.org_id, u.user_id) = (s.org_id, s.assigned_user_id)
LEFT JOIN inbox.assistants a ON (a.org_id, a.assistant_id) = (s.org_id, s.assistant_id)
WHERE s.state = 'CLOSED'
GROUP BY handled_by HAVING count(s.csat_score) > 0 ORDER BY rated DESC LIMIT 10`},
	{"When is it busy, and who answers? Messages by hour of the day (UTC), up to yesterday", `SELECT to_char(created_at AT TIME ZONE 'UTC', 'HH24') || ':00' AS hour,
       count(*) FILTER (WHERE sender = 'customer') AS customers_wrote,
       count(*) FILTER (WHERE sender = 'ai') AS ai_answered,
       count(*) FILTER (WHERE sender = 'human') AS people_answered,
       round(100.0 * count(*) FILTER (WHERE sender = 'human')
             / nullif(count(*) FILTER (WHERE sender IN ('ai', 'human')), 0)) AS people_percent
FROM inbox.messages
WHERE created_at < date_trunc('day', now()) AND sender IN ('customer', 'ai', 'human')
GROUP BY hour ORDER BY customers_wrote DESC LIMIT 10`},
}

// answer asks the archive and prints what it says.
func (q demoQuery) answer(ctx context.Context, pool *pgxpool.Pool, w io.Writer) error {
	began := time.Now()
	// The simple protocol gives every value as psql would show it.
	rows, err := pool.Query(ctx, q.sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return fmt.Errorf("asking the archive: %s: %w", q.question, err)
	}
	defer rows.Close()
	t := table.NewWriter()
	t.SetStyle(tableStyle())
	var header table.Row
	for _, field := range rows.FieldDescriptions() {
		header = append(header, field.Name)
	}
	t.AppendHeader(header)
	for rows.Next() {
		var row table.Row
		for _, value := range rows.RawValues() {
			row = append(row, string(value))
		}
		t.AppendRow(row)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("asking the archive: %s: %w", q.question, err)
	}
	fmt.Fprintf(w, "%s\n%s\n(%d rows, %s)\n\n", q.question, t.Render(), t.Length(), time.Since(began).Round(time.Millisecond))
	return nil
}
