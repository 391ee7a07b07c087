package ingest

import (
	"io/fs"
	"path/filepath"
	"strings"

	"archiver/spool"
)

// SpoolOnDisk is what a spool directory takes.
type SpoolOnDisk struct {
	Dir   string `json:"dir"`
	Bytes int64  `json:"bytes"` // of what waits for Postgres
	Lanes int    `json:"lanes"`
	// SetAsideBytes are of damaged pieces, which nothing reads or deletes.
	SetAsideBytes int64 `json:"set_aside_bytes"`
}

// ReadSpool measures a spool directory, which may be in use; nil when it cannot be read.
func ReadSpool(dir string) *SpoolOnDisk {
	s := &SpoolOnDisk{Dir: dir}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if path == dir {
				return err
			}
			return nil // a segment that was trimmed meanwhile
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), "lane-") {
			s.Lanes++
		}
		switch info, err := e.Info(); {
		case err != nil || !e.Type().IsRegular():
		case spool.IsSetAside(e.Name()):
			s.SetAsideBytes += info.Size()
		default:
			s.Bytes += info.Size()
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return s
}
