"""The trading process: its items, its readers, its commands, its crashes."""

import asyncio
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pushed import command, config, pushed_of, run

from utb.adapters.seam.client import SeamClient, socket_path
from utb.bootstrap import RunOptions, build_demo
from utb.bootstrap.shell import Shell
from utb.domain import commands as cmd
from utb.domain.records import FillBooked, OperatorState
from utb.domain.seam import FeedHealth, FeedStatus, FromTrader, Pulse, Records, Rows, View
from utb.errors import InvariantError, TransientError, UtbError
from utb.storage.encoding import decode_record
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_records, recompute_hash
from utb.storage.schema import open_read_only

HOURS = 30


def undisturbed(hours: int = HOURS) -> str:
    return build_demo(config(), RunOptions(hours=hours)).run().journal_hash


async def test_pushed_session_has_the_journal_of_one_that_is_run(tmp_path: Path) -> None:
    assert (await run(tmp_path, HOURS)).journal_hash == undisturbed()


async def test_reader_gets_every_durable_record_once_with_the_file_before_it(
    tmp_path: Path,
) -> None:
    got: list[tuple[int, bytes]] = []
    kinds: set[str] = set()
    greeted: list[int] = []

    async def visit(client: SeamClient) -> None:
        greeted.append(client.hello.seq)
        try:
            async for message in client:
                kinds.add(kind_of(message))
                if isinstance(message, Records):
                    got.extend(enumerate(message.payloads, start=message.first_seq))
        except TransientError:
            return

    await run(tmp_path, HOURS, visit)
    stored = [record for _, _, record in read_records(tmp_path / FILE_NAME, greeted[0])]
    assert [seq for seq, _ in got] == list(range(greeted[0] + 1, greeted[0] + 1 + len(got)))
    assert [decode_record(payload) for _, payload in got] == stored
    assert {"bars", "votes", "ticks", "stages", "equity", "pulse", "view"} <= kinds


def kind_of(message: FromTrader) -> str:
    match message:
        case Rows():
            return message.kind
        case Pulse():
            return "pulse"
        case View():
            return "view"
        case _:
            return "records"


async def test_commands_act_and_a_repeat_is_answered_not_repeated(tmp_path: Path) -> None:
    async def visit(client: SeamClient) -> None:
        first = await client.give(cmd.Pause(command_id="p", issued_by="test"))
        again = await client.give(cmd.Pause(command_id="p", issued_by="test"))
        assert isinstance(first, cmd.Accepted)
        assert again == first
        wrong = await client.give(cmd.Reset(command_id="r", issued_by="test"))
        assert isinstance(wrong, cmd.Refusal)
        assert wrong.code == "CONFLICT"
        unknown = cmd.ClosePosition(command_id="c", issued_by="test", position_id=99)
        refused = await client.give(unknown)
        assert isinstance(refused, cmd.Refusal)
        assert (refused.code, refused.field, refused.value) == ("NO_POSITION", "position_id", "99")

    result = await run(tmp_path, HOURS, visit)
    records = [record for _, _, record in read_records(tmp_path / FILE_NAME, 0)]
    assert not any(isinstance(record, FillBooked) for record in records)
    assert result.finished


async def test_shutdown_stores_the_place_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async def visit(client: SeamClient) -> None:
        await client.give(cmd.Shutdown(command_id="s", issued_by="test"))

    stopped = await run(tmp_path, HOURS, visit)
    assert not stopped.finished
    assert not socket_path(tmp_path).exists()
    resumed = await run(tmp_path, HOURS)
    assert resumed.resumed
    assert resumed.journal_hash == undisturbed()


async def test_market_that_is_over_takes_no_orders(tmp_path: Path) -> None:
    async def visit(client: SeamClient) -> None:
        async for message in client:
            if isinstance(message, Pulse) and message.finished:
                break
        refused = await client.give(cmd.CloseAll(command_id="late", issued_by="test"))
        assert isinstance(refused, cmd.Refusal)
        assert refused.code == "MARKET_CLOSED"
        await client.give(cmd.Shutdown(command_id="s", issued_by="test"))

    result = await run(tmp_path, 6, visit, keep=True)
    assert result.journal_hash == undisturbed(6)


class Stale:
    """A feed that fell silent."""

    def health(self, now_ns: int) -> FeedHealth:
        return FeedHealth(
            source="birdeye",
            status=FeedStatus.STALE,
            reason="no item",
            since_ns=now_ns,
            last_item_ns=None,
            connected=True,
            frames=0,
            items=0,
            rejected={},
            reconnects=0,
            requests=0,
        )


async def test_health_between_the_records_of_the_end_changes_nothing(tmp_path: Path) -> None:
    """A process that was killed after the end meets them again, before it knows of any feed."""
    first = await run(tmp_path, HOURS)

    async def drive(shell: Shell) -> None:
        shell.know_feeds([Stale()])
        shell.check_health(shell.runner.now_ns)
        shell.on_end()

    again = await run(tmp_path, HOURS, drive=drive)
    assert again.finished
    assert again.journal_hash == first.journal_hash


