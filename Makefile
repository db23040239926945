# srun: every target works from a fresh clone on a bare Debian or Ubuntu with
# Go, as root or as a user with sudo. `make help` lists them.

GO      ?= go
PREFIX  ?= /usr/local
OUT     ?= bin/srun
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# netgo and osusergo keep glibc's resolver and user database, which a static
# program cannot load, out of the binary. landlocktsync leaves out go-landlock's
# way to restrict every thread of a process, which srun does not use: its init
# has one thread.
TAGS    := netgo,osusergo,landlocktsync
LDFLAGS := -s -w -linkmode external -extldflags "-static" -X main.version=$(VERSION)

# Time for each fuzz target of `make fuzz`.
FUZZTIME ?= 10s

MANPAGES = $(wildcard docs/*.[1-8])

.PHONY: help build demo test install bench fuzz lint kernels escape layers work dist clean

help:
	@echo 'make build      the static binary, bin/srun'
	@echo 'make demo       a sandboxed git clone against an embedded server'
	@echo 'make test       every test, with the race detector'
	@echo 'make lint       gofmt, vet, staticcheck, sizes, shell scripts'
	@echo 'make fuzz       each fuzz target for FUZZTIME ($(FUZZTIME))'
	@echo 'make escape     the attack suite'
	@echo 'make layers     the same without each layer in turn, for docs/layers.md'
	@echo 'make work       a week of work in real projects, step by step without srun and in it'
	@echo 'make kernels    the kernel matrix'
	@echo 'make bench      speed and memory beside bwrap, no sandbox, squid and tinyproxy'
	@echo 'make install    into DESTDIR/PREFIX ($(DESTDIR)$(PREFIX))'
	@echo 'make dist       release tarball and checksums in dist/'

build:
	@scripts/setup build
	CGO_ENABLED=1 $(GO) build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)' -o $(OUT) ./cmd/srun
	@scripts/check-static $(OUT)

demo: build
	@scripts/setup demo
	@scripts/demo $(OUT)

test:
	@scripts/setup build test
	$(GO) test -race -timeout 30m ./...

lint:
	@scripts/setup build
	@scripts/lint/run

fuzz:
	@scripts/setup build
	@scripts/fuzz $(FUZZTIME)

escape:
	@scripts/setup build test
	$(GO) test -count=1 -timeout 30m -run 'Escape|TestScript/^escape-' ./...

# An hour or two; as an ordinary user, then what needs root with devices of its own.
layers:
	@scripts/setup build test
	$(GO) run ./scripts/layers -shipped
	$(GO) run ./scripts/layers
	$(GO) run ./scripts/layers -as root
	$(GO) test ./docs -update

# With the registries that npm, go, pip and cargo are configured for, where they answer.
work: build
	@scripts/work/run $(OUT)

kernels:
	@scripts/kernels/run

bench: build
	@scripts/setup bench
	@$(GO) run ./scripts/bench -srun $(OUT)

# An installed tree is complete without a second build: `make build` as
# yourself, then `sudo make install` touches only DESTDIR.
install:
	@test -x $(OUT) || $(MAKE) build
	install -D -m 755 $(OUT) '$(DESTDIR)$(PREFIX)/bin/srun'
	@set -e; for page in $(MANPAGES); do \
		install -D -m 644 $$page "$(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}"; done

dist:
	@$(MAKE) build OUT=dist/srun
	@scripts/dist dist/srun '$(VERSION)'

clean:
	rm -rf bin dist
