package ingest

import (
	lru "github.com/hashicorp/golang-lru/v2"
)

// sightings are rows whose content never changes (a session is its id; a configuration is stored by the hash of its
// content): only when each was first seen is to be kept.
type sightings struct {
	known  *lru.Cache[entityKey, observation] // what Postgres holds, or something earlier
	staged map[entityKey]observation
	blocks map[entityKey]shown
}

func newSightings(size int) *sightings {
	known, err := lru.New[entityKey, observation](size)
	if err != nil {
		panic(err) // only a size below 1 is an error
	}
	return &sightings{known: known}
}

// stage keeps what is new, or was seen earlier than is known.
func (s *sightings) stage(seen map[entityKey]observation) {
	s.staged = map[entityKey]observation{}
	for key, o := range seen {
		if was, ok := s.known.Get(key); !ok || o.compare(was) < 0 {
			s.staged[key] = o
		}
	}
}

func (s *sightings) stageBlocks(seen map[entityKey]shown) {
	s.blocks = seen
	first := make(map[entityKey]observation, len(seen))
	for key, b := range seen {
		first[key] = b.seen
	}
	s.stage(first)
}

func (s *sightings) committed() {
	for key, o := range s.staged {
		s.known.Add(key, o)
	}
	s.staged, s.blocks = nil, nil
}
