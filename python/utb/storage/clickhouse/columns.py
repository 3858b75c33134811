"""Columns that several tables share, and the codecs they are stored with."""

from typing import Final

from utb.storage.clickhouse.table import LABEL, TIME, Column

TIME_CODEC: Final = "DoubleDelta, ZSTD(1)"
COUNT_CODEC: Final = "Delta, ZSTD(1)"
PRICE_CODEC: Final = "Gorilla, ZSTD(1)"
STORED: Final = "stored"
TEXT_CODEC: Final = "ZSTD(3)"


def time(name: str = "ts", comment: str = "", codec: str = TIME_CODEC) -> tuple[Column, ...]:
    """Return a time, and our own field `<name>_ns` as its nanoseconds since the epoch."""
    return (
        Column(name, TIME, codec, comment=comment),
        Column(f"{name}_ns", "Int64", alias=f"toUnixTimestamp64Nano({name})"),
    )


def sequence() -> tuple[Column, ...]:
    """Return what every durable row begins with: its place in the journal and its time."""
    return (
        Column("seq", "UInt64", COUNT_CODEC, comment="place in the journal"),
        *time(comment="market time"),
    )


def which() -> tuple[Column, ...]:
    """Return an instrument's number and symbol."""
    return (Column("instrument", "UInt32"), Column("symbol", LABEL))


def decimals() -> tuple[Column, ...]:
    """Return the digits of the two assets, which turn raw amounts into whole units."""
    return (Column("base_decimals", "UInt8"), Column("quote_decimals", "UInt8"))


def whole(name: str, side: str) -> Column:
    """Return an amount in whole units beside the raw one; `side` is base or quote."""
    return Column(name, "Float64", alias=f"{name}_raw / exp10({side}_decimals)")


def stored() -> Column:
    """Return the day a row was stored, which is what its age is counted from.

    The writer gives it: a default that the engine evaluates costs a tenth of a whole batch.
    """
    return Column(STORED, "Date", comment="UTC day it was stored")


def numbers(*names: str, type_: str = "Float64", codec: str = "") -> tuple[Column, ...]:
    """Return columns of one numeric type."""
    return tuple(Column(name, type_, codec) for name in names)


def labels(*names: str) -> tuple[Column, ...]:
    """Return columns of repeated texts."""
    return tuple(Column(name, LABEL) for name in names)


def texts(*names: str) -> tuple[Column, ...]:
    """Return columns of texts that differ from row to row."""
    return tuple(Column(name, "String", TEXT_CODEC) for name in names)
