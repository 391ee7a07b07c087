//go:build !faults

package failpoint

import "time"

// Hit does nothing in this build.
func Hit(string) {}

// Duration is d in this build.
func Duration(_ string, d time.Duration) time.Duration { return d }
