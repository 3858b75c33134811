"""Recorded context: JSON lines of `{"ts": ns, "instrument": "SOL-USDC", "kind": ..., fields}`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from utb.errors import UsageError
from utb.ports.feed import ContextUpdate


class _Line(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"
):
    ts: int
    instrument: str


class _Whale(_Line, frozen=True, kw_only=True, tag="whale"):
    buys_usd: float
    sells_usd: float
    wallets: int
    outflow_usd: float


class _Sentiment(_Line, frozen=True, kw_only=True, tag="sentiment"):
    overall: float | None
    momentum: float | None
    social_volume: float | None
    news_positive: int
    news_negative: int


class _Forecast(_Line, frozen=True, kw_only=True, tag="forecast"):
    p_up: float
    skill: float


class _Hedge(_Line, frozen=True, kw_only=True, tag="hedge"):
    fair_price: float
    residual_std: float
    reversion_probability: float


class _Venue(_Line, frozen=True, kw_only=True, tag="venue"):
    price: float


_DECODER = msgspec.json.Decoder(_Whale | _Sentiment | _Forecast | _Hedge | _Venue)


def load_context(path: Path, indices: Mapping[str, int]) -> Sequence[ContextUpdate]:
    """Load a context file, sorted by time; lines of equal time keep the file's order.

    Args:
        path: One JSON object a line; empty lines are allowed.
        indices: Dense index of each instrument of the run, by symbol; context of others is
            left out.

    Raises:
        UsageError: With file, line and what was expected.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError("--context", str(path), f"a readable file ({error.strerror})") from error
    updates: list[ContextUpdate] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            shown = line[:80].decode("utf-8", "replace")
            raise UsageError(f"{path}:{number}", shown, f"a context: {error}") from error
        index = indices.get(row.instrument)
        if index is None:
            continue
        fields = msgspec.to_builtins(row)
        del fields["ts"], fields["instrument"]
        updates.append(ContextUpdate(index, msgspec.json.encode(fields), row.ts))
    updates.sort(key=lambda update: update.ts_ns)
    return updates
