package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"archiver/postgres"
	"archiver/postgres/dbtest"

	compose "github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
)

// loadCompose reads docker-compose.yml as docker compose config does, with its own library: interpolation, merging, the
// schema, references between services, volumes and networks.
func loadCompose(t *testing.T, env ...string) *types.Project {
	t.Helper()
	options, err := compose.NewProjectOptions([]string{"../../docker-compose.yml"}, compose.WithEnv(env), compose.WithWorkingDirectory("../.."))
	if err != nil {
		t.Fatalf("preparing to read docker-compose.yml: %v", err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatalf("docker-compose.yml is not valid: %v", err)
	}
	return project
}

func TestDockerComposeRunsEverythingWithoutASetting(t *testing.T) {
	t.Parallel()
	project := loadCompose(t)
	want := []string{"archiver", "dashboard", "grafana", "grant", "migrate", "postgres", "role", "simulator"}
	if names := project.ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(names)), want) {
		t.Errorf("the services are %q, want %q", names, want)
	}
	archiver := project.Services["archiver"]
	if url := composeFlag(archiver.Command, "--api-url"); url != "" {
		t.Errorf("without a key the archiver is sent to %s by a flag, want it left to INVENT_API_URL", url)
	}
	if url := *archiver.Environment["INVENT_API_URL"]; url != "http://127.0.0.1:8787" {
		t.Errorf("without a key the archiver asks %s, want the simulator", url)
	}
	if simulator := project.Services["simulator"]; simulator.Command[0] != "simulate" || simulator.NetworkMode != "service:archiver" {
		t.Errorf("the simulator runs %q in network %q, want simulate in that of the archiver", simulator.Command, simulator.NetworkMode)
	}
	for name, s := range project.Services {
		for _, problem := range composeProblems(name, s) {
			t.Error(problem)
		}
	}
}

func TestDockerComposeArchivesTheRealInboxWithAKey(t *testing.T) {
	t.Parallel()
	project := loadCompose(t, "INVENT_API_KEY=real", "INVENT_ORG=acme")
	archiver := project.Services["archiver"]
	if url := composeFlag(archiver.Command, "--api-url"); url != "https://api.useinvent.com" {
		t.Errorf("with a key the archiver is sent to %q", url)
	}
	if key, org := *archiver.Environment["INVENT_API_KEY"], *archiver.Environment["INVENT_ORG"]; key != "real" || org != "acme" {
		t.Errorf("the archiver's key and org are %q and %q, want those that were set", key, org)
	}
	if command := project.Services["simulator"].Command; command[0] != "--version" {
		t.Errorf("with a key the simulator runs %q, want it to end", command)
	}
	simulated := loadCompose(t)
	for _, volume := range []string{"postgres", "spool"} {
		if real, madeUp := project.Volumes[volume].Name, simulated.Volumes[volume].Name; real == madeUp {
			t.Errorf("the volume %s holds what is real and what is made up", real)
		}
	}
	elsewhere := loadCompose(t, "INVENT_API_KEY=real", "INVENT_API_URL=https://proxy.internal")
	if url := composeFlag(elsewhere.Services["archiver"].Command, "--api-url"); url != "https://proxy.internal" {
		t.Errorf("with an address the archiver is sent to %q", url)
	}
}

// TestTheCommandsOfDockerComposeAreThoseOfTheProgram asks each for its help, which reads the flags before it.
func TestTheCommandsOfDockerComposeAreThoseOfTheProgram(t *testing.T) {
	t.Parallel()
	for _, env := range [][]string{nil, {"INVENT_API_KEY=real"}} {
		for name, s := range loadCompose(t, env...).Services {
			if s.Build == nil {
				continue
			}
			var environ []string
			for variable, value := range s.Environment {
				environ = append(environ, variable+"="+*value)
			}
			if o := runToEnd(t, environ, append(slices.Clone(s.Command), "--help")...); o.code != exitDone {
				t.Errorf("%s runs archiver %s, which exits %d: %s", name, strings.Join(s.Command, " "), o.code, o.stderr)
			}
		}
	}
}

func TestWhatIsWrongWithAServiceIsFoundOut(t *testing.T) {
	t.Parallel()
	open := types.ServiceConfig{}
	open.Image = "postgres"
	open.Ports = []types.ServicePortConfig{{Published: "5432"}}
	found := strings.Join(composeProblems("x", open), "\n")
	for _, want := range []string{"version", "root", "read-only", "capabilities", "health", "restart", "beyond this machine", "privileges"} {
		if !strings.Contains(found, want) {
			t.Errorf("nothing is said of %q: %s", want, found)
		}
	}
}

