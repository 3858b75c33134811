"""Every kind of mistake is named: file, line, key, value, expected, hint."""

from pathlib import Path

import pytest

from utb.config.load import load, parse_text, resolve
from utb.config.secrets import NO_VARIABLES
from utb.errors import ConfigError, ConfigProblem


def problems(text: str) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_text(text, "t.toml")
    return caught.value.problems


def only(text: str) -> ConfigProblem:
    (problem,) = problems(text)
    return problem


SOL = 'base_mint = "So11111111111111111111111111111111111111112"\nbase_decimals = 9\n'


@pytest.mark.parametrize(
    ("text", "line", "key", "value", "expected", "hint"),
    [
        # wrong type
        ('[risk]\nmax_drawdown = "a"', 2, "risk.max_drawdown", '"a"', "number > 0 and < 1", ""),
        ("[risk]\ntrailing_stop_enabled = 1", 2, "risk.trailing_stop_enabled", "1",
         "true or false", ""),
        ("[risk]\nmax_concurrent_positions = true", 2, "risk.max_concurrent_positions", "true",
         "integer >= 1 and <= 100", ""),
        ("[risk]\nmax_concurrent_positions = 2.0", 2, "risk.max_concurrent_positions", "2.0",
         "integer >= 1 and <= 100", ""),
        # range, and the numbers that compare with nothing
        ("\n[risk]\nrisk_per_trade = 0.21", 3, "risk.risk_per_trade", "0.21",
         "number > 0 and <= 0.2", ""),
        ("[risk]\ncorrelation_limit = nan", 2, "risk.correlation_limit", "nan",
         "number >= -1 and <= 1", ""),
        ("[paper]\ncash_usdc = inf", 2, "paper.cash_usdc", "inf",
         "number > 0 and <= 1,000,000,000,000", ""),
        # closed sets
        ('[environment]\nlog_level = "info"', 2, "environment.log_level", '"info"',
         'one of "DEBUG", "INFO", "WARNING", "ERROR"', 'did you mean "INFO"?'),
        ('[strategies]\ntimeframe = "15min"', 2, "strategies.timeframe", '"15min"',
         'one of "1m", "5m", "15m", "1h", "4h", "1d"', 'did you mean "15m"?'),
        ('[feeds]\nmax_gap = "15"', 2, "feeds.max_gap", '"15"',
         'a whole number and s, m, h or d, for example "15m"', ""),
        # unknown keys and tables
        ("[risk]\nmax_drawdwn = 0.1", 2, "risk.max_drawdwn", "0.1",
         "a key that exists in [risk]", 'did you mean "max_drawdown"?'),
        ("[stratgies]\nx = 1", 1, "stratgies", "", "a key that exists at the top",
         'did you mean "strategies"?'),
        ("[trading]\ncorrelation_limit = 0.5", 2, "trading.correlation_limit", "0.5",
         "a key that exists in [trading]", "it belongs to risk.correlation_limit"),
        ("[api.helios]\ntimeout = 3", 1, "api.helios", "", "a key that exists in [api]",
         'did you mean "helius"?'),
        # shapes
        ("risk = 3", 1, "risk", "3", "a table [risk]", ""),
        ("[trading.max_drawdown]\nx = 1", 1, "trading.max_drawdown", "a table",
         "number > 0 and < 1", ""),
        ("instruments = 3", 1, "instruments", "3", "tables [[instruments]]", ""),
        ("[[risk]]\nx = 1", 1, "risk", "a list of tables", "a table [risk]", ""),
        ("[strategies.regimes]\nranging = [1.0, 1.0]", 2, "strategies.regimes.ranging",
         "[1.0, 1.0]", "a list of 8 items, each number >= 0.5 and <= 2", ""),
        # syntax
        ("[risk\n", 1, "", "", "valid TOML", "Expected ']' at the end of a table declaration"),
        ("[risk]\nmax_drawdown = ", 2, "risk.max_drawdown", "", "valid TOML", "Invalid value"),
        # two values
        ("[risk]\nmax_drawdown = 0.1\n\n[risk]\nmax_drawdown = 0.2", 5, "risk.max_drawdown",
         "0.2", "one value, but line 2 gives another", ""),
        # older names have the type of the newer
        ("[risk]\nmax_drawdown_threshold = 3.0", 2, "risk.max_drawdown_threshold", "3.0",
         "number > 0 and < 1", ""),
        # between values
        ("[strategies.thresholds]\nstat_exit_z = 2.5", 2, "strategies.thresholds.stat_exit_z",
         "2.5", "number < stat_z", ""),
        ("[strategies]\nmean_reversion = 0.2", 2, "strategies",
         "0.15 + 0.2 + 0.14 + 0.13 + 0.16 + 0.11 + 0.1 + 0.09 = 1.08",
         "the eight weights to sum to 1.0", ""),
        # instruments
        (f'[[instruments]]\nsymbol = "SOL-EUR"\n{SOL}primary = "birdeye"', 2,
         "instruments[0].symbol", '"SOL-EUR"',
         "a quote with a table [quotes.EUR]; known: USDC", ""),
        (f'[[instruments]]\nsymbol = "SOL-USDC"\n{SOL}', 1, "instruments[0].primary", "",
         'one of "dexscreener", "birdeye", "helius", "recorded"', "the key is missing"),
        ("[quotes.EURC]\ndecimals = 6", 1, "quotes.EURC.mint", "",
         "a mint address: 32 to 44 characters of base58", "the key is missing"),
    ],
)  # fmt: skip
def test_mistake_is_named_whole(
    text: str, line: int, key: str, value: str, expected: str, hint: str
) -> None:
    assert only(text) == ConfigProblem(
        file="t.toml", line=line, key=key, value=value, expected=expected, hint=hint
    )


