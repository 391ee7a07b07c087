-- +goose Up
alter table ops.leases add column late_until timestamptz;
comment on column ops.leases.late_until is 'Until when whoever held it before, with another spool, may still write older events; NULL when nobody did.';

-- +goose Down
alter table ops.leases drop column late_until;
