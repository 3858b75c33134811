"""Pages of text say their character set once; metrics say whose uptime they show."""

from pathlib import Path

import pytest
from running import Bot

from utb.adapters.clocks import SystemClock
from utb.api.world import Place, World
from utb.config.instruments import instruments
from utb.config.load import parse_text
from utb.domain.names import TradingMode
from utb.domain.seam import SEAM_VERSION, Hello
from utb.telemetry.replica import Replica

HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/dashboard", "text/html; charset=utf-8"),
        ("/schema", "text/html; charset=utf-8"),
        ("/schema/rapidoc-min.js", "text/javascript; charset=utf-8"),
        ("/schema/rapidoc-LICENSE.txt", "text/plain; charset=utf-8"),
        ("/schema/openapi.json", "application/json"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_media_type_names_its_character_set_once(bot: Bot, path: str, kind: str) -> None:
    assert bot.http.get(path).headers["content-type"] == kind


def test_uptimes_are_of_the_process_they_name(tmp_path: Path) -> None:
    config, clock = parse_text(""), SystemClock()
    place = Place(state_dir=tmp_path, config_shown={}, version="test")
    world = World(config, place, clock, Replica(instruments(config)))
    assert "utb_trade_uptime_seconds" not in world.metrics.text().decode()
    hello = Hello(
        version=SEAM_VERSION,
        session="test",
        mode=TradingMode.PAPER,
        simulated_time=True,
        instruments=(),
        seq=0,
        journal="",
        started_wall_ns=clock.now_ns() - HOUR_NS,
        timeframe="15m",
        span_ns=None,
    )
    world.replica.greet(hello)
    lines = world.metrics.text().decode().splitlines()
    found = dict(line.split() for line in lines if "_uptime_seconds " in line and line[0] != "#")
    assert 0.0 <= float(found["utb_api_uptime_seconds"]) < 60.0
    assert float(found["utb_trade_uptime_seconds"]) == pytest.approx(3_600.0, abs=60.0)
