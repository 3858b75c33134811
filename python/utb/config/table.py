"""What every configuration table is: a frozen struct without defaults of its own."""

import functools
from typing import Any, get_type_hints

import msgspec


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; its defaults are the shipped template's values."""


@functools.cache
def fields_of(cls: type[Table]) -> dict[str, Any]:
    """Return the declared type of each field, ranges included, in the order of the schema."""
    return get_type_hints(cls, include_extras=True)


class Secret:
    """A text that shows nowhere: `reveal` is the only way to it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; only for the call that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret(***)" if self._text else "Secret(unset)"

    def __reduce__(self) -> tuple[type, tuple[str]]:
        raise TypeError("a secret is not pickled")
