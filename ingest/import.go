package ingest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"archiver/db"
	"archiver/invent"
	"archiver/spool"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

// maxLine bounds a line: a frame of the largest size that can be configured, in base64, with room to spare, would be
// more than a value of Postgres may hold anyway.
const maxLine = 512 << 20

// ErrImporting is returned by Import while another one uses the same spool.
var ErrImporting = errors.New("another import is at work here")

// ImportConfig is what Import needs.
type ImportConfig struct {
	Pool     *pgxpool.Pool
	SpoolDir string // a spool for imports alone
	Instance string
	OrgID    string // the org that lines without an envelope are of; may be empty when there are none
	Log      *slog.Logger
	BadLine  func(source string, line int64, why string) // told of each line that is passed over; never of content
	Progress func(ImportProgress)                        // called now and then; may be nil
}

// ImportSource is a file to import.
type ImportSource struct {
	Name   string
	Reader io.Reader
}

// ImportProgress says how far an import has come.
type ImportProgress struct{ Lines, Written int64 }

// ImportResult is what an import came to.
type ImportResult struct {
	Lines   int64 // read and spooled
	Bad     int64 // passed over
	Written int64 // events that are in Postgres now and were not before
	Known   int64 // events that had been stored before, and were left as they are
}

// Import reads NDJSON, one event a line: envelopes as Export writes them, which keep their identity (an event that is
// stored already is not stored again), or bare frames. The lines go through a spool of their own into Postgres, the way of
// all events. It returns when all of them are there. What an import that was ended has left in the spool is written first.
func Import(ctx context.Context, c ImportConfig, sources ...ImportSource) (result ImportResult, err error) {
	s, err := spool.Open(c.SpoolDir, spool.Options{Log: c.Log})
	if errors.Is(err, spool.ErrLocked) {
		return result, ErrImporting
	}
	if err != nil {
		return result, fmt.Errorf("opening the spool of imports: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	lane := NewLane(LaneConfig{
		Spool: s, Pool: c.Pool, Instance: c.Instance, Log: c.Log, MayBeLate: true, Beside: true,
	})
	i := &importing{config: c, spool: s, lane: lane, result: &result}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return lane.Run(ctx) })
	group.Go(func() error {
		defer s.Seal()
		for _, source := range sources {
			if err := i.read(ctx, source); err != nil {
				return fmt.Errorf("importing %s: %w", source.Name, err)
			}
		}
		return nil
	})
	err = group.Wait()
	result.Known = lane.known.Load()
	result.Written = lane.stored.Load() - result.Known
	return result, err
}

// importing is one call of Import.
type importing struct {
	config  ImportConfig
	spool   *spool.Spool
	lane    *Lane
	result  *ImportResult
	decoder invent.Decoder
	stream  uuid.UUID // of the file's bare frames
	told    time.Time // what the bare frame before was observed as
}

func (i *importing) read(ctx context.Context, source ImportSource) error {
	lines := bufio.NewReaderSize(source.Reader, 1<<20)
	i.stream, i.told = uuid.Nil, time.Time{}
	for n := int64(1); ; n++ {
		line, err := readLine(lines)
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errLongLine) {
			return fmt.Errorf("reading line %d: %w", n, err)
		}
		why := err
		if !errors.Is(err, errLongLine) {
			if line = bytes.TrimSpace(line); len(line) == 0 {
				continue
			}
			var r *spool.Record
			if r, why = i.record(line, n); why == nil {
				err := i.append(ctx, r)
				if why = err; err != nil && !errors.Is(err, spool.ErrTooLarge) {
					return fmt.Errorf("spooling line %d: %w", n, err)
				}
			}
		}
		if why != nil {
			i.result.Bad++
			i.config.BadLine(source.Name, n, why.Error())
			continue
		}
		i.result.Lines++
		if i.config.Progress != nil && i.result.Lines%storedPage == 0 {
			i.config.Progress(ImportProgress{Lines: i.result.Lines, Written: i.lane.stored.Load()})
		}
	}
}

var errLongLine = fmt.Errorf("longer than %d MiB", maxLine>>20)

// readLine is the next line without its end; io.EOF comes with the last one, errLongLine after one that was passed over.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for isLong := false; ; {
		part, err := r.ReadSlice('\n')
		if isLong = isLong || len(line)+len(part) > maxLine; isLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case isLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLongLine
		}
		return line, err
	}
}

// record makes a record of a line: an envelope where it has the marks of one, else a bare frame.
func (i *importing) record(line []byte, number int64) (*spool.Record, error) {
	if !json.Valid(line) || line[0] != '{' {
		return nil, errors.New("not a JSON object")
	}
	var marks struct {
		StreamID   json.RawMessage `json:"stream_id"`
		ReceivedAt json.RawMessage `json:"received_at"`
	}
	if err := json.Unmarshal(line, &marks); err == nil && marks.StreamID != nil && marks.ReceivedAt != nil {
		return envelopeRecord(line)
	}
	return i.frameRecord(line, number)
}

