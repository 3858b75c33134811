"""What the tables hold, against the records it came from."""

import msgspec
import pytest
from story import SHARES, START_NS, TRADES, USDC, story

from process import Analytics, needs_chdb
from utb.domain.names import STRATEGIES
from utb.domain.records import Record
from utb.storage.clickhouse.queries import QUERIES

pytestmark = [needs_chdb, pytest.mark.timeout(120)]


def test_every_record_comes_back_as_it_was(store: Analytics) -> None:
    rows = store.rows("SELECT seq, kind, payload FROM utb.events ORDER BY seq")
    records = list(story(TRADES))
    assert [int(row[0]) for row in rows] == list(range(1, len(records) + 1))
    assert [msgspec.json.decode(row[2], type=Record) for row in rows] == records
    assert {row[1] for row in rows} == {str(kind.__struct_config__.tag) for kind in Record.__args__}


def test_decision_has_its_votes_and_features(store: Analytics) -> None:
    (row,) = store.rows(
        "SELECT intent_id, symbol, side, lead, regime, trend_4h, atr, adx, stop, target, "
        "votes.strategy, votes.conditions, votes.weight, ts_ns - bar_open_ns "
        "FROM utb.decisions ORDER BY seq LIMIT 1"
    )
    assert row[:6] == ["0" * 16, "SOL-USDC", "BUY", "trend_following", "ranging", -1]
    assert row[6:10] == [1.5, None, 95, None]
    assert row[10] == list(STRATEGIES)
    assert row[11] == ["TTF-"] * 8
    assert row[12] == [0.15] * 8
    assert int(row[13]) == 900 * 10**9


def test_refusal_has_its_numbers_and_message(store: Analytics) -> None:
    (row,) = store.rows("SELECT code, symbol, `limit`, value, order_value, message FROM refusals")
    assert row[:5] == ["PORTFOLIO_HEAT", "BONK-USDC", 0.8, 0.79, 0.95]
    assert row[5] == "heat 0.95 > 0.80\tüber \\ 'the' limit"


def test_order_has_its_states_and_factors(store: Analytics) -> None:
    rows = store.rows(
        "SELECT status, side, amount_in_raw, position_id, factors.name, factors.value, shares, "
        "instrument, reason FROM orders WHERE intent_id = '0000000000000000' ORDER BY seq"
    )
    assert rows[0][:2] == ["APPROVED", "BUY"]
    assert (int(rows[0][2]), rows[0][3]) == (1_000 * USDC, None)
    assert rows[0][4:6] == [["confidence", "volatility"], [0.8, 0.7]]
    assert (rows[0][6], rows[0][7]) == (list(SHARES), 0)
    # A later state says nothing of the intent
    assert rows[1] == ["SENT", "", None, None, [], [], [], None, "sent"]


def test_fill_has_whole_units_beside_raw_ones(store: Analytics) -> None:
    """10 SOL for 1,000 USDC is 100 USDC per SOL."""
    (row,) = store.rows(
        "SELECT base_raw, quote_raw, base, quote, price, indicative, exit_reason, "
        "ts_ns - decision_ts_ns FROM fills ORDER BY seq LIMIT 1"
    )
    assert [int(row[0]), int(row[1])] == [10 * 10**9, 1_000 * USDC]
    assert row[2:7] == [10, 1_000, 100, False, ""]
    assert int(row[7]) == 10**9


def test_trade_has_the_ledgers_result(store: Analytics) -> None:
    """Trade n brings n USDC in, less two network fees of 0.00075 USDC."""
    rows = store.rows("SELECT position_id, pnl_quote_raw, pnl_quote, exit_reason FROM trades")
    found = {int(row[0]) - 1: row for row in rows}
    assert sorted(found) == list(range(TRADES))
    for number, row in found.items():
        assert int(row[1]) == number * USDC - 1_500
        assert row[2] == pytest.approx(number - 0.0015)
        assert row[3] == "STOP"


def test_equity_has_its_optional_fields(store: Analytics) -> None:
    rows = store.rows(
        "SELECT equity_quote, volatility_daily, day, peak_reset, ts_ns FROM equity ORDER BY seq"
    )
    assert [row[:4] for row in rows] == [
        [100_000, None, None, True],
        [100_000, 0.01, 20_089, False],
    ]
    assert int(rows[0][4]) == START_NS


def test_rows_are_in_the_month_of_their_time(store: Analytics) -> None:
    wrong = store.rows(
        "SELECT count() FROM (SELECT _partition_id AS part, ts FROM utb.fills) "
        "WHERE toUInt32(part) != toYYYYMM(ts)"
    )
    months = store.rows("SELECT uniqExact(toYYYYMM(ts)) FROM utb.fills")
    assert (wrong, months) == ([[0]], [[3]])


@pytest.mark.parametrize("name", QUERIES)
def test_named_query_is_answered(store: Analytics, name: str) -> None:
    answer = store.ask(QUERIES[name].sql, default_format="JSONCompactEachRow")
    assert answer.status_code == 200, answer.text
    filled = name in {"trades", "strategies", "exits", "refusals", "equity", "orders"}
    assert bool(answer.text) is filled
