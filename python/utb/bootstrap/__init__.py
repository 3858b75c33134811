"""The composition root: the only reader of the mode, the only place that puts parts together.

`build_demo` and `build_backtest` return a session of the same classes: a demo is paper trading in
simulated time on frames, a backtest replays records; with the same prices, context, seed and
configuration their journals are equal. What a session is made of is imported when one is made: a
supervisor starts without it.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from utb.bootstrap.options import RunOptions
from utb.config import secrets
from utb.config.load import resolve
from utb.config.mode import resolve_mode
from utb.config.schema import Config
from utb.domain.names import TradingMode

if TYPE_CHECKING:
    from utb.bootstrap.assembly import assemble, options_digest
    from utb.bootstrap.session import Session

__all__ = [
    "Loaded",
    "RunOptions",
    "Session",
    "assemble",
    "build_backtest",
    "build_demo",
    "load",
    "load_config",
    "options_digest",
]


_LATER: Final = {
    "Session": "utb.bootstrap.session",
    "assemble": "utb.bootstrap.assembly",
    "options_digest": "utb.bootstrap.assembly",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def build_demo(config: Config, options: RunOptions) -> "Session":
    """Put paper trading in simulated time together, on the generated or a recorded market."""
    from utb.bootstrap import sources  # noqa: PLC0415 - see above
    from utb.bootstrap.assembly import assemble  # noqa: PLC0415 - see above

    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=config.feeds.recorded != "recorded")
    else:
        source = sources.generated(config, options)
    return assemble(config, options, source, TradingMode.PAPER)


def build_backtest(config: Config, options: RunOptions) -> "Session":
    """Put a backtest together: recorded prices as records, or the generated market's frames."""
    from utb.bootstrap import sources  # noqa: PLC0415 - see above
    from utb.bootstrap.assembly import assemble  # noqa: PLC0415 - see above

    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=False)
    else:
        source = sources.generated(config, options)
    return assemble(config, options, source, TradingMode.BACKTEST)


def load_config(path: Path | None, settings: Sequence[str] = ()) -> tuple[Config, TradingMode]:
    """Return the configuration and the mode it asks for.

    Raises:
        ConfigError: With every problem of file, environment and settings `KEY=VALUE`.
        LiveRefused: If live trading is asked for and something is missing.
    """
    loaded = load(path, settings)
    return loaded.config, loaded.mode


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a process starts from."""

    config: Config
    secrets: secrets.Secrets
    mode: TradingMode
    notes: tuple[str, ...]
    """What a user should know of the configuration."""

    @property
    def is_live(self) -> bool:
        """Return whether real money is traded."""
        return self.mode is TradingMode.LIVE


def load(path: Path | None, settings: Sequence[str] = ()) -> Loaded:
    """Return configuration, secrets and the mode they ask for.

    Raises:
        ConfigError: With every problem of file and environment.
        LiveRefused: If live trading is asked for and something is missing.
    """
    loaded = resolve(path, secrets.read(), settings)
    mode = resolve_mode(loaded.config, loaded.secrets)
    return Loaded(config=loaded.config, secrets=loaded.secrets, mode=mode, notes=loaded.notes)


def _with_options(config: Config, options: RunOptions) -> Config:
    """Return the configuration with what the command line overrides."""
    paper = config.paper
    return replace(
        config,
        paper=replace(
            paper,
            seed=paper.seed if options.seed is None else options.seed,
            cash_usdc=paper.cash_usdc if options.cash_usdc is None else options.cash_usdc,
        ),
    )
