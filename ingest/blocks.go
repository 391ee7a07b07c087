package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash/maphash"

	"archiver/invent"

	lru "github.com/hashicorp/golang-lru/v2"
)

// keptBlocks bounds the blocks that are remembered: an org has a few assistants and as many versions of them, and a
// block is a few kilobytes.
const keptBlocks = 256

// block is a toolset or an assistant's configuration: a large value that comes again with every event. It is stored
// once for each content, under the hash of it.
type block struct {
	id     string // SHA-256 (hex) of the canonical JSON
	json   []byte
	flaws  []string // of the fields in it, by path within the block
	names  []string // the tools' names; nil for a configuration
	config *invent.AssistantConfig
}

// blocks remembers blocks by their bytes, so that one that comes again costs a look and no decoding.
type blocks struct {
	dec  invent.Decoder
	seed maphash.Seed
	seen *lru.Cache[uint64, *block] // by the hash of their bytes
}

func newBlocks() *blocks {
	seen, err := lru.New[uint64, *block](keptBlocks)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &blocks{seed: maphash.MakeSeed(), seen: seen}
}

func (b *blocks) toolset(raw invent.JSON) *block {
	return b.find(raw, func(found *block) {
		tools, reading := b.dec.Tools(found.json)
		found.flaws, found.names = reading.Flaws, make([]string, 0, len(tools))
		for i := range tools {
			if tools[i].Name.Given() {
				found.names = append(found.names, tools[i].Name.V)
			}
		}
	})
}

func (b *blocks) config(raw invent.JSON) *block {
	return b.find(raw, func(found *block) {
		config, reading := b.dec.AssistantConfig(found.json)
		found.flaws, found.config = reading.Flaws, &config
	})
}

func (b *blocks) find(raw invent.JSON, decode func(*block)) *block {
	key := maphash.Bytes(b.seed, raw)
	if found, ok := b.seen.Get(key); ok && bytes.Equal(found.json, raw) {
		return found
	}
	sum := sha256.Sum256(canonical(raw))
	found := &block{id: hex.EncodeToString(sum[:]), json: bytes.Clone(raw)}
	decode(found)
	b.seen.Add(key, found)
	return found
}
