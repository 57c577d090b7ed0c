# Tonewall. `make demo` runs everything on this machine; `make test` runs every suite and installs what that needs.
SHELL := /bin/bash
CARGO ?= cargo
TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1
# How every test of a run ended, a JUnit file for each suite: `make test` begins by emptying it, a suite by removing its own files.
export TONEWALL_RESULTS := $(abspath $(TARGET))/results
XTASK := $(TARGET)/debug/xtask
# Which test programs run more tests at a time than there are cores.
RUN_TESTS := --config "target.'cfg(unix)'.runner = ['$(abspath scripts/run-tests)']"
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/dist/*' -not -path 'ui/test-results/*' 2>/dev/null)

.PHONY: help build demo ui program screens interop test results-gone acceptance acceptance-add test-rust test-ui test-e2e test-sip test-foreign test-guard test-trip planted test-fault-short fault-payments fault-recordings load-sip flood bench-sip bench-recorded-calls bench bench-detector bench-mask bench-relay bench-pages bench-payments bench-recordings first-peaks kill-recordings figures guard-campaign memory-per-call fuzz lint fmt clean

help:
	@echo "make demo    build and serve everything on loopback, with a simulated consumer, agent phone and gateway"
	@echo "make build   the release binary target/release/tonewall, with the page in it"
	@echo "make test    all tests, installing what they need"
	@echo "make acceptance   after make test: which row of the acceptance table is proven by which test of that run; fails for a row that is owed and is not"
	@echo "make acceptance-add   lists in docs/acceptance.toml the tests of that run whose names begin with the ids of rows"
	@echo "make flood   100 good calls beside 10,000 bad datagrams a second; make bench-sip: INVITE to 180, CPU per call; make load-sip: 200 calls a second"
	@echo "make interop   every kind of call that telephone equipment makes, against programs that others wrote: a table, fails if a row is red"
	@echo "make screens   the pictures of the guide anew, one of each screen, into docs/screens"
	@echo "make fault-payments   the server killed N=300 times while it charges: one JSON line, fails if anybody is charged twice, or a charge is lost or stuck"
	@echo "make fault-recordings   every fault of a recorder, each N=50 times: one JSON line, fails if a capture begins beside a recorder that has not said that it is paused, or one stays paused"
	@echo "make bench   calls per core, CPU per call, detector: one JSON line each"
	@echo "make bench-mask   what is heard of keys under the mask, class by class: JSON lines, fails above a bound"
	@echo "make bench-pages   500 pages with an event stream, 50 of them with a customer who keys: how old events are when they are read"
	@echo "make bench-payments   500 payments a second to a local TLS gateway, the ledger on SQLite and on PostgreSQL: what is added to the gateway's own time"
	@echo "make bench-recordings   500 recordings at a call's pace: what writing costs; the peaks of half an hour; make bench-recorded-calls: 500 calls by SIPp, recorded and not; make first-peaks: those over HTTP; make kill-recordings KILLS=200: writers killed at any moment"
	@echo "make figures   how long an agent waits for a protected line and for a dot, in a real browser: JSON lines, fails above a bound"
	@echo "make fuzz    S seconds for each fuzz target; make memory-per-call: what 2,000 calls take"
	@echo "make guard-campaign   the egress guard over 13 h of masked speech and music: false trips and their upper bound"
	@echo "make bench-relay   relayed calls beside rtpengine and beside a relay that does nothing: JSON lines, fails above a bound"
	@echo "make bench-detector   the detector beside spandsp and multimon-ng, speech and music, its cost: JSON lines, fails below a target"

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
test: results-gone test-rust test-ui test-sip interop test-foreign test-guard test-trip test-fault-short test-e2e

# Pictures of docs/guide: what the looks see, in the light one.
screens: ui
	scripts/need chromium chromium
	rm -rf docs/screens
	mkdir -p docs/screens
	cd ui && SCREENS=$(abspath docs/screens) TONEWALL_RESULTS=$(abspath $(TARGET))/screens npx playwright test pages.spec.ts -g "accessible in every look"

results-gone:
	rm -rf $(TONEWALL_RESULTS)

# Judges the last `make test`. Not part of it until every row of the issue at work is proven.
acceptance: $(XTASK)
	@$(XTASK) acceptance $(TONEWALL_RESULTS)

acceptance-add: $(XTASK)
	@$(XTASK) acceptance-add $(TONEWALL_RESULTS)

# Writes the JUnit files of a suite that has none of its own; the suite is the folder.
JUNIT = $(XTASK) junit $(TONEWALL_RESULTS)
$(XTASK): $(wildcard crates/xtask/Cargo.toml crates/xtask/src/*.rs crates/xtask/src/*/*.rs)
	$(CARGO) build --quiet --locked --workspace --bin xtask
	touch $@

