"""The store over ClickHouse's HTTP dialect: ordinary clients work, everything else is refused."""

import base64
import gzip
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from story import TRADES
from test_guard import REFUSED

from process import Analytics, environment, needs_chdb

pytestmark = [needs_chdb, pytest.mark.timeout(120)]


@pytest.fixture
def client(store: Analytics) -> Client:
    return clickhouse_connect.get_client(host="127.0.0.1", port=store.port)


def test_ordinary_client_reads_rows_arrow_and_arrays(client: Client) -> None:
    assert client.query("SELECT currentDatabase()").result_rows == [("utb",)]
    assert client.query("SELECT count() FROM trades").result_rows == [(TRADES,)]
    assert client.query_arrow("SELECT seq FROM events").num_rows > TRADES * 9
    assert client.query_np("SELECT pnl_quote_raw FROM trades ORDER BY seq").shape == (TRADES, 1)
    assert client.command("SELECT 1") == 1


def test_ordinary_client_sends_parameters(client: Client) -> None:
    answer = client.query(
        "SELECT {text:String}, {number:Int64}, {list:Array(String)}",
        parameters={"text": "it's\ta \\ text\n", "number": -5, "list": ["a", "b'"]},
    )
    assert answer.result_rows == [("it's\ta \\ text\n", -5, ["a", "b'"])]


def test_ordinary_client_cannot_write(client: Client) -> None:
    for statement in ("DROP TABLE events", "INSERT INTO events (seq) VALUES (0)"):
        with pytest.raises(DatabaseError, match="READONLY"):
            client.command(statement)
    with pytest.raises(DatabaseError, match="READONLY"):
        client.insert("instruments", [["x"]], column_names=["symbol"])


@pytest.mark.parametrize("query", REFUSED)
def test_refusal_is_told_as_clickhouse_does(store: Analytics, query: str) -> None:
    answer = store.ask(query)
    assert answer.status_code == 500
    assert answer.headers["x-clickhouse-exception-code"] == "164"
    assert answer.text.startswith("Code: 164. DB::Exception: ")
    assert answer.text.endswith("(READONLY)\n")


def test_settings_of_the_request_are_ignored(store: Analytics) -> None:
    query = "SELECT getSetting('readonly'), getSetting('max_execution_time')"
    answer = store.ask(query, readonly="0", max_execution_time="1000", max_memory_usage="0")
    assert answer.text == "1\t1\n"


def test_slow_query_is_cut(store: Analytics) -> None:
    answer = store.ask("SELECT count() FROM numbers(1000000000000)")
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (408, "159")


def test_query_beyond_its_memory_or_rows_is_cut(store: Analytics) -> None:
    memory = store.ask("SELECT length(range(100000000))")
    rows = store.ask("SELECT number FROM numbers(200000)")
    assert memory.headers["x-clickhouse-exception-code"] == "241"
    assert rows.headers["x-clickhouse-exception-code"] == "396"


def test_answer_after_a_cut_query_is_whole(store: Analytics) -> None:
    """The engine's connection keeps what a cut query had written; no other reader may get it."""
    for _ in range(4):
        assert store.ask("SELECT number FROM numbers(200000)").status_code == 500
        assert store.ask("SELECT 'mine'").text == "mine\n"


def test_format_is_of_the_clause_the_header_or_the_parameter(store: Analytics) -> None:
    assert store.ask("SELECT 1 AS a").text == "1\n"
    assert store.ask("SELECT 1 AS a", default_format="CSVWithNames").text == '"a"\n1\n'
    answer = store.ask("SELECT 1 AS a FORMAT JSON", default_format="CSV")
    assert answer.json()["data"] == [{"a": 1}]
    assert answer.json()["meta"] == [{"name": "a", "type": "UInt8"}]
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["x-clickhouse-format"] == "JSON"
    assert answer.headers["x-clickhouse-timezone"] == "UTC"
    by_header = httpx.post(
        store.url, content=b"SELECT 1", headers={"X-ClickHouse-Format": "JSONEachRow"}
    )
    assert by_header.text == '{"1":1}\n'


def test_query_of_the_url_the_body_or_both(store: Analytics) -> None:
    assert httpx.get(store.url, params={"query": "SELECT 2"}).text == "2\n"
    assert store.ask("FROM trades", query="SELECT count()").text == f"{TRADES}\n"
    assert store.ask("").text == "Ok.\n"
    assert httpx.get(f"{store.url}ping").text == "Ok.\n"
    assert httpx.get(f"{store.url}replicas_status").text == "Ok.\n"
    assert httpx.get(f"{store.url}elsewhere").status_code == 404
    assert httpx.put(store.url).status_code == 405


