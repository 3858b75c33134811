"""One process that a supervisor starts, watches and ends."""

import asyncio
import ctypes
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

import msgspec

from utb.adapters.clocks import SystemClock
from utb.errors import InvariantError
from utb.storage.logfile import LogFile

PR_SET_PDEATHSIG: Final = 1
READY_EVERY_S: Final = 0.02

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class ChildState(StrEnum):
    """How a process is."""

    WAITING = "WAITING"
    """For another one to be ready, or for its next start."""
    STARTING = "STARTING"
    READY = "READY"
    STOPPING = "STOPPING"
    ENDED = "ENDED"


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is and how it is treated."""

    name: str
    command: Callable[[], tuple[str, ...]]
    """Its program and arguments, asked at each start."""
    essential: bool
    """Whether the others have nothing to do without it."""
    may_end: bool = False
    """Whether its work can be done: exit code 0 then ends everything in order."""
    after: str | None = None
    """Name of the process that must be ready before it starts."""
    ready: Callable[[], bool] | None = None
    """Tells whether it answers; None: from its start on."""
    settled: Callable[[], Awaitable[None]] | None = None
    """Returns when it has taken everything in and may be told to stop."""
    settle_s: float = 5.0
    """Wait for `settled` at most."""
    stop_stage: int
    """Lower stages are stopped first, those of one stage together."""
    stop_s: float = 10.0
    """From SIGTERM to SIGKILL."""
    output: Path | None = None
    """File for its standard output, emptied at each start; None: into its log."""
    environment: Mapping[str, str] | None = None
    """None: the supervisor's own."""
    directory: Path | None = None
    """Where it runs; None: where the supervisor runs."""


class Child:
    """The process of a specification, started any number of times, one at a time.

    A process gets a session of its own, so that a terminal's Ctrl-C reaches the supervisor alone,
    and dies with the supervisor, however that ends: the kernel kills it.
    """

    def __init__(self, spec: ChildSpec, log: LogFile) -> None:
        """Describe it; nothing is started yet."""
        self.spec = spec
        self.log = log
        self.state = ChildState.WAITING
        self.starts = 0
        self.failures = 0
        """Restarts without a quiet period between them."""
        self.reason = ""
        """Why it is not running."""
        self.became_ready = asyncio.Event()
        """Since its first start."""
        self._elapsed_ns = SystemClock().elapsed_ns
        self._started_ns = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._exit: asyncio.Future[int] | None = None

    @property
    def pid(self) -> int | None:
        """Return its process id while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def ran_s(self) -> float:
        """Return the seconds since its last start."""
        return (self._elapsed_ns() - self._started_ns) / 1e9

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: If its program cannot be started.
        """
        if self._process is not None:
            raise InvariantError(f"{self.spec.name} is already running")
        self._started_ns = self._elapsed_ns()
        log = self.log.open()
        try:
            output: IO[bytes] | int = log
            if self.spec.output is not None:
                output = self.spec.output.open("wb")
            try:
                self._process = self._popen(log, output)
            finally:
                if not isinstance(output, int):
                    output.close()
        finally:
            os.close(log)
        self.starts += 1
        self.state = ChildState.STARTING
        self.reason = ""
        self._exit = self._watch(self._process)

    def _popen(self, log: int, output: IO[bytes] | int) -> "subprocess.Popen[bytes]":
        spec = self.spec
        return subprocess.Popen(  # noqa: S603 - our own program
            spec.command(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            env=spec.environment,
            cwd=spec.directory,
            start_new_session=True,
            preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
        )

    def _watch(self, process: "subprocess.Popen[bytes]") -> "asyncio.Future[int]":
        """Return a future of the exit code; it is set when the process ends, awaited or not."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        descriptor = os.pidfd_open(process.pid)

        def ended() -> None:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            code = process.wait()
            self._process = None
            self.state = ChildState.ENDED
            if not future.done():
                future.set_result(code)

        loop.add_reader(descriptor, ended)
        return future

    async def exited(self) -> int:
        """Return the exit code when it ends; negative: the signal that ended it."""
        if self._exit is None:
            raise InvariantError(f"{self.spec.name} was never started")
        return await asyncio.shield(self._exit)

    async def until_ready(self) -> None:
        """Return when it answers; cancelled when it ends before."""
        while self.spec.ready is not None and not self.spec.ready():  # noqa: ASYNC110 - no event
            await asyncio.sleep(READY_EVERY_S)
        if self.state is ChildState.STARTING:
            self.state = ChildState.READY
            self.became_ready.set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens if it has ended."""
        if self._process is not None:
            self._process.send_signal(number)


def _dying_with(parent: int) -> Callable[[], None]:
    """Return what a new process does first: ask the kernel to be killed when its parent ends."""

    def prepare() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # The parent ended in between, and nobody would kill us any more.
            os._exit(1)

    return prepare
