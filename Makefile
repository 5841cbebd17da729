# Portcullis. `make demo` shows what it does, `make test` proves that it works.
# Both need nothing but Go and make.

GO       ?= go
VERSION  ?=
BIN      := bin/portcullis
PKG      := github.com/portcullis-ci/portcullis
# No timestamps, no paths, no symbol table: the same sources give the same bytes.
LDFLAGS  := -s -w$(if $(VERSION), -X $(PKG)/internal/cli.BuildVersion=$(VERSION))
# Leaves gRPC to Google's storage out, which syft's download helper would link
# and nothing here calls: 13 MB of code and its start-up.
TAGS     := disable_grpc_modules,grpcnotrace
# The clients of cloud stores come with the same helper. Nobody waits for them:
# without inlining they are 2 MB smaller.
SMALL    := $(foreach at,github.com/aws cloud.google.com google.golang.org/api google.golang.org/grpc,-gcflags=$(at)/...=-l)
# Tests and checks look at what is shipped, and all of it is compiled once.
export GOFLAGS     := $(GOFLAGS) -tags=$(TAGS) $(SMALL)
export CGO_ENABLED := 0
# The largest size of the binary in bytes, checked by `make size`.
MAXSIZE  := 90000000
# How many bytes packages may allocate before main begins, checked by `make
# startup`: 14.1 MB take about half of the 30 ms that the program takes to start,
# and are the same in each run, which times are not.
MAXINIT  := 16000000
BUILD    := $(GO) build -trimpath -ldflags '$(LDFLAGS)'
# Further flags for go test, such as -v.
TESTFLAGS ?=
FUZZTIME ?= 10s

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT     := mvdan.cc/gofumpt@v0.12.0

.PHONY: demo test test-race build size startup lint self fmt generate snapshot fuzz soak hostile bench bench-lint bench-stages release-snapshot clean

demo: build ## build a sample image, gate it offline, show why it fails
	@$(GO) run ./internal/demo -bin $(BIN) -dir .demo

test: ## all tests
	$(GO) test -ldflags=-w $(TESTFLAGS) ./...

# Under the race detector the whole program takes half a minute an image, so the
# stories that run it are left out, and so are other tests that would take
# minutes; the concurrent parts have shorter tests of their own. Memory that is
# kept for reuse is not, under the detector: a test that counts it means nothing.
# The detector needs cgo.
NOT_RACED := TestScripts|TestExamplesOfThePagesRun|TestManyRunsDoNotGrow|TestInventoryEqualsThatOfStockSyft|TestInventoryIsTheSameThroughEveryTransport|TestPodSecurityStandardsFixtures|TestADamagedImageIsRefusedOrTheSame|TestFramesWithNothingInThemAreCheap|TestAFullDiskHidesNoPackageOfAnArchiveInAnArchive|TestAnAlteredSBOMIsAnErrorOrAnInventory
test-race: ## tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -ldflags=-w -timeout 20m -skip '^($(NOT_RACED))$$' $(TESTFLAGS) ./...

build: $(BIN)

.PHONY: $(BIN)
$(BIN):
	$(BUILD) -o $@ ./cmd/portcullis

size: build ## the binary must stay small
	@size=$$(wc -c < $(BIN)); echo "$(BIN): $$size bytes of at most $(MAXSIZE)"; test $$size -le $(MAXSIZE)

startup: build ## the program must start fast
	@init=$$(GODEBUG=inittrace=1 $(BIN) version 2>&1 >/dev/null | awk '/^init / { sum += $$8 } END { print sum + 0 }'); \
	  echo "$(BIN): $$init bytes of at most $(MAXINIT) before main"; test $$init -gt 0 && test $$init -le $(MAXINIT)

lint: ## formatting, vet, staticcheck
	@test -z "$$($(GO) run $(GOFUMPT) -l . | tee /dev/stderr)"
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

self: ## known vulnerabilities of ourselves, and our own gate
	.ci/self

fmt:
	$(GO) run $(GOFUMPT) -w .

generate: ## rule pages, schemas and tables that are made from code
	$(GO) test ./internal/cli -run TestGeneratedPagesAreFresh -update
	$(GO) test ./internal/inventory/licencetext -run TestTheTableHoldsTheMatcherThatLicensecheckMakes -update

snapshot: ## the database that is embedded, from FROM=DIR in the layout of OSV's export
	.ci/snapshot "$(FROM)"

fuzz: ## every fuzz target for FUZZTIME
	@FUZZMINIMIZE=$(FUZZMINIMIZE) .ci/fuzz $(FUZZTIME)

soak: ## many gates in one process, which must not grow
	PORTCULLIS_SOAK=200 $(GO) test ./internal/gate -run '^TestManyRunsDoNotGrow$$' -v -timeout 50m

HOSTILEFLAGS ?=

hostile: build ## hostile images, documents and registries at full size
	$(GO) run ./internal/hostile -bin $(BIN) $(HOSTILEFLAGS)

# Options of the comparison, such as -large -runs 3.
BENCHFLAGS ?=

bench: build ## the gate beside other tools; the figures go to docs/performance.md
	$(GO) run ./internal/bench -bin $(BIN) $(BENCHFLAGS)

bench-lint: build ## what linting many manifests costs; the figures go to docs/performance.md
	$(GO) run ./internal/bench -bin $(BIN) -lint $(BENCHFLAGS)

bench-stages: ## Go benchmarks of the single stages
	$(GO) test -run '^$$' -bench . -benchmem ./...

release-snapshot: ## binaries for all platforms with their sums, in dist/
	.ci/release-snapshot "$(VERSION)"

clean:
	rm -rf bin dist .demo
