"""What a crossing costs: `Pipeline.ingest` from Python, bytes and memoryview, above its Rust time.

The Rust time is measured by the pipeline itself over the same frames (`Pipeline.ingest_many`),
in the same process and turn by turn.
"""

from common import Row, interleaved, median, options, price_frames, write
from utb import _core
from utb.bootstrap import load_config
from utb.config.instruments import instruments
from utb.engine import build_params, instruments_document
from utb.node import weights

BAR_NS = 150.0
BIRDEYE = 1


def main() -> None:
    """Time the three and print the rows."""
    arguments = options(__doc__)
    config, _ = load_config(None)
    params = build_params(config, 0, weights.initial(weights.weight_settings(config)).rows)
    document = instruments_document(config, instruments(config)[:1])
    frames, times = price_frames(8192)
    stamps = times.tolist()
    views = [memoryview(frame) for frame in frames]

    def from_python(payloads: list[bytes] | list[memoryview]) -> None:
        pipeline = _core.Pipeline(params, document, "1m")
        ingest = pipeline.ingest
        for payload, stamp in zip(payloads, stamps, strict=True):
            ingest(BIRDEYE, payload, stamp)

    def inside() -> None:
        _core.Pipeline(params, document, "1m").ingest_many(BIRDEYE, frames, stamps)

    rounds = 15 if arguments.smoke else 101
    timed = interleaved(
        {
            "rust": inside,
            "bytes": lambda: from_python(frames),
            "memoryview": lambda: from_python(views),
        },
        rounds,
    )
    base = median(timed["rust"])
    rows: list[Row] = []
    for name in ("bytes", "memoryview"):
        above = (median(timed[name]) - base) / len(frames) * 1e9
        rows.append(
            {
                "name": f"ingest from Python above Rust, {name}",
                "value": above,
                "unit": "ns",
                "rust_ns": base / len(frames) * 1e9,
                "bar": f"<= {BAR_NS:.0f} ns",
                "pass": above <= BAR_NS,
            }
        )
    write(rows)


if __name__ == "__main__":
    main()
