"""What a crossing costs: `Pipeline.ingest` from Python, bytes and memoryview, above its Rust time.

The Rust time is that of `cargo bench --bench ingest` over the same frames, taken before and after
the Python ones. Both are the least of many rounds: what it costs when nothing interrupts.
"""

import struct
import subprocess
import tempfile
from pathlib import Path

from common import ROOT, Row, interleaved, options, price_frames, write
from utb import _core
from utb.bootstrap import load_config
from utb.config.instruments import instruments
from utb.engine import build_params, instruments_document
from utb.node import weights

BAR_NS = 150.0
BIRDEYE = 1
FRAMES = 8192


def rust_ns(folder: Path, rounds: int) -> float:
    """Return the time per frame inside Rust."""
    command = ["cargo", "bench", "--quiet", "-p", "utb-core", "--bench", "ingest", "--"]
    done = subprocess.run(
        [*command, str(folder), str(rounds)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Time the three and print the rows."""
    arguments = options(__doc__)
    config, _ = load_config(None)
    params = build_params(config, 0, weights.initial(weights.weight_settings(config)).rows)
    document = instruments_document(config, instruments(config)[:1])
    frames, times = price_frames(FRAMES)
    stamps = times.tolist()
    views = [memoryview(frame) for frame in frames]
    rounds = 15 if arguments.smoke else 101

    def from_python(payloads: list[bytes] | list[memoryview]) -> None:
        ingest = _core.Pipeline(params, document, "1m").ingest
        for payload, stamp in zip(payloads, stamps, strict=True):
            ingest(BIRDEYE, payload, stamp)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "params.json").write_bytes(params)
        (folder / "instruments.json").write_bytes(document)
        (folder / "frames.bin").write_bytes(
            b"".join(
                struct.pack("<qI", stamp, len(frame)) + frame
                for frame, stamp in zip(frames, stamps, strict=True)
            )
        )
        before = rust_ns(folder, rounds)
        timed = interleaved(
            {"bytes": lambda: from_python(frames), "memoryview": lambda: from_python(views)},
            rounds,
        )
        base = min(before, rust_ns(folder, rounds))
    rows: list[Row] = []
    for name in ("bytes", "memoryview"):
        above = min(timed[name]) / FRAMES * 1e9 - base
        rows.append(
            {
                "name": f"ingest from Python above Rust, {name}",
                "value": above,
                "unit": "ns",
                "rust_ns": base,
                "bar": f"<= {BAR_NS:.0f} ns",
                "pass": above <= BAR_NS,
            }
        )
    write(rows)


if __name__ == "__main__":
    main()
