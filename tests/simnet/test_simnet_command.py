"""`utb simnet` as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from simnet_bot import Bot
from simnet_stand import run

SIMNET = [sys.executable, "-m", "utb", "simnet"]
HTTP, WS = ["--http-port", "0"], ["--ws-port", "0"]


@contextmanager
def served(
    state: Path,
    *options: str,
    stale: dict[str, str] | None = None,
    environ: dict[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    command = [*SIMNET, *HTTP, *WS, "--state", str(state), "--hours", "8", *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        cwd=state.parent,
    )
    try:
        while addresses(state) in ({}, stale):
            assert process.poll() is None, process.communicate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        yield process
    finally:
        process.kill()
        process.communicate()


def addresses(state: Path) -> dict[str, str]:
    try:
        told: dict[str, str] = json.loads((state / "run" / "simnet.json").read_text())
    except FileNotFoundError:
        return {}
    return told


def test_it_serves_until_sigterm_and_cleans_up(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with served(state) as process:
        at = addresses(state)
        assert at["api.dexscreener.base_url"].endswith("/latest/dex")
        assert (state / "run" / "simnet.pid").read_text() == f"{process.pid}\n"
        assert (state / "run" / "simnet.pid").stat().st_mode & 0o077 == 0
        assert httpx.get(at["faults"]).json()["faults"] == []
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0
        assert f"clock = {at['clock']}" in out.decode()
        events = [json.loads(line)["event"] for line in err.decode().splitlines()]
        assert events == ["simnet_listens", "simnet_ended"]
        assert not (state / "run" / "simnet.json").exists()


def test_a_bot_goes_on_after_the_process_was_killed(tmp_path: Path) -> None:
    state = tmp_path / "state"

    async def some(cursor: int, count: int) -> list[object]:
        bot = await Bot.join(addresses(state), cursor)
        bot.ready()
        items = await bot.run(until=count)
        await bot.close()
        return list(items)

    found: list[list[object]] = []

    async def first() -> None:
        found.append(await some(0, 3000))

    async def second() -> None:
        found.append(await some(1500, 1400))

    with served(state) as process:
        run(first())
        process.kill()
        process.wait()
    stale = addresses(state)
    with served(state, stale=stale):
        run(second())
    overlap = len(found[0]) - 1500
    assert overlap > 1000
    count = min(overlap, len(found[1]))
    assert found[1][:count] == found[0][1500 : 1500 + count]


def test_a_directory_and_a_port_are_had_once(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with served(state) as process:
        again = subprocess.run(
            [*SIMNET, *HTTP, *WS, "--state", str(state)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert again.returncode == 2
        assert f"process {process.pid}" in again.stderr
        port = addresses(state)["faults"].split(":")[2].partition("/")[0]
        command = [*SIMNET, *WS, "--state", str(tmp_path / "other"), "--http-port", port]
        taken = subprocess.run(command, capture_output=True, text=True, check=False)
        assert taken.returncode == 2
        assert f"--http-port is {port}, expected a free port of 127.0.0.1" in taken.stderr
        assert not (tmp_path / "other" / "run" / "simnet.json").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--http-port", "70000"], "--http-port is 70000, expected 0 to 65535"),
        (["--hours", "0"], "--hours is 0, expected a number > 0"),
        (["--speed", "0"], "--speed is 0.0, expected a number > 0"),
        (["--wall", "--speed", "2"], "--speed is 2.0, expected nothing with --wall"),
        (["--context", "c.jsonl"], "--context is c.jsonl, expected --prices with it"),
        (["--require-keys"], "without BIRDEYE_API_KEY, HELIUS_API_KEY"),
    ],
)
def test_wrong_options_are_named(tmp_path: Path, options: list[str], told: str) -> None:
    command = [*SIMNET, *WS, "--state", str(tmp_path / "state"), *options]
    environ = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environ
    )
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())


def test_required_keys_come_from_the_environment(tmp_path: Path) -> None:
    state = tmp_path / "state"
    keys = {"BIRDEYE_API_KEY": "bird-1", "HELIUS_API_KEY": "hel-1"}
    with served(state, "--require-keys", environ=keys) as process:
        base = addresses(state)["api.birdeye.base_url"]
        mint = "So11111111111111111111111111111111111111112"
        url = f"{base}/defi/price?address={mint}"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"X-API-KEY": "bird-1"}).status_code == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert b"bird-1" not in out + err


def test_help_shows_an_example() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "utb", "simnet", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "utb simnet --seed 7" in done.stdout
    assert "--require-keys" in done.stdout


def test_a_taken_websocket_port_gives_the_http_port_back(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = str(held.getsockname()[1])
        begin = time.monotonic()
        command = [*SIMNET, *HTTP, "--state", str(tmp_path), "--ws-port", port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert f"--ws-port is {port}" in done.stderr
        assert time.monotonic() - begin < 30


def test_a_client_that_breaks_the_protocol_is_told_of_in_json(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with served(state) as process:
        port = int(addresses(state)["clock"].split(":")[2].partition("/")[0])
        with socket.create_connection(("127.0.0.1", port), 5) as rude:
            rude.settimeout(5)
            rude.sendall(
                b"GET /clock HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            assert rude.recv(1024).startswith(b"HTTP/1.1 101")
            # A message of 16 MiB, more than any client has to say.
            rude.sendall(b"\x82\xff" + (16 << 20).to_bytes(8, "big") + bytes(4))
            assert rude.recv(1024)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 0
        lines = [json.loads(line) for line in err.decode().splitlines()]
        assert any(line["level"] in {"ERROR", "WARNING"} for line in lines)
