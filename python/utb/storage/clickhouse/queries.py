"""Questions that are asked often, by name."""

from typing import Final

import msgspec


class NamedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One question."""

    about: str
    sql: str
    """Bare table names: the database is the connection's."""


QUERIES: Final = {
    "trades": NamedQuery(
        about="closed trades, newest first",
        sql=(
            "SELECT ts AS closed, symbol, lead, exit_reason, round(base, 6) AS size, "
            "round(pnl_quote, 2) AS pnl, round(slippage_bps, 1) AS slippage_bps "
            "FROM (SELECT *, base, pnl_quote FROM trades ORDER BY seq DESC LIMIT 1 BY position_id) "
            "WHERE sign = 1 ORDER BY seq DESC LIMIT 50"
        ),
    ),
    "strategies": NamedQuery(
        about="results by the strategy that led the entry",
        sql=(
            "SELECT lead, sum(sign) AS trades, sumIf(sign, pnl_quote_raw * sign > 0) AS won, "
            "round(sum(pnl_quote), 2) AS pnl, "
            "round(sum(slippage_bps * sign) / sum(sign), 1) AS slippage_bps "
            "FROM trades GROUP BY lead ORDER BY pnl DESC"
        ),
    ),
    "exits": NamedQuery(
        about="results by exit reason",
        sql=(
            "SELECT exit_reason, sum(sign) AS trades, round(sum(pnl_quote), 2) AS pnl "
            "FROM trades GROUP BY exit_reason ORDER BY trades DESC"
        ),
    ),
    "refusals": NamedQuery(
        about="orders the risk gate denied, by code and symbol",
        sql=(
            "SELECT code, symbol, count() AS orders, max(ts) AS last FROM refusals "
            "GROUP BY code, symbol ORDER BY orders DESC LIMIT 50"
        ),
    ),
    "equity": NamedQuery(
        about="equity and drawdown at the end of each day",
        sql=(
            "SELECT ts, round(equity_quote, 2) AS equity, round(1 - equity_quote / "
            "max(equity_quote) OVER (ORDER BY seq), 4) AS drawdown FROM equity ORDER BY seq"
        ),
    ),
    "orders": NamedQuery(
        about="the last state of each order, newest first",
        sql=(
            "SELECT intent_id, max(ts) AS changed, any(symbol) AS symbol, "
            "argMax(status, seq) AS status, argMax(reason, seq) AS reason FROM orders "
            "GROUP BY intent_id ORDER BY max(seq) DESC LIMIT 50"
        ),
    ),
    "latency": NamedQuery(
        about="p50, p99 and maximum of each stage over the last hour that was measured",
        sql=(
            "SELECT stage, sum(n) AS count, round(q[1] / 1e3, 1) AS p50_us, "
            "round(q[2] / 1e3, 1) AS p99_us, round(longest / 1e3, 1) AS max_us FROM (SELECT stage, "
            "sum(count) AS n, quantilesTDigestMerge(0.5, 0.99)(quantiles) AS q, max(max_ns) AS "
            "longest FROM latency_1m_state WHERE ts > (SELECT max(ts) FROM latency_1m_state) "
            "- INTERVAL 1 HOUR GROUP BY stage) GROUP BY stage, q, longest ORDER BY stage"
        ),
    ),
    "latency_p99": NamedQuery(
        about="exact p99 of each stage in each minute",
        sql=(
            "SELECT stage, toDateTime(minute * 60, 'UTC') AS ts, p99_ns FROM "
            "(SELECT stage, minute, quantileExact(0.99)(ns) AS p99_ns FROM latencies "
            "GROUP BY stage, minute) ORDER BY stage, ts"
        ),
    ),
    "missing": NamedQuery(
        about="rows of the second lane that were not received or not stored",
        sql="SELECT kind, cause, sum(rows) AS rows, max(ts) AS last FROM lane_drops "
        "GROUP BY kind, cause ORDER BY rows DESC",
    ),
}
