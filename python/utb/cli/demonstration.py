"""The processes of a demo, its live display and its outcome."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from rich.console import Console

from utb import bootstrap
from utb.bootstrap import RunOptions
from utb.bootstrap.processes import (
    SIMNET_HTTP_PORT,
    SIMNET_WS_PORT,
    Place,
    Plan,
    SimnetPorts,
    make_run_dir,
)
from utb.bootstrap.supervise import Event, What
from utb.cli import supervised
from utb.cli.common import Stateful, write_json, write_note
from utb.cli.panel import Panel, clock, money
from utb.cli.watch import Watch, follow
from utb.config import secrets
from utb.config.load import DEFAULT_PATH
from utb.config.schema import Config
from utb.domain.signing import SOCKET_NAME
from utb.errors import InvariantError

if TYPE_CHECKING:
    from utb.bootstrap.chainstand import ChainOptions
    from utb.bootstrap.livedemo import LiveDemo

KEYS: Final = {"BIRDEYE_API_KEY": "demo", "HELIUS_API_KEY": "demo"}
"""The stand-in sources take any key; the user's own never leave the user's environment."""

TOLD: Final = frozenset({What.RESTARTING, What.GONE, What.KILLED})
"""What a viewer of a demo is told of processes; all of it is in the logs' directory."""

LINE_EVERY_NS: Final = 10_000_000_000
"""Between two lines of progress where there is no terminal."""
LOOK_EVERY_S: Final = 0.25


class Demonstration:
    """One demo from its start to its outcome."""

    def __init__(
        self,
        options: RunOptions,
        state_dir: Path,
        common: Stateful,
        *,
        port: int | None,
        keep: bool,
        headless: bool,
        report: Path | None,
        hours: int,
        live: "ChainOptions | None" = None,
    ) -> None:
        """Take what the command line asks for; `hours` is the generated market's default.

        `live`: trade on the stand-in's chain, with a wallet; None: on paper.

        Raises:
            UsageError: If the state directory cannot be written.
        """
        self._common = common
        self._keep = keep
        self._headless = headless
        self._json = common.json
        config, _ = bootstrap.load_config(common.config, common.settings)
        make_run_dir(state_dir)
        seed = config.paper.seed if options.seed is None else options.seed
        ports = _places(config, port)
        file, arguments = _config_file(common.config), _simnet_arguments(options, seed, hours)
        wallet: dict[str, str] = {}
        if live is not None:
            made = _live(config, file, state_dir, ports, (options, seed, hours), live)
            file, wallet = made.config, made.environment
            arguments = (*arguments, *made.simnet)
        self._plan = Plan(
            state_dir=state_dir,
            config=file,
            settings=(*common.settings, f"paper.seed={seed}"),
            simnet=arguments,
            sign=None if live is None else state_dir / "run" / SOCKET_NAME,
            trade=_trade_arguments(keep=keep, report=report),
            environment=secrets.sealed_environment(KEYS | wallet),
            directory=state_dir,
            serve=ports.serve,
            analytics=ports.analytics,
            simnet_ports=ports.simnet,
        )
        self._console = Console(stderr=True, highlight=False)
        self._panel: Panel | None = None
        self._done = False
        """Whether trade came to the market's end by itself."""
        self._finished = False
        self._told = False
        self._next_line_ns = 0

    def run(self) -> int:
        """Run to the end and tell what came of it; return the exit code."""
        plan = self._plan
        for name, link in supervised.links(plan):
            self._note(f"{name}: {link}")
        self._note(f"logs: {plan.state_dir / 'log'}; stop with Ctrl-C")
        plan.result.unlink(missing_ok=True)
        beside = [self._tell_when_known()]
        if not self._headless:
            beside.append(follow(plan.state_dir, Watch(), self._show, reader="demo", records=True))
        try:
            if not self._headless and self._console.is_terminal:
                self._panel = Panel(self._console)
                self._panel.__enter__()
            code = supervised.supervise(plan, self._on_event, beside)
        finally:
            self._close_panel()
        if not self._tell_outcome() and self._done:
            raise InvariantError(
                f"trade ended without a result: see {plan.state_dir / 'log' / 'trade.log'}"
            )
        return code

    # While it runs

    def _on_event(self, event: Event) -> None:
        if event.event is What.DONE:
            self._done = True
        if event.event in TOLD:
            self._note(event.sentence)

    def _note(self, text: str) -> None:
        if self._panel is None:
            write_note(text)
        else:
            self._console.print(text, markup=False, soft_wrap=True)

    def _show(self, watch: Watch) -> None:
        footer = "  ".join(f"{name} {link}" for name, link in supervised.links(self._plan)[:1])
        status = watch.status(footer)
        if status is None:
            return
        if self._panel is not None:
            if self._panel.is_due():
                self._panel.draw(status)
        elif watch.pulse is not None and watch.pulse.wall_ns >= self._next_line_ns:
            if watch.pulse.finished:
                return
            self._next_line_ns = watch.pulse.wall_ns + LINE_EVERY_NS
            self._note(f"{clock(status.now_ns)} {status.done:.0%} {money(status)}")

    async def _tell_when_known(self) -> None:
        """Tell the outcome of a run that goes on serving after its end."""
        if not self._keep:
            return
        while not self._result_text():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(LOOK_EVERY_S)
        self._close_panel()
        self._tell_outcome()
        if self._finished:
            self._note("the market is over; dashboard and API go on until Ctrl-C")

    # The end

    def _close_panel(self) -> None:
        if self._panel is not None:
            self._panel.__exit__()
            self._panel = None

    def _result_text(self) -> bytes:
        """Return the object that trade wrote, once it is whole."""
        path = self._plan.result
        text = path.read_bytes() if path.exists() else b""
        return text if text.endswith(b"\n") else b""

    def _tell_outcome(self) -> bool:
        """Tell what came of the run, once; return whether it is known."""
        text = self._result_text()
        if not text or self._told:
            return self._told
        self._told = True
        from utb.research.summary import Summary  # noqa: PLC0415 - at the end

        summary = msgspec.json.decode(text, type=Summary)
        self._finished = summary.finished
        if self._json:
            write_json(summary)
        else:
            from utb.cli.outcome import show  # noqa: PLC0415 - at the end

            show(Console(highlight=False), summary)
        return True


