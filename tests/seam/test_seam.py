"""The seam over real sockets: order, resuming, slow readers, commands, damage."""

import asyncio
import struct
from pathlib import Path

import msgspec
import pytest

from utb.adapters.seam.client import SeamClient
from utb.adapters.seam.server import LANE_BUFFER_MAX, READERS_MAX, Reply, SeamServer
from utb.adapters.seam.wire import reachable
from utb.domain.commands import Accepted, Answer, Command, Pause
from utb.domain.names import TradingMode
from utb.domain.seam import SEAM_VERSION, Hello, Records, Rows
from utb.errors import TransientError, UsageError

HELLO = Hello(
    version=SEAM_VERSION,
    session="s",
    mode=TradingMode.PAPER,
    simulated_time=True,
    instruments=(),
    seq=3,
    journal="j",
    started_wall_ns=1,
    timeframe="15m",
    span_ns=None,
)


class Trader:
    """Answers commands; a repeated id gets the first answer."""

    def __init__(self, hello: Hello = HELLO) -> None:
        self.answers: dict[str, Answer] = {}
        self.server = SeamServer(lambda: hello, self.on_command)

    def on_command(self, command: Command, reply: Reply) -> None:
        known = self.answers.setdefault(
            command.command_id, Accepted(command_id=command.command_id, seq=len(self.answers))
        )
        reply(known)


def pause(name: str) -> Pause:
    return Pause(command_id=name, issued_by="test")


async def until_attached(server: SeamServer, count: int = 1) -> None:
    """The greeting is sent before the reader counts, in the same callback: it counts by now."""
    assert len([r for r in server._readers if r._attach is not None]) == count


async def test_records_come_in_order_behind_the_greeting(tmp_path: Path) -> None:
    trader = Trader()
    await trader.server.listen(tmp_path / "s")
    async with await SeamClient.open(tmp_path / "s", reader="test") as client:
        assert client.hello == HELLO
        await until_attached(trader.server)
        for seq in range(4, 104):
            trader.server.publish_records(
                Records(first_seq=seq, wall_ns=seq, payloads=(b"r%d" % seq,))
            )
        stream = aiter(client)
        got = [await anext(stream) for _ in range(100)]
    assert [m.first_seq for m in got if isinstance(m, Records)] == list(range(4, 104))
    await trader.server.close()


async def test_commands_are_answered_beside_a_stream_and_repeats_the_same(tmp_path: Path) -> None:
    trader = Trader()
    await trader.server.listen(tmp_path / "s")
    async with await SeamClient.open(tmp_path / "s", reader="test") as client:
        first, second, again = (
            await client.give(pause("a")),
            await client.give(pause("b")),
            await client.give(pause("a")),
        )
        trader.server.publish(Rows(kind="bars", rows=b"x"))
        assert await anext(aiter(client)) == Rows(kind="bars", rows=b"x")
    assert (first, second) == (
        Accepted(command_id="a", seq=0),
        Accepted(command_id="b", seq=1),
    )
    assert again == first
    await trader.server.close()


async def test_same_command_twice_at_a_time_is_given_once_and_answered_to_both(
    tmp_path: Path,
) -> None:
    taken: asyncio.Queue[Reply] = asyncio.Queue()
    server = SeamServer(lambda: HELLO, lambda _, reply: taken.put_nowait(reply))
    await server.listen(tmp_path / "s")
    answer = Accepted(command_id="a", seq=7)
    async with (
        await SeamClient.open(tmp_path / "s", reader="test") as client,
        asyncio.timeout(5),
    ):
        first, second, gone = (asyncio.create_task(client.give(pause("a"))) for _ in range(3))
        reply = await taken.get()
        gone.cancel()
        await asyncio.wait({gone})
        reply(answer)
        assert await first == await second == answer
        assert taken.empty()
        later = asyncio.create_task(client.give(pause("a")))
        (await taken.get())(answer)
        assert await later == answer
    await server.close()


