# Undertone: the few commands that people use. `make run` and `make test` do all the set-up.
SHELL := /bin/bash
.PHONY: run test bench proof soak release setup fmt lint tidy help

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## make run    set-up, then the demo contact centre (RUN_ARGS="--http 127.0.0.1:0 …")
run:
	@scripts/setup run
	@scripts/build
	@exec $${CARGO_TARGET_DIR:-target}/debug/undertone demo $(RUN_ARGS)

## make test   set-up, then every check that CI runs
test:
	@scripts/setup test
	@scripts/check

## make proof  the proofs at the sizes that the issues name
proof:
	@scripts/setup test
	@scripts/proof

## make bench  the benchmark, release build; writes target/bench/summary.json, and browser.json of what Chromium measures
bench:
	@scripts/setup test
	@scripts/bench

## make soak   load with random supervision: make soak MINUTES=10 [SEED=n]
soak:
	@scripts/setup run
	@scripts/soak "$(or $(MINUTES),10)" $(SEED)

## make release  container image, package, tarball
release:
	@echo "make release comes with its own issue; it is not there yet." >&2; exit 2
