"""The user guide's own lines, unchanged, against a running bot."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import ROOT, Bot

SPEC = Path(os.environ.get("UTB_SPEC", ROOT.parent / "shared" / "spec"))
GUIDE = SPEC / "user-guide.md"

LINES = """\
curl http://localhost:8080/health
curl http://localhost:8080/api/strategies/performance
curl http://localhost:8080/api/strategies/momentum_breakthrough
curl http://localhost:8080/api/strategies/mean_reversion
curl http://localhost:8080/api/risk/current
curl http://localhost:8080/api/risk/assessment
curl http://localhost:8080/api/risk/portfolio_heat
curl http://localhost:8080/api/status
curl http://localhost:8080/api/performance
curl http://localhost:8080/api/positions
curl http://localhost:8080/api/trades/recent
curl http://localhost:8080/api/health
curl http://localhost:8080/health
curl http://localhost:8080/health/detailed
curl http://localhost:8080/health/components
curl http://localhost:8080/metrics
curl -H "X-API-Key: your_api_key" http://localhost:8080/api/v1/status
curl http://localhost:8080/api/config
curl http://localhost:8080/api/risk/limits
curl http://localhost:8080/api/positions
curl http://localhost:8080/api/trades/recent
curl -w "@curl-format.txt" http://localhost:8080/health
curl -v http://localhost:8080/health
curl -X POST http://localhost:8080/api/safe_mode
curl -X POST http://localhost:8080/api/positions/close_all
curl -X POST http://localhost:8080/api/emergency_stop
""".splitlines()
"""Copied from the guide; the three that stop trading come last."""

FIELDS = {
    "/api/v1/status": {"status", "version", "uptime", "active_strategies", "current_positions"},
    "/api/v1/performance": {
        *("total_trades", "win_rate", "total_pnl", "sharpe_ratio", "max_drawdown"),
        "avg_execution_time",
    },
    "/api/v1/risk": {
        *("overall_risk_level", "risk_score", "portfolio_heat", "max_drawdown"),
        *("risk_factors", "position_adjustment"),
    },
}
POSITION = {"symbol", "side", "size", "entry_price", "current_price", "pnl", "strategy"}
TRADE = {"id", "symbol", "side", "size", "price", "fees", "timestamp", "strategy", "pnl"}

SDK = """
import requests
import json

class UltimateTradingBotClient:
    def __init__(self, base_url="http://localhost:8080/api/v1", api_key=None):
        self.base_url = base_url
        self.headers = {"X-API-Key": api_key} if api_key else {}

    def get_status(self):
        response = requests.get(f"{self.base_url}/status", headers=self.headers)
        return response.json()

    def get_positions(self):
        response = requests.get(f"{self.base_url}/positions", headers=self.headers)
        return response.json()

    def place_trade(self, symbol, side, size, order_type="MARKET"):
        data = {
            "symbol": symbol,
            "side": side,
            "size": size,
            "order_type": order_type,
            "strategy": "manual"
        }
        response = requests.post(f"{self.base_url}/trade", json=data, headers=self.headers)
        return response.json()

    def get_performance(self):
        response = requests.get(f"{self.base_url}/performance", headers=self.headers)
        return response.json()

# Usage example
client = UltimateTradingBotClient(api_key="your_api_key")

# Get system status
status = client.get_status()
print(f"System status: {status['status']}")

# Get current positions
positions = client.get_positions()
print(f"Current positions: {len(positions['positions'])}")

# Place a trade
trade_result = client.place_trade("SOL-USDC", "BUY", 50.0)
print(f"Trade result: {trade_result}")
"""
"""The guide's client example."""

SCRIPT = """\
response=$(curl -s http://localhost:8080/health)
if [[ $response == *"HEALTHY"* ]]; then
    echo "✅ System is healthy"
else
    echo "❌ System health check failed"
    # Send alert
fi
"""
"""The guide's daily check."""


def guide() -> str:
    if not GUIDE.is_file():
        pytest.skip(f"no user guide at {GUIDE} (UTB_SPEC)")
    return GUIDE.read_text(encoding="utf-8")


@pytest.fixture
def shell(bot: Bot, tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Run a line as it stands; curl's own configuration leads port 8080 to the test's server."""
    (tmp_path / ".curlrc").write_text(f'connect-to = "localhost:8080:127.0.0.1:{bot.port}"\n')
    (tmp_path / "curl-format.txt").write_text("%{time_total}\\n")

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env={**os.environ, "CURL_HOME": str(tmp_path), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def test_lines_are_those_of_the_guide() -> None:
    """Every curl line to our own address is among ours; the reports come in a later version."""
    found = re.findall(r"^curl .*localhost:8080.*$", guide(), re.MULTILINE)
    assert found
    assert [line for line in found if line not in LINES and "/reports/" not in line] == []


def test_script_and_example_are_those_of_the_guide() -> None:
    assert SCRIPT in guide()
    assert SDK.strip() in guide()


def test_every_line_of_the_guide_answers_as_the_guide_says(
    bot: Bot, shell: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    for line in LINES:
        done = shell(line)
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout, line
        assert '"error"' not in done.stdout[:20], (line, done.stdout)
        if "/health " in f"{line} " and "-w" not in line:
            assert "HEALTHY" in done.stdout
    assert bot.get("/api/status")["status"] == "EMERGENCY_STOP"
    for action in ("reset", "resume"):
        assert bot.http.post(f"/api/{action}").status_code == 200
    assert bot.get("/api/status")["status"] in {"RUNNING", "DEGRADED"}


def test_health_script_of_the_guide_finds_the_word(
    shell: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    assert "System is healthy" in shell(SCRIPT).stdout


def test_answers_have_the_fields_of_the_guide(bot: Bot) -> None:
    for path, fields in FIELDS.items():
        assert fields <= bot.get(path).keys(), path
    for row in bot.get("/api/v1/positions")["positions"]:
        assert row.keys() >= POSITION
    for row in bot.get("/api/v1/trades", limit=50, offset=0)["trades"]:
        assert row.keys() >= TRADE


@pytest.mark.parametrize("path", ["reports/daily", "reports/strategies"])
def test_report_of_a_later_version_says_so(bot: Bot, path: str) -> None:
    response = bot.http.get(f"/api/{path}")
    assert response.status_code == 501
    assert response.json()["error"]["code"] == "NOT_IMPLEMENTED"


def test_client_example_of_the_guide_runs_unchanged(
    bot: Bot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    connection = pytest.importorskip("urllib3.util.connection")
    pytest.importorskip("requests")
    connect = connection.create_connection

    def led_here(address: tuple[str, int], *args: Any, **more: Any) -> Any:
        assert address == ("localhost", 8080)
        return connect(("127.0.0.1", bot.port), *args, **more)

    monkeypatch.setattr(connection, "create_connection", led_here)
    example = tmp_path / "example.py"
    example.write_text(SDK)
    monkeypatch.setattr(sys, "argv", [str(example)])
    runpy.run_path(str(example), run_name="__main__")
    said = capsys.readouterr().out
    assert re.search(r"System status: [A-Z_]+\n", said)
    assert re.search(r"Current positions: \d+\n", said)
    assert re.search(r"Trade result: \{'(order_id|error)'", said)
