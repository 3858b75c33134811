"""A supervisor over small real processes, and what it tells."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from utb.bootstrap.child import ChildSpec
from utb.bootstrap.restart import RestartPolicy
from utb.bootstrap.supervise import Event, Supervisor, What

SCRIPT = str(Path(__file__).with_name("child.py"))
PATIENCE_S = 20.0
QUICK = RestartPolicy(first_s=0.001, longest_s=0.005, attempts_max=3)


class World:
    """One state directory with its processes."""

    def __init__(self, folder: Path, policy: RestartPolicy = QUICK) -> None:
        self.folder = folder
        self.events: list[Event] = []
        self._policy = policy
        self._specs: list[ChildSpec] = []
        self._supervisor: Supervisor | None = None

    def add(self, name: str, *behaviour: str, **more: object) -> "World":
        """Add a process; by default an essential one of stage 0."""
        command = (sys.executable, SCRIPT, str(self.folder), name, *behaviour)
        values: dict[str, object] = {"essential": True, "stop_stage": 0, **more}
        self._specs.append(
            ChildSpec(name=name, command=lambda: command, **values)  # type: ignore[arg-type]
        )
        return self

    @property
    def supervisor(self) -> Supervisor:
        assert self._supervisor is not None
        return self._supervisor

    def run(self, *steps: Callable[[], object]) -> int:
        """Run until all has ended; each step is a question that is asked until it is not false.

        When all are answered, the supervisor is told to stop.
        """

        async def whole() -> int:
            self._supervisor = Supervisor(
                self.folder / "state", self._specs, self.events.append, self._policy
            )
            running = asyncio.create_task(self._supervisor.run())
            async with asyncio.timeout(PATIENCE_S):
                for step in steps:
                    while not step():  # noqa: ASYNC110 - of processes
                        await asyncio.sleep(0.005)
                if steps:
                    self._supervisor.stop()
                return await running

        return asyncio.run(whole())

    def order(self) -> list[str]:
        """Return what the processes noted, in its order."""
        file = self.folder / "order.txt"
        return file.read_text().splitlines() if file.exists() else []

    def pid(self, name: str) -> int:
        """Return the id of a process that is up, or 0."""
        file = self.folder / f"{name}.pid"
        return int(file.read_text()) if file.exists() else 0

    def told(self, event: What, process: str) -> list[Event]:
        """Return what was told of one kind about one process."""
        return [one for one in self.events if (one.event, one.process) == (event, process)]

    def up(self, *names: str) -> Callable[[], bool]:
        """Return the question whether processes are up."""
        return lambda: all(self.pid(name) for name in names)
