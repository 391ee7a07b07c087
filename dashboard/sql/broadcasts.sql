select b.local_date as day, coalesce(b.broadcast_id, 'Not named') as broadcast, b.messages, b.chats, b.response_percent as responded, b.responded_chats,
    b.response_p50_seconds as response_p50, b.measured_chats as n, b.settled_chats as of
from analytics.broadcast_effect as b
where b.org_id = @org::text and b.local_date between @from::date and @to::date
order by b.local_date desc, b.messages desc, b.broadcast_id
limit 100
