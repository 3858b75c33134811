"""Options of `utb demo` and `utb run`: what is refused before anything starts."""

import socket
from pathlib import Path

import pytest

from utb.bootstrap import RunOptions
from utb.cli import demonstration, main
from utb.config.load import defaults
from utb.storage.lock import StateLock


@pytest.fixture(autouse=True)
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["demo", "--hours", "0"], "--hours is 0, expected a number > 0"),
        (["demo", "--hours", "-3"], "--hours is -3, expected a number > 0"),
        (["demo", "--speed", "0"], "--speed is 0.0, expected a number > 0"),
        (["demo", "--speed", "nan"], "--speed is nan, expected a number > 0"),
        (["demo", "--port", "0"], "--port is 0, expected 1..65535"),
        (["demo", "--port", "65536"], "--port is 65536, expected 1..65535"),
        (
            ["demo", "--replay", "x.log", "--keep"],
            "--keep is given, expected no --replay: an input log has no servers",
        ),
        (
            ["demo", "--replay", "x.log", "--port", "9000"],
            "--port is given, expected no --replay: an input log has no servers",
        ),
        (
            ["demo", "--record", "x.log", "--keep"],
            "--keep is given, expected no --record: an input log has no servers",
        ),
        (
            ["demo", "--set", "risk.risk_per_trade=3"],
            "command line: risk.risk_per_trade = 3: expected number > 0 and <= 0.2",
        ),
        (
            ["run", "--set", "zzz=1"],
            "command line: zzz = 1: expected a key that exists at the top",
        ),
        (["run", "--port", "70000"], "--port is 70000, expected 0 to 65535"),
    ],
)
def test_wrong_option_is_2_with_a_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.strip() == message


def test_busy_port_ends_run_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["run", "--port", str(port)]) == 2
    assert capsys.readouterr().err == (
        f"--port is {port}, expected a free port: another program listens on 127.0.0.1:{port}\n"
    )


def test_second_supervisor_of_a_state_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    with StateLock(state, "run"):
        arguments = ["run", "--no-serve", "--no-analytics", "--state", str(state)]
        assert main(arguments) == 2
        assert main(["demo", "--state", str(state), "--headless"]) == 2
    assert capsys.readouterr().err.count("expected a directory without a running utb run") == 2


def test_free_ports_differ_and_the_choice_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = other.getsockname()[1]
        places = demonstration._places(defaults(), busy)
    simnet = places.simnet
    chosen = {places.serve.port, places.analytics.port, simnet.http, simnet.ws}
    assert len(chosen) == 4
    assert busy not in chosen
    said = f"port {busy} is in use: the dashboard listens on {places.serve.port}\n"
    assert said in capsys.readouterr().err


def test_arguments_of_simnet_and_trade_hold_in_any_directory(tmp_path: Path) -> None:
    options = RunOptions(
        hours=None,
        speed=60.0,
        prices=("SOL-USDC=sol.parquet", "binance_BTCUSDT_5m.csv"),
        context=Path("context.jsonl"),
    )
    assert demonstration._simnet_arguments(options, 7, 522) == (
        *("--seed", "7", "--speed", "60"),
        *("--prices", f"SOL-USDC={tmp_path}/sol.parquet"),
        *("--prices", f"{tmp_path}/binance_BTCUSDT_5m.csv"),
        *("--context", f"{tmp_path}/context.jsonl"),
    )
    assert demonstration._simnet_arguments(RunOptions(), 7, 522)[-2:] == ("--hours", "522")
    assert demonstration._trade_arguments(keep=True, report=Path("page.html")) == (
        *("--json", "--keep"),
        *("--report", f"{tmp_path}/page.html"),
    )
