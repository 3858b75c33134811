"""Live trading is stopped, frozen, and loses its disk while an order is on its way.

The tests share a stand-in and a session, and each leaves it settled: the ledger is the chain's to
the lamport, nothing landed twice, no entry was signed twice.
"""

import os
import resource
import shutil
import signal
import subprocess
import time

import pytest
from entries import HELD_RAW, TRADED_RAW, take_entry
from realprocs import Stand, wait_for

from utb.domain import commands as cmd
from utb.domain.names import Side
from utb.domain.records import OrderState
from utb.storage.encoding import decode_record
from utb.storage.reserve import FILE_NAME, Reserve

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("live_stops")]

TAKEN_S = 120
CAUGHT_UP_S = 20.0
ROOM_BYTES = 64 * 1024
FROZEN_S = 4.0
"""200 slots of the stand's: longer than a blockhash lives."""
STOP_S = 10.0
WORDS_BYTES = 15_000


def ordered(stand: Stand) -> None:
    """Ask once for an exit of what is held of the second instrument, or else for an entry."""
    position = stand.book().position_of(1)
    if position is None:
        stand.buy(1, TRADED_RAW)
    else:
        stand.sell(position.position_id)


def long_command(stand: Stand) -> None:
    """Ask for an entry in many words: each command is kept, also one that is refused."""
    stand.give(
        cmd.Trade(
            command_id=stand.command_id(),
            issued_by=os.urandom(WORDS_BYTES).hex(),
            instrument=1,
            side=Side.BUY,
            size_base_raw=TRADED_RAW,
        )
    )


def whole(stand: Stand) -> None:
    """See that everything ended as it must."""
    deadline_s = time.monotonic() + CAUGHT_UP_S
    while problems := stand.differences(stand.settled_book(120)):
        assert time.monotonic() < deadline_s, problems
        time.sleep(0.2)
    assert stand.twice() == []


def strangers(stand: Stand) -> set[str]:
    """Return what landed of ours and is neither in the journal's file nor on the reserve."""
    reserve = Reserve(stand.state / FILE_NAME, stand.state.joinpath(FILE_NAME).stat().st_size)
    kept = [decode_record(row[3]) for one in reserve.kept() for row in one.rows]
    reserve.close()
    known = {
        record.attempt.signature
        for record in (*stand.records(), *kept)
        if isinstance(record, OrderState) and record.attempt is not None
    }
    return set(stand.landed()) - known


@pytest.fixture(scope="module")
def session(stand: Stand) -> Stand:
    stand.start_signer()
    trade = stand.start_trade()
    take_entry(stand, 0, HELD_RAW, TAKEN_S)
    stand.settled_book()
    trade.terminate()
    trade.wait(STOP_S * 3)
    return stand


@pytest.fixture(scope="module")
def funded(session: Stand) -> set[str]:
    """Return the transactions that were there before any order."""
    return strangers(session)


def test_sigterm_in_the_middle_of_an_order_ends_in_time(session: Stand) -> None:
    trade = session.start_trade()
    take_entry(session, 1, TRADED_RAW, TAKEN_S)
    began_s = time.monotonic()
    trade.send_signal(signal.SIGTERM)
    assert trade.wait(STOP_S * 3) == 0
    assert time.monotonic() - began_s < STOP_S
    session.start_trade()
    whole(session)


def test_frozen_process_resolves_its_order_when_it_goes_on(session: Stand) -> None:
    trade = session.processes[-1]
    ordered(session)
    trade.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    trade.send_signal(signal.SIGCONT)
    whole(session)
    assert trade.poll() is None


def test_nothing_leaves_that_neither_disk_nor_reserve_took(
    session: Stand, funded: set[str]
) -> None:
    session.processes[-1].kill()
    session.processes[-1].wait()
    files = [path for path in session.state.rglob("*") if path.is_file()]
    # The limit is above what the journal has, and cuts the reserve short
    limit = max(path.stat().st_size for path in files if path.name != FILE_NAME) + ROOM_BYTES
    assert limit < session.state.joinpath(FILE_NAME).stat().st_size

    def cramped() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    trade = session.start_trade(before=cramped)

    def ended() -> bool:
        ordered(session)
        long_command(session)
        return trade.poll() is not None

    wait_for(ended, "disk and reserve to be full", 120)
    assert trade.returncode not in {0, -signal.SIGXFSZ}
    said = session.log("trade").read_text()
    assert "exits go on from the reserve" in said
    assert "the reserve cannot be written either" in said
    assert strangers(session) == funded
    session.start_trade()
    whole(session)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes the disk fail")
def test_nothing_leaves_after_a_failed_fsync(session: Stand, funded: set[str]) -> None:
    trade = session.processes[-1]
    calls = "fsync,fdatasync"
    strace = subprocess.Popen(
        [
            "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-p",
            str(trade.pid),
            "-e",
            f"trace={calls}",
            "-e",
            f"inject={calls}:error=EIO",
        ]
    )
    try:

        def ended() -> bool:
            ordered(session)
            return trade.poll() is not None or strace.poll() is not None

        wait_for(ended, "the error", 60)
        if trade.poll() is None:
            pytest.skip("processes may not be traced here")
    finally:
        strace.kill()
        strace.wait()
    assert trade.returncode != 0
    assert strangers(session) == funded
    session.start_trade()
    whole(session)