// TestTheReaderOfDockerComposeReadsWithThePasswordThatIsSetNow runs what the services role and grant run, at two starts.
func TestTheReaderOfDockerComposeReadsWithThePasswordThatIsSetNow(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.NewURL(t)
	pool := open(t, databaseURL)
	role := fmt.Sprintf("archiver_reader_%d_%08x", os.Getpid(), rand.Uint32())
	text, err := os.ReadFile("../../deploy/reader.sql")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "drop owned by "+role)
		_, _ = pool.Exec(context.Background(), "drop role "+role)
	})
	client := "psql"
	if server, err := postgres.FindBinaries(os.Getenv, 0); err == nil { // whose directory need not be on PATH
		client = filepath.Join(server.Dir, "psql")
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"first", `it's \ "quoted"`} {
		psql := exec.Command(client, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-", databaseURL)
		psql.Stdin = strings.NewReader(strings.ReplaceAll(string(text), "archiver_reader", role))
		psql.Env = append(os.Environ(), "READER_PASSWORD="+password)
		if out, err := psql.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("deploy/reader.sql: %v, and it prints %q, want nothing", err, out)
		}
		if o := runToEnd(t, []string{"DATABASE_URL=" + databaseURL}, "grant", role); o.code != exitDone {
			t.Fatalf("archiver grant exits %d: %s", o.code, o.stderr)
		}
		config.User, config.Password = role, password
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatalf("logging in with the password that was set: %v", err)
		}
		var readOnly string
		if err := conn.QueryRow(t.Context(), "select current_setting('transaction_read_only') from (select count(*) from analytics.cases_wide) as c").Scan(&readOnly); err != nil || readOnly != "on" {
			t.Errorf("the reader's transactions are read-only: %q (%v), want on", readOnly, err)
		}
		_ = conn.Close(t.Context())
	}
}

var pinnedImage = regexp.MustCompile(`^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$`)

// composeProblems are what is not as it should be with a service.
func composeProblems(name string, s types.ServiceConfig) (problems []string) {
	complain := func(format string, args ...any) {
		problems = append(problems, "service "+name+" "+fmt.Sprintf(format, args...))
	}
	if s.Build == nil && !pinnedImage.MatchString(s.Image) {
		complain("has the image %s, want one of an exact version", s.Image)
	}
	if s.Build == nil && (s.User == "" || strings.HasPrefix(s.User, "0") || s.User == "root") { // of our own image the Dockerfile says it
		complain("runs as root, or as whom its image says")
	}
	if !s.ReadOnly {
		complain("can write its root file system, want it read-only")
	}
	if !slices.Contains(s.CapDrop, "ALL") {
		complain("keeps capabilities")
	}
	if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		complain("can gain privileges")
	}
	if s.HealthCheck == nil {
		complain("has no health check, and does not say that it needs none")
	}
	if s.Restart == "" {
		complain("does not say when to restart")
	}
	if s.Restart == "unless-stopped" && s.StopGracePeriod == nil {
		complain("does not say how long a stop may take")
	}
	for _, port := range s.Ports {
		if port.HostIP != "127.0.0.1" {
			complain("can be reached from beyond this machine on port %s", port.Published)
		}
	}
	for _, mount := range s.Volumes {
		if mount.Type == types.VolumeTypeBind {
			if _, err := os.Stat(mount.Source); err != nil || !mount.ReadOnly {
				complain("mounts %s, which does not exist or is not mounted read-only: %v", mount.Source, err)
			}
		}
	}
	return problems
}

// composeFlag is the value of a flag; empty when it is not given.
func composeFlag(command []string, flag string) string {
	if at := slices.Index(command, flag); at >= 0 && at+1 < len(command) {
		return command[at+1]
	}
	return ""
}

func TestTheImageIsPinnedStaticAndNotRoot(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(text), -1) {
		if !regexp.MustCompile(`^\w+:\d+\.\d+\.\d+(-\w+)?$`).MatchString(from[1]) {
			t.Errorf("the Dockerfile builds from %s, want an exact version", from[1])
		}
	}
	for _, want := range []string{"CGO_ENABLED=0 go build", "\nUSER 65534:65534\n", "\nHEALTHCHECK "} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the Dockerfile lacks %q", want)
		}
	}
}
