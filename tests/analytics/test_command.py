"""`utb analytics` and `utb query` from outside: exit codes and what they say."""

import hashlib
import sys
from pathlib import Path

import httpx
import msgspec
import pytest

from process import Analytics, needs_chdb, running, utb
from utb.bootstrap.analytics import access_of
from utb.cli import main
from utb.config import secrets
from utb.config.load import parse_text
from utb.errors import RefusedError

pytestmark = pytest.mark.timeout(180)

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what the tests ask for
KEY = "canary7Q2mZp9"
DIGEST = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without our variables."""
    monkeypatch.chdir(tmp_path)
    for name in secrets.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_without_chdb_it_says_what_to_do(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "chdb", None)
    assert main(["analytics", "--state", str(alone)]) == 2
    message = capsys.readouterr().err
    assert message.startswith("the embedded ClickHouse store needs the optional package chdb")
    assert "uv sync --group analytics" in message
    assert message.count("\n") == 1


@needs_chdb
def test_host_that_others_reach_without_a_key_is_refused(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = utb("analytics", "--state", str(alone), "--host", EVERYWHERE, "--port", "0")
    assert done.returncode == 3
    assert "set analytics.key_sha256" in done.stderr
    assert capsys.readouterr().out == ""


@needs_chdb
def test_key_is_asked_for_where_one_is_set(tmp_path: Path) -> None:
    arguments = ("--host", EVERYWHERE, "--set", f"analytics.key_sha256={DIGEST}")
    with running(tmp_path, *arguments) as analytics:
        url = f"http://127.0.0.1:{analytics.port}/"
        for headers in ({}, {"X-ClickHouse-Key": "wrong"}, {"Authorization": "Basic %%"}):
            refused = httpx.get(url, params={"query": "SELECT 1"}, headers=headers)
            assert (refused.status_code, refused.headers["x-clickhouse-exception-code"]) == (
                401,
                "516",
            )
            assert "wrong" not in refused.text
        for given in ({"X-ClickHouse-Key": KEY}, {"Authorization": f"Bearer {KEY}"}):
            assert httpx.get(url, params={"query": "SELECT 1"}, headers=given).text == "1\n"
        assert httpx.get(url, params={"query": "SELECT 1"}, auth=("me", KEY)).text == "1\n"
        found = utb(
            "query",
            "SELECT 1 AS a",
            "--json",
            CLICKHOUSE_URL=f"http://me:{KEY}@127.0.0.1:{analytics.port}/utb",
        )
        assert msgspec.json.decode(found.stdout)["data"] == [{"a": 1}], found.stderr
        assert KEY not in (tmp_path / "run" / "analytics.json").read_text()
        assert analytics.stop() == 0
    assert not (tmp_path / "run" / "analytics.json").exists()


def test_keys_of_the_api_that_may_read_are_readers_keys() -> None:
    lines = []
    for name, scopes, expires in (
        ("reader", '["read"]', "2999-01-01"),
        ("trader", '["trade"]', "2999-01-01"),
        ("old", '["read"]', "2020-01-01"),
    ):
        digest = hashlib.sha256(name.encode()).hexdigest()
        lines += ["[[server.keys]]", f'id = "{name}"', f'sha256 = "{digest}"']
        lines += [f"scopes = {scopes}", f'expires = "{expires}"']
    text = "\n".join([f'[analytics]\nkey_sha256 = "{DIGEST}"', *lines])
    for host, config in ((EVERYWHERE, text), ("127.0.0.1", "\n".join(lines))):
        is_key = access_of(host, parse_text(config)).is_key
        assert is_key is not None
        given = ("reader", "trader", "old", "", KEY)
        assert [is_key(key) for key in given] == [True, False, False, False, host == EVERYWHERE]
    assert access_of("127.0.0.1", parse_text("")).is_key is None
    with pytest.raises(RefusedError):
        access_of(EVERYWHERE, parse_text(""))


@needs_chdb
def test_second_process_on_the_same_store_is_told_whose_it_is(store: Analytics) -> None:
    done = utb("analytics", "--state", str(store.state_dir), "--port", "0")
    assert done.returncode == 2
    assert f"a directory without a running utb analytics (process {store.process.pid})" in (
        done.stderr
    )


@needs_chdb
def test_port_in_use_is_told(store: Analytics, tmp_path: Path) -> None:
    done = utb("analytics", "--state", str(tmp_path), "--port", str(store.port))
    assert done.returncode == 2
    assert f"--port is {store.port} on 127.0.0.1, expected a free one (" in done.stderr


@needs_chdb
def test_store_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").write_text("no directory")
    done = utb("analytics", "--state", str(tmp_path), "--port", "0")
    assert done.returncode == 2
    assert "a directory whose clickhouse/ this process can open" in done.stderr
    assert "File exists" in done.stderr


@needs_chdb
def test_query_prints_a_table_or_any_format(store: Analytics) -> None:
    state = ("--state", str(store.state_dir))
    table = utb("query", "SELECT symbol, sum(sign) AS n FROM fills GROUP BY symbol", *state)
    assert (table.returncode, table.stdout.split()) == (0, ["symbol", "n", "SOL-USDC", "24"])
    csv = utb("query", "SELECT 1 AS a", *state, "--format", "CSVWithNames")
    assert csv.stdout == '"a"\n1\n'
    named = utb("query", "--named", "strategies", "--json", *state)
    assert msgspec.json.decode(named.stdout)["data"][0]["lead"] == "trend_following"
    own = utb("query", "SELECT 1 FORMAT TSV", *state)
    assert own.stdout == "1\n"


@needs_chdb
def test_query_that_is_refused_fails_with_the_reason(store: Analytics) -> None:
    done = utb("query", "DROP TABLE events", "--state", str(store.state_dir))
    assert (done.returncode, done.stdout) == (1, "")
    assert "(READONLY)" in done.stderr


def test_query_without_a_store_says_what_to_start(
    alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "SELECT 1", "--set", "analytics.port=1"]) == 1
    assert "nothing answers at http://127.0.0.1:1/: start `utb run`" in capsys.readouterr().err
    assert alone.exists()


def test_server_that_does_not_answer_shows_no_secret(
    alone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", f"http://me:{KEY}@127.0.0.1:1/utb")
    assert main(["query", "SELECT 1"]) == 1
    monkeypatch.setenv("CLICKHOUSE_URL", f"clickhouse://me:{KEY}@h")
    assert main(["query", "SELECT 1"]) == 2
    output = capsys.readouterr()
    assert KEY not in output.out + output.err
    assert alone.exists()


@pytest.mark.parametrize("arguments", [[], ["SELECT 1", "--named", "trades"], ["--named", "x"]])
def test_query_used_wrongly_is_2(alone: Path, arguments: list[str]) -> None:
    assert main(["query", *arguments]) == 2
    assert alone.exists()


def test_named_queries_are_listed(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "--list"]) == 0
    assert "trades       closed trades, newest first\n" in capsys.readouterr().out
    assert alone.exists()
