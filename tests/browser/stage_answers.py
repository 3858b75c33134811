"""The answers of the API, made of a stage; shapes and names as `utb serve` has them."""

from datetime import datetime
from typing import Any

from stage_world import (
    BASE_WEIGHTS,
    LIMITS,
    SECONDS,
    STRATEGY_FRAME,
    Row,
    Stage,
    grouped,
    iso,
    split,
)

Moment = datetime
STAGES = (
    ("ingest", 0.767, 5.4, 133.2),
    ("decide", 47.1, 237.6, 451.8),
    ("journal", 1.2, 7.2, 9783.0),
    ("submit", 23.6, 69.6, 73.4),
    ("fill", 81.9, 213.0, 213.8),
    ("snapshot", 26214.0, 33343.0, 33343.0),
)
FEEDS = (("dexscreener", 41.0, 12), ("birdeye", 62.0, 0), ("helius", 48.0, 3))


def summary(stage: Stage) -> Row:
    equity = stage.equity()
    start = 97_160.55
    held = equity - stage.cash
    at_stop = sum(
        max(0.0, stage.price(p["symbol"]) - p["stop"]) * p["size"] for p in stage.positions
    )
    healthy = not stage.stale
    status = "DEGRADED" if stage.status == "RUNNING" and not healthy else stage.status
    return {
        "status": status,
        "mode": stage.mode,
        "simulated_time": stage.mode != "live",
        "equity": equity,
        "equity_start_of_day": start,
        "today": equity - start,
        "today_pct": equity / start - 1,
        "drawdown": max(0.0, 1 - equity / stage.peak),
        "max_drawdown_limit": 0.15,
        "heat": held / equity,
        "heat_limit": 0.8,
        "risk_at_stop": at_stop / equity,
        "risk_at_stop_limit": 0.1,
        "cash": stage.cash,
        "positions": len(stage.positions),
        "open_orders": len(stage.sales),
        "finished": stage.finished,
        "healthy": healthy,
        "reasons": [f"{symbol}: price is stale" for symbol in stage.stale],
        "version": "ULTIMATE-1.0.0",
        "timeframe": STRATEGY_FRAME,
        "as_of": iso(stage.now),
        "age_s": 0.1,
    }


def instruments(stage: Stage) -> Row:
    found = []
    for symbol in stage.symbols:
        bars, old = stage.bars[symbol], symbol in stage.stale
        day = bars[-289]["close"] if len(bars) > 289 else None
        held = next((p["id"] for p in stage.positions if p["symbol"] == symbol), None)
        note = votes(stage, symbol)["decision"]["sentence"].split(": ", 1)[1]
        found.append(
            {
                "symbol": symbol,
                "price": stage.price(symbol),
                "price_decimals": stage.decimals(symbol),
                "change_24h": None if day is None else stage.price(symbol) / day - 1,
                "age_s": 41.0 if old else 0.4,
                "stale": old,
                "source": "birdeye",
                "liquid": True,
                "position": held,
                "timeframe": STRATEGY_FRAME,
                "note": note,
            }
        )
    return {"instruments": found}


def closed_bars(stage: Stage, symbol: str, frame: str) -> tuple[list[Row], Row | None]:
    bars = [dict(bar) for bar in stage.bars[symbol]]
    frames = split(bars) if frame == "1m" else grouped(bars, SECONDS[frame])
    return frames[:-1], frames[-1] if frame == STRATEGY_FRAME else None


def bars(stage: Stage, symbol: str, frame: str, limit: int, before: float | None) -> Row:
    found, forming = closed_bars(stage, symbol, frame)
    if before is not None:
        found, forming = [bar for bar in found if bar["time"] < before], None
    return {"symbol": symbol, "timeframe": frame, "bars": found[-limit:], "forming": forming}