test-rust: ui $(XTASK)
	scripts/need initdb postgresql unshare util-linux ip iproute2 openssl openssl tinyproxy tinyproxy-bin opusdec opus-tools
	scripts/timed rust-format $(CARGO) fmt --all --check
	scripts/timed rust-lint $(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	scripts/timed rust $(JUNIT)/rust $(CARGO) test $(RUN_TESTS) --locked --workspace
	TONEWALL_TEST_PACKET_IO=epoll scripts/timed rust-epoll $(JUNIT)/rust-epoll $(CARGO) test --locked --workspace --test voice
	scripts/timed fuzz-seeds $(JUNIT)/fuzz-seeds $(CARGO) test --locked --manifest-path fuzz/Cargo.toml --target-dir $(abspath $(TARGET))/fuzz/seeds

test-ui: ui/node_modules/.stamp
	scripts/timed ui bash -c 'cd ui && npm test --silent'

# The browser and the foreign suites use the program that the Rust suites have built.
program: ui
	$(CARGO) test --locked --workspace --no-run
	@test -x $(TARGET)/debug/tonewall

test-e2e: program
	scripts/need chromium chromium multimon-ng multimon-ng sox sox openssl openssl
	scripts/timed e2e bash -c 'cd ui && TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall npm run --silent e2e'

test-sip: program $(XTASK)
	scripts/need sipp sip-tester python3 python3
	scripts/timed sip $(JUNIT)/sipp env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/sipp_suite.py

# Every kind of call that telephone equipment makes, a row for each; exit 1 if one is red. ROWS="CANCEL glare" runs those whose names have one of these words.
ROWS ?=
interop: program $(XTASK)
	scripts/need sipp sip-tester stunnel stunnel4 openssl openssl python3 python3
	scripts/timed interop $(JUNIT)/interop env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/interop_suite.py $(ROWS)

# 100 good calls beside 10,000 bad datagrams a second, floods of REGISTERs and INVITEs; `make test` has a short form.
flood: build
	TONEWALL_BIN=$(abspath $(TARGET))/release/tonewall scripts/timed flood python3 tests-foreign/flood_suite.py --seconds 60

# What a call costs the pure stack, in time and allocations; INVITE to relayed 180, and CPU of signalling per call: JSON lines, fails above a bound. The optimised program is measured;
# nothing else is to run beside it.
bench-sip: build
	scripts/need sipp sip-tester python3 python3
	$(CARGO) bench --locked -p tonewall-sip --bench call
	TONEWALL_BIN=$(abspath $(TARGET))/release/tonewall python3 tests-foreign/sip_bench.py

# 500 calls with sound both ways, unrecorded and recorded in turn: CPU of the relay, frames dropped: JSON lines, fails above a bound. The optimised program is measured.
bench-recorded-calls: build
	scripts/need sipp sip-tester python3 python3
	TONEWALL_BIN=$(abspath $(TARGET))/release/tonewall python3 tests-foreign/recorded_bench.py

test-foreign: program $(XTASK)
	scripts/need baresip baresip-core multimon-ng multimon-ng sox sox python3 python3
	scripts/timed foreign $(JUNIT)/foreign env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/foreign_suite.py
	scripts/need linphonec linphone-cli kamailio kamailio '/usr/lib/*/kamailio/modules/tls.so' kamailio-tls-modules
	scripts/timed captures $(JUNIT)/captures env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/captures_suite.py
	scripts/timed flood-short $(JUNIT)/flood env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/flood_suite.py --seconds 4
	scripts/need ip iproute2 iptables iptables
	scripts/timed nat $(JUNIT)/nat env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/nat_suite.py
	scripts/need cc gcc '/usr/include/*/spandsp.h' libspandsp-dev
	scripts/timed recording $(JUNIT)/recording env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/recording_suite.py
	scripts/need openssl openssl '/usr/lib/python3*/ensurepip/__init__.py' python3-venv npm npm
	scripts/timed gateways $(JUNIT)/gateways env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall CARGO_TARGET_DIR=$(abspath $(TARGET)) python3 tests-foreign/gateway_suite.py

# The server stopped and starved: what the agent hears.
test-guard: program $(XTASK)
	scripts/need python3 python3
	scripts/timed guard $(JUNIT)/guard env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/guard_suite.py

# The server with its mask off: what the agent hears, and what is said of it.
test-trip: planted $(XTASK)
	scripts/need python3 python3
	scripts/timed trip $(JUNIT)/trip env TONEWALL_BIN=$(abspath $(TARGET))/debug/tonewall python3 tests-foreign/guard_suite.py --planted

# The program with deliberate defects, as the stories build it (docs/planted.md).
planted: program
	$(CARGO) build --quiet --locked --workspace --bin tonewall-planted --features tonewall-server/planted

# The server killed at each point of a charge, and pressed twenty times at once, and each fault of a recorder twice; fault-payments and fault-recordings do that for longer.
test-fault-short: program $(XTASK)
	scripts/timed fault-short $(JUNIT)/fault-short $(CARGO) test --locked --workspace --test stories -- killed faulty_recorders

# N kills between the click and the stored outcome, judged by the sandbox gateway's own ledger: the last line is one JSON object, and the exit code follows
# it. PLANT=retry sends each charge twice, so that it must fail (docs/planted.md).
N ?= 300
PLANT ?=
KILLED = $(abspath $(TARGET))/fault-payments.log
fault-payments: planted
	@set -o pipefail; TONEWALL_KILL_N=$(N) TONEWALL_KILL_PLANT=$(PLANT) \
	  $(CARGO) test --quiet --locked --workspace --test stories killed_at_every_point -- --nocapture 2>&1 | tee $(KILLED) | { grep -v '^{"trials"' || true; }; \
	  code=$$?; grep '^{"trials"' $(KILLED) | tail -n 1; exit $$code

# Each fault of a recorder N times, judged by its own tape: the last line is one JSON object, and the exit code follows it. A recorder that lies is planted first:
# its judge must hear it, or the zeros mean nothing.
FAULTS_LOG = $(abspath $(TARGET))/fault-recordings.log
fault-recordings: N = 50
fault-recordings: program
	$(CARGO) test --quiet --locked --workspace --test stories the_campaign_hears_a_recorder_that_lies
	@set -o pipefail; TONEWALL_RECORDER_N=$(N) \
	  $(CARGO) test --quiet --locked --workspace --test stories no_fault_of_a_recorder -- --nocapture 2>&1 | tee $(FAULTS_LOG) | { grep -v '^{"trials"' || true; }; \
	  code=$$?; grep '^{"trials"' $(FAULTS_LOG) | tail -n 1; exit $$code

# 200 calls a second for LOAD_SECONDS with 3 % of the caller's messages lost; the optimised program is measured.
LOAD_SECONDS ?= 60
load-sip: build
	scripts/need sipp sip-tester python3 python3
	TONEWALL_BIN=$(abspath $(TARGET))/release/tonewall scripts/timed load-sip python3 tests-foreign/sipp_suite.py --load --seconds $(LOAD_SECONDS)

# Figures, no pass or fail: the detector and the relay per frame, then our calls over real sockets, each as JSON lines. The optimised program is measured.
bench:
	scripts/corpus $(TARGET)/corpus
	$(CARGO) bench --locked -p tonewall-media --bench media
	$(RELAY_BENCH) --size short --only tonewall

# Calls through a whole node, through rtpengine in user space and through a relay that does nothing, one after the other: relays on core 0, generator
# on core 1; nothing else is to run beside them. SIZE=short: ratios of three pairs without the search for a full core.
SIZE ?= full
RELAY_BENCH = TONEWALL_CORPUS=$(abspath $(TARGET))/corpus $(CARGO) bench --locked -p tonewall-voice --bench relay --
bench-relay:
	scripts/need rtpengine rtpengine-daemon chrt util-linux
	scripts/corpus $(TARGET)/corpus
	$(RELAY_BENCH) --size $(SIZE)

# The detector and foreign ones over the same sweeps, 13 h of speech and music, then what ours costs; nothing else is to run beside it.
bench-detector:
	scripts/need cc gcc '/usr/include/*/spandsp.h' libspandsp-dev multimon-ng multimon-ng
	scripts/corpus $(TARGET)/corpus
	TONEWALL_CORPUS=$(abspath $(TARGET))/corpus $(CARGO) bench --locked -p tonewall-media --bench detector

# What is heard of keys under the mask, class by class, one JSON line each: fails if a bound is missed. MASK_N digits a class; a thousand take a minute and a half on two cores.
MASK_N ?= 10000
bench-mask:
	scripts/need cc gcc '/usr/include/*/spandsp.h' libspandsp-dev multimon-ng multimon-ng
	scripts/corpus $(TARGET)/corpus
	$(CARGO) bench --locked -p tonewall-media --bench mask -- --corpus $(abspath $(TARGET))/corpus --digits $(MASK_N)

# The egress guard over hours of masked speech and music: false trips and their upper bound. GUARD_HOURS is how many, each without and with presses.
GUARD_HOURS ?= 13
guard-campaign:
	scripts/corpus $(TARGET)/corpus
	TONEWALL_CORPUS=$(abspath $(TARGET))/corpus TONEWALL_GUARD_HOURS=$(GUARD_HOURS) $(CARGO) bench --locked -p tonewall-media --bench guard

# 500 pages of agents, 50 with a customer who keys: the age of an event when the page reads it, one JSON line; fails above 250 ms at p99.
bench-pages: ui
	$(CARGO) bench --locked -p tonewall-web --bench pages

# Payments through the connector to a local TLS gateway, 500 a second and then as many as there can be, with the ledger on a disk that is waited for: one
# JSON line for SQLite and one for PostgreSQL; fails below the rate or above 25 ms added at p99 with SQLite. Nothing else is to run beside it.
bench-payments: ui
	scripts/need initdb postgresql
	$(CARGO) bench --locked -p tonewall-server --bench payments

# 500 recordings at a call's pace, and the peaks of half an hour, on the disk of the build: two JSON lines; fails if a sample is lost or the peaks take above 300 ms.
bench-recordings:
	$(CARGO) bench --locked -p tonewall-recording --bench recordings

# How long a player waits for the peaks of half an hour, over HTTP, 20 times; one JSON line, fails above 300 ms. The debug program is measured.
first-peaks: ui
	$(CARGO) test --quiet --locked -p tonewall-server --test stories -- --ignored --exact first_peaks::half_an_hour_can_be_drawn_at_once --nocapture

# Writers of 20 recordings each that are killed at any moment: all but the last second of each must open. One JSON line.
KILLS ?= 200
kill-recordings:
	TONEWALL_KILLS=$(KILLS) $(CARGO) test --quiet --locked -p tonewall-recording --test recording killed -- --nocapture

# How long an agent waits for a protected line and for a dot, in a real browser over the optimised program; two JSON lines, fails above a bound at p95.
figures: build
	scripts/need chromium chromium
	cd ui && FIGURES=alone TONEWALL_BIN=$(abspath $(TARGET))/release/tonewall npx playwright test --config playwright.story.config.ts --workers=1 figures.spec.ts

# What a call takes: 2,000 relays, then 2,000 calls on a node of its own; one JSON line, fails above 64 KiB.
memory-per-call:
	$(CARGO) test --locked --workspace --test voice -- --ignored --exact weight::two_thousand_calls_take_their_share_and_no_more --nocapture

# libFuzzer over the parsers and the relay, S seconds for each target; `T=sdp` takes one. One JSON line each; finds are left in fuzz/artifacts.
S ?= 60
T ?=
fuzz:
	scripts/need cc gcc g++ g++
	CARGO="$(CARGO)" CARGO_TARGET_DIR=$(abspath $(TARGET)) fuzz/run $(S) $(T)

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

fmt:
	$(CARGO) fmt --all

clean:
	$(CARGO) clean
	rm -rf ui/dist ui/node_modules
