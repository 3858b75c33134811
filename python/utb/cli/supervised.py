"""What `utb run` and `utb demo` share: processes under a supervisor, in plain sentences."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from utb.bootstrap import addresses, processes
from utb.bootstrap.processes import Place, Plan
from utb.bootstrap.supervise import Event, Supervisor
from utb.errors import UsageError
from utb.storage.lock import StateLock

INTERRUPTED: Final = 130
Tell = Callable[[Event], None]
Beside = Coroutine[Any, Any, None]


def supervise(plan: Plan, tell: Tell, beside: Sequence[Beside]) -> int:
    """Run a plan's processes to their end and return the exit code.

    Args:
        plan: What runs.
        tell: Hears what happens to the processes.
        beside: Runs beside them, in this process, and is cancelled at their end.

    Raises:
        UsageError: If the state directory is in use or cannot be written.
    """
    try:
        processes.make_run_dir(plan.state_dir)
        with StateLock(plan.state_dir, "run"):
            return asyncio.run(_supervise(plan, tell, beside))
    finally:
        for one in beside:
            # Where it never came to run.
            one.close()


async def _supervise(plan: Plan, tell: Tell, beside: Sequence[Beside]) -> int:
    await processes.wait_for_orphans(plan)
    supervisor = Supervisor(plan.state_dir, processes.specs(plan), tell)
    with _signals(supervisor):
        watchers = [asyncio.create_task(one) for one in beside]
        try:
            return await supervisor.run()
        finally:
            for watcher in watchers:
                watcher.cancel()
            for ended in await asyncio.gather(*watchers, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended


@contextmanager
def _signals(supervisor: Supervisor) -> Iterator[None]:
    """Have signals stop a supervisor in order; the second of them does not wait."""
    loop = asyncio.get_running_loop()
    codes = {signal.SIGTERM: 0, signal.SIGINT: INTERRUPTED, signal.SIGHUP: 0}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        # Started with nohup: a closed terminal must not end it.
        del codes[signal.SIGHUP]
    for number, code in codes.items():
        loop.add_signal_handler(number, supervisor.stop, code)
    try:
        yield
    finally:
        for number in codes:
            loop.remove_signal_handler(number)


def required(option: str, place: Place) -> Place:
    """Return a place that is free; port 0 stands for any.

    Raises:
        UsageError: If something listens there.
    """
    host, port = place.host, place.port
    if port == 0:
        return Place(addresses.free_port(processes.DEFAULT_PORT, (), host), host)
    if not addresses.is_free(host, port):
        raise UsageError(
            option, str(port), f"a free port: another program listens on {host}:{port}"
        )
    return place


def preferred(place: Place, taken: Sequence[int], note: Callable[[str], None], what: str) -> Place:
    """Return a place, or the next free one with a note if something listens there."""
    found = addresses.free_port(place.port or processes.DEFAULT_PORT, taken, place.host)
    if found != place.port:
        note(f"port {place.port} is in use: {what} listens on {found}")
    return Place(found, place.host)


def links(plan: Plan) -> list[tuple[str, str]]:
    """Return what listens where, for a person."""
    found = []
    if plan.serve is not None:
        found.append(("dashboard", plan.serve.url("/dashboard")))
        found.append(("API", plan.serve.url("/api/v1")))
    if plan.clickhouse_server:
        found.append(("ClickHouse", "the server of CLICKHOUSE_URL"))
    elif plan.analytics is not None:
        found.append(("ClickHouse", plan.analytics.url()))
    return found
