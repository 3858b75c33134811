"""TOML text -> a tree with line numbers, finding every syntax error.

The user guide shows `[risk]` and `[risk.adjustments]` twice with different keys, and a user may
paste its blocks one after another into one file. TOML forbids a repeated table, so the text is
cut into statements (one header or one `key = value` each, strings and arrays over several lines
kept whole), each is parsed by `tomllib` alone, and repeated tables are merged here.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from utb.config.values import RawValue, render, same
from utb.errors import ConfigProblem

MAX_BYTES: Final = 1 << 20
MAX_PROBLEMS: Final = 100

_OPENING: Final = "[{"
_CLOSING: Final = "]}"


@dataclass(slots=True)
class Leaf:
    """A value and where it stands."""

    line: int
    value: RawValue


@dataclass(slots=True)
class TableNode:
    """A table and where it begins."""

    line: int
    items: dict[str, "Node"] = field(default_factory=dict)


@dataclass(slots=True)
class ListNode:
    """An array of tables."""

    line: int
    items: list[TableNode] = field(default_factory=list)


Node = Leaf | TableNode | ListNode


@dataclass(slots=True)
class Document:
    """A parsed file."""

    file: str
    root: TableNode
    problems: list[ConfigProblem]


def to_node(value: RawValue, line: int) -> Node:
    """Return the node of an inline value: tables and lists of tables become nodes."""
    if isinstance(value, dict):
        return TableNode(line, {key: to_node(item, line) for key, item in value.items()})
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        tables = [to_node(item, line) for item in value]
        return ListNode(line, [table for table in tables if isinstance(table, TableNode)])
    return Leaf(line, value)


def parse(text: str, file: str) -> Document:
    """Parse a whole text; syntax errors and contradictions are collected, not raised."""
    return _Parser(file).run(text)


class _Parser:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root = TableNode(1)
        self.current: TableNode | None = self.root
        self.prefix: tuple[str, ...] = ()
        self.problems: list[ConfigProblem] = []

    def run(self, text: str) -> Document:
        lines = text.removeprefix("\ufeff").split("\n")
        start = 0
        while start < len(lines) and len(self.problems) < MAX_PROBLEMS:
            stripped = lines[start].strip()
            if not stripped or stripped.startswith("#"):
                start += 1
            elif stripped.startswith("["):
                self.header(lines[start], start + 1)
                start += 1
            else:
                start = self.statement(lines, start)
        return Document(self.file, self.root, self.problems)

    def header(self, text: str, line: int) -> None:
        parsed = self.parsed(text, line)
        if parsed is None:
            # Keys below an unreadable header belong nowhere.
            self.current = None
            return
        path = []
        value: RawValue = parsed
        while isinstance(value, (dict, list)) and value:
            if isinstance(value, dict):
                path.append(next(iter(value)))
                value = value[path[-1]]
            else:
                value = value[0]
        self.prefix = tuple(path)
        self.current = self.table(self.root, path, line, append=isinstance(value, dict) and _is_list(parsed))

    def statement(self, lines: list[str], start: int) -> int:
        end = start + statement_lines(lines, start)
        parsed = self.parsed("\n".join(lines[start:end]), start + 1)
        if parsed is None:
            # An unclosed bracket or quote would swallow the rest of the file: go on after its line.
            return start + 1
        if self.current is not None:
            self.merge(self.current, self.prefix, parsed, start + 1)
        return end
