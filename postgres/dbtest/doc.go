// Package dbtest gives tests databases of their own on a real Postgres.
//
// The server is found once for each test process, when the first test asks: TEST_DATABASE_URL (of a
// role that may create databases, and roles where a test needs them), else a throw-away cluster from the machine's own binaries, in
// memory where there is room (/dev/shm) and without fsync, else a container. Without any of them a
// test fails and says what to install; it is never skipped. The throw-away cluster ends with the
// process, however that ends, and a shell then removes its directory; what a killed one left behind
// is removed by the next.
//
// On the server a template database is migrated once. Its name holds a hash of the migrations, so
// test processes and runs that share a server share it too. Every test's database is a copy of it,
// some 30 ms each, so tests run in parallel and see nobody else's rows. The databases' own time zone
// is an odd one (Asia/Kathmandu): a query that depends on the session's zone shows.
package dbtest
