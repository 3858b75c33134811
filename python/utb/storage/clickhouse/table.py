"""What a table of the store is, and the statements that make it on one server or on a cluster."""

from typing import Final

import msgspec

TIME: Final = "DateTime64(9, 'UTC')"
LABEL: Final = "LowCardinality(String)"

_DURABLE_SETTINGS: Final = (
    "fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000"
)
"""On the disk before an insert is answered; and a server that took a block whose answer was lost
does not take the same block again."""


class Column(msgspec.Struct, frozen=True):
    """One column; those with a default or an alias are never written."""

    name: str
    type: str
    codec: str = ""
    default: str = ""
    """Expression evaluated when a row is stored."""
    alias: str = ""
    """Expression evaluated when it is read; not part of `SELECT *`."""
    comment: str = ""

    @property
    def written(self) -> bool:
        """Return whether the writer gives its values."""
        return not (self.default or self.alias)

    def ddl(self) -> str:
        """Return its line of CREATE TABLE."""
        parts = [f"`{self.name}`", self.type]
        if self.default:
            parts.append(f"DEFAULT {self.default}")
        if self.alias:
            parts.append(f"ALIAS {self.alias}")
        if self.comment:
            parts.append("COMMENT " + quoted(self.comment))
        if self.codec:
            parts.append(f"CODEC({self.codec})")
        return " ".join(parts)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table."""

    name: str
    columns: tuple[Column, ...]
    order_by: str
    engine: str = "MergeTree"
    partition: str = "toYYYYMM(ts)"
    durable: bool = False
    """Whether its rows come from durable records: flushed to the disk with every insert."""
    history: bool = False
    """Whether its rows may go after `analytics.history_days`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns the writer gives."""
        return tuple(column.name for column in self.columns if column.written)

    @property
    def types(self) -> tuple[str, ...]:
        """Return their types."""
        return tuple(column.type for column in self.columns if column.written)

    def index_of(self, name: str) -> int:
        """Return the place of a written column."""
        return self.names.index(name)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where tables are made: a database, and a cluster or none."""

    database: str
    cluster: str | None = None

    def name(self, table: str) -> str:
        """Return a table's full name."""
        return f"`{self.database}`.`{table}`"

    @property
    def on_cluster(self) -> str:
        """Return the clause that has every node of the cluster take part."""
        return "" if self.cluster is None else f" ON CLUSTER `{self.cluster}`"

    def engine(self, table: str, engine: str) -> str:
        """Return an engine with its arguments: replicated on a cluster."""
        name, _, arguments = engine.partition("(")
        given = arguments.rstrip(")")
        if self.cluster is None:
            return f"{name}({given})"
        path = f"'/clickhouse/tables/{{shard}}/{self.database}/{table}', '{{replica}}'"
        return f"Replicated{name}({', '.join(filter(None, (path, given)))})"

    def create_database(self) -> str:
        """Return the statement that makes the database."""
        return f"CREATE DATABASE IF NOT EXISTS `{self.database}`{self.on_cluster}"

    def create(self, table: Table) -> str:
        """Return the statement that makes a table."""
        lines = ",\n    ".join(column.ddl() for column in table.columns)
        text = (
            f"CREATE TABLE IF NOT EXISTS {self.name(table.name)}{self.on_cluster}"
            f"\n(\n    {lines}\n)"
            f"\nENGINE = {self.engine(table.name, table.engine)}"
        )
        if table.partition:
            text += f"\nPARTITION BY {table.partition}"
        text += f"\nORDER BY {table.order_by}"
        if table.durable:
            text += f"\nSETTINGS {_DURABLE_SETTINGS}"
        return text

    def modify_ttl(self, table: Table, days: int) -> str:
        """Return the statement that sets how long rows are kept.

        The age is that of the row in the store and not that of the market's event: a TTL is
        enforced at insert, and by event time it would swallow a replayed or simulated past.
        """
        return (
            f"ALTER TABLE {self.name(table.name)}{self.on_cluster} "
            f"MODIFY TTL stored + INTERVAL {days} DAY SETTINGS materialize_ttl_after_modify = 0"
        )

    def create_rollup(self, name: str, target: str, select: str) -> str:
        """Return the statement that feeds `target` with `select` of every insert it reads."""
        return (
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {self.name(name)}{self.on_cluster} "
            f"TO {self.name(target)} AS\n{select}"
        )

    def create_view(self, name: str, select: str) -> str:
        """Return the statement that makes a view; `{db}` in `select` is the database."""
        text = select.replace("{db}", f"`{self.database}`")
        return f"CREATE VIEW IF NOT EXISTS {self.name(name)}{self.on_cluster} AS\n{text}"


def quoted(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
