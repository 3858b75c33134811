"""ClickHouse SQL cut into tokens, far enough to say what a reader's query does."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final

import msgspec


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    """Bare word: a keyword or a name."""
    QUOTED = "quoted"
    """Name in double quotes or backticks."""
    STRING = "string"
    NUMBER = "number"
    SIGN = "sign"


class Token(msgspec.Struct, frozen=True):
    """One token; of a quoted name the text is without its quotes."""

    kind: Kind
    text: str

    def is_word(self, *words: str) -> bool:
        """Return whether it is one of these bare words, in any case (`words` in capitals)."""
        return self.kind is Kind.NAME and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Return whether it may name something."""
        return self.kind in {Kind.NAME, Kind.QUOTED}


class UnclearError(Exception):
    """A text that cannot be cut with certainty."""


_TOKEN: Final = re.compile(
    r"""
    (?P<space>   [ \t\r\n\f\v]+ | --[^\n]* | \#[!\ ][^\n]* | /\*.*?\*/ )
  | (?P<heredoc> \$(?P<tag>\w*)\$ .*? \$(?P=tag)\$ )
  | (?P<string>  '(?:[^'\\]|\\.|'')*' )
  | (?P<quoted>  "(?:[^"\\]|"")*" | `(?:[^`\\]|``)*` )
  | (?P<number>  (?:0[xX][0-9a-fA-F]+ | [0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9]+)?) )
  | (?P<name>    [A-Za-z_][A-Za-z0-9_$]* )
  | (?P<sign>    /(?!\*) | [-+*%=<>!(){}\[\],.:;?|&^~@] )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_KINDS: Final = {
    "heredoc": Kind.STRING,
    "string": Kind.STRING,
    "quoted": Kind.QUOTED,
    "number": Kind.NUMBER,
    "name": Kind.NAME,
    "sign": Kind.SIGN,
}


def tokens(query: str) -> Iterator[Token]:
    """Yield the tokens of a query, comments left out.

    Raises:
        UnclearError: At a character that begins no token: an open quote, an escape inside a quoted
            name (the engine would read another name than we do), anything beyond ASCII outside
            quotes (the engine takes typographic quotes for quotes).
    """
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise UnclearError(f"at character {at + 1}: {query[at : at + 20]!r}")
        at = match.end()
        group = str(match.lastgroup)
        if group == "tag":
            group = "heredoc"
        if group == "space":
            continue
        kind = _KINDS[group]
        text = match.group()
        if kind is Kind.QUOTED:
            text = text[1:-1].replace(text[0] * 2, text[0])
        yield Token(kind, text)
