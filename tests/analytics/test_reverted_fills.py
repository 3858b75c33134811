"""Fills that vanish from the chain: sums over the tables are those of what stands."""

from collections.abc import Iterable
from typing import Any

import pytest
from story import (
    INSTRUMENTS,
    SECOND_NS,
    START_NS,
    USDC,
    fill,
    opening,
    order,
    reverted,
    vanished,
)

from utb.domain.names import OrderStatus, Side
from utb.domain.records import Record
from utb.errors import InvariantError
from utb.storage.clickhouse import durable
from utb.storage.clickhouse.records import Projector
from utb.storage.clickhouse.table import Table

ENTRY, LEAVE = "00000000000000e0", "00000000000000e1"


def rows(records: Iterable[Record]) -> dict[str, list[tuple[Any, ...]]]:
    return Projector(INSTRUMENTS).rows((n, START_NS, r) for n, r in enumerate(records, 1))


def column(batch: dict[str, list[tuple[Any, ...]]], table: Table, name: str) -> list[Any]:
    place = table.names.index(name)
    return [row[place] for row in batch.get(table.name, [])]


def closing() -> list[Record]:
    """Return a trade of 1,000 USDC in and 1,007 out, whose exit is provisional."""
    buy = order(ENTRY, Side.BUY, START_NS, None)
    sell = order(LEAVE, Side.SELL, START_NS + 60 * SECOND_NS, 1)
    bought = fill(buy, 1, 1_000 * USDC)
    return [*opening(), buy, bought, sell, fill(sell, 1, 1_007 * USDC, provisional=True)]


def test_entry_that_vanishes_leaves_sums_of_zero() -> None:
    batch = rows([*opening(), *vanished(1, START_NS)])
    for name in ("base_raw", "quote_raw", "pool_fee_quote_raw", "fee_lamports", "fee_quote_raw"):
        amounts = column(batch, durable.FILLS, name)
        assert amounts[0] > 0
        assert sum(amounts) == 0
    assert column(batch, durable.FILLS, "sign") == [1, -1]
    assert column(batch, durable.FILLS, "symbol") == ["SOL-USDC"] * 2
    assert durable.TRADES.name not in batch


def test_exit_that_vanishes_takes_its_trade_back_until_it_lands_again() -> None:
    """7 USDC less two network fees of 0.00075; 3 USDC less them the second time."""
    sell = order(LEAVE, Side.SELL, START_NS + 60 * SECOND_NS, 1)
    batch = rows(
        [
            *closing(),
            reverted(LEAVE, OrderStatus.SENT, START_NS + 70 * SECOND_NS),
            fill(sell, 1, 1_003 * USDC, provisional=True),
        ]
    )
    pnl = 7 * USDC - 1_500
    again = 3 * USDC - 1_500
    assert column(batch, durable.TRADES, "pnl_quote_raw") == [pnl, -pnl, again]
    assert column(batch, durable.TRADES, "sign") == [1, -1, 1]
    assert column(batch, durable.TRADES, "position_id") == [1, 1, 1]
    quotes = column(batch, durable.FILLS, "quote_raw")
    assert quotes == [1_000 * USDC, 1_007 * USDC, -1_007 * USDC, 1_003 * USDC]
    stamps = column(batch, durable.FILLS, "ts")
    assert stamps[2] == START_NS + 70 * SECOND_NS


def test_fill_that_is_not_provisional_cannot_be_taken_back() -> None:
    with pytest.raises(InvariantError, match="is not provisional and cannot be undone"):
        rows([*closing(), reverted(ENTRY, OrderStatus.SENT, START_NS)])
