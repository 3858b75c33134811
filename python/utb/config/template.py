"""The shipped template: the defaults of every value, and their documentation."""

import copy
import functools
import tomllib
from importlib import resources
from typing import Any, Final

TEMPLATE_NAME: Final = "trading_template.toml"


@functools.cache
def text() -> str:
    """Return the template's text."""
    return (resources.files("utb.config") / TEMPLATE_NAME).read_text(encoding="utf-8")


def values() -> dict[str, Any]:
    """Return a fresh tree of the template's values."""
    return copy.deepcopy(_parsed())


@functools.cache
def _parsed() -> dict[str, Any]:
    return tomllib.loads(text())
