package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Readers are roles that may read schemas inbox and analytics and nothing else. Rights and roles are outside of what sqlc
// knows: the SQL is written by hand, and all of it is here. Which rows a reader sees, the policies of migrations/ decide by
// analytics.reader_orgs.

// EveryOrg is the org of a reader whom no policy keeps from any.
const EveryOrg = "*"

var readSchemas = []string{"inbox", "analytics"}

// RoleError is a role that cannot be made a reader as it is. Its text says what to do.
type RoleError struct{ text string }

func (e *RoleError) Error() string { return e.text }

// Grant lets an existing role read all tables and views of schemas inbox and analytics, those that later migrations make
// included, and in them the rows of these orgs and of no others; of EveryOrg when none is given. Afterwards the role reads
// what it was granted last. The warnings say what else it can read, or what it still lacks.
//
// Only who has the rights of the tables' owner can grant. A role that does not exist, that is no reader, or that nothing
// can be granted by is a RoleError.
func Grant(ctx context.Context, pool *pgxpool.Pool, role string, orgs ...string) (warnings []string, err error) {
	if len(orgs) == 0 {
		orgs = []string{EveryOrg}
	}
	err = asOwner(ctx, pool, role, func(tx pgx.Tx, owners []string) error {
		if err := checkReader(ctx, tx, role, orgs); err != nil {
			return err
		}
		if err := setRights(ctx, tx, owners, "grant", "to", role); err != nil {
			return err
		}
		if err := setOrgs(ctx, tx, role, orgs); err != nil {
			return err
		}
		if warnings, err = warn(ctx, tx, role); err != nil {
			return err
		}
		if isSet, err := setPlanning(ctx, tx, role, "set jit = off", "set work_mem = '32MB'"); err != nil || isSet {
			return err
		}
		warnings = append(warnings, fmt.Sprintf("role %s has the server's settings, with which large queries take longer: as a role that may change it, ALTER ROLE %s SET jit = off, and SET work_mem = '32MB'", role, quoted(role)))
		return nil
	})
	return warnings, err
}

// Revoke takes away what Grant gave. It says nothing of rights that the role has as a member of others.
func Revoke(ctx context.Context, pool *pgxpool.Pool, role string) error {
	return asOwner(ctx, pool, role, func(tx pgx.Tx, owners []string) error {
		if err := setRights(ctx, tx, owners, "revoke", "from", role); err != nil {
			return err
		}
		if err := setOrgs(ctx, tx, role, nil); err != nil {
			return err
		}
		_, err := setPlanning(ctx, tx, role, "reset jit", "reset work_mem")
		return err
	})
}

// setPlanning changes how the role's queries in this database are run: compiling queries of many columns takes longer than
// running them, and what is sorted for percentiles fits into little more memory than the default. isSet is false where the one
// who grants may not change roles, which managed servers often forbid.
func setPlanning(ctx context.Context, tx pgx.Tx, role string, changes ...string) (isSet bool, err error) {
	var database string
	if err := tx.QueryRow(ctx, "select current_database()").Scan(&database); err != nil {
		return false, fmt.Errorf("asking for the database's name: %w", err)
	}
	for _, change := range changes {
		statement := fmt.Sprintf("alter role %s in database %s %s", quoted(role), quoted(database), change)
		err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, statement)
			return err
		})
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "42501" {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("%s: %w", statement, err)
		}
	}
	return true, nil
}

// asOwner does something to a role in one transaction, one at a time. owners are the roles whose tables the readers read.
func asOwner(ctx context.Context, pool *pgxpool.Pool, role string, do func(tx pgx.Tx, owners []string) error) error {
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		owners, err := checkOwner(ctx, tx)
		if err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, "select exists (select from pg_roles where rolname = $1)", role).Scan(&exists); err != nil {
			return fmt.Errorf("looking for the role: %w", err)
		}
		if !exists {
			return &RoleError{fmt.Sprintf("there is no role %s: make it first, as CREATE ROLE %s LOGIN PASSWORD '…' (names are case-sensitive here)", role, quoted(role))}
		}
		if _, err := tx.Exec(ctx, "lock table analytics.reader_orgs in share row exclusive mode"); err != nil {
			return fmt.Errorf("waiting for another grant: %w", err)
		}
		return do(tx, owners)
	})
	if _, ok := errors.AsType[*RoleError](err); err != nil && !ok {
		return fmt.Errorf("changing what role %s may read: %w", role, err)
	}
	return err
}

