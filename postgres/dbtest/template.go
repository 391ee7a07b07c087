package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"archiver/migrations"
	"archiver/postgres"
)

// template returns the name of the migrated database that tests copy, made by whoever comes first.
func (c *cluster) template(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.templateName != "" {
		return c.templateName, nil
	}
	now := time.Now()
	name, err := templateName(now)
	if err != nil {
		return "", err
	}
	if err := c.makeTemplate(ctx, name, now); err != nil {
		return "", err
	}
	c.templateName = name
	return name, nil
}

// templateName changes with the migrations, and with the month, because the template has the
// partitions of the months to come.
func templateName(now time.Time) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, now.UTC().Format("2006-01"))
	err := fs.WalkDir(migrations.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrations.FS, path)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(hash, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the embedded migrations: %w", err)
	}
	return "archiver_template_" + hex.EncodeToString(hash.Sum(nil))[:16], nil
}

const templateLock = 7_202_601_150_002

// makeTemplate builds under a provisional name and renames, so a template is complete or absent. One
// process at a time does so.
func (c *cluster) makeTemplate(ctx context.Context, name string, now time.Time) error {
	conn, err := pgx.Connect(ctx, c.url)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", int64(templateLock)); err != nil {
		return fmt.Errorf("waiting for another process that makes it: %w", err)
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return fmt.Errorf("looking for it: %w", err)
	}
	if exists {
		return nil
	}

	provisional := fmt.Sprintf("archiver_making_%d_%08x", os.Getpid(), rand.Uint32())
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+provisional+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		return fmt.Errorf("creating it: %w", err)
	}
	if err := migrate(ctx, withDatabase(c.url, provisional), now); err != nil {
		_, dropErr := conn.Exec(context.WithoutCancel(ctx), "DROP DATABASE "+provisional+" WITH (FORCE)")
		return errors.Join(err, dropErr)
	}
	// Nobody connects to it again: a database in use cannot be copied.
	for _, step := range []string{
		"ALTER DATABASE " + provisional + " ALLOW_CONNECTIONS false",
		"ALTER DATABASE " + provisional + " RENAME TO " + name,
	} {
		if err := whenUnused(ctx, conn, step); err != nil {
			return fmt.Errorf("finishing it: %w", err)
		}
	}
	return nil
}

// whenUnused repeats a step while sessions that were closed are still ending on the server.
func whenUnused(ctx context.Context, conn *pgx.Conn, step string) error {
	for attempt := 0; ; attempt++ {
		_, err := conn.Exec(ctx, step)
		if err == nil || attempt == 100 || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func migrate(ctx context.Context, connString string, now time.Time) error {
	pool, err := postgres.Connect(ctx, connString)
	if err != nil {
		return err
	}
	defer pool.Close()
	if _, err := postgres.Migrate(ctx, pool, slog.New(slog.DiscardHandler)); err != nil {
		return err
	}
	return postgres.EnsurePartitions(ctx, pool, now, 2)
}
