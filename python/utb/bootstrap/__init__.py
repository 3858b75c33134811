"""The composition root: the only reader of the mode, the only place that puts parts together.

`build_demo` and `build_backtest` return a session of the same classes: a demo is paper trading in
simulated time on frames, a backtest replays records; with the same prices, context, seed and
configuration their journals are equal.
"""

from pathlib import Path

from msgspec.structs import replace

from utb.bootstrap import sources
from utb.bootstrap.assembly import assemble, options_digest
from utb.bootstrap.options import RunOptions
from utb.bootstrap.session import Session
from utb.config import secrets
from utb.config.load import resolve
from utb.config.mode import resolve_mode
from utb.config.schema import Config
from utb.domain.names import TradingMode
from utb.errors import LiveCause, LiveRefused

__all__ = [
    "RunOptions",
    "Session",
    "assemble",
    "build_backtest",
    "build_demo",
    "load_config",
    "options_digest",
]


def build_demo(config: Config, options: RunOptions) -> Session:
    """Put paper trading in simulated time together, on the generated or a recorded market."""
    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=config.feeds.recorded != "recorded")
    else:
        source = sources.generated(config, options)
    return assemble(config, options, source, TradingMode.PAPER)


def build_backtest(config: Config, options: RunOptions) -> Session:
    """Put a backtest together: recorded prices as records, or the generated market's frames."""
    config = _with_options(config, options)
    if options.prices:
        source = sources.recorded(config, options, frames=False)
    else:
        source = sources.generated(config, options)
    return assemble(config, options, source, TradingMode.BACKTEST)


def load_config(path: Path | None) -> tuple[Config, TradingMode]:
    """Return the configuration and the mode it asks for.

    Raises:
        ConfigError: With every problem of file and environment.
        LiveRefused: If a live switch is on.
    """
    loaded = resolve(path, secrets.read())
    mode = resolve_mode(loaded.config, loaded.secrets)
    if isinstance(mode, LiveCause):
        environment = loaded.config.environment
        raise LiveRefused(
            mode,
            trading_env=environment.trading_env,
            execution_mode=environment.execution_mode,
        )
    return loaded.config, mode


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