def test_mistakes_are_reported_all_at_once_in_file_order() -> None:
    text = (
        '[environment]\ntrading_env = "papr"\n'
        "[nowhere]\n"
        "[risk]\nmax_drawdown = 5.0\nx = [1,\n2\n"
        "[trading]\nmin_confidence = 1.0\n"
    )
    assert [(p.line, p.key) for p in problems(text)] == [
        (2, "environment.trading_env"),
        (3, "nowhere"),
        (5, "risk.max_drawdown"),
        (6, "risk.x"),
        (7, ""),
        (9, "trading.min_confidence"),
    ]


def test_unreadable_header_does_not_blame_the_keys_below_it() -> None:
    assert [p.line for p in problems("[risk\nmax_drawdown = 0.1\nnonsense = 2\n")] == [1]


def test_same_symbol_twice_names_the_first() -> None:
    table = f'[[instruments]]\nsymbol = "SOL-USDC"\n{SOL}primary = "birdeye"\n'
    assert only(table * 2).expected == "a symbol once, but instruments[0] has it too"


def test_weights_within_tolerance_load() -> None:
    """0.15 -> 0.1500009: the sum is off by 9e-7, the tolerance is 1e-6."""
    config = parse_text("[strategies]\nmomentum_breakthrough = 0.1500009")
    assert config.strategies.momentum_breakthrough == 0.1500009


def test_weights_beyond_tolerance_are_an_error() -> None:
    assert only("[strategies]\nmomentum_breakthrough = 0.1500011").key == "strategies"


def test_huge_integer_and_deep_brackets_are_problems_not_crashes() -> None:
    text = f"[risk]\nmax_drawdown = {'9' * 5000}\nrisk_per_trade = 0x{'f' * 5000}\n"
    assert [p.key for p in problems(text)] == ["risk.max_drawdown", "risk.risk_per_trade"]
    assert only("risk = " + "[" * 50_000).expected == "fewer brackets inside each other"


def test_message_reads_as_a_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_text('[environment]\ntrading_env = "papr"', "config/trading.toml")
    assert str(caught.value) == (
        'config/trading.toml:2: environment.trading_env = "papr": '
        'expected one of "paper", "live" (did you mean "paper"?)'
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "a file that exists"),
        (b"\xff\xfe", "UTF-8 text"),
        (b"#" * (4 * 1024 * 1024 + 1), "at most 4,194,304 bytes"),
    ],
)
def test_unusable_file_is_named(tmp_path: Path, content: bytes | None, expected: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        resolve(path, NO_VARIABLES)
    assert caught.value.problems == (
        ConfigProblem(file=str(path), key="", value="", expected=expected),
    )


def test_directory_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IsADirectoryError"):
        load(tmp_path)