async def test_lost_connection_ends_every_wait_for_a_command(tmp_path: Path) -> None:
    server = SeamServer(lambda: HELLO, lambda _, __: None)
    await server.listen(tmp_path / "s")
    async with await SeamClient.open(tmp_path / "s", reader="test") as client:
        waiting = [asyncio.create_task(client.give(pause("a"))) for _ in range(2)]
        await asyncio.sleep(0)
        await server.close()
        for found in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(found, TransientError)


async def test_slow_reader_loses_the_second_lane_then_its_connection(tmp_path: Path) -> None:
    trader = Trader()
    path = tmp_path / "s"
    await trader.server.listen(path)
    reader, writer = await asyncio.open_unix_connection(str(path), limit=1024)
    body = msgspec.msgpack.encode({"type": "attach", "reader": "slow"})
    writer.write(struct.pack("<I", len(body)) + body)
    await reader.readexactly(4)  # the greeting is there: it is attached, and reads no more
    chunk = Rows(kind="ticks", rows=bytes(256 * 1024))
    for _ in range(4 + LANE_BUFFER_MAX // len(chunk.rows) + 16):
        trader.server.publish(chunk)
    assert trader.server.dropped > 0
    assert trader.server.has_readers
    big = Records(first_seq=4, wall_ns=1, payloads=(bytes(8 * 1024 * 1024),))
    for _ in range(3):
        trader.server.publish_records(big)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not trader.server.has_readers
    writer.close()
    await trader.server.close()


@pytest.mark.parametrize(
    "data", [b"\xff\xff\xff\xff", b"\x03\x00\x00\x00abc", b"\x01\x00\x00\x00\xc0"]
)
async def test_damaged_stream_is_disconnected_and_nobody_else(tmp_path: Path, data: bytes) -> None:
    trader = Trader()
    path = tmp_path / "s"
    await trader.server.listen(path)
    async with await SeamClient.open(path, reader="good") as good:
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(data)
        assert await reader.read() == b""
        writer.close()
        assert isinstance(await good.give(pause("a")), Accepted)
    await trader.server.close()


async def test_readers_above_the_limit_are_refused(tmp_path: Path) -> None:
    trader = Trader()
    path = tmp_path / "s"
    await trader.server.listen(path)
    clients = [await SeamClient.open(path, reader=f"{n}") for n in range(READERS_MAX)]
    with pytest.raises(TransientError, match="not running, or not answering"):
        await SeamClient.open(path, reader="too many")
    for client in clients:
        await client.close()
    await trader.server.close()


async def test_lost_connection_ends_iteration_and_commands(tmp_path: Path) -> None:
    trader = Trader()
    await trader.server.listen(tmp_path / "s")
    async with await SeamClient.open(tmp_path / "s", reader="test") as client:
        await trader.server.close()
        with pytest.raises(TransientError, match="connection was lost"):
            await anext(aiter(client))
        with pytest.raises(TransientError, match="connection was lost"):
            await client.give(pause("late"))


async def test_nobody_listening_is_a_transient_error(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="not running"):
        await SeamClient.open(tmp_path / "absent", reader="test")


async def test_other_version_is_refused(tmp_path: Path) -> None:
    trader = Trader(msgspec.structs.replace(HELLO, version=99))
    await trader.server.listen(tmp_path / "s")
    with pytest.raises(TransientError, match="speaks version 99"):
        await SeamClient.open(tmp_path / "s", reader="test")
    await trader.server.close()


async def test_path_longer_than_the_kernel_takes_works(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*("d" * 60 for _ in range(3)))
    deep.mkdir(parents=True)
    with reachable(deep / "s") as address:
        assert len(address) < 100
    trader = Trader()
    await trader.server.listen(deep / "s")
    async with await SeamClient.open(deep / "s", reader="test") as client:
        assert isinstance(await client.give(pause("a")), Accepted)
    assert (deep / "s").stat().st_mode & 0o777 == 0o600
    await trader.server.close()


async def test_place_that_cannot_hold_a_socket_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a place for a socket"):
        await Trader().server.listen(tmp_path / "no" / "such" / "s")
