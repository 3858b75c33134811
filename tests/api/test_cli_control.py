"""`utb pause` and the others, and `utb keys new`: straight from the shell."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import Bot, environment

from utb.config.load import parse_text


def utb(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utb", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def told(bot: Bot, command: str) -> Any:
    done = utb(command, "--state", str(bot.state), "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_commands_change_the_state_and_say_so(bot: Bot) -> None:
    bot.http.post("/api/resume")
    for command, state in (("pause", "PAUSED"), ("safe-mode", "SAFE_MODE"), ("resume", "RUNNING")):
        if command == "safe-mode":
            told(bot, "resume")
        code, said = told(bot, command)
        assert code == 0
        assert said["accepted"] is True
        assert said["state"] == state


def test_emergency_stop_and_reset_are_told_in_words(bot: Bot) -> None:
    stopped = utb("emergency-stop", "--state", str(bot.state))
    assert stopped.returncode == 0
    assert "State: EMERGENCY_STOP." in stopped.stdout
    refused = utb("pause", "--state", str(bot.state))
    assert refused.returncode == 1
    assert "CONFLICT" in refused.stderr
    assert utb("reset", "--state", str(bot.state)).returncode == 0
    assert utb("close-all", "--state", str(bot.state)).returncode == 0


def test_command_without_a_trading_process_fails_and_did_nothing(tmp_path: Path) -> None:
    done = utb("pause", "--state", str(tmp_path))
    assert done.returncode == 1
    assert "nothing was done" in done.stderr
    as_json = utb("pause", "--state", str(tmp_path), "--json")
    assert json.loads(as_json.stdout)["accepted"] is False


def test_new_key_is_shown_once_with_lines_that_load() -> None:
    options = ("laptop", "--scopes", "read", "trade", "--expires", "2027-01-31", "--json")
    made = json.loads(utb("keys", "new", *options).stdout)
    (key,) = parse_text(made["toml"]).server.keys
    assert key.sha256 == hashlib.sha256(made["key"].encode()).hexdigest()
    assert (key.id, key.scopes, key.expires) == ("laptop", ("read", "trade"), "2027-01-31")
    assert made["key"] not in made["toml"]
    assert len(made["key"]) >= 40


@pytest.mark.parametrize(
    "arguments", [("a b",), ("x" * 40,), ("ok", "--expires", "soon"), ("ok", "--scopes", "all")]
)
def test_wrong_key_options_exit_with_two(arguments: tuple[str, ...]) -> None:
    assert utb("keys", "new", *arguments).returncode == 2
