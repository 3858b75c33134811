"""`utb analytics`."""

from pathlib import Path
from typing import Final

from utb import bootstrap
from utb.bootstrap.analytics import AnalyticsOptions, run_analytics
from utb.bootstrap.loglines import log_lines
from utb.cli.common import Stateful
from utb.errors import UsageError

_DEFAULT: Final = Stateful()
_PORT_MAX: Final = 65_535


def analytics(
    *, port: int | None = None, host: str | None = None, common: Stateful = _DEFAULT
) -> int:
    """Keep everything that happens in ClickHouse, and answer queries.

    Follows the trading process of the same state directory: decisions, orders, fills, equity,
    bars, votes, ticks and latencies. The store is embedded (STATE/clickhouse) and answers
    ClickHouse's HTTP dialect, read only; with CLICKHOUSE_URL set it is that server or cluster.

    For example: utb analytics --state ./state --port 8123

    Then: curl localhost:8123 --data 'SELECT sum(sign) FROM fills'

    Args:
        port: Port to listen on; 0 = any free one; default analytics.port.
        host: Address to listen on; default analytics.host.
    """
    if port is not None and not 0 <= port <= _PORT_MAX:
        raise UsageError("--port", str(port), f"0 to {_PORT_MAX}")
    config, _ = bootstrap.load_config(common.config, common.settings)
    log_lines(config, "analytics")
    return run_analytics(
        AnalyticsOptions(
            state_dir=common.state or Path("state"),
            config=common.config,
            settings=common.settings,
            host=host,
            port=port,
        )
    )
