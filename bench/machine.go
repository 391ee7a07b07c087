package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Machine is where the measurements were made.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Memory     int64  `json:"memory_bytes"`
	Kernel     string `json:"kernel"`
	FileSystem string `json:"file_system"` // of the server's directory, with its device
	Postgres   string `json:"postgres"`
	Go         string `json:"go"`
	LoadBefore string `json:"load_before"` // averages over 1, 5 and 15 minutes
	LoadAfter  string `json:"load_after"`
}

func (b *bench) describeMachine(ctx context.Context) (m Machine, err error) {
	m = Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	m.CPU = field("/proc/cpuinfo", "model name")
	m.Memory = machineMemory()
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	m.FileSystem = mountOf(b.dir)
	if err := b.server.admin.QueryRow(ctx, "SHOW server_version").Scan(&m.Postgres); err != nil {
		return m, fmt.Errorf("asking for the version of Postgres: %w", err)
	}
	m.LoadBefore, err = loadAverage()
	return m, err
}

// machineMemory is how much memory the machine has, in bytes; 0 when that is not known.
func machineMemory() int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	return kib << 10
}

// field is the first value of a name in a file of names and values; empty when there is none.
func field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// mountOf is the type and device of the file system that a directory is on; empty when that is not known.
func mountOf(dir string) string {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	best, name := -1, ""
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 3 {
			continue
		}
		under := strings.TrimSuffix(f[1], "/") + "/"
		if strings.HasPrefix(dir+"/", under) && len(under) >= best {
			best, name = len(under), f[2]+" on "+f[0]
		}
	}
	return name
}

func loadAverage() (string, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", fmt.Errorf("reading the load (bench needs Linux' /proc): %w", err)
	}
	f := strings.Fields(string(text))
	return strings.Join(f[:min(3, len(f))], " "), nil
}
