"""One way for every process to log: JSON lines on stderr, at the configured level."""

from utb.adapters.clocks import SystemClock
from utb.config.schema import Config
from utb.telemetry import logs


def log_lines(config: Config, process: str) -> None:
    """Log as `process` from now on."""
    logs.configure(config.environment.log_level, process=process, wall_ns=SystemClock().now_ns)