async def test_error_inside_a_callback_ends_the_process_with_it(tmp_path: Path) -> None:
    async def drive(shell: Shell) -> None:
        shell.on_bind(9, "17", 0, "pool")
        await asyncio.sleep(10)

    with pytest.raises(Exception, match="source"):
        await run(tmp_path, 6, drive=drive)


async def test_tape_that_is_gone_stops_the_start(tmp_path: Path) -> None:
    async def visit(client: SeamClient) -> None:
        async for message in client:
            if isinstance(message, Records) and message.first_seq > 50:
                break
        await client.give(cmd.Shutdown(command_id="s", issued_by="test"))

    await run(tmp_path, HOURS, visit)
    for log in (tmp_path / "inputs").iterdir():
        log.unlink()
    with pytest.raises(InvariantError, match=r"holds items 0 to 0|knows it from byte"):
        await run(tmp_path, HOURS)


@pytest.mark.parametrize("kills", [1, 3])
def test_killed_process_goes_on_to_the_same_journal(tmp_path: Path, kills: int) -> None:
    """Killed when its journal has grown by so much, so that the place is not the start."""
    hours, speed = 60, 60_000.0
    for kill in range(1, kills + 1):
        process = subprocess.Popen(
            command(tmp_path, hours, speed), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        wanted = kill * 90
        while process.poll() is None and stored(tmp_path) < wanted:
            continue
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    done = subprocess.run(command(tmp_path, hours), capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == undisturbed(hours)
    assert recompute_hash(tmp_path / FILE_NAME) == undisturbed(hours)


def test_power_loss_takes_nothing_that_the_journal_tells(tmp_path: Path) -> None:
    """What the disk was not waited for with is gone from the tape; the journal brings it back."""
    hours, speed = 12, 1_000.0
    for _ in range(2):
        process = subprocess.Popen(
            command(tmp_path, hours, speed), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        while not socket_path(tmp_path).exists() or unsynced(tmp_path) is None:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        place = unsynced(tmp_path)
        assert place is not None
        log, offset = place
        path = tmp_path / "inputs" / f"{log:016d}.inputs"
        whole = path.read_bytes()
        assert len(whole) > offset
        with path.open("r+b") as file:
            file.truncate(offset)
        socket_path(tmp_path).unlink()
        pushed_of(tmp_path, hours)[0].session.close()
        assert path.read_bytes() == whole
    done = subprocess.run(command(tmp_path, hours), capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == undisturbed(hours)


def unsynced(state: Path) -> tuple[int, int] | None:
    """Return the log and the byte from which on only the journal is sure to have it."""
    database = open_read_only(state / FILE_NAME)
    row: tuple[int, int] | None = database.execute(
        "SELECT log, at FROM tail ORDER BY id LIMIT 1"
    ).fetchone()
    database.close()
    return row


def stored(state: Path) -> int:
    path = state / FILE_NAME
    return sum(1 for _ in read_records(path, 0)) if path.exists() else 0


def test_second_process_on_the_state_directory_is_refused(tmp_path: Path) -> None:
    first = subprocess.Popen(
        command(tmp_path, 60, 3600.0), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not socket_path(tmp_path).exists():
        assert first.poll() is None
    second = subprocess.run(command(tmp_path, 60), capture_output=True, text=True, check=False)
    first.terminate()
    first.communicate()
    assert second.returncode != 0
    assert f"process {first.pid}" in second.stderr


async def test_error_at_an_order_leaves_no_snapshot_behind_it(tmp_path: Path) -> None:
    """The state at the error is half of an item's: the next start computes it again."""

    async def visit(client: SeamClient) -> None:
        async for message in client:
            if isinstance(message, Records) and message.first_seq > 50:
                break
        await client.give(cmd.Shutdown(command_id="s", issued_by="test"))

    await run(tmp_path, HOURS, visit)
    before = snapshot_of(tmp_path)

    async def drive(shell: Shell) -> None:
        shell.on_bind(9, "17", 0, "pool")
        await asyncio.sleep(10)

    with pytest.raises(UtbError, match="source is 9"):
        await run(tmp_path, HOURS, drive=drive)
    assert snapshot_of(tmp_path) == before


def snapshot_of(state: Path) -> bytes:
    database = open_read_only(state / FILE_NAME)
    (payload,) = database.execute("SELECT payload FROM snapshot").fetchone()
    database.close()
    return bytes(payload)


async def test_command_among_history_is_taken_at_its_place_again(tmp_path: Path) -> None:
    """A bar of the past that trips a guard comes behind the command, also after a crash."""

    async def drive(shell: Shell) -> None:
        shell.on_command(cmd.Pause(command_id="p", issued_by="test"), lambda _: None)
        shell.on_bind(2, "4711", 0, "pool")
        shell.on_command(cmd.Resume(command_id="r", issued_by="test"), lambda _: None)
        shell.on_past(1, b"{}", 1)
        shell.on_command(cmd.SafeMode(command_id="s", issued_by="test"), lambda _: None)
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            await run(tmp_path, 6, drive=drive)
    states = [
        record.state
        for _, _, record in read_records(tmp_path / FILE_NAME, 0)
        if isinstance(record, OperatorState) and not record.lifecycle
    ]
    assert states == ["PAUSED", "RUNNING", "SAFE_MODE"]
