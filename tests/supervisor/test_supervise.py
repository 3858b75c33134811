"""The supervisor over real processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest
from world import SCRIPT, World

from utb.bootstrap.restart import RestartPolicy
from utb.bootstrap.supervise import Status, What


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_stages_stop_in_order(world: World) -> None:
    world.add("simnet", "waits", stop_stage=2)
    world.add("trade", "waits", stop_stage=0)
    world.add("serve", "waits", stop_stage=1)
    assert world.run(world.up("simnet", "trade", "serve")) == 0
    stops = [line for line in world.order() if line.endswith("stopped")]
    assert stops == ["trade stopped", "serve stopped", "simnet stopped"]
    assert all(gone(world.pid(name)) for name in ("simnet", "trade", "serve"))


def test_process_starts_when_the_one_before_it_is_ready(world: World) -> None:
    ready = world.folder / "simnet.pid"
    world.add("trade", "waits", after="simnet")
    world.add("simnet", "waits", ready=ready.exists)
    world.run(world.up("trade"))
    assert world.order()[:2] == ["simnet started", "trade started"]


def test_killed_process_comes_back(world: World) -> None:
    first: list[int] = []

    def kill() -> bool:
        first.append(world.pid("trade"))
        os.kill(first[0], signal.SIGKILL)
        return True

    world.add("trade", "waits")
    world.run(world.up("trade"), kill, lambda: world.pid("trade") != first[0])
    (told,) = world.told(What.RESTARTING, "trade")
    assert told.sentence.startswith("trade was ended by SIGKILL; it starts again in 0.0 s")
    assert told.code == -signal.SIGKILL
    assert gone(first[0])


def test_crash_loop_of_a_part_ends_and_the_rest_goes_on(world: World) -> None:
    world.add("trade", "waits")
    world.add("serve", "says", "1", essential=False)
    assert world.run(lambda: world.told(What.GONE, "serve"), world.up("trade")) == 0
    assert len(world.told(What.STARTED, "serve")) == 4
    (told,) = world.told(What.GONE, "serve")
    assert told.sentence.splitlines() == [
        (
            "serve failed with exit code 1 after 3 restarts, the last ones at once: "
            "risk is 3, expected less"
        ),
        (
            "the rest goes on without serve; its log is "
            f"{world.folder / 'state' / 'log' / 'serve.log'}"
        ),
    ]
    assert "trade stopped" in world.order()


def test_crash_loop_of_trade_ends_everything(world: World) -> None:
    world.add("trade", "says", "1")
    world.add("serve", "waits", essential=False, stop_stage=1)
    assert world.run() == 1
    (told,) = world.told(What.GONE, "trade")
    assert "everything else stops" in told.sentence
    assert gone(world.pid("serve"))


@pytest.mark.parametrize("code", [2, 3, 10])
def test_refusal_of_trade_is_told_in_its_words_and_ends_everything(world: World, code: int) -> None:
    world.add("trade", "says", str(code))
    world.add("serve", "waits", essential=False, stop_stage=1)
    assert world.run() == code
    assert len(world.told(What.STARTED, "trade")) == 1
    (told,) = world.told(What.GONE, "trade")
    assert told.sentence.startswith("first line\nrisk is 3, expected less\neverything else stops")


def test_refusal_of_a_part_is_told_and_the_rest_goes_on(world: World) -> None:
    world.add("trade", "waits")
    world.add("analytics", "says", "2", essential=False, stop_stage=1)
    assert world.run(lambda: world.told(What.GONE, "analytics"), world.up("trade")) == 0
    assert len(world.told(What.STARTED, "analytics")) == 1
    assert "the rest goes on without analytics" in world.told(What.GONE, "analytics")[0].sentence


def test_done_ends_the_rest_and_leaves_the_result(world: World, tmp_path: Path) -> None:
    output = tmp_path / "trade.out"
    world.add("trade", "result", may_end=True, output=output, after="serve")
    world.add("serve", "waits", stop_stage=1, ready=(tmp_path / "serve.pid").exists)
    assert world.run() == 0
    assert output.read_text() == '{"schema": 1}\n'
    assert world.told(What.DONE, "trade")
    assert world.order()[-1] == "serve stopped"


def test_deaf_process_is_killed_at_its_deadline(world: World) -> None:
    world.add("trade", "ignores", stop_s=0.2)
    assert world.run(world.up("trade")) == 0
    (told,) = world.told(What.KILLED, "trade")
    assert told.sentence == "trade did not stop in 0.2 s and was killed"
    assert gone(world.pid("trade"))


def test_frozen_process_is_woken_to_stop(world: World) -> None:
    def freeze() -> bool:
        os.kill(world.pid("trade"), signal.SIGSTOP)
        return True

    world.add("trade", "waits", stop_s=20.0)
    assert world.run(world.up("trade"), freeze) == 0
    assert world.order()[-1] == "trade stopped"


def test_second_stop_does_not_wait(world: World) -> None:
    def hurry() -> bool:
        world.supervisor.stop()
        return True

    world.add("trade", "ignores", stop_s=1_000.0)
    world.add("serve", "ignores", stop_s=1_000.0, stop_stage=1)
    assert world.run(world.up("trade", "serve"), hurry) == 0
    assert world.told(What.KILLED, "serve")


def test_settling_comes_before_the_signal_and_has_an_end(world: World) -> None:
    seen: list[str] = []

    async def settle() -> None:
        seen.extend(world.order())

    async def never() -> None:
        import asyncio

        await asyncio.Event().wait()

    world.add("trade", "waits")
    world.add("serve", "waits", stop_stage=1, settled=settle)
    world.add("analytics", "waits", stop_stage=1, settled=never, settle_s=0.1)
    world.run(world.up("trade", "serve", "analytics"))
    assert seen[-1] == "trade stopped"
    assert sorted(world.order()[-2:]) == ["analytics stopped", "serve stopped"]


def test_process_waiting_for_its_restart_is_not_started_by_a_stop(tmp_path: Path) -> None:
    world = World(tmp_path, RestartPolicy(first_s=1_000.0))
    world.add("trade", "says", "1")
    assert world.run(lambda: world.told(What.RESTARTING, "trade")) == 0
    assert world.order() == ["trade started"]


def test_program_that_cannot_be_started_is_a_failure(world: World) -> None:
    world.add("trade", "waits", directory=world.folder / "absent")
    assert world.run() == 127
    assert "cannot be started" in world.told(What.GONE, "trade")[0].sentence


def test_status_file_names_every_process(world: World) -> None:
    file = world.folder / "state" / "run" / "processes.json"

    def read() -> dict[str, Status]:
        rows = msgspec.json.decode(file.read_bytes(), type=list[Status])
        return {row.process: row for row in rows}

    def seen() -> bool:
        rows = read()
        return rows["trade"].state == "READY" and rows["serve"].reason.startswith("first line")

    world.add("trade", "waits")
    world.add("serve", "says", "2", essential=False)
    world.run(world.up("trade", "serve"), seen)
    assert {row.state for row in read().values()} == {"ENDED"}
    assert read()["trade"].starts == 1


def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from world import World;"
        "World(Path(sys.argv[2])).add('trade', 'ignores').add('serve', 'waits').run(lambda: False)"
    )
    world = World(tmp_path)
    command = [sys.executable, "-c", program, str(Path(SCRIPT).parent), str(tmp_path)]
    with subprocess.Popen(command) as process:
        wait_until(world.up("trade", "serve"))
        process.kill()
    pids = world.pid("trade"), world.pid("serve")
    wait_until(lambda: all(gone(pid) for pid in pids))


def wait_until(question: object) -> None:
    """Ask until it is true; the time limit of a test is the limit here."""
    assert callable(question)
    while not question():
        os.sched_yield()
