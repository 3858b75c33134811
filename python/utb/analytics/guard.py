"""What a reader may ask: one SELECT-like statement over tables, and nothing beyond the store.

The engine's own `readonly = 1` refuses inserts, DDL, settings and the table functions that reach
outside. It does not refuse, and this does: the scalar function `file`, which reads any file and may
be passed without a call (`arrayMap(file, ...)`), `INTO OUTFILE`, which writes one, `DESCRIBE` of a
file, `KILL QUERY`, several statements in one text, and a query without SELECT.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from utb.analytics.closed import (
    REACHING,
    REACHING_PREFIXES,
    SYSTEM_TABLES,
    TABLE_FUNCTIONS,
)
from utb.analytics.lexer import Kind, Token, UnclearError, tokens

QUERY_LENGTH_MAX: Final = 256 * 1024

_WORD: Final = re.compile(r"[\s(]*([A-Za-z_]+)")
_WORD_SHOWN_MAX: Final = 32
_FIRST: Final = ("SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "FROM")
_SYSTEM: Final = "system"
DEFAULT: Final = "default"
"""The embedded engine's own database: a view of the file system. Readers get ours instead."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*){0,2}\Z")

_PLACEHOLDER: Final = 4
"""Tokens of `{name:Identifier` before the brace that closes it."""
_SHOWN_HOW: Final = ("FULL", "EXTENDED", "TEMPORARY")
_SHOWN: Final = (
    *("DATABASES", "TABLES", "COLUMNS", "INDEXES", "FUNCTIONS", "ENGINES", "SETTINGS"),
    *("FIELDS", "INDEX", "INDICES", "KEYS"),
)
_SHOWN_TOLD: Final = 7
"""The others are second names."""
_SHOWN_MADE: Final = ("TABLE", "VIEW", "DATABASE")

READONLY: Final = 164
SYNTAX_ERROR: Final = 62
QUERY_IS_TOO_LARGE: Final = 552
BAD_ARGUMENTS: Final = 36


