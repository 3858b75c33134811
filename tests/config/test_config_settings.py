"""`--set KEY=VALUE`: the layer above file and environment."""

from pathlib import Path

import pytest

from utb.config import secrets
from utb.config.load import parse_text, resolve
from utb.config.secrets import NO_VARIABLES
from utb.config.show import rows
from utb.errors import ConfigError, ConfigProblem


def problems(*settings: str, path: Path | None = None) -> tuple[ConfigProblem, ...]:
    with pytest.raises(ConfigError) as caught:
        resolve(path, NO_VARIABLES, settings)
    return caught.value.problems


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.toml"
    path.write_text(text)
    return path


def test_setting_wins_over_file_and_environment(tmp_path: Path) -> None:
    path = file_of(tmp_path, "[paper]\nseed = 3\n[telegram]\nchat_id = '1'\n")
    variables = secrets.read(tmp_path / "none", {"CHAT_ID": "2"})
    loaded = resolve(path, variables, ("paper.seed=9", "telegram.chat_id=4"))
    assert (loaded.config.paper.seed, loaded.config.telegram.chat_id) == (9, "4")
    origins = {row.key: row.origin for row in rows(loaded)}
    assert origins["paper.seed"] == origins["telegram.chat_id"] == "command line"
    assert origins["paper.cash_usdc"] == "template"


def test_later_setting_of_a_key_counts() -> None:
    loaded = resolve(None, NO_VARIABLES, ("paper.seed=9", "paper.seed = 10"))
    assert loaded.config.paper.seed == 10


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8181/latest/dex", '"http://127.0.0.1:8181/latest/dex"']
)
def test_text_needs_no_quotes(text: str) -> None:
    loaded = resolve(None, NO_VARIABLES, (f"api.dexscreener.base_url={text}",))
    assert loaded.config.api.dexscreener.base_url == "http://127.0.0.1:8181/latest/dex"


def test_setting_makes_a_named_table_complete() -> None:
    config = resolve(None, NO_VARIABLES, ("paper.pools.FOO-USDC.fee_bps=3",)).config
    default = parse_text("").paper.pools["default"]
    assert config.paper.pools["FOO-USDC"].fee_bps == 3
    assert config.paper.pools["FOO-USDC"].depth_quote == default.depth_quote


def test_stricter_of_file_and_setting_applies(tmp_path: Path) -> None:
    path = file_of(tmp_path, "[trading]\nmax_drawdown = 0.08\n")
    loaded = resolve(path, NO_VARIABLES, ("risk.max_drawdown=0.1",))
    assert loaded.config.risk.max_drawdown == 0.08
    assert loaded.origin("risk.max_drawdown") == f"{path}:2"
    assert loaded.notes == (
        "trading.max_drawdown = 0.08, risk.max_drawdown = 0.1: the stricter 0.08 applies",
    )


def test_older_name_is_taken_as_in_a_file() -> None:
    config = resolve(None, NO_VARIABLES, ("risk.max_drawdown_threshold=0.05",)).config
    assert config.trading.max_drawdown == config.risk.max_drawdown == 0.05


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "risk.max_drawdwn=0.1",
            (
                "command line: risk.max_drawdwn = 0.1: expected a key that exists in [risk] "
                '(did you mean "max_drawdown"?)'
            ),
        ),
        (
            "risk.risk_per_trade=3",
            "command line: risk.risk_per_trade = 3: expected number > 0 and <= 0.2",
        ),
        (
            "paper.seed",
            (
                "command line: --set paper.seed: expected KEY=VALUE, "
                "for example risk.risk_per_trade=0.01"
            ),
        ),
        ("paper=3", "command line: paper = 3: expected a table [paper]"),
        (
            "instruments=3",
            (
                "command line: --set instruments = ***: expected a key of another table: "
                "instruments are listed in a file"
            ),
        ),
        (
            "telegram.token=4711",
            (
                "command line: --set telegram.token = ***: expected its variable in .env: "
                "every user of the machine sees a command line"
            ),
        ),
        (
            "strategies.thresholds.stat_exit_z=3",
            "command line: strategies.thresholds.stat_exit_z = 3: expected number < stat_z",
        ),
    ],
)
def test_wrong_setting_is_named(setting: str, message: str) -> None:
    (problem,) = problems(setting)
    assert str(problem) == message


@pytest.mark.parametrize(
    "setting",
    [
        "=",
        "=3",
        ".=3",
        "a..b=3",
        ".".join("abcdefghij") + "=3",
        "paper.seed=",
        "paper.seed=1\nrisk.risk_per_trade=0.2",
        "paper.seed=[[[[",
        "paper.seed=" + "[" * 5_000,
        "paper.seed=" + "9" * 5_000,
    ],
)
def test_malformed_setting_is_a_problem(setting: str) -> None:
    assert len(problems(setting)) == 1


def test_problems_of_file_and_settings_come_together(tmp_path: Path) -> None:
    path = file_of(tmp_path, "[paper]\nseed = -1\n")
    found = problems("risk.risk_per_trade=3", "nothing.here=1", path=path)
    assert {problem.file for problem in found} == {"command line", str(path)}
    assert len(found) == 3
