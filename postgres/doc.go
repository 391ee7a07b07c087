// Package postgres is everything about the database that does not depend on what is stored in it:
// finding or starting a server, the connection pool, the schema's migrations, the monthly
// partitions of raw.events and the rights of roles that read. It knows nothing of chats and messages.
//
// The way through the package at a start:
//
//	Configured ──► a connection string ──────────────────┐
//	     └─ none ─► FindBinaries ─► Start ─► Server.URL ─┴─► Connect ─► Migrate ─► EnsurePartitions
//
// # The embedded server
//
// Start runs the machine's own Postgres binaries as a child process. Its directory holds:
//
//	data/         the cluster; created by initdb beside it and renamed, so it is whole or absent
//	password      of the role "archiver" (scram-sha-256), readable by its owner only
//	port          the TCP port of the last start on 127.0.0.1, taken again when it is free
//	server.log    the server's log, bounded; server.log.1 is the one before it
//	socket/       the unix socket, where the path is short enough for one
//	lock          held by the process that owns the server
//
// The server must never outlive its archiver, however that ends. On Linux the kernel is asked to
// interrupt it when its parent dies (Pdeathsig), also by kill -9. macOS and the BSDs have no such
// thing: there a shell waits on a pipe that only the parent holds open and interrupts the server
// when the pipe closes. Either way it is the server's fast shutdown; whoever starts next waits for
// it. A server that still did not stop is found through postmaster.pid and stopped, if archiver had
// started it. The server is in a process group of its own, so a Ctrl-C in the terminal reaches
// archiver alone, which can drain before it closes the server. Under systemd the unit needs
// KillMode=mixed for the same reason.
//
// Postgres refuses to run as root. Started by root, it runs as the owner of the cluster, for a new
// one as "postgres", else "nobody".
package postgres
