"""A parsed file against the schema: every problem, and the values that are given."""

import difflib
import functools
import re
from typing import Any, Final, get_args, get_origin

import msgspec

from utb.config.describe import choices, expected
from utb.config.document import Leaf, ListNode, Node, TableNode, plain
from utb.config.limits import OLDER_NAMES
from utb.config.schema import Config, Secret
from utb.config.table import Table, fields_of
from utb.config.values import MASK, render, render_unknown
from utb.errors import ConfigProblem

_NEAR_ENOUGH: Final = 0.6
MISSING: Final = "the key is missing"
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,60}\Z")


class Given(msgspec.Struct, frozen=True):
    """A valid value of the file."""

    value: object
    line: int


def to_secret(kind: type, value: object) -> object:
    """Make a `Secret` of a text; the only type msgspec does not know."""
    if kind is Secret and isinstance(value, (str, Secret)):
        return Secret(value) if isinstance(value, str) else value
    raise TypeError("Expected `str`")


class Checker:
    """Walks one file; `given` holds its valid values by dotted key."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[ConfigProblem] = []
        self.given: dict[str, Given] = {}
        self.lines: dict[str, int] = {}

    def check(self, root: TableNode) -> None:
        """Check a whole file against `Config`."""
        self.table(Config, root, "", required=False)

    def table(self, cls: type[Table], node: TableNode, prefix: str, *, required: bool) -> None:
        """Check one table; its missing keys are problems only in a list of tables."""
        hints = fields_of(cls)
        for key, item in node.items.items():
            dotted = f"{prefix}.{key}" if prefix else key
            older = OLDER_NAMES.get(dotted)
            if key in hints:
                self.value(hints[key], item, dotted)
            elif older is not None:
                self.value(type_of(older), item, dotted)
            else:
                self.unknown(item, dotted, tuple(hints))
        if required:
            for name in _required(cls):
                if name not in node.items:
                    self.problem(node.line, f"{prefix}.{name}", "", expected(hints[name]), MISSING)

    def value(self, hint: Any, node: Node, key: str) -> None:
        """Check one value, whatever its shape."""
        self.lines[key] = node.line
        if isinstance(hint, type) and issubclass(hint, Table):
            if isinstance(node, TableNode):
                self.table(hint, node, key, required=False)
            else:
                self.problem(node.line, key, _shown(key, node), f"a table [{key}]")
        elif get_origin(hint) is dict:
            self.named_tables(get_args(hint)[1], node, key)
        elif get_origin(hint) is tuple:
            self.list_of_tables(get_args(hint)[0], node, key)
        else:
            self.leaf(hint, node, key)

    def named_tables(self, cls: type[Table], node: Node, key: str) -> None:
        """Check tables under names of the user's own."""
        if not isinstance(node, TableNode):
            self.problem(node.line, key, _shown(key, node), f"tables [{key}.<name>]")
            return
        for name, item in node.items.items():
            if _NAME.match(name):
                self.value(cls, item, f"{key}.{name}")
            else:
                self.problem(item.line, f"{key}.{name[:40]}", "", "a name of letters, digits, - _")

    def list_of_tables(self, cls: type[Table], node: Node, key: str) -> None:
        """Check `[[key]]` tables; what they hold is complete or a problem."""
        if not isinstance(node, ListNode):
            self.problem(node.line, key, _shown(key, node), f"tables [[{key}]]")
            return
        for index, item in enumerate(node.items):
            self.lines[f"{key}[{index}]"] = item.line
            self.table(cls, item, f"{key}[{index}]", required=True)

    def _take(self, hint: Any, node: Leaf, key: str) -> bool:
        """Keep a value if it is of its type and range."""
        try:
            value = msgspec.convert(node.value, type=hint, dec_hook=to_secret)
        except (msgspec.ValidationError, OverflowError):
            return False
        self.given[key] = Given(value, node.line)
        return True

    def leaf(self, hint: Any, node: Node, key: str) -> None:
        """Check a single value."""
        if isinstance(node, Leaf) and self._take(hint, node, key):
            return
        near = near_miss(node.value if isinstance(node, Leaf) else None, choices(hint))
        shown = render(node.value) if isinstance(node, Leaf) else _shown(key, node)
        shown = MASK if hint is Secret else shown
        self.problem(node.line, key, shown, expected(hint), near)

    def unknown(self, node: Node, key: str, names: tuple[str, ...]) -> None:
        """Report a key that the schema does not have."""
        prefix, _, last = key.rpartition(".")
        siblings = tuple(
            older.rpartition(".")[2] for older in OLDER_NAMES if older.rpartition(".")[0] == prefix
        )
        hint = near_miss(last, names + siblings) or elsewhere(last)
        where = f"in [{prefix}]" if prefix else "at the top"
        value = render_unknown(key, plain(node))
        self.problem(node.line, key, value, f"a key that exists {where}", hint)

    def problem(self, line: int, key: str, value: str, wanted: str, hint: str = "") -> None:
        """Add one problem."""
        self.problems.append(
            ConfigProblem(
                file=self.file, line=line, key=key, value=value, expected=wanted, hint=hint
            )
        )


def near_miss(given: object, names: tuple[str, ...]) -> str:
    """Return `did you mean ...?` for a near miss, or nothing."""
    if not isinstance(given, str) or not names:
        return ""
    by_lower = {name.lower(): name for name in names}
    near = difflib.get_close_matches(given.lower()[:80], by_lower, n=1, cutoff=_NEAR_ENOUGH)
    return f'did you mean "{by_lower[near[0]]}"?' if near else ""


def elsewhere(name: str) -> str:
    """Return where a key of this name would be right, or nothing."""
    places = [key for key in known_keys() if key.rpartition(".")[2] == name]
    return f"it belongs to {' or '.join(places[:3])}" if places else ""


def known_keys() -> tuple[str, ...]:
    """Return every fixed key a file may hold, older names included, in the order of the schema."""
    return tuple(_leaves(Config, "")) + tuple(OLDER_NAMES)


def type_of(key: str) -> Any:
    """Return the declared type of a fixed key."""
    return _leaves(Config, "")[key]


@functools.cache
def _leaves(cls: type[Table], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, hint in fields_of(cls).items():
        key = f"{prefix}{name}"
        if isinstance(hint, type) and issubclass(hint, Table):
            found |= _leaves(hint, f"{key}.")
        elif get_origin(hint) not in {dict, tuple}:
            found[key] = hint
    return found


def _required(cls: type[Table]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(cls) if field.required)


def _shown(key: str, node: Node) -> str:
    if isinstance(node, Leaf):
        return render_unknown(key, node.value)
    return "a table" if isinstance(node, TableNode) else "a list of tables"
