"""`utb sign` as a process, and its client: what is signed, refused, lost and remembered."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
import uvloop
from wallet_world import (
    BUDGETED,
    ENTRY,
    EXIT,
    MY_WSOL,
    NOW_S,
    POLICY,
    USDC_RAW,
    WALLET,
    WALLET_KEY,
    compile_v0,
    entry,
    exit_,
    limited,
    memo,
    raydium_amm,
)

from utb.adapters.signer.process import ProcessSigner, connect_signer
from utb.domain.signing import LENGTH, HaltRequest, pack
from utb.engine.signer import open_signer, seeded_signer
from utb.errors import TransientError, UsageError
from utb.ports.chain import NotSigned, SignClaim, Signed
from utb.signing.server import SignerServer, listening

BIG_PURCHASE = entry(raydium_amm(amount=40_000 * USDC_RAW))
START_S = 20.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state directory and the development wallet's key as a plain file."""
    tmp_path.chmod(0o700)
    key = tmp_path / "id.json"
    key.write_bytes(msgspec.json.encode(list(bytes(WALLET_KEY))))
    key.chmod(0o600)
    return tmp_path


@contextlib.contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `utb sign` until the block ends."""
    command = [sys.executable, "-m", "utb", "sign", "--state", str(home)]
    command += ["--key", str(home / "id.json")]
    log = (home / "sign.log").open("ab")
    process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL, cwd=home)
    try:
        deadline = time.monotonic() + START_S
        while not (home / "run" / "sign.sock").exists():
            assert process.poll() is None, (home / "sign.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(10)
        log.close()


@contextlib.asynccontextmanager
async def connected(home: Path, timeout_s: float = 2.0) -> AsyncIterator[ProcessSigner]:
    signer = await connect_signer(home / "run" / "sign.sock", timeout_s=timeout_s)
    try:
        yield signer
    finally:
        signer.close()


async def ask(signer: ProcessSigner, message: bytes, claim: SignClaim) -> Signed | NotSigned:
    answer: asyncio.Future[Signed | NotSigned] = asyncio.get_running_loop().create_future()
    signer.sign(message, claim, answer.set_result)
    return await answer


def wsol_purchase(amount: int = 100 * USDC_RAW) -> bytes:
    return entry(raydium_amm(target=MY_WSOL, amount=amount))


def test_process_signs_refuses_and_remembers_after_a_kill(home: Path) -> None:
    first, other = wsol_purchase(), wsol_purchase(99 * USDC_RAW)
    expected = Signed(bytes(WALLET_KEY.sign_message(first)))

    async def before() -> None:
        async with connected(home) as signer:
            assert signer.public_key == str(WALLET)
            assert await ask(signer, first, ENTRY) == expected
            refused = await ask(signer, BIG_PURCHASE, ENTRY)
            assert isinstance(refused, NotSigned)
            assert refused.definitive
            os.kill(process.pid, signal.SIGKILL)

    async def after() -> None:
        async with connected(home) as signer:
            again = await ask(signer, other, ENTRY)
            assert isinstance(again, NotSigned)
            assert again.code == "INTENT_REPLAYED"
            assert await ask(signer, first, ENTRY) == expected

    with running(home) as process:
        assert stat.S_IMODE((home / "run" / "sign.sock").stat().st_mode) == 0o600
        uvloop.run(before())
        process.wait(10)
    (home / "run" / "sign.sock").unlink()
    with running(home):
        uvloop.run(after())


def test_halted_process_refuses_entries_and_only_the_file_ends_it(home: Path) -> None:
    async def asked() -> None:
        async with connected(home) as signer:
            refused = await ask(signer, wsol_purchase(), ENTRY)
            assert isinstance(refused, NotSigned)
            assert refused.code == "HALTED"
            (home / "signer" / "halted").unlink()
            assert isinstance(await ask(signer, wsol_purchase(), ENTRY), Signed)

    with running(home):
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(str(home / "run" / "sign.sock"))
            raw.sendall(pack(HaltRequest(number=1)))
            assert raw.recv(100)
        uvloop.run(asked())


def test_process_survives_bad_input(home: Path) -> None:
    """Whatever comes, the next honest request is answered."""
    junk = [
        b"",
        b"\xff",
        LENGTH.pack(2**32 - 1) + b"x",
        LENGTH.pack(0),
        LENGTH.pack(5) + b"hello",
        LENGTH.pack(9) + b"\x81\xa4type\xc0",
        pack(HaltRequest(number=1))[:-1],
        b"GET / HTTP/1.1\r\n\r\n",
    ]

    async def honest() -> None:
        async with connected(home) as signer:
            assert isinstance(await ask(signer, wsol_purchase(), ENTRY), Signed)

    with running(home) as process:
        for data in junk:
            with socket.socket(socket.AF_UNIX) as raw:
                raw.connect(str(home / "run" / "sign.sock"))
                raw.sendall(data)
        uvloop.run(honest())
        assert process.poll() is None


def test_hung_process_answers_unknown_and_is_found_again(home: Path) -> None:
    async def asked() -> None:
        async with connected(home, timeout_s=0.3) as signer:
            process.send_signal(signal.SIGSTOP)
            lost = await ask(signer, wsol_purchase(), ENTRY)
            assert isinstance(lost, NotSigned)
            assert (lost.code, lost.definitive) == ("UNREACHABLE", False)
            never = await ask(signer, wsol_purchase(), ENTRY)
            assert isinstance(never, NotSigned)
            assert (never.code, never.definitive) == ("UNREACHABLE", True)
            process.send_signal(signal.SIGCONT)
            async with asyncio.timeout(10):
                while not signer.connected:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.02)
            assert isinstance(await ask(signer, wsol_purchase(), ENTRY), Signed)

    with running(home) as process:
        uvloop.run(asked())


def test_process_memory_is_private_and_its_log_has_no_key(home: Path) -> None:
    with running(home) as process:
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"Max core file size\s+0\s+0", limits)
    log = (home / "sign.log").read_text()
    assert "key_not_encrypted" in log
    assert bytes(range(32)).hex() not in log
    assert "0, 1, 2, 3, 4" not in log


def test_second_process_of_a_wallet_is_refused(home: Path) -> None:
    with running(home):
        command = [sys.executable, "-m", "utb", "sign", "--state", str(home)]
        command += ["--key", str(home / "id.json")]
        second = subprocess.run(command, capture_output=True, check=False, cwd=home, timeout=20)
    assert second.returncode == 2
    assert b"a directory without a running utb sign" in second.stderr


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_key_file_that_others_can_read_is_refused(home: Path, mode: int) -> None:
    (home / "id.json").chmod(mode)
    command = [sys.executable, "-m", "utb", "sign", "--state", str(home)]
    command += ["--key", str(home / "id.json")]
    done = subprocess.run(command, capture_output=True, check=False, cwd=home, timeout=20)
    assert done.returncode == 2
    assert b"chmod 600" in done.stderr


def test_user_that_is_not_allowed_is_not_answered(tmp_path: Path) -> None:
    async def asked() -> None:
        core = seeded_signer(bytes(range(32)), POLICY)
        until = asyncio.Event()
        server = SignerServer(core, set(), lambda: NOW_S)
        with listening(tmp_path / "sign.sock", others=True) as listener:
            serving = asyncio.create_task(server.serve(listener, until))
            with pytest.raises(TransientError):
                await connect_signer(tmp_path / "sign.sock", timeout_s=2.0)
            until.set()
            await serving

    uvloop.run(asked())


def test_only_exits_are_signed_after_the_disk_failed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "signer").mkdir(mode=0o700)
    core = open_signer(
        home / "id.json", None, POLICY, directory=home / "signer", uid=os.geteuid(), now_s=NOW_S
    )

    def flush() -> None:
        raise UsageError("signed.jsonl", "EIO", "a disk that writes")

    monkeypatch.setattr(core, "flusher", lambda: flush, raising=False)

    async def asked() -> tuple[Signed | NotSigned, ...]:
        until = asyncio.Event()
        server = SignerServer(core, {os.geteuid()}, lambda: NOW_S)
        with listening(home / "sign.sock", others=False) as listener:
            serving = asyncio.create_task(server.serve(listener, until))
            signer = await connect_signer(home / "sign.sock", timeout_s=5.0)
            first = await ask(signer, wsol_purchase(), ENTRY)
            await asyncio.sleep(0.1)
            other = SignClaim(kind=ENTRY.kind, intent_id="1" * 16, attempt=0)
            leave = SignClaim(kind=EXIT.kind, intent_id="2" * 16, attempt=0)
            purchase = compile_v0([*BUDGETED, raydium_amm(), memo(other.intent_id)])
            sale = exit_(seed=leave.intent_id)
            answers = first, await ask(signer, purchase, other), await ask(signer, sale, leave)
            signer.close()
            until.set()
            await serving
        return answers

    before, entry_after, exit_after = uvloop.run(asked())
    assert isinstance(before, Signed)
    assert isinstance(entry_after, NotSigned)
    assert "only exits" in entry_after.message
    assert isinstance(exit_after, Signed)
    core.close()


def test_requests_wait_for_each_other_in_order(tmp_path: Path) -> None:
    """Twenty at once: each gets its own signature."""
    policy = limited(transactions_per_minute_max=100)
    messages = {
        f"{n:016x}": compile_v0([*BUDGETED, raydium_amm(amount=n + 1), memo(f"{n:016x}")])
        for n in range(20)
    }

    async def asked() -> None:
        core = seeded_signer(bytes(range(32)), policy)
        until = asyncio.Event()
        server = SignerServer(core, {os.geteuid()}, lambda: NOW_S)
        with listening(tmp_path / "sign.sock", others=False) as listener:
            serving = asyncio.create_task(server.serve(listener, until))
            signer = await connect_signer(tmp_path / "sign.sock", timeout_s=5.0)
            answers = await asyncio.gather(
                *(
                    ask(signer, message, SignClaim(kind=ENTRY.kind, intent_id=intent, attempt=0))
                    for intent, message in messages.items()
                )
            )
            assert answers == [Signed(bytes(WALLET_KEY.sign_message(m))) for m in messages.values()]
            signer.close()
            until.set()
            await serving

    uvloop.run(asked())
