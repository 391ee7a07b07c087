package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// copyBatch is how many rows the yardstick commits at once: as many as the archiver at most.
const copyBatch = 1_000

// copied is what a yardstick gave.
type copied struct {
	perSecond   float64
	postgresCPU float64 // µs an event
	wal         float64 // bytes an event
}

// How the yardstick's column may be compressed. The targets are for lz4, which raw.events has; pglz is what Postgres does by
// default, which shows how much of the archiver's own is made good by choosing better.
const (
	lz4  = "lz4"
	pglz = "pglz"
)

// copyOnly is the yardstick: the payloads into a table with one jsonb column, and nothing else.
func copyOnly(ctx context.Context, s *server, payloads [][]byte, connections int, compression string) (c copied, err error) {
	address, err := s.create(ctx)
	if err != nil {
		return c, err
	}
	if err := createCopied(ctx, address, compression); err != nil {
		return c, err
	}
	conns := make([]*pgx.Conn, connections)
	for i := range conns {
		if conns[i], err = pgx.Connect(ctx, address); err != nil {
			return c, fmt.Errorf("connecting to COPY: %w", err)
		}
		defer conns[i].Close(context.WithoutCancel(ctx))
	}
	if err := s.checkpoint(ctx); err != nil {
		return c, err
	}
	before, err := s.usage(ctx)
	if err != nil {
		return c, err
	}
	began := time.Now()
	group, copying := errgroup.WithContext(ctx)
	for i, conn := range conns {
		part := payloads[len(payloads)*i/connections : len(payloads)*(i+1)/connections]
		group.Go(func() error {
			for batch := range slices.Chunk(part, copyBatch) {
				if err := copyBatchOf(copying, conn, batch); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return c, err
	}
	took := time.Since(began)
	after, err := s.usage(ctx)
	if err != nil {
		return c, err
	}
	events := float64(len(payloads))
	c.perSecond = events / took.Seconds()
	c.postgresCPU = float64((after.cpu - before.cpu).Microseconds()) / events
	c.wal = float64(after.wal-before.wal) / events
	return c, s.drop(ctx, address)
}

func createCopied(ctx context.Context, address, compression string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting to create the yardstick's table: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "CREATE TABLE copied (payload jsonb COMPRESSION "+compression+")"); err != nil {
		return fmt.Errorf("creating the yardstick's table: %w", err)
	}
	return nil
}

// copyBatchOf is one COPY, and with it one transaction.
func copyBatchOf(ctx context.Context, conn *pgx.Conn, payloads [][]byte) error {
	_, err := conn.PgConn().CopyFrom(ctx, &copyStream{payloads: payloads}, "COPY copied (payload) FROM STDIN BINARY")
	if err != nil {
		return fmt.Errorf("COPY of %d payloads: %w", len(payloads), err)
	}
	return nil
}

// copyStream is Postgres' binary COPY format: a header, rows of one jsonb column, a trailer.
type copyStream struct {
	payloads [][]byte
	begun    bool
	at       int
	rest     []byte
	buf      []byte
}

func (c *copyStream) Read(p []byte) (n int, err error) {
	for {
		k := copy(p[n:], c.rest)
		n, c.rest = n+k, c.rest[k:]
		if n == len(p) {
			return n, nil
		}
		if c.buf = c.next(c.buf[:0]); len(c.buf) == 0 {
			return n, io.EOF
		}
		c.rest = c.buf
	}
}

func (c *copyStream) next(buf []byte) []byte {
	if !c.begun {
		c.begun = true
		buf = append(buf, "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	switch {
	case c.at < len(c.payloads):
		payload := c.payloads[c.at]
		buf = append(buf, 0, 1) // columns
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(payload)+1))
		buf = append(buf, 1) // the version of jsonb's binary format
		buf = append(buf, payload...)
	case c.at == len(c.payloads):
		buf = append(buf, 0xff, 0xff)
	}
	c.at++
	return buf
}
