-- +goose Up
-- The subselects are worked out once a query, not for each row.
-- +goose StatementBegin
create function analytics.keep_to_readers(relation regclass) returns void
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', relation);
    execute format(
        'create policy readers on %s using ((select analytics.reads_every_org()) or org_id = any ((select analytics.readable_orgs())::text[]))',
        relation
    );
end
$$;
-- +goose StatementEnd
comment on function analytics.keep_to_readers is 'Enables row level security on a table with org_id, so that a role reads its orgs only. A migration that makes a table in inbox or analytics calls it.';

-- +goose StatementBegin
do $$
begin
    perform analytics.keep_to_readers(c.oid)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attname = 'org_id'
    where c.relnamespace in ('inbox'::regnamespace, 'analytics'::regnamespace) and c.relkind in ('r', 'p')
        and c.oid <> 'analytics.reader_orgs'::regclass
    order by c.oid;
end
$$;
-- +goose StatementEnd

alter table analytics.reader_orgs enable row level security;
create policy readers on analytics.reader_orgs using (analytics.has_rights_of(role_name));

-- +goose Down
-- +goose StatementBegin
do $$
declare
    protected record;
begin
    for protected in
        select p.polrelid::regclass as relation from pg_catalog.pg_policy as p
        join pg_catalog.pg_class as c on c.oid = p.polrelid
        where p.polname = 'readers' and c.relnamespace in ('inbox'::regnamespace, 'analytics'::regnamespace)
    loop
        execute format('drop policy readers on %s', protected.relation);
        execute format('alter table %s disable row level security', protected.relation);
    end loop;
end
$$;
-- +goose StatementEnd
drop function analytics.keep_to_readers;
