set positional-arguments := true

# List the recipes
default:
    @just --list

# --- setup ---

# Build the extension and install everything a developer needs
[group('setup')]
setup:
    uv sync --group dev

# Build the extension with debug info, for a profiler
[group('setup')]
build-profiling:
    uv run --group dev maturin develop --uv --profile profiling

# Rewrite the exact versions in pyproject.toml from what resolves today
[group('setup')]
pin:
    uv run --group dev python tests/tools/pin.py

# --- check ---

# Format Rust and Python in place
[group('check')]
fmt:
    cargo fmt --all
    ruff format python tests benches
    ruff check --fix --exit-zero python tests benches

# Fail if anything is not formatted
[group('check')]
fmt-check:
    cargo fmt --all --check
    ruff format --check python tests benches

# Lints, warnings are errors
[group('check')]
lint:
    ruff check python tests benches
    cargo clippy --workspace --all-targets --quiet -- -D warnings

# Static types, and the stubs of the extension against the extension
[group('check')]
types:
    mypy python
    mypy --disable-error-code union-attr tests
    python -m mypy.stubtest utb._core

# The layers of docs/architecture.md
[group('check')]
imports:
    lint-imports

# House rules
[group('check')]
tidy:
    pytest tests/tidy

# Everything CI checks before the long recipes
[group('check')]
check: fmt-check lint types imports test

# --- test ---

# All tests of the default run
[group('test')]
test: test-rust test-python

[group('test')]
test-rust:
    cargo test --workspace --quiet

[group('test')]
test-python *args:
    pytest -n 2 "$@"

# Bars, indicators and decoders against recorded data, TA-Lib and exact oracles
[group('test')]
parity *args:
    UTB_PARITY=full pytest tests/parity -s "$@"
    cargo test --quiet -p utb-feeds --test recorded

# kill -9 at random moments of a demo: `just crash 50`
[group('test')]
crash count="50":
    python tests/crash/sweep.py --count {{ count }}

# No look-ahead at 200 places, determinism, replay of input logs: the full form
[group('test')]
causality *args:
    UTB_LONG=1 pytest tests/causality -n 2 --timeout 3000 "$@"

# The long forms of the property tests: a million random orders, 10 million updates
[group('test')]
long:
    UTB_LONG=1 pytest tests/risk tests/ledger --timeout 3000
    cargo test --workspace --release --quiet -- --include-ignored

# --- bench ---

# The speed table of docs/benchmarks.md, pass or fail per bar, written to bench.json
[group('bench')]
bench *args:
    python benches/run.py "$@"

# A short form of the same
[group('bench')]
bench-smoke:
    python benches/run.py --smoke

# Side by side with other engines, in an environment of their own
[group('bench')]
bench-compare *args:
    python benches/run.py --peers "$@"

# --- run ---

# Paper trading on the generated market
[group('run')]
demo *args:
    utb demo "$@"

# Backtest recorded prices
[group('run')]
backtest *args:
    utb backtest "$@"

# Every strategy on every recorded market, into docs/results.md
[group('run')]
results:
    python benches/results.py
