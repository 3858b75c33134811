"""Settings of the command line, `--set KEY=VALUE`: one more layer, above file and environment."""

import tomllib
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from utb.config.check import Checker, Given, known_keys, to_secret, type_of
from utb.config.document import Leaf, Node, TableNode
from utb.config.limits import OLDER_NAMES
from utb.config.schema import Secret
from utb.config.values import RawValue, render_unknown
from utb.errors import ConfigProblem

ORIGIN: Final = "command line"
PARTS_MAX: Final = 8
"""Names in a dotted key: more than any table is deep."""
EXAMPLE: Final = "KEY=VALUE, for example risk.risk_per_trade=0.01"


class Settings(msgspec.Struct, frozen=True):
    """What the command line sets, checked as a file's values are."""

    given: dict[str, Given]
    """Valid values by dotted key."""
    keys: frozenset[str]
    """Every key and table that is named."""
    problems: tuple[ConfigProblem, ...]


def read(texts: Sequence[str]) -> Settings:
    """Check settings as the command line has them; of two of one key the later counts."""
    given: dict[str, Given] = {}
    keys: set[str] = set()
    problems: list[ConfigProblem] = []
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        misuse = _misuse(key, value) if equals else _problem(key, value, EXAMPLE)
        if misuse is not None:
            problems.append(misuse)
            continue
        checker = Checker(ORIGIN)
        checker.check(_tree(key, Leaf(0, _value(key, value.strip()))))
        given |= checker.given
        keys |= checker.lines.keys()
        problems += [replace(problem, line=None) for problem in checker.problems]
    return Settings(given, frozenset(keys), tuple(problems))


def _misuse(key: str, value: str) -> ConfigProblem | None:
    """Return what is wrong with a setting whatever its value is, or None."""
    parts = key.split(".")
    if not all(parts) or len(parts) > PARTS_MAX:
        return _problem(key, value, EXAMPLE)
    if parts[0] == "instruments":
        return _problem(key, value, "a key of another table: instruments are listed in a file")
    if _type_of(key) is Secret:
        return _problem(
            key, value, "its variable in .env: every user of the machine sees a command line"
        )
    return None


def _problem(key: str, value: str, expected: str) -> ConfigProblem:
    shown = render_unknown(key, value) if value else ""
    return ConfigProblem(file=ORIGIN, key=f"--set {key[:60]}", value=shown, expected=expected)


def _value(key: str, text: str) -> RawValue:
    """Return a value: the text itself where the key takes texts, else what TOML reads."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value: RawValue = parsed["value"]
    if len(parsed) > 1 or (not isinstance(value, str) and _takes_text(key, text)):
        return text
    return value


def _takes_text(key: str, text: str) -> bool:
    hint = _type_of(key)
    if hint is None:
        return False
    try:
        msgspec.convert(text, type=hint, dec_hook=to_secret)
    except msgspec.ValidationError:
        return False
    return True


def _type_of(key: str) -> Any:
    """Return the declared type of a fixed key, older names included, or None."""
    return type_of(OLDER_NAMES.get(key, key)) if key in known_keys() else None


def _tree(key: str, leaf: Leaf) -> TableNode:
    node: Node = leaf
    for part in reversed(key.split(".")):
        node = TableNode(0, {part: node})
    return node if isinstance(node, TableNode) else TableNode(0)
