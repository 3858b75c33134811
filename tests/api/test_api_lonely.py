"""When the trading process is gone: the last state with its age, and commands that say so."""

import signal
from pathlib import Path

import pytest
from running import Bot, start_bot, start_serve, start_trade, traded, wait

READS = ("status", "summary", "positions", "performance", "risk", "trades", "instruments", "orders")
COMMANDS = ("pause", "resume", "safe_mode", "emergency_stop", "reset", "positions/close_all")


@pytest.mark.parametrize("path", READS)
def test_read_without_a_trading_process_answers(lonely: Bot, path: str) -> None:
    assert lonely.get(f"/api/v1/{path}")


@pytest.mark.parametrize("path", COMMANDS)
def test_command_without_a_trading_process_is_unavailable(lonely: Bot, path: str) -> None:
    response = lonely.http.post(f"/api/v1/{path}")
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["code"] == "SYSTEM_ERROR"
    assert "not running" in error["details"]["reason"]


def test_never_heard_is_starting_with_unknown_age(lonely: Bot) -> None:
    status = lonely.get("/api/v1/status")
    assert status["status"] == "STARTING"
    assert status["age_s"] is None
    assert lonely.get("/api/v1/summary")["equity"] is None


def test_metrics_leave_out_what_is_unknown(lonely: Bot) -> None:
    text = lonely.http.get("/metrics").text
    assert "utb_healthy 0.0" in text
    assert "\nutb_equity " not in text
    assert "utb_process_memory_bytes" in text


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_kill_of_the_trading_process_leaves_its_state_readable(tmp_path: Path) -> None:
    """kill -9, read on, a new trading process on the same directory, and all is well again."""
    bot = start_bot(tmp_path, speed=100_000)
    try:
        traded(bot)
        assert bot.trade is not None
        bot.trade.stop(signal.SIGKILL)
        down = wait(
            lambda: bot.http.get("/health").status_code == 503 and bot.http.get("/health"),
            "still healthy",
        ).json()
        assert down["status"] == "DOWN"
        assert "trading process" in down["reasons"][0]
        trades = bot.get("/api/v1/trades")
        assert trades["total"] > 0
        status = bot.get("/api/v1/status")
        assert status["status"] in {"DEGRADED", "EMERGENCY_STOP"}
        assert status["age_s"] > 0
        assert all(row["stale"] for row in bot.get("/api/v1/instruments")["instruments"])
        assert bot.http.post("/api/v1/pause").status_code == 503

        # The server too may be started again: it reads the file
        assert bot.serve.stop() == 0
        assert not (bot.state / "run" / "serve.json").exists()
        serve = start_serve(tmp_path, bot.state)
        again = Bot(bot.state, None, serve)
        try:
            wait(
                lambda: again.get("/api/v1/performance")["total_trades"] == trades["total"],
                "the file was not read as far as it goes",
            )
            bot.trade = start_trade(tmp_path, bot.state, "--hours", "5000", "--keep")
            wait(lambda: again.http.get("/health").status_code == 200, "not healthy again")
            assert again.get("/api/v1/trades")["total"] >= trades["total"]
        finally:
            again.close()
    finally:
        bot.close()
