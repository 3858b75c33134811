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

# Build the dashboard into python/utb/web, which the wheel ships
[group('setup')]
dashboard:
    npm --prefix dashboard ci
    npm --prefix dashboard run build

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

# The dashboard's types and tests, and that the committed page is what its source builds
[group('check')]
dashboard-check *args:
    python tests/tools/webcheck.py "$@"

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

# Transactions against solders, quotes against Python integers, everything recorded: 10,000 each
[group('test')]
parity-solana *args:
    UTB_SOLANA_CASES=5000 pytest tests/parity/test_solana_*.py tests/signing/test_libraries.py tests/simnet/test_chain_core.py --timeout 3000 "$@"
    cargo test --quiet -p utb-solana

# kill -9 of every process at random moments of a demo over sockets: `just crash 50`
[group('test')]
crash count="50":
    python tests/crash/system.py --count {{ count }}

# The same of a trading session in one process, with commands and open orders: `just crash-core 50`
[group('test')]
crash-core count="50":
    python tests/crash/sweep.py --count {{ count }}

# kill -9 of live trading and its signer at each step of an order's life: `just crash-points 20`
[group('test')]
crash-points count="20" *args:
    PYTHONPATH="tests/tools:${PYTHONPATH:-}" python tests/crash/points.py --count {{ count }} {{ args }}

# Seeded worlds through the order life: nothing lands twice, nothing is stuck: `just sim 10000`
[group('test')]
sim count="10000":
    python tests/sim/run.py {{ count }}

# The same worlds with signed bytes, pools and guards in LiteSVM: `just sim-svm 500`
[group('test')]
sim-svm count="500":
    python tests/sim/run.py --svm {{ count }}

# Seeded orders over HTTP, live on the stand-in's chain; balances to the lamport: `just live-orders 1000 --rent 696`
[group('test')]
live-orders count="1000" *args:
    shift; python tests/live/orders.py --count "{{ count }}" "$@"

# The live system on a full disk, killed behind its market's end, with all endpoints gone for 90 s
[group('test')]
live-stops *args:
    UTB_LONG=1 pytest tests/live/test_live_full_disk.py tests/live/test_live_ended.py tests/live/test_live_rpc_faults.py "$@"

# Every order of events around one order of at most two attempts, without a bound on the states
[group('test')]
explore *args:
    python tests/orderlife/explore.py "$@"

# Ten times the frames of every source for ten minutes of wall time: memory stays flat
[group('test')]
flood *args:
    UTB_LONG=1 pytest tests/faults/test_flood.py -s "$@"

# No look-ahead at 200 places, determinism, replay of input logs: the full form
[group('test')]
causality *args:
    UTB_LONG=1 pytest tests/causality -n 2 --timeout 3000 "$@"

# What the signer refuses and signs: hostile and legal corpus, each rule needed, mutations executed
[group('test')]
signer-policy *args:
    UTB_MUTATIONS=20000 pytest tests/signing --timeout 3000 -s "$@"

# The same with a million mutations: `just signer-fuzz 1000000`
[group('test')]
signer-fuzz count="1000000":
    UTB_MUTATIONS={{ count }} pytest tests/signing/test_mutations.py --timeout 30000 -s

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

# The whole system on a stand-in for the world
[group('run')]
demo *args:
    utb demo "$@"

# Paper trading with live prices
[group('run')]
run *args:
    utb run "$@"

# Backtest recorded prices
[group('run')]
backtest *args:
    utb backtest "$@"

# Every strategy on every recorded market, into docs/results.md
[group('run')]
results:
    python benches/results.py
