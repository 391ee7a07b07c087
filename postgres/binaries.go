package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// MinVersion is the oldest major version of Postgres that archiver works with.
const MinVersion = 15

// Binaries is an installation of Postgres on this machine that can run a server.
type Binaries struct {
	Dir     string // holds initdb and postgres
	Version int    // major version, MinVersion or newer
}

// ErrNoBinaries is in the error of FindBinaries when this machine has no usable Postgres.
var ErrNoBinaries = errors.New("no Postgres server found on this machine")

// FindBinaries looks for the binaries of a Postgres server: where pg_config says, on PATH, then
// where Debian, RHEL, Homebrew and Postgres.app put them, the newest of these first. want is the
// major version that an existing cluster needs; 0 takes any from MinVersion on. The error says what
// to install and how to do without.
func FindBinaries(getenv func(string) string, want int) (Binaries, error) {
	return findBinaries(getenv, want, installations)
}

// installations are the places where packagers put the binaries, as globs.
var installations = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // RHEL, Fedora: the packages of the Postgres project
	"/usr/local/pgsql/bin",      // built from source
	"/usr/libexec/postgresql*",  // Alpine
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

func findBinaries(getenv func(string) string, want int, globs []string) (Binaries, error) {
	preferred := binariesIn(append(pgConfigDirs(getenv), pathDirs(getenv)...))
	packaged := binariesIn(expand(globs))
	slices.SortStableFunc(packaged, func(a, b Binaries) int { return cmp.Compare(b.Version, a.Version) })
	found := append(preferred, packaged...)

	for _, b := range found {
		if b.Version >= MinVersion && (want == 0 || b.Version == want) {
			return b, nil
		}
	}
	if want != 0 {
		return Binaries{}, fmt.Errorf("%w: the data directory was written by Postgres %d, the server found here is %s: %s",
			ErrNoBinaries, want, describe(found), remedy(getenv, want))
	}
	if len(found) > 0 {
		return Binaries{}, fmt.Errorf("%w: archiver needs version %d or newer, there is %s: %s",
			ErrNoBinaries, MinVersion, describe(found), remedy(getenv, 0))
	}
	return Binaries{}, fmt.Errorf("%w: %s", ErrNoBinaries, remedy(getenv, 0))
}

// pgConfigDirs asks the pg_config on PATH. It may belong to the client library alone and name a
// directory without a server: binariesIn drops it then.
func pgConfigDirs(getenv func(string) string) []string {
	for _, dir := range pathDirs(getenv) {
		pgConfig := filepath.Join(dir, "pg_config")
		if !isExecutable(pgConfig) {
			continue
		}
		if out, err := exec.Command(pgConfig, "--bindir").Output(); err == nil {
			return []string{strings.TrimSpace(string(out))}
		}
	}
	return nil
}

func pathDirs(getenv func(string) string) []string {
	var dirs []string
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		if filepath.IsAbs(dir) { // a server from the working directory is never meant
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func expand(globs []string) []string {
	var dirs []string
	for _, glob := range globs {
		matches, _ := filepath.Glob(glob) // the only error is a malformed pattern of our own
		dirs = append(dirs, matches...)
	}
	return dirs
}

// binariesIn keeps the directories that hold both binaries and asks the server for its version.
func binariesIn(dirs []string) []Binaries {
	var found []Binaries
	for _, dir := range dirs {
		server := filepath.Join(dir, "postgres")
		if !isExecutable(server) || !isExecutable(filepath.Join(dir, "initdb")) {
			continue
		}
		out, err := exec.Command(server, "--version").Output()
		if err != nil {
			continue // there but not runnable, for example for another architecture
		}
		if version, ok := majorVersion(string(out)); ok {
			found = append(found, Binaries{Dir: dir, Version: version})
		}
	}
	return found
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// majorVersion reads "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" and "… 19beta1".
func majorVersion(line string) (int, bool) {
	m := versionPattern.FindStringSubmatch(line)
	if m == nil {
		return 0, false
	}
	version, err := strconv.Atoi(m[1])
	return version, err == nil
}

func describe(found []Binaries) string {
	if len(found) == 0 {
		return "none"
	}
	found = slices.Clone(found)
	slices.SortFunc(found, func(a, b Binaries) int {
		return cmp.Or(cmp.Compare(a.Version, b.Version), cmp.Compare(a.Dir, b.Dir))
	})
	var parts []string
	for _, b := range slices.Compact(found) { // PATH can name the same place twice
		parts = append(parts, fmt.Sprintf("%d (%s)", b.Version, b.Dir))
	}
	return strings.Join(parts, ", ")
}

// remedy names the install command of this machine and the way without a local server.
func remedy(getenv func(string) string, version int) string {
	return fmt.Sprintf("install it (%s), or set DATABASE_URL to a Postgres %d or newer that is running elsewhere",
		installCommand(getenv, version), MinVersion)
}

func installCommand(getenv func(string) string, version int) string {
	suffix := func(separator string) string {
		if version == 0 {
			return ""
		}
		return separator + strconv.Itoa(version)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(pathDirs(getenv), func(dir string) bool { return isExecutable(filepath.Join(dir, name)) })
	}
	switch {
	case runtime.GOOS == "darwin":
		if version == 0 {
			version = 17
		}
		return fmt.Sprintf("brew install postgresql@%d", version)
	case has("apt-get"):
		return "sudo apt-get install postgresql" + suffix("-")
	case has("dnf"):
		if version != 0 {
			return fmt.Sprintf("sudo dnf install postgresql%d-server", version)
		}
		return "sudo dnf install postgresql-server"
	default:
		return fmt.Sprintf("the package is called postgresql%[1]s on Debian and Ubuntu, postgresql%[2]s-server on Fedora and RHEL, postgresql@17 in Homebrew",
			suffix("-"), suffix(""))
	}
}
