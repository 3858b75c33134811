"""`utb config` from the outside: exit codes, streams, JSON, help."""

from pathlib import Path

import msgspec
import pytest

from utb.cli import main
from utb.config import reference, secrets, template
from utb.config.check import known_keys
from utb.config.instruments import instruments
from utb.config.limits import OLDER_NAMES
from utb.config.load import defaults, parse_text

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in secrets.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    Path("good.toml").write_text("[trading]\nmax_drawdown = 0.2\n[risk]\nmax_drawdown = 0.1\n")
    Path("bad.toml").write_text("[risk]\nmax_drawdwn = 0.1\nrisk_per_trade = 3\n")


def test_check_of_a_good_file_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", "good.toml"]) == 0
    output = capsys.readouterr()
    assert output.out == "good.toml: valid\n"
    assert "the stricter 0.1 applies" in output.err


def test_check_of_a_bad_file_is_2_and_names_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--config", "bad.toml"]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.splitlines() == [
        (
            "bad.toml:2: risk.max_drawdwn = 0.1: expected a key that exists in [risk] "
            '(did you mean "max_drawdown"?)'
        ),
        "bad.toml:3: risk.risk_per_trade = 3: expected number > 0 and <= 0.2",
    ]


def test_check_as_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", "--json", "--config", "bad.toml"]) == 2
    output = capsys.readouterr()
    assert output.err == ""
    answer = msgspec.json.decode(output.out)
    assert answer["valid"] is False
    assert answer["problems"][1] == {
        "file": "bad.toml",
        "line": 3,
        "key": "risk.risk_per_trade",
        "value": "3",
        "expected": "number > 0 and <= 0.2",
        "hint": "",
    }


def test_show_as_json_has_every_key_with_value_and_origin(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["config", "show", "--json", "--config", "good.toml"]) == 0
    answer = msgspec.json.decode(capsys.readouterr().out)
    assert set(known_keys()) - set(OLDER_NAMES) <= set(answer["values"])
    assert answer["values"]["trading.max_drawdown"] == {"value": 0.1, "origin": "good.toml:4"}
    assert answer["values"]["risk.risk_per_trade"] == {"value": 0.02, "origin": "template"}
    assert answer["values"]["instruments[1].symbol"]["value"] == "BTC-USDC"
    assert answer["secrets"]["HELIUS_API_KEY"] is False
    assert answer["notes"][0].endswith("the stricter 0.1 applies")


def test_show_lists_value_and_origin(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--config", "good.toml"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "trading.max_drawdown = 0.1 # good.toml:4" in lines
    assert 'strategies.timeframe = "15m" # template' in lines


def test_show_of_a_bad_file_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--config", "bad.toml"]) == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("arguments", [["nothing"], ["config", "check", "--confg", "x"]])
def test_wrong_use_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert "Error" in output.err


@pytest.mark.parametrize("command", ["check", "show"])
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", command, "--help"]) == 0
    assert f"For example: utb config {command}" in capsys.readouterr().out


def test_page_is_what_the_schema_and_the_template_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_key_of_the_template_has_a_comment() -> None:
    comments = reference.template_comments()
    missing = [key for key in known_keys() if key not in comments and key not in OLDER_NAMES]
    assert missing == []


def test_page_explains_every_variable() -> None:
    assert set(reference.VARIABLES) == set(secrets.VARIABLES)


def test_template_and_schema_have_the_same_keys() -> None:
    """A key of the schema that the template forgets would have no default."""
    tree = template.values()
    for key in set(known_keys()) - set(OLDER_NAMES):
        value = tree
        for part in key.split("."):
            value = value[part]


def test_instruments_are_numbered_in_file_order_with_integer_minimum() -> None:
    """10.0 USDC of 6 decimals = 10,000,000; 10.1 = 10,100,000 (and not 10,099,999)."""
    (first, *_) = instruments(defaults())
    assert (first.index, first.symbol, first.quote_decimals) == (0, "SOL-USDC", 6)
    assert first.min_order_quote_raw == 10_000_000
    config = parse_text("[execution]\nmin_order_usdc = 10.1")
    assert instruments(config)[3].min_order_quote_raw == 10_100_000
    assert instruments(config)[3].index == 3
