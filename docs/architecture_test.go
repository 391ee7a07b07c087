// Package docs_test holds the code to what the documents say of it.
package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mayImport is the direction things go in: which of the module's packages each may import, tests left aside. A package
// that is not here has not been thought about.
var mayImport = map[string][]string{
	"archiver/analytics":          {"archiver/db"},
	"archiver/bench":              {"archiver/analytics", "archiver/dashboard", "archiver/postgres", "archiver/simulator"},
	"archiver/cmd/archiver":       {"archiver/analytics", "archiver/bench", "archiver/dashboard", "archiver/internal/failpoint", "archiver/ingest", "archiver/invent", "archiver/postgres", "archiver/simulator"},
	"archiver/dashboard":          nil,
	"archiver/db":                 nil,
	"archiver/faults":             nil,
	"archiver/internal/failpoint": nil,
	"archiver/ingest":             {"archiver/internal/failpoint", "archiver/db", "archiver/invent", "archiver/spool"},
	"archiver/invent":             nil,
	"archiver/migrations":         nil,
	"archiver/postgres":           {"archiver/migrations"},
	"archiver/postgres/dbtest":    {"archiver/postgres", "archiver/migrations"},
	"archiver/simulator":          nil,
	"archiver/spool":              {"archiver/internal/failpoint"},
}

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	for _, line := range list(t, "{{.ImportPath}} {{join .Imports \" \"}}") {
		fields := strings.Fields(line)
		name, imports := fields[0], fields[1:]
		allowed, known := mayImport[name]
		if !known && !strings.Contains(name, "/internal/") && name != "archiver/docs" {
			t.Errorf("%s is not in the list of what may import what", name)
		}
		for _, i := range imports {
			if strings.HasPrefix(i, "archiver/") && !slices.Contains(allowed, i) && !strings.HasPrefix(i, name+"/internal/") {
				t.Errorf("%s imports %s, which goes against the direction", name, i)
			}
		}
	}
}

func TestOnlyThePackagesThatSpeakToPostgresKnowPgx(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"archiver/invent", "archiver/simulator", "archiver/spool"} {
		for _, line := range list(t, "{{join .Imports \"\\n\"}}", name) {
			if strings.Contains(line, "jackc/pgx") || line == "database/sql" {
				t.Errorf("%s imports %s; it is to know nothing of SQL", name, line)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	for _, line := range list(t, "{{.ImportPath}}|{{.Name}}|{{.Doc}}") {
		parts := strings.SplitN(line, "|", 3)
		if parts[0] != "archiver/db" && parts[1] != "" && parts[2] == "" && parts[0] != "archiver/docs" {
			t.Errorf("%s has no package comment", parts[0])
		}
	}
}

func TestEveryQueryIsUsed(t *testing.T) {
	t.Parallel()
	code := readAll(t, "../ingest", "*.go") + readAll(t, "../analytics", "*.go")
	for _, m := range regexp.MustCompile(`(?m)^-- name: (\w+) `).FindAllStringSubmatch(readAll(t, "../queries", "*.sql"), -1) {
		if !strings.Contains(code, "."+m[1]+"(") && !strings.Contains(code, "q."+m[1]) && !strings.Contains(code, "(*db.Queries)."+m[1]) {
			t.Errorf("query %s is used nowhere", m[1])
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	exported := regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|type )([A-Z]\w*)`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") || strings.HasPrefix(f, "../db/") {
			continue
		}
		lines := strings.Split(readFile(t, f), "\n")
		for i, line := range lines {
			if m := exported.FindStringSubmatch(line); m != nil && (i == 0 || !strings.HasPrefix(lines[i-1], "//")) &&
				!isWellKnownMethod(m[3]) {
				t.Errorf("%s:%d: %s is exported and not documented", f, i+1, m[3])
			}
		}
	}
}

// isWellKnownMethod reports whether an interface of the standard library or of pgx says what the method does.
func isWellKnownMethod(name string) bool {
	return slices.Contains([]string{
		"Error", "Unwrap", "String", "GoString", "LogValue", "Exec", "Query", "QueryRow", "Scan", "Next", "Values", "Err",
		"Read", "Write", "Close", "WriteHeader", "Hijack", "SessionLock", "SessionUnlock", "ReadAt", "Is", "RoundTrip",
	}, name)
}

func list(t *testing.T, format string, packages ...string) []string {
	t.Helper()
	if packages == nil {
		packages = []string{"./..."}
	}
	cmd := exec.Command("go", append([]string{"list", "-f", format}, packages...)...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func readAll(t *testing.T, dir, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s: %v", pattern, dir, err)
	}
	var all strings.Builder
	for _, f := range files {
		all.WriteString(readFile(t, f))
	}
	return all.String()
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