def votes(stage: Stage, symbol: str) -> Row:
    made = next((d for d in stage.tape["decisions"] if d["symbol"] == symbol), None)
    found = [] if made is None else [_vote(at, vote) for at, vote in enumerate(made["votes"])]
    standing = [v for v in found if v["side"] != "HOLD"]
    turnout = sum(v["weight"] for v in standing)
    best = max((v["strength"] for v in standing), default=None)
    hold = None if turnout >= 0.2 else "LOW_PARTICIPATION" if standing else "NO_VOTES"
    words = (
        f"hold · turnout {turnout:.2f} of 0.20 needed" if hold else "buy · led by trend_following"
    )
    frame_s = SECONDS[STRATEGY_FRAME]
    return {
        "symbol": symbol,
        "bar_time": iso(stage.now // frame_s * frame_s - frame_s),
        "timeframe": STRATEGY_FRAME,
        "regime": "trending",
        "votes": found,
        "decision": {
            "side": "HOLD" if hold else "BUY",
            "hold": hold,
            "lead": None,
            "leaning": "BUY",
            "consensus": 0.81 if standing else None,
            "min_consensus": 0.65,
            "confidence": best,
            "min_confidence": 0.6,
            "participation": turnout,
            "min_participation": 0.2,
            "sentence": f"{symbol}: {words}",
        },
    }


def _vote(at: int, vote: Row) -> Row:
    conditions = []
    for name, held in vote["conditions"].items():
        op, limit = LIMITS.get(name, (None, None))
        near = (
            None
            if limit is None or held is None
            else limit + (0.12 if held == (op == ">") else -0.09)
        )
        conditions.append({"name": name, "held": held, "op": op, "value": near, "limit": limit})
    missing = [c["name"] for c in conditions if c["held"] is None]
    return {
        "strategy": vote["strategy"],
        "side": vote["side"],
        "latest": vote["side"],
        "strength": vote["strength"],
        "confidence": vote["confidence"],
        "weight": vote["weight"],
        "base_weight": BASE_WEIGHTS[at],
        "stop": None,
        "target": None,
        "conditions": conditions,
        "abstains": f"no input for {', '.join(missing)}" if missing else None,
    }


def positions(stage: Stage) -> Row:
    found = []
    for held in stage.positions:
        price = stage.price(held["symbol"])
        found.append(
            {
                **held,
                "current_price": price,
                "value": price * held["size"],
                "pnl": (price - held["entry_price"]) * held["size"],
                "pnl_pct": price / held["entry_price"] - 1,
                "risk_at_stop": max(0.0, price - held["stop"]) * held["size"],
                "age_s": 0.4,
                "stale": held["symbol"] in stage.stale,
            }
        )
    return {"positions": found, "as_of": iso(stage.now), "age_s": 0.1}


def trades(stage: Stage, limit: int, offset: int) -> Row:
    page = stage.trades[offset : offset + limit]
    end = offset + limit
    return {
        "trades": page,
        "total": len(stage.trades),
        "next_offset": end if end < len(stage.trades) else None,
    }


def trade(stage: Stage, which: str) -> Row | None:
    row = next((t for t in stage.trades if t["id"] == which), None)
    held = next((p for p in stage.positions if p["id"] == which), None)
    known = row or held
    if known is None:
        return None
    return {
        "id": which,
        "symbol": known["symbol"],
        "strategy": known["strategy"],
        "open": row is None,
        "trade": row,
        "timeline": stage.tape["lives"].get(which.rstrip("x"), []),
    }


def feeds(stage: Stage) -> Row:
    found = []
    for source, latency, rejected in FEEDS:
        old = bool(stage.stale) and source == "birdeye"
        found.append(
            {
                "source": source,
                "status": "STALE" if old else "FRESH",
                "reason": "no item for 41 s" if old else "",
                "since": iso(stage.now - 9000),
                "last_item": iso(stage.now - 0.4),
                "age_s": 41.0 if old else 0.4,
                "connected": True,
                "frames": 180_000,
                "items": 179_990,
                "rejected": {"DIVERGED": rejected},
                "reconnects": 1,
                "requests": 40,
                "latency_p50_ms": latency,
                "latency_p99_ms": 190.0,
                "request_p50_ms": None,
                "request_p99_ms": None,
            }
        )
    return {"feeds": found, "as_of": iso(stage.now), "age_s": 0.1}


def breakers(stage: Stage) -> Row:
    crash = {
        "kind": "FLASH_CRASH",
        "symbol": "JUP-USDC",
        "since": iso(stage.tape["now"] - 650),
        "until": iso(stage.tape["now"] + 3250),
        "value": 0.11,
        "limit": 0.1,
        "cause": "fell 11% within 5 minutes",
    }
    return {"breakers": [crash], "operator_state": stage.status}


def components(stage: Stage) -> Row:
    found = [
        {"name": name, "state": "UP", "since": iso(stage.tape["now"]), "reason": "", "age": 0.2}
        for name in ("trading", "journal", "clock", "feeds", "analytics", "rpc")
    ]
    if stage.stale:
        found[3] |= {"state": "DEGRADED", "reason": "birdeye is stale"}
    status = "DOWN" if stage.stale else "HEALTHY"
    return {"status": status, "reasons": [], "components": found}


def equity(stage: Stage) -> list[Row]:
    peak, found = 0.0, []
    for time, value in stage.tape["equity"]:
        peak = max(peak, value)
        found.append({"time": iso(time), "equity": value, "drawdown": 1 - value / peak})
    return found


def performance() -> Row:
    return {
        "total_trades": 92,
        "win_rate": 0.478,
        "total_pnl": -2760.25,
        "sharpe_ratio": None,
        "sortino_ratio": None,
        "max_drawdown": 0.0437,
        "avg_execution_time": 14041.5,
        "profit_factor": 0.707,
        "expectancy": -30.0,
        "avg_slippage_bps": 26.6,
    }


def market(stage: Stage, symbol: str) -> dict[str, Any]:
    """Return the data of one `market` message."""
    forming = grouped([dict(bar) for bar in stage.bars[symbol][-3:]], SECONDS[STRATEGY_FRAME])[-1]
    found = votes(stage, symbol)
    return {
        "symbol": symbol,
        "price": stage.price(symbol),
        "ts": iso(stage.now),
        "forming": forming,
        "votes": found["votes"],
        "decision": found["decision"],
        "timeframe": STRATEGY_FRAME,
    }
