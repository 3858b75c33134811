"""Command lines, order and addresses of the processes of run and demo."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import pytest

from utb.bootstrap import addresses, processes
from utb.bootstrap.processes import Place, Plan, SimnetPorts, specs
from utb.config import secrets
from utb.config.load import resolve
from utb.config.secrets import NO_VARIABLES
from utb.errors import UsageError
from utb.storage.lock import StateLock

STATE = Path("/var/lib/utb")
BASE = (sys.executable, "-m", "utb")


def commands(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {spec.name: spec.command() for spec in specs(plan)}


def test_run_starts_trade_serve_and_analytics() -> None:
    plan = Plan(
        state_dir=STATE,
        config=Path("/etc/utb.toml"),
        settings=("paper.seed=3",),
        serve=Place(8081),
        analytics=Place(8124),
    )
    shared = ("--state", str(STATE), "--config", "/etc/utb.toml", "--set", "paper.seed=3")
    assert commands(plan) == {
        "trade": (*BASE, "trade", *shared),
        "serve": (*BASE, "serve", *shared, "--port", "8081"),
        "analytics": (*BASE, "analytics", *shared, "--port", "8124"),
    }


def test_parts_can_be_left_out() -> None:
    assert list(commands(Plan(state_dir=STATE, serve=None, analytics=None))) == ["trade"]


def test_demo_points_trade_at_simnet() -> None:
    plan = Plan(
        state_dir=STATE,
        simnet=("--seed", "7", "--hours", "10"),
        simnet_ports=SimnetPorts(http=1181, ws=1182),
        trade=("--json", "--keep"),
    )
    found = commands(plan)
    assert found["simnet"] == (
        *BASE,
        *("simnet", "--state", str(STATE), "--seed", "7", "--hours", "10"),
        *("--http-port", "1181", "--ws-port", "1182"),
    )
    assert found["trade"] == (
        *BASE,
        *("trade", "--state", str(STATE)),
        *("--set", "api.dexscreener.base_url=http://127.0.0.1:1181/latest/dex"),
        *("--set", "api.birdeye.base_url=http://127.0.0.1:1181"),
        *("--set", "api.birdeye.ws_url=ws://127.0.0.1:1182/socket/solana"),
        *("--set", "api.helius.base_url=http://127.0.0.1:1181"),
        *("--set", "api.helius.ws_url=ws://127.0.0.1:1182/helius"),
        *("--json", "--keep", "--clock", "ws://127.0.0.1:1182/clock"),
    )


def test_trade_stops_first_and_simnet_last() -> None:
    plan = Plan(state_dir=STATE, simnet=())
    stages = {spec.name: spec.stop_stage for spec in specs(plan)}
    assert stages["trade"] < stages["serve"] == stages["analytics"] < stages["simnet"]
    assert {spec.name for spec in specs(plan) if spec.essential} == {"trade", "simnet"}


def test_process_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "ORPHAN_S", 0.1)
    expected = rf"without a running utb trade \(process {os.getpid()}\)"
    with StateLock(tmp_path), pytest.raises(UsageError, match=expected):
        asyncio.run(processes.wait_for_orphans(Plan(state_dir=tmp_path)))


def test_process_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    async def whole() -> None:
        lock = StateLock(tmp_path)
        asyncio.get_running_loop().call_later(0.1, lock.release)
        await processes.wait_for_orphans(Plan(state_dir=tmp_path))

    asyncio.run(whole())


def test_run_dir_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="a directory that can be written"):
        processes.make_run_dir(tmp_path / "file")


def test_port_in_use_is_not_free() -> None:
    with socket.socket() as other:
        other.bind((addresses.LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        assert not addresses.is_free(addresses.LOOPBACK, port)
        assert addresses.answers(addresses.LOOPBACK, port)
        assert addresses.free_port(port, (port + 1,)) > port + 1
    assert addresses.is_free(addresses.LOOPBACK, port)
    assert not addresses.answers(addresses.LOOPBACK, port)


def test_foreign_address_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="an address to listen on"):
        addresses.is_free("192.0.2.1", 8080)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/dashboard"),
        ("0.0.0.0", "http://127.0.0.1:8080/dashboard"),  # noqa: S104 - shown, not bound
        ("[::1]", "http://[::1]:8080/dashboard"),
        ("localhost", "http://localhost:8080/dashboard"),
    ],
)
def test_url_is_for_a_browser_here(host: str, expected: str) -> None:
    assert addresses.url(host, 8080, "/dashboard") == expected


def test_sealed_environment_has_nobodys_accounts() -> None:
    given = {
        "PATH": "/bin",
        "PYTHONPATH": "python",
        "TELEGRAM_TOKEN": "t",
        "HELIUS_API_KEY": "h",
        "CLICKHOUSE_URL": "http://ch",
    }
    sealed = secrets.sealed_environment({"HELIUS_API_KEY": "demo"}, given)
    assert sealed == {
        "PATH": "/bin",
        "PYTHONPATH": str(Path("python").absolute()),
        "HELIUS_API_KEY": "demo",
    }


@pytest.mark.parametrize("setting", SimnetPorts().settings())
def test_settings_of_a_demo_are_valid(setting: str) -> None:
    resolve(None, NO_VARIABLES, (setting,))
