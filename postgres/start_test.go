package postgres

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestTheFirstStartMakesAClusterAndTheSecondReusesIt(t *testing.T) {
	t.Parallel()
	for _, w := range everyone(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(emptyDir(t, w), "not", "there", "yet")
			first := running(t, w, dir)
			query(t, first.url, "CREATE TABLE kept AS SELECT 'still here' AS it")
			first.close()
			if exists(filepath.Join(dir, "data", "postmaster.pid")) {
				t.Error("the server should be stopped when Close has returned")
			}
			second := running(t, w, dir)
			if got := query(t, second.url, "SELECT it FROM kept"); got != "still here" {
				t.Errorf("the second start should find the first one's data, it found %q", got)
			}
			if first.url != second.url {
				t.Errorf("the connection string should stay the same: %q, then %q", first.url, second.url)
			}
			if got := query(t, second.url, "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate FROM pg_database WHERE datname = current_database()"); got != "UTF8 C" {
				t.Errorf("the database should be in UTF8 in the order of bytes, it is %q", got)
			}
			if info, err := os.Stat(filepath.Join(dir, "password")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the password should be readable by its owner only: %v %v", info, err)
			}
		})
	}
}

func TestAKilledArchiverTakesItsServerAlongAndTheNextOneStarts(t *testing.T) {
	t.Parallel()
	for _, way := range []struct{ name, env string }{{"death signal", "PGTEST_GUARD="}, {"guard process", "PGTEST_GUARD=1"}} {
		for _, w := range everyone(t) {
			t.Run(way.name+", "+w.name, func(t *testing.T) {
				t.Parallel()
				dir := existingClusterOf(t, w)
				first := running(t, w, dir, way.env)
				pid := serverPid(t, dir)
				query(t, first.url, "CREATE TABLE kept AS SELECT 'still here' AS it")
				first.kill()
				second := running(t, w, dir, way.env)
				if !eventually(func() bool { return !(&home{dir: dir}).runsOnData(pid) }) {
					t.Errorf("the first server (process %d) should be gone", pid)
				}
				if got := query(t, second.url, "SELECT it FROM kept"); got != "still here" {
					t.Errorf("the next start should find the data, it found %q", got)
				}
				second.kill()
				if !eventually(func() bool { return !exists(filepath.Join(dir, "data", "postmaster.pid")) }) {
					t.Error("with nobody to start it again, the server should end in the orderly way")
				}
			})
		}
	}
}

func TestASecondArchiverOnTheSameDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	s := mustStart(t, dir)
	_, err := Start(t.Context(), Options{Dir: dir})
	wantError(t, err, "another archiver", strconv.Itoa(os.Getpid()), dir, "--data-dir")
	if got := query(t, s.URL(), "SELECT 'alive'"); got != "alive" {
		t.Error("the first one's server should not mind")
	}
}

func TestAServerThatSomebodyElseStartedIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	h, err := openHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	version, err := h.clusterVersion()
	if err != nil {
		t.Fatal(err)
	}
	binaries, err := FindBinaries(os.Getenv, version)
	if err != nil {
		t.Fatal(err)
	}
	h.unlock()
	foreign, err := startProcess(h.command(filepath.Join(binaries.Dir, "postgres"),
		[]string{"-D", h.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + h.path("socket")}, nil))
	if err != nil {
		t.Fatal(err)
	}
	defer foreign.stop()
	if !eventually(func() bool { return h.isReady(foreign.pid()) }) {
		t.Fatal("the foreign server should have started")
	}
	_, err = Start(t.Context(), Options{Dir: dir})
	wantError(t, err, "that archiver did not start", strconv.Itoa(foreign.pid()))
	if !h.isReady(foreign.pid()) {
		t.Error("the foreign server should go on")
	}
}

func TestAnInterruptedInitdbIsMadeAgain(t *testing.T) {
	t.Parallel()
	for _, w := range everyone(t) {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(emptyDir(t, w), "pg")
			first := startArchiver(t, w, dir)
			first.await(t, "progress Creating")
			if !eventually(func() bool { left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*", "*")); return len(left) > 0 }) {
				t.Fatal("initdb should have begun")
			}
			first.kill()
			second := running(t, w, dir)
			if got := query(t, second.url, "SELECT 'alive'"); got != "alive" {
				t.Error("the second start should work")
			}
			if left, _ := filepath.Glob(filepath.Join(dir, unfinished+"*")); len(left) > 0 {
				t.Errorf("nothing should be left of the interrupted one: %v", left)
			}
		})
	}
}

func TestAClusterOfAnotherVersionIsRefusedAndLeftAlone(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	path := filepath.Join(dir, "data", "PG_VERSION")
	real, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), Options{Dir: dir})
	wantError(t, err, "written by Postgres 99", strings.TrimSpace(string(real)), "DATABASE_URL")
	if err := os.WriteFile(path, real, 0o600); err != nil {
		t.Fatal(err)
	}
	mustStart(t, dir)
}

func TestADirectoryOutOfTheServersReachIsNamed(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // an ordinary user's server runs as that user: nothing is out of its reach alone
	}
	closed := filepath.Join(emptyDir(t, who{}), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: filepath.Join(closed, "archiver", "postgres")})
	wantError(t, err, "may not pass through "+closed+" ", "--data-dir")
}

func TestAnotherUsersClusterIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // only root can make one
	}
	dir := existingCluster(t)
	nobody := everyone(t)[1]
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	second := startArchiver(t, nobody, dir)
	if got := second.await(t, "error"); !strings.Contains(got, "belongs to") || !strings.Contains(got, "nobody") {
		t.Errorf("the error should say whose the cluster is and who asked: %s", got)
	}
}

func TestAServerThatDiesByItselfIsReportedAndCanBeStartedAgain(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	s, err := Start(t.Context(), Options{Dir: dir, Settings: fast})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Err(); err != nil {
		t.Errorf("a running server has no error, got %v", err)
	}
	// A worker that is busy does not notice for a while that its server is gone.
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	busy := conn.PgConn().Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1000000000)")
	defer func() { _ = busy.Close(); _ = conn.Close(context.Background()) }() // its server is gone
	if !eventually(func() bool {
		return query(t, s.URL(), "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE '%generate_series(1, 1000000000)' AND state = 'active'") == "1"
	}) {
		t.Fatal("the worker should be busy")
	}
	if err := syscall.Kill(serverPid(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-s.Done()
	wantError(t, s.Err(), "stopped by itself", "server.log")
	if err := s.Close(); err != nil {
		t.Errorf("closing what has ended should be no error: %v", err)
	}
	again := mustStart(t, dir)
	if got := query(t, again.URL(), "SELECT 'alive'"); got != "alive" {
		t.Error("it should start again")
	}
}

func TestAFailedStartShowsWhatTheServerSaid(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	_, err := Start(t.Context(), Options{Dir: dir, Settings: map[string]string{"shared_buffers": "many"}})
	wantError(t, err, "stopped while starting", `invalid value for parameter "shared_buffers"`)
	mustStart(t, dir) // and the failed one has let go of the directory
}

// The number of a server that was killed can belong to another process by the next start.
func TestAPostmasterFileThatNamesAnotherProcessIsNoServer(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	h := &home{dir: dir}
	var err error
	if h.account, err = serverAccount(h.data()); err != nil {
		t.Fatal(err)
	}
	other := h.command("/bin/sleep", []string{"600"}, nil)
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	file := filepath.Join(dir, "data", "postmaster.pid")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%d\n%s\n1700000000\n5432\n\n127.0.0.1\n0 0\nready\n", other.Process.Pid, h.data()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := h.account.own(file); err != nil {
		t.Fatal(err)
	}
	mustStart(t, dir)
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the other process should not have been touched: %v", err)
	}
}

func TestATakenPortIsReplaced(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	if err := os.WriteFile(filepath.Join(dir, "port"), []byte(strconv.Itoa(taken)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustStart(t, dir)
	if s.port == taken || query(t, s.URL(), "SELECT 'alive'") != "alive" {
		t.Errorf("the server should be on another port than %d, it is on %d", taken, s.port)
	}
}

// A Ctrl-C in the terminal goes to the whole foreground process group.
func TestTheServerIsInAProcessGroupOfItsOwn(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	s := mustStart(t, dir)
	group, err := syscall.Getpgid(s.process.pid())
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("the server's process group is %d, ours is %d; they should differ (error: %v)", group, syscall.Getpgrp(), err)
	}
}

func TestTheServersLogRepeatsNoRows(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	s := mustStart(t, dir)
	pool, err := Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for _, sql := range []string{"CREATE TABLE once (who text PRIMARY KEY)", "INSERT INTO once VALUES ('canary')", "INSERT INTO once VALUES ('canary')"} {
		_, err = pool.Exec(t.Context(), sql)
	}
	wantError(t, err, "23505")
	log, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(log), "once_pkey") || strings.Contains(string(log), "canary") {
		t.Error("the server's log should have the error and not the row's values")
	}
}

func TestALargeServerLogIsSetAsideAtTheStart(t *testing.T) {
	t.Parallel()
	dir := existingCluster(t)
	if err := os.Truncate(filepath.Join(dir, "server.log"), serverLogBytes+1); err != nil {
		t.Fatal(err)
	}
	mustStart(t, dir)
	info, err := os.Stat(filepath.Join(dir, "server.log"))
	if err != nil || info.Size() > serverLogBytes || !exists(filepath.Join(dir, "server.log.1")) {
		t.Errorf("the log should have started anew, with the old one beside it (error: %v)", err)
	}
}

func TestTheStartEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dir := filepath.Join(emptyDir(t, who{}), "pg")
	_, err := Start(ctx, Options{Dir: dir, Settings: fast, Progress: func(string) { cancel() }})
	wantError(t, err, "context canceled")
	mustStart(t, dir)
}

func TestLocalesThatInitdbRefusesLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	dir := emptyDir(t, everyone(t)[0])
	bin, home := filepath.Join(dir, "bin"), filepath.Join(dir, "pg")
	install(t, bin, 17)
	script(t, filepath.Join(bin, "initdb"), "echo 'initdb: error: invalid locale name' >&2\nexit 1")
	_, err := Start(t.Context(), Options{Dir: home, Getenv: onPath(bin)})
	wantError(t, err, "invalid locale name")
	left, err := filepath.Glob(filepath.Join(home, unfinished+"*"))
	if err != nil || len(left) > 0 {
		t.Errorf("nothing should be left of clusters that could not be made: %v (%v)", left, err)
	}
}
