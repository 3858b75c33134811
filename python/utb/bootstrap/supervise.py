"""The supervisor: starts processes, restarts what falls, and ends everything in order."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from utb.bootstrap.child import Child, ChildSpec, ChildState
from utb.bootstrap.restart import Done, Exit, GiveUp, Refused, Restart, RestartPolicy, judge
from utb.storage.logfile import LogFile

LOGS_EVERY_S: Final = 1.0
"""Between two looks at the logs' size."""
STATUS_FILE: Final = "processes.json"
FAILED: Final = 1
UNSTARTABLE: Final = 127
"""Exit code for a program that cannot be started, as a shell has it."""


class What(StrEnum):
    """What a supervisor tells."""

    STARTED = "started"
    READY = "ready"
    RESTARTING = "restarting"
    GONE = "gone"
    """It will not be started again."""
    DONE = "done"
    """It ended by itself, its work done."""
    STOPPING = "stopping"
    STOPPED = "stopped"
    KILLED = "killed"
    NOTE = "note"
    """Nothing to act on."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a process."""

    event: What
    process: str
    sentence: str
    """For a person."""
    pid: int | None = None
    code: int | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One process in `run/processes.json`."""

    process: str
    state: ChildState
    pid: int | None
    starts: int
    reason: str


class Supervisor:
    """Runs the processes of one state directory until they are done or told to stop."""

    def __init__(
        self,
        state_dir: Path,
        specs: Sequence[ChildSpec],
        tell: Callable[[Event], None],
        policy: RestartPolicy | None = None,
    ) -> None:
        """Take specifications in the order of their start; `tell` hears every event."""
        self._policy = RestartPolicy() if policy is None else policy
        self._tell_event = tell
        self._status = state_dir / "run" / STATUS_FILE
        logs = state_dir / "log"
        self.children = {
            spec.name: Child(spec, LogFile(logs / f"{spec.name}.log")) for spec in specs
        }
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._hurry = asyncio.Event()
        self._code = 0
        self._fault: BaseException | None = None
        self._noted: set[str] = set()

    def stop(self, code: int = 0) -> None:
        """End everything in order; `run` then returns `code`. Asked twice, it kills what is left.

        The first call's code stays.
        """
        if self._stopping.is_set():
            self._hurry.set()
        else:
            self._code = code
            self._stopping.set()

    async def run(self) -> int:
        """Run until everything has ended; return the exit code for the command.

        Raises:
            BaseException: What went wrong in the supervisor itself, when all processes are gone.
        """
        for child in self.children.values():
            keeper = asyncio.create_task(self._keep(child))
            keeper.add_done_callback(self._kept)
            self._keepers[child.spec.name] = keeper
        logs = asyncio.create_task(self._cut_logs())
        try:
            await self._stopping.wait()
        finally:
            logs.cancel()
            await self._stop_all()
        if self._fault is not None:
            raise self._fault
        return self._code

    # One process from its first start to its last end

    async def _keep(self, child: Child) -> None:
        name, spec = child.spec.name, child.spec
        if spec.after is not None:
            await self.children[spec.after].became_ready.wait()
        while True:
            code = await self._run_once(child)
            ended = Exit(
                code=code, ran_s=child.ran_s, failures=child.failures, may_end=spec.may_end
            )
            how, words = how_it_ended(code), child.log.last_words()
            child.reason = words or how
            match judge(self._policy, ended, int.from_bytes(os.urandom(4)) / 2**32):
                case Done():
                    child.reason = "done"
                    self._tell(What.DONE, name, f"{name} is done", code=code)
                    self.stop()
                    return
                case Restart(wait_s, failures):
                    child.failures = failures
                    child.state = ChildState.WAITING
                    sentence = f"{name} {how}; it starts again in {wait_s:.1f} s"
                    self._tell(What.RESTARTING, name, _with(sentence, words), code=code)
                    await asyncio.sleep(wait_s)
                case Refused():
                    self._lost(child, code, words or f"{name} {how}")
                    return
                case GiveUp(failures):
                    sentence = f"{name} {how} after {failures} restarts, the last ones at once"
                    self._lost(child, code or FAILED, _with(sentence, words))
                    return

    async def _run_once(self, child: Child) -> int:
        """Start a process and return its exit code when it has ended."""
        name = child.spec.name
        try:
            child.start()
        except OSError as error:
            self._tell(What.GONE, name, f"{name} cannot be started: {error}")
            return UNSTARTABLE
        self._tell(What.STARTED, name, f"{name} started (process {child.pid})", pid=child.pid)
        ready = asyncio.create_task(self._until_ready(child))
        try:
            return await child.exited()
        finally:
            ready.cancel()
            with suppress(asyncio.CancelledError):
                await ready

    async def _until_ready(self, child: Child) -> None:
        await child.until_ready()
        name = child.spec.name
        self._tell(What.READY, name, f"{name} is ready after {child.ran_s:.1f} s", pid=child.pid)

    def _lost(self, child: Child, code: int, sentence: str) -> None:
        """Go on without a process, or end because of it."""
        name, log = child.spec.name, child.log.path
        if child.spec.essential:
            consequence = "everything else stops"
            self.stop(code)
        else:
            consequence = f"the rest goes on without {name}"
        self._tell(What.GONE, name, f"{sentence}\n{consequence}; its log is {log}", code=code)

    def _kept(self, keeper: "asyncio.Task[None]") -> None:
        """Notice a fault of the supervisor itself."""
        if not keeper.cancelled() and keeper.exception() is not None:
            self._fault = keeper.exception()
            self.stop(FAILED)

    # The end

    async def _stop_all(self) -> None:
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        stages: dict[int, list[Child]] = {}
        for child in self.children.values():
            stages.setdefault(child.spec.stop_stage, []).append(child)
        for _, children in sorted(stages.items()):
            await asyncio.gather(*(self._end(child) for child in children))
        self._write_status()

    async def _end(self, child: Child) -> None:
        """Ask a process to stop, and kill it when its time is up."""
        spec = child.spec
        if child.pid is None:
            child.state = ChildState.ENDED
            return
        if spec.settled is not None:
            await self._within(spec.settle_s, spec.settled())
        child.state = ChildState.STOPPING
        self._tell(What.STOPPING, spec.name, f"{spec.name} is asked to stop", pid=child.pid)
        child.signal(signal.SIGTERM)
        # Were it frozen, it could not obey.
        child.signal(signal.SIGCONT)
        if await self._within(spec.stop_s, child.exited()):
            code = await child.exited()
            self._tell(What.STOPPED, spec.name, f"{spec.name} {how_it_ended(code)}", code=code)
            return
        child.signal(signal.SIGKILL)
        code = await child.exited()
        child.reason = f"killed after {spec.stop_s:g} s"
        sentence = f"{spec.name} did not stop in {spec.stop_s:g} s and was killed"
        self._tell(What.KILLED, spec.name, sentence, code=code)

    async def _within(self, seconds: float, work: Awaitable[object]) -> bool:
        """Return whether something ends in time; in a hurry there is no time."""
        task = asyncio.ensure_future(work)
        hurry = asyncio.create_task(self._hurry.wait())
        done, _ = await asyncio.wait(
            {task, hurry}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        hurry.cancel()
        if task in done:
            await task
            return True
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False

    # What others see

    def _tell(
        self,
        event: What,
        process: str,
        sentence: str,
        *,
        pid: int | None = None,
        code: int | None = None,
    ) -> None:
        try:
            self._write_status()
        except OSError as error:
            # For people to look at; a full disk must not end what runs
            self._note(f"{self._status} cannot be written: {error.strerror}")
        self._tell_event(Event(event=event, process=process, sentence=sentence, pid=pid, code=code))

    def _note(self, sentence: str) -> None:
        """Tell something that nobody has to act on, once."""
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._tell_event(Event(event=What.NOTE, process="run", sentence=sentence))

    def _write_status(self) -> None:
        rows = [
            Status(
                process=child.spec.name,
                state=child.state,
                pid=child.pid,
                starts=child.starts,
                reason=child.reason,
            )
            for child in self.children.values()
        ]
        self._status.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._status.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(rows))
        fresh.replace(self._status)

    async def _cut_logs(self) -> None:
        while True:
            await asyncio.sleep(LOGS_EVERY_S)
            for child in self.children.values():
                try:
                    child.log.cut()
                except OSError as error:
                    self._note(f"the log of {child.spec.name} cannot be cut: {error.strerror}")


def how_it_ended(code: int) -> str:
    """Return an exit code as the rest of a sentence."""
    if code == 0:
        return "ended"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"failed with exit code {code}"


def _with(sentence: str, words: str) -> str:
    """Return a sentence with a process's last line below it."""
    last = words.rpartition("\n")[2]
    return f"{sentence}: {last}" if last else sentence
