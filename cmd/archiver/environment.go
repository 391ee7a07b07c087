package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// environment holds the variables the program was started with.
type environment map[string]string

func newEnvironment(environ []string) environment {
	env := environment{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

func (e environment) get(name string) string { return e[name] }

// resolve gives a flag that is not on the command line the value of the variable in its from tag. A variable that is
// empty counts as not set, as compose files and unit files leave them, unless the flag says that empty means something.
func (e environment) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name := flag.Tag.Get("from")
	value, ok := e[name]
	if name == "" || !ok || value == "" && !flag.Tag.Has("mayBeEmpty") {
		return nil, nil
	}
	if err := flag.Parse(kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value}), flag.Target); err != nil {
		// kong names the flag, and would do so once more.
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), flag.ShortSummary()+": "))
	}
	if flag.Enum != "" && !strings.Contains(","+flag.Enum+",", ","+value+",") {
		return nil, fmt.Errorf("%s must be one of %s but is %q", name, strings.ReplaceAll(flag.Enum, ",", ", "), value)
	}
	return value, nil
}

// dataDir is where everything that is kept on this machine lives. Root has no home that an ordinary account could
// enter, which the embedded Postgres runs as, so its place is /var/lib.
func dataDir(flag string, env environment) (string, error) {
	dir := flag
	switch {
	case dir != "":
	case os.Geteuid() == 0:
		dir = "/var/lib/archiver"
	case filepath.IsAbs(env.get("XDG_DATA_HOME")):
		dir = filepath.Join(env.get("XDG_DATA_HOME"), "archiver")
	case env.get("HOME") != "":
		dir = filepath.Join(env.get("HOME"), ".local", "share", "archiver")
	default:
		return "", usagef("no data directory: HOME is not set; name one with --data-dir or ARCHIVER_DATA_DIR")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding the data directory %s: %w", dir, err)
	}
	return abs, nil
}
