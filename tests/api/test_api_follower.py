"""What the follower makes of a journal's file: at its start, and where it missed something."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pytest
from inside import Inside, Line

from utb import bootstrap
from utb.api.follower import PAST_KEPT, Follower
from utb.api.live.hub import KEPT
from utb.api.live.schemas import Channel
from utb.api.status.views import status
from utb.bootstrap import RunOptions, build_demo
from utb.domain.commands import Answer, Command
from utb.domain.names import TradingMode
from utb.domain.records import FillBooked
from utb.domain.seam import SEAM_VERSION, FromTrader, Hello
from utb.errors import InvariantError, TransientError
from utb.storage.readers import read_records
from utb.telemetry.replica import Change


class Ran:
    """A finished demo: its journal, and the sequences of its fills."""

    def __init__(self, state: Path) -> None:
        config, _ = bootstrap.load_config(None)
        session = build_demo(config, RunOptions(hours=60, state_dir=state))
        self.instruments = session.instruments
        session.run()
        self.state = state
        self.journal = state / "journal.sqlite"
        records = [(seq, record) for seq, _, record in read_records(self.journal, 0)]
        self.last = records[-1][0]
        self.fills = [seq for seq, record in records if isinstance(record, FillBooked)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    found = Ran(tmp_path_factory.mktemp("ran"))
    assert len(found.fills) > 10
    return found


class Seam:
    """A connection that greets, and ends by an error."""

    def __init__(self, ran: Ran, seq: int, error: Exception) -> None:
        self.hello = Hello(
            version=SEAM_VERSION,
            session="test",
            mode=TradingMode.PAPER,
            simulated_time=True,
            instruments=ran.instruments,
            seq=seq,
            journal=str(ran.journal),
            started_wall_ns=1,
            timeframe="15m",
            span_ns=None,
        )
        self._error = error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    async def __aiter__(self) -> AsyncIterator[FromTrader]:
        published: tuple[FromTrader, ...] = ()
        for message in published:
            yield message
        raise self._error

    async def give(self, command: Command) -> Answer:
        raise AssertionError(command)


async def follow(inside: Inside, *seams: Seam) -> None:
    """Follow one connection after the other, until there is none any more."""
    left = list(seams)
    over = asyncio.Event()

    async def open_seam(**_: object) -> Seam:
        if left:
            return left.pop(0)
        over.set()
        raise TransientError("trade", "not running")

    following = asyncio.create_task(Follower(inside.world, open_seam, (inside.world.hub,)).run())
    async with asyncio.timeout(30):
        await over.wait()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def since(inside: Inside, seq: int) -> tuple[list[int], dict[str, Any]]:
    """Return the fills that `since` sends, and the confirmation."""
    ask = {"action": "subscribe", "channels": ["trades"], "since": seq}
    found: list[int] = []
    async with Line(inside.app) as line:
        message = await line.say(msgspec.json.encode(ask).decode())
        while "event" not in message:
            found += [message["seq"]] * (message["data"]["kind"] == "fill")
            message = await line.hear()
    return found, message


async def test_past_state_is_never_shown_as_the_present(ran: Ran) -> None:
    inside = Inside(state_dir=ran.state)
    follower = Follower(inside.world, None, (inside.world.hub,))  # type: ignore[arg-type]
    reading = asyncio.create_task(follower.read_file())
    seen = []
    while not reading.done():
        shown = status(inside.world)
        seen.append((inside.world.replica.seq, shown.status, shown.as_of))
        await asyncio.sleep(0)
    await reading
    assert len(seen) >= 2
    assert set(seen) == {(0, "STARTING", None)}
    assert inside.world.replica.seq == ran.last
    assert inside.world.journal == ran.journal


async def test_since_reaches_behind_a_start_of_the_server(ran: Ran) -> None:
    inside = Inside(state_dir=ran.state)
    assert await since(inside, 0) == (
        [],
        {"event": "subscribed", "channels": ["trades"], "complete": False, "from_seq": None},
    )
    await follow(inside)
    whole = {"event": "subscribed", "channels": ["trades"]}
    assert await since(inside, 0) == (ran.fills, whole)
    middle = ran.fills[4]
    assert await since(inside, middle) == (ran.fills[5:], whole)
    _, foreign = await since(inside, ran.last + 1)
    assert foreign == whole | {"complete": False, "from_seq": 1}


async def test_since_says_what_is_kept_no_more(ran: Ran) -> None:
    assert PAST_KEPT == KEPT
    inside = Inside(state_dir=ran.state)
    await follow(inside)
    hub, replica = inside.world.hub, inside.world.replica
    _, record = replica.fills[0]
    changes = [Change(seq, record, None, None) for seq in range(1, KEPT + 11)]
    hub.on_past(changes[:KEPT], 0)
    for change in changes[KEPT:]:
        hub.on_change(change)
    replica.seq = KEPT + 10
    lost, said = await since(inside, 9)
    assert len(lost) == KEPT
    assert (said["complete"], said["from_seq"]) == (False, 11)
    _, said = await since(inside, 10)
    assert "complete" not in said
    hub.on_past(changes[20:30], 20)
    _, said = await since(inside, 19)
    assert said["from_seq"] == 21


@pytest.mark.parametrize("error", [TransientError("trade", "gone"), InvariantError("damaged")])
async def test_client_hears_what_was_missed_between_two_connections(
    ran: Ran, error: Exception
) -> None:
    """Also where the journal has to be folded from its first record once more."""
    inside = Inside(state_dir=ran.state / "elsewhere")
    half = ran.fills[len(ran.fills) // 2]
    client = inside.world.hub.join()
    assert client is not None
    inside.world.hub.subscribe(client, [Channel.TRADES], None)
    gone = TransientError("trade", "gone")
    await follow(inside, Seam(ran, half, error), Seam(ran, ran.last, gone))
    client.put(b"{}")
    heard: list[Any] = []
    while {} not in heard:
        heard += [msgspec.json.decode(message) for message in await client.take()]
    fills = [m["seq"] for m in heard if m and m["data"]["kind"] == "fill"]
    assert fills == [seq for seq in ran.fills if seq > half]
    assert (await since(inside, 0))[0] == ran.fills
