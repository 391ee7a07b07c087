package ingest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// envelope is an event as Export writes it and Import reads it: one line of JSON. With it an event keeps its identity,
// so it can be told from one that is there already.
type envelope struct {
	OrgID        string          `json:"org_id"`
	ReceivedAt   time.Time       `json:"received_at"`
	ObservedAt   time.Time       `json:"observed_at"`
	StreamID     uuid.UUID       `json:"stream_id"`
	Seq          int64           `json:"seq"`
	ConnectionID *uuid.UUID      `json:"connection_id,omitempty"`
	Source       string          `json:"source"`
	Kind         string          `json:"kind"`
	Request      json.RawMessage `json:"request,omitempty"`
	SHA256       string          `json:"sha256"`            // of the bytes as they came, hex
	Payload      json.RawMessage `json:"payload,omitempty"` // the content, where it stands for these bytes
	Raw          *[]byte         `json:"raw,omitempty"`     // these bytes, base64, where it does not
}

func newEnvelope(s *rawEvent) *envelope {
	e := &envelope{
		OrgID: s.orgID, ReceivedAt: s.receivedAt.UTC(), ObservedAt: s.observedAt.UTC(), StreamID: s.stream, Seq: s.seq,
		ConnectionID: s.connectionID, Source: s.source, Kind: s.kind, Request: s.request,
		SHA256: hex.EncodeToString(s.sha256),
	}
	if s.raw != nil {
		e.Raw = &s.raw
	} else {
		e.Payload = s.payload
	}
	return e
}

// body is the content as it goes into the spool.
func (e *envelope) body() []byte {
	if e.Raw != nil {
		return *e.Raw
	}
	return e.Payload
}

// check says what an envelope lacks. Its words hold nothing of the content.
func (e *envelope) check() error {
	sum, err := hex.DecodeString(e.SHA256)
	switch {
	case e.OrgID == "" || len(e.OrgID) > 1<<10:
		return errors.New("an envelope without a usable org_id")
	case e.ReceivedAt.IsZero() || e.ObservedAt.IsZero():
		return errors.New("an envelope without received_at or observed_at")
	case e.StreamID == uuid.Nil || e.Seq < 1:
		return errors.New("an envelope without stream_id or seq")
	case e.Source == "" || e.Kind == "" || len(e.Source) > 255 || len(e.Kind) > 255:
		return errors.New("an envelope without a usable source or kind")
	case err != nil || len(sum) != 32:
		return errors.New("an envelope without a sha256 in hex")
	}
	return nil
}

// origin is what the spool's record keeps of an envelope, in the place of the request.
type origin struct {
	ReceivedAt time.Time       `json:"received_at"`
	StreamID   uuid.UUID       `json:"stream_id"`
	Seq        int64           `json:"seq"`
	Source     string          `json:"source"`
	Request    json.RawMessage `json:"request,omitempty"`
	SHA256     string          `json:"sha256"`
}

func (e *envelope) origin() ([]byte, error) {
	b, err := json.Marshal(origin{e.ReceivedAt, e.StreamID, e.Seq, e.Source, e.Request, e.SHA256})
	if err != nil {
		return nil, fmt.Errorf("keeping where an event is from: %w", err)
	}
	return b, nil
}

// takeOrigin gives an imported event the identity it had where it was exported.
func (e *event) takeOrigin(b []byte) {
	var o origin
	if err := json.Unmarshal(b, &o); err != nil {
		return // not written by Import: it is then an event of this spool
	}
	e.receivedAt, e.stream, e.seq, e.source, e.request = o.ReceivedAt, o.StreamID, o.Seq, o.Source, o.Request
	if sum, err := hex.DecodeString(o.SHA256); err == nil {
		copy(e.sha256[:], sum)
	}
}
