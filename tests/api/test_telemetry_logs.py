"""Logs are JSON lines without secrets; equity keeps its order and its bound."""

import errno
import io
import json
import logging

import pytest
import structlog

from utb.domain.times import iso, parse_iso
from utb.telemetry import logs
from utb.telemetry.equity import POINTS_KEPT, EquityLog
from utb.telemetry.logs import redact
from utb.telemetry.market import MarketLog
from utb.telemetry.traffic import Traffic

TOKEN = "123456789:" + "A" * 35
CANARIES = (
    "utb_" + "k" * 43,
    TOKEN,
    "https://user:hunter2@example.org/x",
    "https://example.org/?api-key=hunter2",
)


@pytest.mark.parametrize("canary", CANARIES)
def test_secret_in_any_field_is_masked(canary: str) -> None:
    out = io.StringIO()
    logs.configure("INFO", process="test", wall_ns=lambda: 0, out=out)
    structlog.get_logger().info("EXECUTED", note=f"before {canary} after", deep={"list": [canary]})
    logging.getLogger("elsewhere").error("failed at %s", canary)
    said = out.getvalue()
    assert canary not in said
    assert "hunter2" not in said
    lines = [json.loads(line) for line in said.splitlines()]
    assert lines[0]["event"] == "EXECUTED"
    assert lines[0]["level"] == "INFO"
    assert lines[1]["level"] == "ERROR"
    assert lines[0]["timestamp"] == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize("name", ["token", "api_key", "X-API-Key", "password", "key", "secret"])
def test_field_with_a_secret_name_is_masked(name: str) -> None:
    assert redact({name: "hunter2"}) == {name: "***"}
    assert redact({name: None}) == {name: None}


class _Full(io.StringIO):
    """A stream on a full disk."""

    tried = 0

    def write(self, _: str) -> int:
        self.tried += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_line_that_finds_no_room_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    logs.configure("INFO", process="test", wall_ns=lambda: 0)
    full = _Full()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stderr", full)
        structlog.get_logger().error("alarm", words="the disk is full")
        logging.getLogger("elsewhere").error("failed")
    assert full.tried == 2


def test_debug_lines_are_left_out_above_their_level() -> None:
    out = io.StringIO()
    logs.configure("WARNING", process="test", wall_ns=lambda: 0, out=out)
    structlog.get_logger().info("quiet")
    assert out.getvalue() == ""


def test_equity_keeps_time_order_and_replaces_what_comes_again() -> None:
    log = EquityLog()
    for ts_ns, equity in ((1, 10.0), (3, 12.0), (2, 9.0), (3, 6.0), (4, float("nan"))):
        log.add(ts_ns, equity)
    assert log.newest(10) == [(1, 10.0, 0.0), (2, 9.0, pytest.approx(0.1)), (3, 6.0, 0.4)]
    assert log.newest(1) == [(3, 6.0, 0.4)]


def test_equity_is_bounded() -> None:
    log = EquityLog()
    for ts_ns in range(1, POINTS_KEPT + 2):
        log.add(ts_ns, 1.0)
    assert len(log) <= POINTS_KEPT
    assert log.last_ns == POINTS_KEPT + 1


def test_unknown_market_is_unknown() -> None:
    market = MarketLog()
    assert market.mark(0) is None
    assert market.change_24h(0) is None
    assert market.bars(0, 2) == ()


@pytest.mark.parametrize(
    ("text", "ts_ns"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2025-10-07T10:30:00.000Z", 1_759_833_000_000_000_000),
        ("1969-12-31T23:59:59.999Z", -1_000_000),
    ],
)
def test_times_go_there_and_back(text: str, ts_ns: int) -> None:
    assert iso(ts_ns) == text
    assert parse_iso(text) == ts_ns


def test_traffic_knows_its_error_rate_and_quantiles() -> None:
    traffic = Traffic()
    assert traffic.error_rate is None
    assert traffic.quantile_ms(0.5) is None
    for number in range(100):
        traffic.add(500 if number < 5 else 200, (number + 1) * 1_000_000)
    assert traffic.error_rate == 0.05
    assert traffic.quantile_ms(0.5) == 51.0
    assert traffic.quantile_ms(0.99) == 100.0
