"""URLs, statements and blocks, without an engine."""

import numpy as np
import pytest

from utb.config.table import Secret
from utb.errors import ConfigError, InvariantError
from utb.storage.clickhouse import durable, history
from utb.storage.clickhouse.migrations import MIGRATIONS
from utb.storage.clickhouse.native import Labels, block
from utb.storage.clickhouse.table import Place
from utb.storage.clickhouse.url import parse_url
from utb.storage.clickhouse.writer import months, partitions

CANARY = "canary7Q2mZp9"
PLACE = Place(database="utb")
CLUSTER = Place(database="bot", cluster="main")


def test_url_of_a_cluster_is_read() -> None:
    found = parse_url(Secret(f"https://bot:{CANARY}%40@db.example:9443/trading?cluster=main"))
    assert (found.secure, found.host, found.port) == (True, "db.example", 9443)
    assert (found.username, found.password.reveal()) == ("bot", f"{CANARY}@")
    assert (found.database, found.cluster) == ("trading", "main")
    assert found.address == "https://db.example:9443/trading"
    assert CANARY not in repr(found)


def test_url_without_more_has_the_usual_port_user_and_database() -> None:
    found = parse_url(Secret("http://127.0.0.1"))
    assert (found.port, found.username, found.database, found.cluster) == (
        8123,
        "default",
        "utb",
        None,
    )


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://{CANARY}@h",
        f"http://:{CANARY}@",
        f"http://u:{CANARY}@h:0",
        f"http://u:{CANARY}@h:99999",
        f"http://u:{CANARY}@h/a-b",
        f"http://u:{CANARY}@h/a?cluster=x'y",
        f"http://u:{CANARY}@h/a?secure={CANARY}",
        CANARY,
    ],
)
def test_url_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_url(Secret(url))
    assert CANARY not in str(caught.value)
    assert "CLICKHOUSE_URL = ***" in str(caught.value)


def test_durable_table_is_flushed_and_never_aged() -> None:
    text = PLACE.create(durable.FILLS)
    assert text.startswith("CREATE TABLE IF NOT EXISTS `utb`.`fills`\n(")
    assert "\nENGINE = MergeTree()\nPARTITION BY toYYYYMM(ts)\nORDER BY seq\n" in text
    assert "fsync_after_insert = 1" in text
    assert not any(table.history for table in durable.DURABLE)
    assert not any("TTL" in PLACE.create(table) for table in durable.DURABLE)


def test_history_is_aged_by_when_it_was_stored() -> None:
    assert PLACE.modify_ttl(history.TICKS, 90) == (
        "ALTER TABLE `utb`.`ticks` MODIFY TTL stored + INTERVAL 90 DAY "
        "SETTINGS materialize_ttl_after_modify = 0"
    )


def test_cluster_takes_part_in_every_statement() -> None:
    assert CLUSTER.create_database() == "CREATE DATABASE IF NOT EXISTS `bot` ON CLUSTER `main`"
    statements = [text for step in MIGRATIONS for text in step.statements(CLUSTER)]
    assert all(" ON CLUSTER `main`" in text for text in statements)
    engines = [text for text in statements if "\nENGINE = " in text]
    assert len(engines) == len(durable.DURABLE) + len(history.LANE) + 3
    assert all("\nENGINE = Replicated" in text for text in engines)
    assert (
        "ENGINE = ReplicatedReplacingMergeTree("
        "'/clickhouse/tables/{shard}/bot/instruments', '{replica}', updated)"
    ) in CLUSTER.create(history.INSTRUMENTS)


def test_one_server_has_no_cluster_in_any_statement() -> None:
    for step in MIGRATIONS:
        assert not any("CLUSTER" in text or "Replicated" in text for text in step.statements(PLACE))


def test_block_of_numbers_and_labels_is_native_format() -> None:
    """Columns, rows; then per column its name, its type and its values, lengths before texts."""
    data = block(
        ["n", "s"],
        ["UInt16", "LowCardinality(String)"],
        [np.array([1, 258]), Labels(np.array([0, 0]), ["ab"])],
    )
    numbers = b"\x01n\x06UInt16\x01\x00\x02\x01"
    labels = b"\x01s\x16LowCardinality(String)" + b"".join(
        (
            (1).to_bytes(8, "little"),
            (0x600).to_bytes(8, "little"),
            (1).to_bytes(8, "little"),
            b"\x02ab",
            (2).to_bytes(8, "little"),
            b"\x00\x00",
        )
    )
    assert data == b"\x02\x02" + numbers + labels


def test_block_of_nullable_and_array_is_native_format() -> None:
    data = block(["x", "a"], ["Nullable(UInt8)", "Array(UInt8)"], [[None, 7], [[1, 2], [3]]])
    nullable = b"\x01x\x0fNullable(UInt8)" + b"\x01\x00" + b"\x00\x07"
    offsets = (2).to_bytes(8, "little") + (3).to_bytes(8, "little")
    assert data == b"\x02\x02" + nullable + b"\x01a\x0cArray(UInt8)" + offsets + b"\x01\x02\x03"


@pytest.mark.parametrize(
    ("kind", "values"),
    [("UInt64", [-1]), ("Int64", [2**63]), ("UInt8", ["x"]), ("Point", [1])],
)
def test_value_that_does_not_fit_its_column_is_an_error(kind: str, values: list[object]) -> None:
    with pytest.raises(InvariantError, match="column c does not fit"):
        block(["c"], [kind], [values])


def test_runs_of_one_month_keep_the_order() -> None:
    """1970-01, 1970-02 and 1970-01 again are three runs: one insert each, in sequence."""
    day = 86_400 * 10**9
    rows = [(1, 0), (2, day), (3, 40 * day), (4, 2 * day)]
    assert [list(run) for run in months(rows)] == [rows[:2], rows[2:3], rows[3:]]
    assert list(months([])) == []


def test_rows_of_the_lane_are_cut_by_month() -> None:
    day = 86_400 * 10**9
    one = list(partitions(np.array([0, day])))
    assert one == [None]
    two = [found for found in partitions(np.array([0, 40 * day, day])) if found is not None]
    assert [found.tolist() for found in two] == [[0, 2], [1]]
