"""The speed table: run every benchmark, compare with its bar, print it and write it as JSON.

`--smoke` runs the short form (no other engines, fewer rounds), `--peers` runs also those engines
that need an environment of their own (see `benches/peers/requirements.txt`; its Python is given
by `--peer-python`). Each row is a ratio of two things timed in the same run, or says what it is.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RUST = (
    ("utb-feeds", "decode"),
    ("utb-signals", "indicators"),
    ("utb-core", "pipeline"),
    ("utb-core", "order"),
    ("utb-core", "pools"),
)
PYTHON = (
    "ingest.py",
    "order.py",
    "backtest.py",
    "feeds.py",
    "analytics.py",
    "api.py",
    "socket_path.py",
    "startup.py",
    "sending.py",
    "live_order.py",
)

Row = dict[str, Any]


# The short form asks whether everything runs and nothing is far off; link-time optimisation of four
# programs would take most of its time.
QUICK_BUILD = {"CARGO_PROFILE_BENCH_LTO": "off", "CARGO_PROFILE_BENCH_CODEGEN_UNITS": "16"}


def rust_rows(smoke: bool) -> list[Row]:  # noqa: FBT001 - a flag passed through
    """Run the benchmarks of the crates."""
    rows: list[Row] = []
    for package, bench in RUST:
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = ["cargo", "bench", "--quiet", "-p", package, "--bench", bench, "--"]
            command += ["--json", out.name, *(["--smoke"] if smoke else [])]
            subprocess.run(
                command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, env=environment(smoke)
            )
            rows += map(normal, json.loads(Path(out.name).read_text()))
    return rows


def python_rows(smoke: bool, peer_python: str | None) -> list[Row]:  # noqa: FBT001
    """Run the benchmarks that start from Python."""
    rows: list[Row] = []
    for script in PYTHON:
        command = [sys.executable, str(ROOT / "benches" / script)]
        command += ["--smoke"] if smoke else []
        command += ["--peer-python", peer_python] if peer_python else []
        done = subprocess.run(
            command, cwd=ROOT, check=True, capture_output=True, text=True, env=environment(smoke)
        )
        # The measured system may log before it
        rows += json.loads(done.stdout.rstrip().splitlines()[-1])
    return rows


def environment(smoke: bool) -> dict[str, str]:  # noqa: FBT001
    """Return the environment of a benchmark."""
    return {**os.environ, **(QUICK_BUILD if smoke else {})}


def normal(row: Row) -> Row:
    """Return a row in the table's form: the crates' rows of two timings become their ratio."""
    if "value" in row:
        return row
    return {**row, "value": row["ratio"], "unit": "x"}


def show(rows: list[Row]) -> None:
    """Print the table."""
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        verdict = {True: "pass", False: "MISS", None: ""}[row.get("pass")]
        value = f"{row['value']:,.3g} {row['unit']}"
        print(f"{row['name']:<{width}}  {value:>16}  {bar_text(row):>28}  {verdict}")


def bar_text(row: Row) -> str:
    """Return a row's bar in words; a bare number is the most a ratio may be."""
    bar = row.get("bar")
    return "" if bar is None else bar if isinstance(bar, str) else f"<= {bar} x"


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="the short form")
    parser.add_argument("--peers", action="store_true", help="also other engines")
    parser.add_argument("--peer-python", default=os.environ.get("UTB_PEER_PYTHON"))
    parser.add_argument("--out", type=Path, default=ROOT / "bench.json")
    options = parser.parse_args()
    if options.peers and not options.peer_python:
        parser.error("--peers needs --peer-python or UTB_PEER_PYTHON, a Python with benches/peers")
    peer = options.peer_python if options.peers else None
    rows = rust_rows(options.smoke) + python_rows(options.smoke, peer)
    show(rows)
    host = {"machine": platform.machine(), "python": platform.python_version()}
    report = {"smoke": options.smoke, "host": host, "cores": os.cpu_count(), "rows": rows}
    options.out.write_text(json.dumps(report, indent=1) + "\n")
    missed = [row["name"] for row in rows if row.get("pass") is False]
    print(f"{len(rows)} rows, {len(missed)} missed; written to {options.out.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
