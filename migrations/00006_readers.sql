-- +goose Up
create table analytics.reader_orgs (
    role_name name not null,
    org_id    text not null,
    primary key (role_name, org_id)
);
comment on table analytics.reader_orgs is 'Which orgs a database role may read in inbox and analytics: one row for each. archiver grant writes it. A role sees its own rows, and those of the roles whose rights it has.';
comment on column analytics.reader_orgs.role_name is 'The role, by name: a role that is renamed loses its orgs.';
comment on column analytics.reader_orgs.org_id is 'The org; * is every org.';

-- The bodies below are parsed here, once (return, not a text), so the search_path of whoever asks has no say in them. None
-- is security definer: in such a function current_user is its owner, and who asks would have to be taken from the session,
-- which SET ROLE does not change. So whoever reads a table also reads reader_orgs, and its own policy shows the own rows.
grant select on analytics.reader_orgs to public;

create function analytics.has_rights_of(role_name name) returns bool
language sql stable parallel safe
return exists (
    select from pg_catalog.pg_roles as r where r.rolname = has_rights_of.role_name and pg_catalog.pg_has_role(r.oid, 'usage')
);
comment on function analytics.has_rights_of is 'Whether the current role is that role or has its rights; false when there is no such role.';

create function analytics.readable_orgs() returns text[]
language sql stable parallel safe
return coalesce((
    select pg_catalog.array_agg(o.org_id) from analytics.reader_orgs as o where analytics.has_rights_of(o.role_name)
), '{}');
comment on function analytics.readable_orgs is 'The orgs that reader_orgs lets the current role read; * among them is every org.';

create function analytics.reads_every_org() returns bool
language sql stable parallel safe
return pg_catalog.has_table_privilege('inbox.chats'::pg_catalog.regclass, 'insert') or '*' = any (analytics.readable_orgs());
comment on function analytics.reads_every_org is 'Whether the current role may read all orgs: reader_orgs says so, or it may write the archive.';

create function analytics.may_read(org_id text) returns bool
language sql stable parallel safe
return analytics.reads_every_org() or may_read.org_id = any (analytics.readable_orgs());
comment on function analytics.may_read is 'Whether the current role may read the rows of an org. For views over what readers have no right to; tables have policies.';

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
drop function analytics.keep_to_readers, analytics.may_read, analytics.reads_every_org, analytics.readable_orgs, analytics.has_rights_of;
drop table analytics.reader_orgs;
