# Farthing. `make help` lists the targets; CONTRIBUTING.md says when to use which.

SHELL := bash

SWIFT    ?= swift
SCRATCH  ?= .build
PREFIX   ?= /usr/local
BUILD    := $(SWIFT) build --scratch-path $(SCRATCH)
# Tests of the server wait for answers while other tests keep every thread busy, so they run alone.
TEST     := $(SWIFT) test --scratch-path $(SCRATCH) --skip-build --disable-xctest
# The Swift runtime is linked in: the binary starts sooner and runs where no toolchain is.
RELEASE  := -c release --static-swift-stdlib --product farthing
FARTHING := $(SCRATCH)/release/farthing
SUMMARY  := $(SCRATCH)/test-output.txt
MANUAL   := share/man/man1/farthing.1
# Where bash, zsh and fish look, in this order.
COMPLETIONS := share/bash-completion/completions/farthing share/zsh/site-functions/_farthing \
  share/fish/vendor_completions.d/farthing.fish
# The fuzzed build is of another shape, so it has a folder of its own.
FUZZING  := $(SCRATCH)/fuzzing
FUZZER   := $(FUZZING)/release/farthing-fuzz
SECONDS  ?= 600

# What the full figures under faults ask for; each may be lowered: make faults KILLS=50
STRIDE   ?= 1
KILLS    ?= 500
ROUNDS   ?= 200
FAULTS   := FARTHING_FAULT_STRIDE=$(STRIDE) FARTHING_KILL_ROUNDS=$(KILLS) FARTHING_SERVER_KILLS=$(KILLS) \
  FARTHING_FOLLOW_KILLS=$(ROUNDS) FARTHING_AGENT_ROUNDS=$(ROUNDS) FARTHING_POWER_CUTS=1300 FARTHING_DAMAGES=1000 \
  FARTHING_HOSTILE_BODIES=2454
FAULTY   := Damage at rest|A killed writer|Faults of|Damage of a spool|A followed file under kill
SERVED   := A killed server|A hostile body|An agent and a server under kill

.PHONY: help demo test build release lint format interop faults bench thresholds fuzz corpus fuzzer install uninstall clean dependencies

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

demo: release ## build for release, then the main job on SampleData, in a temporary folder
	@Scripts/demo $(FARTHING)

test: build lint ## everything that has to hold: build without warnings, lint, all tests, the demo
	@set -o pipefail; $(TEST) --skip FarthingServerTests 2>&1 | tee $(SUMMARY) | Scripts/show-failures
	@set -o pipefail; $(TEST) --filter FarthingServerTests 2>&1 | tee -a $(SUMMARY) | Scripts/show-failures
	@$(MAKE) --no-print-directory release
	@Scripts/demo $(FARTHING) > $(SCRATCH)/demo-output.txt \
	  || { cat $(SCRATCH)/demo-output.txt; echo "the demo failed" >&2; exit 1; }
	@echo "The demo ran to its end."
	@Scripts/dependencies tmux
	@Tests/Terminal/drive $(FARTHING)
	@SCHEMATHESIS_SECONDS=50 Scripts/interop $(SCRATCH)/interop $(FARTHING) opentelemetry opentelemetry_grpc litellm prometheus receivers gateway_files schemathesis
	@Scripts/closing-line $(SUMMARY)

build: dependencies ## debug build of everything, tests included
	@$(BUILD) --build-tests

release: dependencies ## release build of the command, $(FARTHING)
	@$(BUILD) $(RELEASE)

lint: ## the formatter's rules and the house's own
	@$(SWIFT) format lint --strict --parallel --recursive Package.swift Sources Tests Fuzzing
	@Scripts/lint

format: ## write the formatter's layout into the sources
	@$(SWIFT) format --in-place --parallel --recursive Package.swift Sources Tests Fuzzing

interop: release ## CHECK=litellm: real clients against a real server (OpenTelemetry and its kin, LiteLLM, Prometheus, Alertmanager, Chromium, schemathesis)
	@Scripts/interop $(SCRATCH)/interop $(FARTHING) $(CHECK)

faults: build release ## the full figures under faults and load, an hour or more (see CONTRIBUTING.md)
	@set -o pipefail; env $(FAULTS) $(TEST) --filter '$(FAULTY)' 2>&1 | tee $(SUMMARY) | Scripts/show-failures
	@set -o pipefail; env $(FAULTS) $(TEST) --filter '$(SERVED)' 2>&1 | tee -a $(SUMMARY) | Scripts/show-failures
	@python3 -B Benchmarks/serve_figures.py --farthing $(FARTHING) --strict overload slow tags

bench: release ## against DuckDB, ClickHouse, Polars and SQLite (see Benchmarks/README.md)
	@$(MAKE) --no-print-directory -C Benchmarks run FARTHING=$(abspath $(FARTHING))

thresholds: release ## RECORD=1: count the instructions of steps and questions against Benchmarks/thresholds.json
	@Scripts/dependencies valgrind
	@$(BUILD) -c release --static-swift-stdlib --product farthing-query-loop
	@Benchmarks/check-thresholds $(FARTHING) $(SCRATCH)/release/farthing-query-loop $(if $(RECORD),--record)

fuzz: fuzzer ## TARGET=events SECONDS=600: search for input that breaks a parser (see CONTRIBUTING.md)
	@Scripts/fuzz $(FUZZER) $(FUZZING)/runs $(TARGET) $(SECONDS)

corpus: fuzzer ## TARGET=events: add what fuzzing has found to the corpus that the tests replay
	@Scripts/fuzz $(FUZZER) $(FUZZING)/runs $(TARGET) merge

fuzzer: dependencies
	@FARTHING_FUZZ=1 $(SWIFT) build --scratch-path $(FUZZING) -c release --product farthing-fuzz \
	  --sanitize=fuzzer --sanitize=address -Xswiftc -enable-testing

install: release ## the command, its manual page and completions below $(PREFIX)
	install -D -m 755 $(FARTHING) $(DESTDIR)$(PREFIX)/bin/farthing
	install -d $(addprefix $(DESTDIR)$(PREFIX)/,$(dir $(MANUAL) $(COMPLETIONS)))
	$(FARTHING) manual > $(DESTDIR)$(PREFIX)/$(MANUAL)
	for shell in bash zsh fish; do \
	  case $$shell in bash) file=$(word 1,$(COMPLETIONS));; zsh) file=$(word 2,$(COMPLETIONS));; fish) file=$(word 3,$(COMPLETIONS));; esac; \
	  $(FARTHING) --generate-completion-script $$shell > $(DESTDIR)$(PREFIX)/$$file || exit 1; \
	done

uninstall: ## take away what install put there
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,bin/farthing $(MANUAL) $(COMPLETIONS))

clean: ## remove what was built
	rm -rf $(SCRATCH)

dependencies: ## install the C libraries and tools that are missing
	@Scripts/dependencies
