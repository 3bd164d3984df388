# make test is what .ci/run calls; each part can be called alone.
GO ?= go
TOOL = $(GO) tool -modfile=go.tool.mod
export CGO_ENABLED ?= 1

.PHONY: build test format vet lint race fmt docs bench

build:
	CGO_ENABLED=0 $(GO) build -o bin/urikake ./cmd/urikake

test: format vet lint race

format:
	@out="$$($(TOOL) gofumpt -l .)"; if [ -n "$$out" ]; then echo "not formatted (make fmt mends it):"; echo "$$out"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(TOOL) staticcheck ./...

# The import rule and the rules for generated documents are tests like any other. The race detector needs cgo and gcc.
# It watches Go's heap and variables. SQLite, which is C made Go, works in memory that it maps itself, where each access ends
# at a range check of the race detector: to instrument it takes most of the time and finds nothing. Our own code and all other
# modules are watched.
unwatched = -gcflags=modernc.org/...=-race=false
ONLY ?= ./...
race:
	$(GO) test -race $(unwatched) -timeout 20m $(ONLY)

fmt:
	$(TOOL) gofumpt -w .

docs:
	$(GO) test ./docs ./adapters/httpapi ./cmd/urikake -run Generated -update

bench: build
	bin/urikake bench
