package postgres

import (
	"os"
	"path/filepath"
	"strconv"
)

// Running says what there is of an embedded server in dir (Options.Dir) that another process may run, and touches
// nothing: hasCluster is whether a cluster was made there, url the connection string of the server that runs on it, with
// the password, empty when none does. It goes by the files alone, and a server that was killed leaves them as they were:
// whoever uses url has to see whether anybody answers.
func Running(dir string) (url string, hasCluster bool) {
	h := &home{dir: dir}
	_, err := os.Stat(filepath.Join(h.data(), "PG_VERSION"))
	hasCluster = err == nil
	lines := h.postmasterLines() // pid, data directory, start time, port, …
	if len(lines) < 4 {
		return "", hasCluster
	}
	port, err := strconv.Atoi(lines[3])
	if err != nil {
		return "", hasCluster
	}
	password, err := h.readPassword()
	if err != nil {
		return "", hasCluster // another user's
	}
	return connectionURL(password, port, database), hasCluster
}