def test_bodies_and_answers_may_be_compressed(store: Analytics) -> None:
    sent = httpx.post(
        store.url,
        params={"enable_http_compression": "1", "compress": "1"},
        content=gzip.compress(b"SELECT number FROM numbers(1000)"),
        headers={"Content-Encoding": "gzip", "Accept-Encoding": "gzip"},
    )
    assert sent.headers["content-encoding"] == "gzip"
    assert sent.text.splitlines()[-1] == "999"
    bomb = gzip.compress(b" " * 50_000_000)
    refused = httpx.post(store.url, content=bomb, headers={"Content-Encoding": "gzip"})
    assert refused.status_code == 400
    long = httpx.post(store.url, content=b" " * 2_000_000)
    assert long.status_code == 400


def test_error_of_the_engine_keeps_its_code_and_shows_no_path(store: Analytics) -> None:
    answer = store.ask("SELECT * FROM nowhere")
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (404, "60")
    for query in ("SELECT * FROM utb.`a/b`", "SELECT nope(", "SELECT throwIf(1, '/var/lib/x/y')"):
        assert str(store.state_dir) not in store.ask(query).text
        assert "/var/lib" not in store.ask(query).text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "1.2.3.4"},
        {"Host": "[::1].evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://[::1].evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "localhost"},
        {"Origin": "file://"},
        {"Origin": "chrome-extension://localhost"},
    ],
)
def test_request_of_another_site_is_refused(store: Analytics, headers: dict[str, str]) -> None:
    """A page that rebinds its name to this machine still names itself."""
    answer = httpx.get(store.url, params={"query": "SELECT 1"}, headers=headers)
    assert (answer.status_code, answer.headers["x-clickhouse-exception-code"]) == (403, "497")


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:1"])
def test_page_of_this_machine_is_answered(store: Analytics, origin: str) -> None:
    answer = httpx.get(store.url, params={"query": "SELECT 1"}, headers={"Origin": origin})
    assert answer.text == "1\n"


def test_request_as_grafana_sends_it_is_answered(store: Analytics) -> None:
    """Its ClickHouse source with HTTP: POST, user and key in headers, JSON, a time filter."""
    query = (
        "SELECT toStartOfInterval(ts, INTERVAL 1 day) AS time, sum(pnl_quote) AS pnl FROM trades "
        "WHERE ts >= toDateTime64(1735689600, 3) AND ts <= toDateTime64(1767225600, 3) "
        "GROUP BY time ORDER BY time FORMAT JSON"
    )
    answer = httpx.post(
        store.url,
        params={"database": "default", "max_execution_time": "60"},
        content=query.encode(),
        headers={
            "X-ClickHouse-User": "default",
            "Authorization": "Basic " + base64.b64encode(b"default:").decode(),
        },
    )
    assert answer.json()["rows"] == TRADES


def test_curl_reads(store: Analytics) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [curl, "-s", "--noproxy", "*", store.url, "--data-binary", "SELECT sum(sign) FROM fills"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{2 * TRADES}\n"


def test_second_process_reads(store: Analytics) -> None:
    code = (
        "import clickhouse_connect as c\n"
        f"print(c.get_client(host='localhost', port={store.port})"
        ".query('SELECT count() FROM decisions').result_rows)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    assert done.stdout == f"[({TRADES},)]\n"


def test_many_readers_at_once_are_answered_or_told_to_wait(store: Analytics) -> None:
    """Four queries run and 32 wait; what comes above that is refused at once."""
    with ThreadPoolExecutor(48) as threads:
        found = list(threads.map(lambda _: store.ask("SELECT sleep(0.3)"), range(48)))
    codes = {answer.headers.get("x-clickhouse-exception-code") for answer in found}
    # 159: on a busy machine a sleeper may also be cut by the time limit
    assert {None, "202"} <= codes <= {None, "202", "159"}


def test_names_of_the_store_are_listed(store: Analytics) -> None:
    tables = {row[0] for row in store.rows("SHOW TABLES")}
    wanted = {"ticks", "bars", "votes", "decisions", "refusals", "orders", "fills", "trades"}
    assert wanted | {"equity", "latencies", "events", "bars_1m", "latency_1m"} <= tables
