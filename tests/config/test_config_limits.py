"""Limits in two tables or under two names: the stricter value applies, everywhere."""

import pytest

from utb.config import secrets
from utb.config.load import Loaded, parse_text, resolve
from utb.config.schema import Config

RELAXED = "[trading]\nmax_drawdown = 0.3\n"


@pytest.mark.parametrize(
    ("text", "attribute", "value"),
    [
        ("[trading]\nmax_position_size = 0.9\n[risk]\nmax_position_size = 0.5", "size", 0.5),
        ("[trading]\nmax_position_size = 0.4\n[risk]\nmax_position_size = 0.5", "size", 0.4),
        ("[trading]\nmax_drawdown = 0.2\n[risk]\nmax_drawdown_threshold = 0.1", "drawdown", 0.1),
        ("[trading]\nmin_confidence = 0.5\n[risk]\nmin_confidence_threshold = 0.7", "conf", 0.7),
        ("[trading]\nmin_confidence = 0.8\n[risk]\nmin_confidence_threshold = 0.7", "conf", 0.8),
        ("[risk]\nvolatility_threshold = 0.04\nmax_volatility_threshold = 0.03", "vol", 0.03),
        ("[risk.adjustments]\nstrong_trend_factor = 1.2\ntrend_factor = 1.05", "trend", 1.05),
        ("[risk.adjustments]\ntrend_factor = 1.3", "trend", 1.3),
        # A name that is absent takes no part, though the template has a value for it.
        (RELAXED, "drawdown", 0.3),
    ],
)
def test_stricter_value_applies(text: str, attribute: str, value: float) -> None:
    config = parse_text(text)
    assert effective(config)[attribute] == {value}


def effective(config: Config) -> dict[str, set[float]]:
    risk, trading = config.risk, config.trading
    return {
        "size": {risk.max_position_size, trading.max_position_size},
        "drawdown": {risk.max_drawdown, trading.max_drawdown},
        "conf": {trading.min_confidence},
        "vol": {risk.volatility_threshold},
        "trend": {risk.adjustments.strong_trend_factor},
    }


def loaded(tmp_path_factory: pytest.TempPathFactory, text: str) -> Loaded:
    path = tmp_path_factory.mktemp("config") / "trading.toml"
    path.write_text(text)
    return resolve(path, secrets.NO_VARIABLES)


def test_stricter_value_is_noted_and_has_its_own_origin(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    result = loaded(tmp_path_factory, "[trading]\nmax_drawdown = 0.2\n[risk]\nmax_drawdown = 0.1\n")
    assert result.notes == (
        "trading.max_drawdown = 0.2, risk.max_drawdown = 0.1: the stricter 0.1 applies",
    )
    assert result.origin("trading.max_drawdown").endswith("trading.toml:4")


def test_equal_values_are_not_noted(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "[trading]\nmax_drawdown = 0.1\n[risk]\nmax_drawdown = 0.1\n"
    assert loaded(tmp_path_factory, text).notes == ()


def test_pool_of_an_unknown_symbol_takes_the_rest_from_the_default() -> None:
    config = parse_text("[paper.pools.NEW-USDC]\nfee_bps = 30\n")
    default = config.paper.pools["default"]
    assert config.paper.pool("NEW-USDC").fee_bps == 30
    assert config.paper.pool("NEW-USDC").depth_quote == default.depth_quote
    assert config.paper.pool("OTHER-USDC") == default


def test_pool_takes_the_rest_from_the_default_of_the_file() -> None:
    text = "[paper.pools.NEW-USDC]\nfee_bps = 30\n[paper.pools.default]\ndepth_quote = 5.0\n"
    assert parse_text(text).paper.pool("NEW-USDC").depth_quote == 5.0