class DeniedError(Exception):
    """A query that is not run; `code` is ClickHouse's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Admitted(msgspec.Struct, frozen=True):
    """A query that may be run."""

    query: str
    """Without a closing semicolon."""
    format: str | None
    """Of its own FORMAT clause."""


def admit(query: str, parameters: Mapping[str, str]) -> Admitted:
    """Return a reader's query if it may be run.

    Args:
        query: The text.
        parameters: Values of its `{name:Type}` placeholders, by name.

    Raises:
        DeniedError: If it may not.
    """
    if len(query) > QUERY_LENGTH_MAX:
        raise DeniedError(
            QUERY_IS_TOO_LARGE, f"the query has {len(query)} characters, at most {QUERY_LENGTH_MAX}"
        )
    check_first_word(query)
    if "\0" in query:
        raise DeniedError(SYNTAX_ERROR, "the query holds a zero byte")
    try:
        found = list(tokens(query))
    except UnclearError as error:
        raise DeniedError(SYNTAX_ERROR, f"the query cannot be read {error}") from error
    while found and found[-1] == Token(Kind.SIGN, ";"):
        found.pop()
    if not found:
        raise DeniedError(SYNTAX_ERROR, "the query is empty")
    _one_statement(found)
    _check_show(found)
    named = _with_names(found, parameters)
    for index, token in enumerate(named):
        _check_name(named, index, token)
    _check_clauses(named)
    return Admitted(query.rstrip().rstrip(";").rstrip(), _format(found))


def check_first_word(query: str) -> None:
    """Refuse a statement by its first word, whatever data may follow it.

    Raises:
        DeniedError: If it begins with a word, and that is none of a reader's.
    """
    match = _WORD.match(query)
    if match is not None and match.group(1).upper() not in _FIRST:
        raise DeniedError(
            READONLY,
            "readers may use SELECT, WITH, SHOW, DESCRIBE, EXISTS and EXPLAIN, "
            f"not {match.group(1)[:_WORD_SHOWN_MAX]!r}",
        )


def _one_statement(found: Sequence[Token]) -> None:
    if Token(Kind.SIGN, ";") in found:
        raise DeniedError(READONLY, "one statement at a time")
    first = next((token for token in found if token.text != "("), found[0])
    if not first.is_word(*_FIRST):
        raise DeniedError(READONLY, f"a statement of a reader does not begin with {first.text!r}")


def _check_name(found: Sequence[Token], index: int, token: Token) -> None:
    if not token.is_name:
        return
    name = token.text.lower()
    called = index + 1 < len(found) and found[index + 1].text == "("
    after_dot = index > 0 and found[index - 1].text == "."
    if not after_dot and (name in REACHING or (called and _reaches(name))):
        raise DeniedError(READONLY, f"{token.text} is not for readers: it reaches beyond the store")
    if token.kind is Kind.QUOTED and "/" in token.text:
        raise DeniedError(READONLY, "a name with a slash would be a file")
    if after_dot and index > 1 and found[index - 2].text.lower() == _SYSTEM:
        _check_system(name)
    if (
        name == DEFAULT
        and not after_dot
        and index + 1 < len(found)
        and found[index + 1].text == "."
    ):
        raise DeniedError(READONLY, "the database default is not for readers")


def _reaches(name: str) -> bool:
    return name in TABLE_FUNCTIONS or name.startswith(REACHING_PREFIXES)


def _check_system(table: str) -> None:
    if table not in SYSTEM_TABLES:
        raise DeniedError(READONLY, f"system.{table} is not for readers")


def _check_clauses(found: Sequence[Token]) -> None:
    for index, (token, after) in enumerate(pairwise(found)):
        if token.is_word("INTO") and after.is_word("OUTFILE"):
            raise DeniedError(READONLY, "INTO OUTFILE is not for readers")
        if token.is_word("SETTINGS") and _assigns(found, index):
            raise DeniedError(READONLY, "readers cannot change settings")
        if token.is_word("DESCRIBE", "DESC", "TABLE") and after.kind is Kind.STRING:
            raise DeniedError(READONLY, "a text in the place of a table would be a file")
        if token.is_word("PARALLEL") and after.is_word("WITH"):
            raise DeniedError(READONLY, "one statement at a time")


def _assigns(found: Sequence[Token], index: int) -> bool:
    return index + 2 < len(found) and found[index + 1].is_name and found[index + 2].text == "="


def _with_names(found: Sequence[Token], parameters: Mapping[str, str]) -> list[Token]:
    """Return the tokens with the names in the place of the placeholders that stand for them.

    The engine puts them there, so `system.{t:Identifier}` is judged as the table it will be.

    Raises:
        DeniedError: If a value is no name, or the placeholder cannot be read with certainty.
    """
    named: list[Token] = []
    for index, token in enumerate(found):
        if not _ends_placeholder(found, index):
            named.append(token)
            continue
        start = found[max(index - _PLACEHOLDER, 0)]
        name = found[max(index - _PLACEHOLDER + 1, 0)]
        if start.text != "{" or name.kind is not Kind.NAME:
            raise DeniedError(SYNTAX_ERROR, "the name of an Identifier begins with a letter or _")
        del named[-_PLACEHOLDER:]
        named += _named(name.text, parameters.get(name.text, ""))
    return named


def _ends_placeholder(found: Sequence[Token], index: int) -> bool:
    """Return whether the closing brace of `{name:Identifier}` is here."""
    if found[index].text != "}" or index < 2:  # noqa: PLR2004 - colon and type stand before it
        return False
    colon, kind = found[index - 2 : index]
    return colon.text == ":" and kind.is_name and kind.text.upper() == "IDENTIFIER"


def _named(name: str, value: str) -> list[Token]:
    """Return the tokens of a value that stands for a name."""
    if not _IDENTIFIER.match(value):
        raise DeniedError(
            BAD_ARGUMENTS, f"parameter {name} is not a name: letters, digits, _ and dots"
        )
    parts = value.split(".")
    last = parts[-1].lower()
    if last in REACHING or _reaches(last):
        raise DeniedError(READONLY, f"{value} is not for readers: it reaches beyond the store")
    if value.lower() in {_SYSTEM, DEFAULT}:
        raise DeniedError(READONLY, f"the database {value} is not for readers")
    dotted = [(Token(Kind.SIGN, "."), Token(Kind.QUOTED, part)) for part in parts]
    return [token for pair in dotted for token in pair][1:]


def _check_show(found: Sequence[Token]) -> None:
    """Refuse a SHOW of anything but databases, tables and what they are made of.

    The engine takes SHOW for a statement at its very beginning only.
    """
    words = [token for token in found if token.text != "("]
    if not words[0].is_word("SHOW"):
        return
    about = next((word for word in words[1:] if not word.is_word(*_SHOWN_HOW)), words[0])
    if about.is_word("CREATE"):
        after = words[words.index(about) + 1 :]
        if after and after[0].is_word(*_SHOWN_MADE):
            return
    elif about.is_word(*_SHOWN):
        return
    raise DeniedError(
        READONLY,
        f"readers may SHOW {', '.join(_SHOWN[:_SHOWN_TOLD])} and "
        f"CREATE {' or '.join(_SHOWN_MADE)}, nothing else",
    )


def check_database(name: str) -> None:
    """Check the database a query's bare names are looked up in.

    Raises:
        DeniedError: If it is no name, or one whose tables are named one by one.
    """
    if not _IDENTIFIER.match(name) or "." in name:
        raise DeniedError(BAD_ARGUMENTS, "the database is not a name: letters, digits and _")
    if name.lower() == _SYSTEM:
        raise DeniedError(READONLY, "name the tables of system in full, as in system.tables")


def _format(found: Sequence[Token]) -> str | None:
    """Return the format of a closing FORMAT clause."""
    if len(found) > 2 and found[-2].is_word("FORMAT") and found[-1].kind is Kind.NAME:  # noqa: PLR2004 - a statement, then the clause
        return found[-1].text
    return None