func envelopeRecord(line []byte) (*spool.Record, error) {
	var e envelope
	if err := json.Unmarshal(line, &e); err != nil {
		return nil, errors.New("an envelope with a field of the wrong type") // the error itself may quote the value
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	if e.Payload == nil && e.Raw == nil {
		return nil, errors.New("an envelope without payload or raw")
	}
	from, err := e.origin()
	if err != nil {
		return nil, err
	}
	r := &spool.Record{
		OrgID: e.OrgID, ObservedAt: e.ObservedAt, Source: SourceImport, Kind: e.Kind, Request: from, Body: e.body(),
	}
	if e.ConnectionID != nil {
		r.ConnectionID = *e.ConnectionID
	}
	return r, nil
}

// frameRecord makes a record of a bare frame. Nobody knows when it came; it is at least as fresh as the version it
// describes, so that is what it counts as received and observed at. A frame without a time goes with the one before it.
// Its identity is made of the file's first frame, its line and its content, so that a file that is imported again is known.
func (i *importing) frameRecord(line []byte, number int64) (*spool.Record, error) {
	if i.config.OrgID == "" {
		return nil, errors.New("a frame without an envelope: say with --org what org it is of")
	}
	sum, now := sha256.Sum256(line), time.Now()
	if i.stream == uuid.Nil {
		i.stream = uuid.NewSHA1(uuid.NameSpaceOID, append([]byte(i.config.OrgID+"\x00"), line...))
	}
	frame, _ := i.decoder.Frame(line)
	if c := frame.Data; c.Given() && c.V.UpdatedAt.Given() {
		i.told = c.V.UpdatedAt.V
	}
	if i.told.IsZero() || i.told.After(now) {
		i.told = now
	}
	from, err := json.Marshal(origin{
		ReceivedAt: i.told.Truncate(time.Microsecond), StreamID: i.stream, Source: SourceImport, SHA256: hex.EncodeToString(sum[:]),
		// The line comes first, since the order of the file decides between equal times.
		Seq: number<<24 | int64(sum[0])<<16 | int64(sum[1])<<8 | int64(sum[2]),
	})
	if err != nil {
		return nil, fmt.Errorf("keeping where a frame is from: %w", err)
	}
	return &spool.Record{
		OrgID: i.config.OrgID, ObservedAt: i.told, Source: SourceImport, Kind: KindFrame, Request: from, Body: line,
	}, nil
}

// append waits where the spool is full: a file can wait.
func (i *importing) append(ctx context.Context, r *spool.Record) error {
	for {
		err := i.spool.Append(r)
		if !errors.Is(err, spool.ErrFull) {
			return err
		}
		if !sleep(ctx, 200*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// beginBeside is for batches that are written beside those of whoever listens to the orgs. They wait while a rebuild is at
// work, and take turns with whoever listens to the orgs, on the orgs' lease rows; where one has none yet, no lane may be
// writing when it gets it.
func (b *batch) beginBeside(ctx context.Context, tx db.DBTX) error {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock_shared($1)", int64(rebuildLock)); err != nil {
		return fmt.Errorf("waiting for a rebuild: %w", err)
	}
	orgs := map[entityKey]bool{}
	for _, e := range b.events {
		orgs[entityKey{orgID: e.orgID}] = true
	}
	var orgIDs []string
	for _, key := range sortedKeys(orgs) {
		orgIDs = append(orgIDs, key.orgID)
	}
	added, err := db.New(tx).AddLeases(ctx, db.AddLeasesParams{Instance: b.lane.instance, OrgIds: orgIDs})
	if err != nil {
		return fmt.Errorf("making the orgs known: %w", err)
	}
	if added > 0 {
		return stopWriters(ctx, tx)
	}
	return nil
}

// eventID is an event's primary key.
type eventID struct {
	orgID      string
	receivedAt int64 // µs since 1970
	stream     uuid.UUID
	seq        int64
}

// passOver takes out of a batch of Import what is stored already, or comes twice.
func (b *batch) passOver(ctx context.Context, q *db.Queries) error {
	var p db.GetStoredEventsParams
	for _, e := range b.events {
		p.OrgIds = append(p.OrgIds, e.orgID)
		p.ReceivedAts = append(p.ReceivedAts, e.receivedAt)
		p.StreamIds = append(p.StreamIds, e.stream)
		p.Seqs = append(p.Seqs, e.seq)
	}
	stored, err := q.GetStoredEvents(ctx, p)
	if err != nil {
		return fmt.Errorf("finding what is stored already: %w", err)
	}
	known := make(map[eventID]bool, len(b.events))
	for _, s := range stored {
		known[eventID{s.OrgID, s.ReceivedAt.UnixMicro(), s.StreamID, s.Seq}] = true
	}
	var fresh []*event
	for _, e := range b.events {
		id := eventID{e.orgID, e.receivedAt.UnixMicro(), e.stream, e.seq}
		if !known[id] {
			fresh = append(fresh, e)
		}
		known[id] = true
	}
	b.passed, b.events = int64(len(b.events)-len(fresh)), fresh
	b.lane.passed = b.passed
	return nil
}
