"""What a reader's query is refused for before the engine sees it, and what is let through."""

import pytest

from utb.analytics.guard import QUERY_LENGTH_MAX, DeniedError, admit, check_database

READONLY = 164
SYNTAX = 62

REFUSED = (
    # The engine's own readonly mode lets each of these six through
    "SELECT file('/etc/passwd')",
    "SELECT arrayMap(file, ['/etc/hostname'])",
    "SELECT * APPLY(file) FROM x",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "DESCRIBE file('/etc/passwd')",
    "KILL QUERY WHERE 1",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT `file`('/e')",
    "SELECT \"file\"('/e')",
    "WITH x -> file(x) AS f SELECT f('/etc/hostname')",
    "EXPLAIN SELECT file('/x')",
    "SELECT 1 INTO/**/outfile '/tmp/x'",
    "SELECT $$it's$$, file('x')",
    "SELECT 'it''s', file('x')",
    "SELECT 'a\\'', file('x') -- '",
    "SELECT 1 /* ' */, file('x')",
    "DESCRIBE '/tmp/x.csv'",
    'DESCRIBE "/tmp/x.csv"',
    "DESCRIBE TABLE default.x",
    "SELECT * FROM default.`x.csv`",
    "SELECT * FROM url('http://127.0.0.1/', 'CSV')",
    "DESCRIBE url('http://127.0.0.1/')",
    "SELECT * FROM remote('127.0.0.1', system.one)",
    "SELECT * FROM s3('http://x', 'CSV')",
    "SELECT * FROM executable('ls', 'TSV', 'a String')",
    "SELECT * FROM python(x)",
    "SELECT * FROM merge('system', 'disks')",
    "SELECT aiGenerate('x')",
    "SELECT dictGet('a', 'b', 1)",
    "SELECT * FROM system.disks",
    "SELECT * FROM system . query_log",
    'SELECT * FROM "system"."disks"',
    "INSERT INTO utb.t VALUES (1)",
    "CREATE TABLE x (a Int8) ENGINE = Memory",
    "DROP TABLE utb.t",
    "ALTER TABLE x DELETE WHERE 1",
    "TRUNCATE TABLE x",
    "ATTACH TABLE x",
    "OPTIMIZE TABLE utb.t",
    "SYSTEM FLUSH LOGS",
    "BACKUP TABLE utb.t TO File('x')",
    "SET readonly = 0",
    "USE system",
    "SELECT 1; SELECT 2",
    "SELECT 1 SETTINGS max_execution_time = 1000",
    "SELECT 1 FORMAT JSON SETTINGS readonly = 0",
    "file('/etc/hostname')",
    "SHOW USERS",
    "SHOW /* all */ GRANTS",
    "SHOW CURRENT ROLES",
    "SHOW PROCESSLIST",
    "SHOW ACCESS",
    "SHOW CREATE USER",
    "SHOW CREATE system.users",
    "SHOW FULL USERS",
    "SHOW FILESYSTEM CACHES",
    "SHOW",
    "SHOW CREATE",
)

UNCLEAR = (
    "SELECT \u2018x\u2019",
    "SELECT 'not closed",
    "SELECT `fi\\x6ce`('/e')",
    "",
    " ; ",
    "-- nothing",
    "SELECT \0",
    "SELECT /* not closed",
)

ADMITTED = (
    "SELECT 1",
    "SELECT 1;",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "WITH 1 AS x SELECT x",
    "FROM numbers(3) SELECT *",
    "SELECT name, value, readonly AS readonly FROM system.settings LIMIT 10000",
    "SELECT message FROM refusals WHERE message LIKE '%file(%; DROP TABLE%' -- file()",
    "SELECT 'a;b', x'41', 1e-5, 0x1F, 1_000, -1, a.b[1], t::Date, a ? b : c FROM t",
    "SELECT {p:Array(String)} FROM {db:Identifier}.{t:Identifier}",
    "SELECT * FROM system.{s:Identifier}",
    "SHOW TABLES",
    "SHOW FULL TABLES FROM utb LIKE 't%'",
    "SHOW DATABASES",
    "SHOW COLUMNS FROM ticks",
    "SHOW CREATE TABLE utb.ticks",
    "SHOW SETTINGS LIKE 'max_%'",
    "DESCRIBE TABLE utb.ticks",
    "EXISTS TABLE utb.ticks",
    "EXPLAIN SELECT 1",
)


@pytest.mark.parametrize("query", REFUSED)
def test_query_that_reaches_beyond_the_store_is_refused(query: str) -> None:
    with pytest.raises(DeniedError) as caught:
        admit(query, {})
    assert caught.value.code == READONLY


@pytest.mark.parametrize("query", UNCLEAR)
def test_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(DeniedError) as caught:
        admit(query, {})
    assert caught.value.code == SYNTAX


@pytest.mark.parametrize("query", ADMITTED)
def test_query_over_tables_is_admitted(query: str) -> None:
    assert admit(query, {"db": "utb", "t": "ticks", "s": "tables"}).query == query.removesuffix(";")


def test_format_clause_is_found() -> None:
    assert admit("SELECT 1 FORMAT JSONEachRow;", {}).format == "JSONEachRow"
    assert admit("SELECT format('{}', 1)", {}).format is None


@pytest.mark.parametrize("value", ["file", "system.disks", "default.x", "a b", "/etc/passwd", ""])
def test_parameter_that_names_what_is_closed_is_refused(value: str) -> None:
    """The engine puts an Identifier parameter where a name stands, so it could smuggle one in."""
    with pytest.raises(DeniedError):
        admit("SELECT arrayMap({f:Identifier}, ['/etc/hostname'])", {"f": value})
    assert admit("SELECT {f:String}", {"f": value})


def test_query_above_the_limit_is_refused() -> None:
    with pytest.raises(DeniedError) as caught:
        admit("SELECT 1" + " " * QUERY_LENGTH_MAX, {})
    assert caught.value.code == 552


@pytest.mark.parametrize("name", ["system", "SYSTEM", "a.b", "a`b", ""])
def test_database_that_is_closed_or_no_name_is_refused(name: str) -> None:
    with pytest.raises(DeniedError):
        check_database(name)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM system.{t:Identifier}",
        "SELECT * FROM `system` . { t : Identifier }",
        "SELECT * FROM {db:Identifier}.{t:Identifier}",
        "SELECT * FROM {db:Identifier}.users",
        "SELECT * FROM {whole:Identifier}",
        "EXPLAIN SELECT * FROM system.{t:Identifier}",
        "DESCRIBE TABLE system.{t:Identifier}",
        "SELECT * FROM system.{absent:Identifier}",
        # The engine takes a name that begins with a digit for one, and quotes may surround a type
        "SELECT * FROM system.{1t:Identifier}",
        'SELECT * FROM system.{t:"Identifier"}',
        "SELECT * FROM default.{tick:Identifier}",
        "SELECT arrayMap({f:Identifier}, ['/etc/hostname'])",
        "SELECT {f:Identifier}('/etc/hostname')",
        "SELECT 1 {:Identifier}",
        "}:Identifier}",
    ],
)
def test_placeholder_is_judged_as_the_name_it_stands_for(query: str) -> None:
    values = {"t": "users", "db": "system", "whole": "system.users", "tick": "t", "f": "file"}
    with pytest.raises(DeniedError):
        admit(query, values | {"1t": "users"})
