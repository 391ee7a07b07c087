# make demo   the whole thing on this machine: Postgres, a simulated Invent, the archiver
# make test   everything that is tested, generated code included
#
# Both need Go and make only; what is missing of Postgres they install through the system's package manager.

.DEFAULT_GOAL := help
.PHONY: help demo test race faults bench microbench generate dictionary cookbook dashboards screenshots lint build

help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## run the demo until Ctrl-C (make demo FOR=30s: for so long)
	@sh scripts/install-postgres.sh
	go run ./cmd/archiver demo $(if $(FOR),--for $(FOR))

test: ## check the generated code, fuzz for a moment, then run all tests
	@sh scripts/install-postgres.sh
	@sh scripts/install-chromium.sh
	$(SQLC) diff
	go vet ./...
	go test -run '^$$' -fuzz '^FuzzFrame$$' -fuzztime 10s ./invent
	go test -run '^$$' -fuzz '^FuzzTheScannerReadsWhatJSONTextReads$$' -fuzztime 10s ./invent
	go test -run '^$$' -fuzz '^FuzzDescribe$$' -fuzztime 10s ./ingest
	go test -timeout 20m ./...

race: ## all tests under the race detector (needs a C compiler)
	@sh scripts/install-postgres.sh
	@sh scripts/install-chromium.sh
	go test -race -timeout 40m ./...

faults: ## the fault suite at length: make faults KILLS=500 SEED=7 (needs root, for a small disk to fill)
	@sh scripts/install-postgres.sh
	FAULTS_KILLS=$(or $(KILLS),300) FAULTS_SEED=$(or $(SEED),$(shell date +%s)) go test -count=1 -timeout 60m -v ./faults

bench: ## measure throughput, latency, memory and growth beside COPY: make bench ARGS='--quick --only work'
	@sh scripts/install-postgres.sh
	go run ./cmd/archiver bench $(ARGS)

microbench: ## run Go's benchmarks
	@sh scripts/install-postgres.sh
	go test -run '^$$' -bench . -benchmem ./...

# sqlc is pinned in tools/go.mod; without cgo it needs no C compiler.
SQLC = CGO_ENABLED=0 go tool -modfile=tools/go.mod sqlc

generate: ## write db/ anew from migrations/ and queries/
	$(SQLC) generate

dictionary: ## write docs/data-dictionary.md anew from the database's comments
	@sh scripts/install-postgres.sh
	go test ./migrations -run DataDictionary -update

cookbook: ## ask the questions of docs/cookbook.md again and write the answers anew
	@sh scripts/install-postgres.sh
	go test ./cmd/archiver -run Cookbook -update

screenshots: ## draw docs/screenshots anew: every page of the dashboard, of a simulated month
	@sh scripts/install-postgres.sh
	@sh scripts/install-chromium.sh
	go test ./dashboard -run Screenshots -screenshots ../docs/screenshots

dashboards: ## write deploy/grafana/dashboards in the one way of writing them, after an export from Grafana
	go test ./cmd/archiver -run GrafanasDashboardsAreWritten -update

lint: ## run the linters of .golangci.yml
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run ./...

build: ## the static binary, bin/archiver
	CGO_ENABLED=0 go build -trimpath -o bin/archiver ./cmd/archiver