def _live(
    config: Config,
    given: Path | None,
    state_dir: Path,
    ports: "_Places",
    market: tuple[RunOptions, int, int],
    chain: "ChainOptions",
) -> "LiveDemo":
    """Make the wallet and the configuration of a live demo.

    Args:
        config: The user's.
        given: The user's file.
        state_dir: Of the demo.
        ports: Where everything listens.
        market: Options of the run, its seed, and the generated market's hours.
        chain: What chain to serve.
    """
    from utb.bootstrap.livedemo import prepare  # noqa: PLC0415 - the whole chain
    from utb.bootstrap.simnet import SimnetOptions  # noqa: PLC0415 - as above

    options, seed, hours = market
    length = options.hours if options.hours is not None or options.prices else hours
    run = msgspec.structs.replace(options, seed=seed, hours=length)
    served = SimnetOptions(
        state_dir=state_dir, http_port=ports.simnet.http, ws_port=ports.simnet.ws, run=run
    )
    return prepare(config, given, state_dir, ports.simnet, served, chain)


def _config_file(given: Path | None) -> Path | None:
    """Return the user's file by its absolute path, as the processes run elsewhere."""
    if given is not None:
        return given.absolute()
    return DEFAULT_PATH.absolute() if DEFAULT_PATH.exists() else None


class _Places(msgspec.Struct, frozen=True):
    serve: Place
    analytics: Place
    simnet: SimnetPorts


def _places(config: Config, port: int | None) -> _Places:
    """Return where everything listens: the usual places where they are free."""
    taken: list[int] = []

    def choose(wanted: Place, what: str) -> Place:
        found = supervised.preferred(wanted, taken, write_note, what)
        taken.append(found.port)
        return found

    server, store = config.server, config.analytics
    return _Places(
        choose(Place(server.port if port is None else port, server.host), "the dashboard"),
        choose(Place(store.port, store.host), "ClickHouse"),
        SimnetPorts(
            http=choose(Place(SIMNET_HTTP_PORT), "simnet's HTTP").port,
            ws=choose(Place(SIMNET_WS_PORT), "simnet's WebSocket").port,
        ),
    )


def _simnet_arguments(options: RunOptions, seed: int, hours: int) -> tuple[str, ...]:
    found = ["--seed", str(seed)]
    if options.hours is not None:
        found += ["--hours", str(options.hours)]
    elif not options.prices:
        found += ["--hours", str(hours)]
    if options.speed is not None:
        found += ["--speed", f"{options.speed:g}"]
    for one in options.prices:
        found += ["--prices", _absolute(one)]
    if options.context is not None:
        found += ["--context", str(options.context.absolute())]
    return tuple(found)


def _trade_arguments(*, keep: bool, report: Path | None) -> tuple[str, ...]:
    found = ["--json"]
    if keep:
        found.append("--keep")
    if report is not None:
        found += ["--report", str(report.absolute())]
    return tuple(found)


def _absolute(prices: str) -> str:
    """Return a `--prices` argument, `PATH` or `SYMBOL=PATH`, that holds in any directory."""
    symbol, equals, path = prices.rpartition("=")
    if not equals or Path(prices).exists():
        return str(Path(prices).absolute())
    return f"{symbol}={Path(path).absolute()}"
