// Command archiver keeps everything that happens in an Invent inbox in Postgres.
//
// This package is the command line alone: flags, environment, wiring, exit codes. What is done is done elsewhere:
//
//	args, environment ─► cli.go (kong) ─► a command ─► ingest.Ingester, postgres.Server, simulator.Server
//
// main only calls run, so tests run the whole program in process. The first signal ends run's context, and the command
// stops in good order; the second ends the process. Every command is a file:
//
//	ingest.go     the main job; database.go finds its database, serve.go answers /metrics, /healthz and /readyz
//	demo.go       embedded Postgres, simulator and ingest in one; demo_queries.go is what it asks the archive
//	simulate.go   the simulator alone
//	rebuild.go    the tables made anew from the raw events; export.go and import.go, these events as files
//	status.go     how the archive fares; doctor.go, what is wrong with a set-up; drift.go, what the vendor sends that is
//	              not known; look.go finds their database, catalog.go asks its catalogs
//	report.go     the headline numbers of a period; report_queries.go asks for them, report_print.go writes them
//	settings.go   what analytics depends on; grant.go, who may read the archive
//	migrate.go    the schema
//	postgres.go   the embedded Postgres alone
//	bench.go      the benchmark; profile.go is what ingest does for its --profile
//
// Exit codes: 0 done or stopped in good order, 1 failed, 2 wrong usage or configuration, 3 refused by Invent at start.
package main
