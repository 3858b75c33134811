"""TOML text -> a tree with line numbers, finding every syntax error.

The user guide shows `[risk]` and `[risk.adjustments]` twice with different keys, and a user may
paste its blocks one after another into one file. TOML forbids a repeated table, so the text is
cut into statements (one header or one `key = value` each, strings and arrays over several lines
kept whole), each is parsed by `tomllib` alone, and repeated tables are merged here.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Final

from utb.config.values import RawValue, render_unknown, same
from utb.errors import ConfigProblem

MAX_BYTES: Final = 4 * 1024 * 1024
"""Ten thousand instruments fit."""
MAX_STATEMENT: Final = 64 * 1024
MAX_PROBLEMS: Final = 100

_TOKEN: Final = re.compile(
    r'"""(?:\\.|[^\\])*?"""'
    r"|'''.*?'''"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[{]"
    r"|[\]}]"
    r"|\n",
    re.DOTALL,
)
_NAME: Final = re.compile(r"\s*([A-Za-z0-9_.\-]{1,60})\s*=")
_TOML_PLACE: Final = re.compile(r" \(at .*\)\Z")


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

    root: TableNode
    problems: list[ConfigProblem]


def parse(text: str, file: str) -> Document:
    """Parse a whole text; syntax errors and contradictions are collected, not raised."""
    return _Parser(file).run(text.removeprefix("\ufeff").replace("\r\n", "\n"))


def plain(node: Node) -> RawValue:
    """Return a node's value without line numbers."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(item) for key, item in node.items.items()}


class _Parser:
    def __init__(self, file: str) -> None:
        self.file = file
        self.root = TableNode(1)
        self.problems: list[ConfigProblem] = []
        self.table: TableNode | None = self.root
        """None below an unreadable header: its keys belong nowhere."""
        self.prefix = ""

    def run(self, text: str) -> Document:
        start, line = 0, 1
        while start < len(text) and len(self.problems) < MAX_PROBLEMS:
            line_end = text.find("\n", start) + 1 or len(text)
            stripped = text[start:line_end].strip()
            end = line_end
            if stripped.startswith("["):
                self.header(stripped, line)
            elif stripped and not stripped.startswith("#"):
                end = _statement_end(text, start)
                if not self.statement(text[start:end], line):
                    # An unclosed bracket would swallow the rest: go on after its first line.
                    end = line_end
            line += text.count("\n", start, end)
            start = end
        return Document(self.root, self.problems)

    def header(self, text: str, line: int) -> None:
        value: RawValue | None = self.parsed(text, line)
        self.table = None if value is None else self.root
        path: list[str] = []
        while isinstance(value, dict) and value:
            path.append(next(iter(value)))
            value = value[path[-1]]
        for depth, part in enumerate(path, start=1):
            if self.table is None:
                return
            last = depth == len(path)
            self.prefix = ".".join(path[:depth])
            self.table = self.child(
                self.table, part, line, append=last and isinstance(value, list), last=last
            )

    def child(
        self, table: TableNode, part: str, line: int, *, append: bool, last: bool
    ) -> TableNode | None:
        node = table.items.get(part)
        if node is None:
            node = ListNode(line) if append else TableNode(line)
            table.items[part] = node
        if append and isinstance(node, ListNode):
            node.items.append(TableNode(line))
        if isinstance(node, ListNode) and (append or not last):
            return node.items[-1]
        if isinstance(node, TableNode) and not append:
            return node
        kind = "a list of tables" if append else "a table"
        found = {Leaf: "a value", TableNode: "one table", ListNode: "a list"}[type(node)]
        self.problem(line, self.prefix, "", f"{kind}, but line {node.line} makes it {found}")
        return None

    def statement(self, text: str, line: int) -> bool:
        name = _NAME.match(text)
        parsed = self.parsed(text, line, name.group(1) if name else "")
        if parsed is not None and self.table is not None:
            self.merge(self.table, self.prefix, parsed, line)
        return parsed is not None

    def merge(self, table: TableNode, prefix: str, values: dict[str, RawValue], line: int) -> None:
        for key, value in values.items():
            dotted = f"{prefix}.{key}" if prefix else key
            known = table.items.get(key)
            if known is None:
                table.items[key] = _to_node(value, line)
            elif isinstance(known, TableNode) and isinstance(value, dict):
                self.merge(known, dotted, value, line)
            elif not same(plain(known), value):
                self.problem(
                    line,
                    dotted,
                    render_unknown(dotted, value),
                    f"one value, but line {known.line} gives another",
                )

    def parsed(self, text: str, line: int, name: str = "") -> dict[str, RawValue] | None:
        key = f"{self.prefix}.{name}" if self.prefix and name else name
        try:
            return tomllib.loads(text)
        except RecursionError:
            self.problem(line, key, "", "fewer brackets inside each other")
        except ValueError as error:
            # tomllib's own, or an integer with thousands of digits.
            hint = _TOML_PLACE.sub("", str(error)).partition(";")[0]
            self.problem(line, key, "", "valid TOML", hint=hint)
        return None

    def problem(self, line: int, key: str, value: str, expected: str, hint: str = "") -> None:
        self.problems.append(
            ConfigProblem(
                file=self.file, line=line, key=key, value=value, expected=expected, hint=hint
            )
        )


def _statement_end(text: str, start: int) -> int:
    depth = 0
    for match in _TOKEN.finditer(text, start, start + MAX_STATEMENT):
        mark = match.group()
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        elif mark == "\n" and depth <= 0:
            return match.end()
    return min(len(text), start + MAX_STATEMENT)


def _to_node(value: RawValue, line: int) -> Node:
    if isinstance(value, dict):
        return TableNode(line, {key: _to_node(item, line) for key, item in value.items()})
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        nodes = [_to_node(item, line) for item in value]
        return ListNode(line, [node for node in nodes if isinstance(node, TableNode)])
    return Leaf(line, value)
