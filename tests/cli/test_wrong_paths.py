"""Paths that cannot be read or written: refused before the work, with a sentence, never a trace."""

import os
import sys
from pathlib import Path

import msgspec
import pytest

from utb import bootstrap
from utb.cli import main
from utb.cli.runs import run_and_tell
from utb.config.load import defaults
from utb.errors import UsageError


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("afile").touch()
    Path("prices").mkdir()
    rows = [f"{1_700_000_100_000 + 300_000 * i},1,1,1,1,1" for i in range(3)]
    Path("sol.csv").write_text("\n".join(["ts,open,high,low,close,volume", *rows]) + "\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["demo", "--replay", "nofile"],
            "--replay is nofile, expected a file that can be read (No such file or directory)",
        ),
        (
            ["demo", "--replay", "prices"],
            "--replay is prices, expected a file that can be read (Is a directory)",
        ),
        (
            ["demo", "--record", "none/x"],
            "--record is none/x, expected a file in a directory that exists",
        ),
        (
            ["demo", "--record", "x", "--report", "none/r.html"],
            "--report is none/r.html, expected a file in a directory that exists",
        ),
        (
            ["demo", "--report", "prices"],
            "--report is prices, expected a file: this is a directory",
        ),
        (
            ["demo", "--state", "afile", "--headless"],
            f"--state is {{}}/afile, expected a directory that can be written ({os.strerror(20)})",
        ),
        (
            ["demo", "--live", "--state", "afile", "--headless"],
            f"--state is {{}}/afile, expected a directory that can be written ({os.strerror(20)})",
        ),
        (
            ["backtest", "--report", "none/r.html"],
            "--report is none/r.html, expected a file in a directory that exists",
        ),
        (
            ["trade", "--report", "none/r.html"],
            "--report is none/r.html, expected a file in a directory that exists",
        ),
        (
            ["votes", "--data", "SOL-USDC=sol.csv", "--out", "none/v.jsonl"],
            "--out is none/v.jsonl, expected a file in a directory that exists",
        ),
    ],
)
def test_wrong_path_is_2_with_a_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--report" in arguments:
        # Wrong too, and found only behind it: nothing runs where the check is missing
        arguments = [*arguments, "--set", "zzz=1"]
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.strip() == message.format(Path.cwd())


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        (
            "FOO=sol.csv",
            "SYMBOL=PATH with the symbol of a market in capitals, such as SOL-USDC",
        ),
        ("none.csv", "a file that exists"),
        ("none/SOLUSDT.csv", "a file that exists"),
        ("sol.csv", "SYMBOL=PATH, or a file name with the market (SOLUSDT)"),
    ],
)
def test_prices_are_named_by_the_option_that_was_given(
    prices: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, option in ((["votes", "--out", "v.jsonl"], "--data"), (["backtest"], "--prices")):
        assert main([*command, option, prices]) == 2
        assert capsys.readouterr().err == f"{option} is {prices}, expected {expected}\n"


@pytest.mark.parametrize("clock", ["foo", "http://127.0.0.1:8182/clock", "ws://", "ws://h:x/"])
def test_clock_that_is_no_address_is_refused_at_once(
    clock: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trade", "--clock", clock]) == 2
    expected = "expected an address ws://HOST:PORT/clock"
    assert capsys.readouterr().err == f"--clock is {clock}, {expected}\n"


@pytest.mark.parametrize("command", [["backtest"], ["demo", "--record", "x"]])
def test_context_needs_recorded_prices(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--hours", "1", "--context", "afile"]) == 2
    assert capsys.readouterr().err == "--context is afile, expected --prices with it\n"


def test_file_that_fails_later_names_the_option(capsys: pytest.CaptureFixture[str]) -> None:
    """/dev/full takes nothing, as a disk that filled up during the work."""
    assert main(["votes", "--data", "SOL-USDC=sol.csv", "--out", "full.jsonl"]) == 0
    Path("full.jsonl").unlink()
    Path("full.jsonl").symlink_to("/dev/full")
    capsys.readouterr()
    assert main(["votes", "--data", "SOL-USDC=sol.csv", "--out", "full.jsonl"]) == 2
    expected = f"a file that can be written ({os.strerror(28)})"
    assert capsys.readouterr().err == f"--out is full.jsonl, expected {expected}\n"


def test_outcome_is_told_when_the_page_cannot_be_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = bootstrap.build_backtest(
        defaults(), bootstrap.RunOptions(prices=("SOL-USDC=sol.csv",))
    )
    with pytest.raises(UsageError, match=r"--report is .*prices, expected a file that can be"):
        run_and_tell(session, json=True, headless=True, page=Path("prices"))
    assert msgspec.json.decode(capsys.readouterr().out)["mode"] == "backtest"


def test_other_error_of_the_system_is_1_with_a_sentence_and_a_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28), "/some/file")

    monkeypatch.setattr("utb.cli.config.write_line", full)
    assert main(["config", "check"]) == 1
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f"{os.strerror(28)}: /some/file (at cli/config.py:")


def test_other_error_of_the_system_is_in_the_log_with_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that writes a log: what only a sentence told would be lost for who reads it."""

    def unreachable(*_: object) -> None:
        raise ConnectionRefusedError(111, os.strerror(111))

    monkeypatch.setattr("utb.cli.trade.trade_live", unreachable)
    monkeypatch.setattr(sys, "argv", ["utb", "trade"])
    assert main(["trade"]) == 1
    *lines, sentence = capsys.readouterr().err.strip().splitlines()
    logged = msgspec.json.decode(lines[-1])
    assert logged["level"] == "ERROR"
    assert "in unreachable" in logged["exception"]
    assert sentence.startswith(os.strerror(111))
