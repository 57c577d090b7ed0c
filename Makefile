# Tonewall. `make demo` runs everything on this machine; `make test` runs every suite and installs what that needs.
SHELL := /bin/bash
CARGO ?= cargo
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/dist/*' -not -path 'ui/test-results/*' 2>/dev/null)

.PHONY: help build demo ui test test-rust test-ui test-e2e test-sip test-foreign test-fault-short bench lint fmt clean

help:
	@echo "make demo    build and serve everything on loopback, with a simulated consumer, agent phone and gateway"
	@echo "make build   the release binary target/release/tonewall, with the page in it"
	@echo "make test    all tests, installing what they need"
	@echo "make bench   calls per core, CPU per call, detector: one JSON line each"

build: ui
	scripts/need cc gcc
	$(CARGO) build --release --locked -p tonewall-server --bin tonewall

demo: build
	$(TARGET)/release/tonewall demo

# ---- the page
ui: ui/dist/index.html

ui/node_modules/.stamp: ui/package.json ui/package-lock.json
	scripts/need node nodejs npm npm
	cd ui && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

ui/dist/index.html: ui/node_modules/.stamp $(UI_SOURCES)
	cd ui && npm run --silent build

# ---- tests, quick suites first
test: test-rust test-ui test-sip test-foreign test-fault-short test-e2e

test-rust: ui
	scripts/need initdb postgresql
	scripts/timed rust-format $(CARGO) fmt --all --check
	scripts/timed rust-lint $(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	scripts/timed rust $(CARGO) test --locked --workspace

test-ui: ui/node_modules/.stamp
	scripts/timed ui bash -c 'cd ui && npm test --silent'

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

fmt:
	$(CARGO) fmt --all

clean:
	$(CARGO) clean
	rm -rf ui/dist ui/node_modules
