# make test   everything that must hold: format, lints, unit and system tests, ABI, real consumers
# make demo   a system from nothing, a C program and fio on it (KEEP=1 leaves it running)
# make vol    HDF5 and h5py on HDF5's own file and through ROMIO's DAOS driver; VOL_DAOS=/path/to/built/connector: on HDF5's
#             DAOS connector, its own test programs included (builds HDF5 once: some minutes; not part of make test)
# make adios2 ADIOS2's DAOS engine: its tests on 1 and 2 ranks (builds ADIOS2 once: some minutes; not part of make test)
# make bench  figures beside their limits, to target/bench/results.json
# make abi    the C ABI against its tables
# make tsan   eight threads on the libraries under ThreadSanitizer
# make stage  bin, lib, include and pkgconfig under target/stage (PROFILE=release: target/stage-release)

PROFILE ?= dev
CARGO_FLAGS = $(if $(filter release,$(PROFILE)),--release,)
STAGE = $(CURDIR)/target/stage$(if $(filter release,$(PROFILE)),-release,)

.PHONY: help setup build stage test lint unit abi tsan consumers vol adios2 demo bench clean

help:
	@sed -n 's/^# //p' Makefile

setup:
	@scripts/setup.sh

build: setup
	cargo build --workspace $(CARGO_FLAGS)

stage: build
	@compat-tests/stage.sh $(STAGE) $(if $(filter release,$(PROFILE)),release,debug)

lint: setup
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

# Unit and system tests; the latter use the staged programs and libraries.
unit: stage
	DAOS_STAGE=$(STAGE) cargo nextest run --workspace $(CARGO_FLAGS) --no-fail-fast

abi: stage
	@cargo run -q $(CARGO_FLAGS) -p daos-compat-tests --bin abi-check -- --stage $(STAGE)

# Wants a nightly toolchain with rust-src; not part of `make test`.
tsan: stage
	compat-tests/tsan/run.sh $(STAGE)

consumers: stage
	compat-tests/consumers/fio.sh $(STAGE)
	compat-tests/consumers/romio.sh $(STAGE)

vol: stage
	compat-tests/consumers/hdf5.sh $(STAGE) $(VOL_DAOS)

adios2: stage
	compat-tests/consumers/adios2.sh $(STAGE)

test: lint unit abi consumers
	@echo "make test: all passed"

demo:
	@$(MAKE) --no-print-directory PROFILE=release demo-run

.PHONY: demo-run
demo-run: stage
	@demo/run.sh $(STAGE)

bench:
	@$(MAKE) --no-print-directory PROFILE=release bench-run

.PHONY: bench-run
bench-run: stage
	@tools/bench/run.sh $(STAGE)

clean:
	cargo clean
