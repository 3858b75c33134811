"""The user guide's TOML blocks, one after another in one file, and the shipped template."""

import tomllib
from pathlib import Path

import pytest

from utb.config import template
from utb.config.load import defaults, parse_text
from utb.config.schema import Config
from utb.domain.names import STRATEGIES

GUIDE = (Path(__file__).parent / "guide.toml").read_text(encoding="utf-8")
TEMPLATE = Path(__file__).parents[2] / "config" / template.TEMPLATE_NAME


@pytest.fixture(scope="module")
def guide() -> Config:
    return parse_text(GUIDE)


def test_guide_blocks_together_are_no_toml() -> None:
    """The reason for a parser of our own: `[risk]` stands there twice."""
    with pytest.raises(tomllib.TOMLDecodeError, match="twice"):
        tomllib.loads(GUIDE)


def test_guide_blocks_together_load_with_both_risk_tables(guide: Config) -> None:
    assert guide.risk.max_concurrent_positions == 5  # first [risk]
    assert guide.risk.trailing_stop_atr_multiplier == 2.0  # second [risk]
    assert guide.risk.adjustments.high_volatility_factor == 0.7  # in both
    assert guide.risk.adjustments.bear_market_factor == 0.9  # second [risk.adjustments]


def test_guide_values_reach_the_configuration(guide: Config) -> None:
    assert guide.environment.debug_mode is True  # the template says false
    assert guide.api.jupiter.base_url == "https://quote-api.jup.ag"
    assert guide.api.helius.rate_limit == 100_000
    assert guide.strategies.thresholds.whale_min_transaction_size == 100_000.0
    assert guide.telegram.thresholds.system_cpu_warning == 80.0
    assert guide.strategies.weights == (0.15, 0.12, 0.14, 0.13, 0.16, 0.11, 0.10, 0.09)


def test_guide_samples_count_as_unset(guide: Config) -> None:
    """A bot must not be started with the token YOUR_TELEGRAM_TOKEN."""
    assert not guide.telegram.token
    assert guide.telegram.chat_id == ""


def test_guide_leaves_the_rest_to_the_template(guide: Config) -> None:
    assert guide.paper == defaults().paper
    assert guide.instruments == defaults().instruments
    assert guide.strategies.scales == defaults().strategies.scales


def test_template_in_the_repository_is_the_one_in_the_package() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == template.text()


def test_template_as_a_file_equals_the_defaults() -> None:
    assert parse_text(template.text()) == defaults()


def test_template_is_strict_toml() -> None:
    """What a user copies must also load with any TOML reader, as the guide's commands do."""
    assert tuple(tomllib.loads(template.text())["strategies"])[1:9] == STRATEGIES


def test_empty_file_equals_the_defaults() -> None:
    assert parse_text("") == defaults()


def test_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    assert parse_text("\ufeff" + GUIDE.replace("\n", "\r\n")) == parse_text(GUIDE)
