-- Run by docker compose as the owner, at every start: the role that the dashboards read as. What it may read, archiver grant
-- says. The password comes from the environment and is in no log.
\getenv password READER_PASSWORD
set log_statement = 'none';
set log_min_error_statement = 'panic';
set log_min_duration_statement = -1;
select format('create role archiver_reader login connection limit 50')
where not exists (select from pg_roles where rolname = 'archiver_reader') \gexec
alter role archiver_reader with login password :'password';
alter role archiver_reader set statement_timeout = '60s';
alter role archiver_reader set default_transaction_read_only = on;
