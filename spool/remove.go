package spool

import (
	"os"
	"path/filepath"
)

// Remove deletes a spool that is closed and whose records are all somewhere else, with its directory. Pieces that recovery
// set aside are kept, and so is then the directory; kept is how many there are.
func Remove(dir string) (kept int, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if name := e.Name(); name != "lock" && name != reserveName && !segmentNames.MatchString(name) {
			kept++
		} else if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return kept, err
		}
	}
	if kept > 0 {
		return kept, nil
	}
	return 0, os.Remove(dir)
}
