"""Damaged files: a problem list or a whole configuration, never a crash, never a half."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utb.config.check import known_keys, to_secret
from utb.config.load import parse_text
from utb.config.schema import Config, Secret
from utb.errors import ConfigError

GUIDE = (Path(__file__).parent / "guide.toml").read_text(encoding="utf-8")
REST = """
[paper.pools.default]
fee_bps = 25
[paper.pools.SOL-USDC]
depth_quote = 5e7
[quotes.USDC]
decimals = 6
[strategies.regimes]
trending = [
  1.3, 0.7, 1.4, 1.1,
  1.0, 1.0, 0.9, 0.7,
]
[[instruments]]
symbol = "SOL-USDC"
base_mint = "So11111111111111111111111111111111111111112"
base_decimals = 9
primary = "birdeye"
[[instruments]]
symbol = "BONK-USDC"
base_mint = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"
base_decimals = 5
primary = "recorded"
timeframe = "5m"
"""
LINES = tuple((GUIDE + REST).split("\n"))
"""The guide's repeated tables, and every shape that the guide has not."""
TOKENS = (
    "",
    "=",
    "[",
    "]]",
    "[[instruments]]",
    "[risk]",
    "[risk.adjustments]",
    "[paper.pools]",
    "[paper.pools.default]",
    '"""',
    "'''",
    "#",
    "{",
    "nan",
    "-inf",
    "1e400",
    "-0.0",
    "true",
    "2024-01-01",
    "0x7fffffffffffffffffff",
    '"live"',
    "[1, [2, {a = 3}]]",
    "x.y.z = 1",
    "trading = 1",
    "instruments = []",
    "paper.pools = {}",
    '"" = 1',
    '"a.b" = 1',
    "\x00",
    "\u2028",
    "\ud7ff",
)

edit = st.tuples(
    st.sampled_from(("drop", "repeat", "move", "value", "insert", "char", "cut")),
    st.integers(0, len(LINES) - 1),
    st.integers(0, 10_000),
    st.sampled_from(TOKENS),
)


SWITCHES = ("foreign_tables", "enabled", "_mode", "_alerts", ".bundle_only", ".bundles")


def mutate(lines: list[str], kind: str, at: int, other: int, token: str) -> None:
    at %= max(len(lines), 1)
    if not lines:
        return
    if kind == "drop":
        del lines[at]
    elif kind == "repeat":
        lines.insert(other % len(lines), lines[at])
    elif kind == "move":
        lines.insert(other % len(lines), lines.pop(at))
    elif kind == "value":
        lines[at] = f"{lines[at].partition('=')[0]}= {token}"
    elif kind == "insert":
        lines.insert(at, token)
    elif kind == "char":
        column = other % (len(lines[at]) + 1)
        lines[at] = lines[at][:column] + token + lines[at][column + 1 :]
    else:
        del lines[at + 1 :]
        lines[at] = lines[at][: other % (len(lines[at]) + 1)]


def outcome(text: str) -> Config | ConfigError:
    try:
        return parse_text(text)
    except ConfigError as error:
        return error


def reveal(value: object) -> str:
    assert isinstance(value, Secret)
    return value.reveal()


@pytest.mark.timeout(180)
@settings(max_examples=1_000, derandomize=True, deadline=None, database=None)
@given(st.lists(edit, min_size=1, max_size=6))
def test_damaged_file_gives_problems_or_a_whole_configuration(
    edits: list[tuple[str, int, int, str]],
) -> None:
    lines = list(LINES)
    for kind, at, other, token in edits:
        mutate(lines, kind, at, other, token)
    result = outcome("\n".join(lines))
    if isinstance(result, ConfigError):
        assert result.problems
        assert all(p.expected and p.line and p.file for p in result.problems), str(result)
    else:
        plain = msgspec.to_builtins(result, enc_hook=reveal)
        assert msgspec.convert(plain, type=Config, dec_hook=to_secret) == result
        assert abs(sum(result.strategies.weights) - 1.0) <= 1e-6


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.text(max_size=200) | st.text(alphabet="[]{}=\".'#\n ab1,", max_size=60))
def test_any_text_gives_problems_or_a_whole_configuration(text: str) -> None:
    result = outcome(text)
    assert isinstance(result, Config) or result.problems


@pytest.mark.parametrize("value", ["2024-01-01", "[]", "{}", "[{}]", "{ a = 1 }", "[[1]]"])
def test_value_of_no_fitting_type_is_refused_for_every_key(value: str) -> None:
    lists = {
        "server.origins",
        "routing.mint_risks_allowed",
        "signer.allowed_uids",
        "signer.tip_accounts",
    }
    fitting = lists if value == "[]" else set()
    text = "\n".join(f"{key} = {value}" for key in known_keys())
    with pytest.raises(ConfigError) as caught:
        parse_text(text)
    assert {problem.key for problem in caught.value.problems} == set(known_keys()) - fitting


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e300", "-1e300", "true"])
def test_number_without_bounds_is_refused_for_every_number(value: str) -> None:
    """Each number has both bounds: what compares with nothing or is beyond all is refused."""
    text = "\n".join(f"{key} = {value}" for key in known_keys())
    with pytest.raises(ConfigError) as caught:
        parse_text(text)
    accepted = set(known_keys()) - {problem.key for problem in caught.value.problems}
    switches = {key for key in known_keys() if key.endswith(SWITCHES)}
    assert accepted == (switches - {"environment.execution_mode"} if value == "true" else set())