// checkOwner refuses who cannot grant: Postgres itself would only warn.
func checkOwner(ctx context.Context, tx pgx.Tx) (owners []string, err error) {
	rows, err := tx.Query(ctx, `
		select distinct r.rolname::text, pg_has_role(r.oid, 'usage')
		from (
			select n.nspowner as owner from pg_namespace n where n.nspname = any($1)
			union all
			select c.relowner from pg_class c join pg_namespace n on n.oid = c.relnamespace
			where n.nspname = any($1) and c.relkind in ('r', 'p', 'v', 'm')
		) o join pg_roles r on r.oid = o.owner
		order by 1`, readSchemas)
	if err != nil {
		return nil, fmt.Errorf("looking for the owner of the tables: %w", err)
	}
	var name, foreign string
	var isOurs bool
	_, err = pgx.ForEachRow(rows, []any{&name, &isOurs}, func() error {
		owners = append(owners, name)
		if !isOurs {
			foreign = name
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the owner of the tables: %w", err)
	}
	if foreign != "" {
		return nil, &RoleError{fmt.Sprintf("the tables belong to role %s, and only it can let others read them: connect as %s (DATABASE_URL or --database-url), or as a role that was granted it", foreign, quoted(foreign))}
	}
	return owners, nil
}

// checkReader refuses roles that row level security does not hold for, when it is to hold.
func checkReader(ctx context.Context, tx pgx.Tx, role string, orgs []string) error {
	if slices.Contains(orgs, EveryOrg) {
		return nil
	}
	var isSuperuser, bypasses, writes bool
	err := tx.QueryRow(ctx, `
		select rolsuper, rolbypassrls, has_table_privilege(oid, 'inbox.chats', 'insert') from pg_roles where rolname = $1`,
		role).Scan(&isSuperuser, &bypasses, &writes)
	switch {
	case err != nil:
		return fmt.Errorf("reading what the role may do: %w", err)
	case isSuperuser:
		return &RoleError{fmt.Sprintf("role %s is a superuser and cannot be kept to some orgs: grant to another role", role)}
	case bypasses:
		return &RoleError{fmt.Sprintf("role %s has BYPASSRLS and cannot be kept to some orgs: ALTER ROLE %s NOBYPASSRLS, or grant to another role", role, quoted(role))}
	case writes:
		return &RoleError{fmt.Sprintf("role %s can write the archive's tables and cannot be kept to some orgs: grant to another role", role)}
	}
	return nil
}

// setRights grants to or revokes from the role what is in the schemas, and what will be.
func setRights(ctx context.Context, tx pgx.Tx, owners []string, verb, direction, role string) error {
	schemas := strings.Join(readSchemas, ", ")
	statements := []string{
		fmt.Sprintf("%s usage on schema %s %s %s", verb, schemas, direction, quoted(role)),
		fmt.Sprintf("%s select on all tables in schema %s %s %s", verb, schemas, direction, quoted(role)),
	}
	for _, owner := range owners {
		statements = append(statements, fmt.Sprintf("alter default privileges for role %s in schema %s %s select on tables %s %s",
			quoted(owner), schemas, verb, direction, quoted(role)))
	}
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func setOrgs(ctx context.Context, tx pgx.Tx, role string, orgs []string) error {
	if _, err := tx.Exec(ctx, "delete from analytics.reader_orgs where role_name = $1", role); err != nil {
		return fmt.Errorf("removing its orgs: %w", err)
	}
	_, err := tx.Exec(ctx, "insert into analytics.reader_orgs (role_name, org_id) select distinct $1::text::name, unnest($2::text[])", role, orgs)
	if err != nil {
		return fmt.Errorf("writing its orgs: %w", err)
	}
	return nil
}

// warn says what the role can read beyond the two schemas and its own orgs, and whether it can connect.
func warn(ctx context.Context, tx pgx.Tx, role string) (warnings []string, err error) {
	var others, through []string
	var database string
	var connects, seesAll bool
	err = tx.QueryRow(ctx, `
		select current_database(), has_database_privilege(r.oid, current_database(), 'connect'),
			exists (select from analytics.reader_orgs o where o.role_name = r.rolname and o.org_id = '*'),
			array(
				select distinct n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
				where n.nspname in ('raw', 'ops') and c.relkind in ('r', 'p', 'v') and has_schema_privilege(r.oid, n.oid, 'usage')
					and has_table_privilege(r.oid, c.oid, 'select')
				order by 1
			),
			array(
				select distinct o.role_name::text from analytics.reader_orgs o join pg_roles g on g.rolname = o.role_name
				where o.role_name <> r.rolname and pg_has_role(r.oid, g.oid, 'member')
				order by 1
			)
		from pg_roles r where r.rolname = $1`, role).Scan(&database, &connects, &seesAll, &others, &through)
	if err != nil {
		return nil, fmt.Errorf("reading what else the role may do: %w", err)
	}
	if !connects {
		warnings = append(warnings, fmt.Sprintf("role %s cannot connect to this database: GRANT CONNECT ON DATABASE %s TO %s", role, quoted(database), quoted(role)))
	}
	for _, schema := range others {
		warnings = append(warnings, fmt.Sprintf("role %s can also read schema %s, by rights from elsewhere: archiver did not give them and does not take them away", role, schema))
	}
	if !seesAll {
		for _, other := range through {
			warnings = append(warnings, fmt.Sprintf("role %s is a member of role %s and can also read the orgs of that one", role, other))
		}
	}
	return warnings, nil
}

// quoted is a name as SQL takes it.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }
