"""The effective configuration as rows: key, value, origin; secrets masked."""

from collections.abc import Iterator

import msgspec

from utb.config.load import Loaded
from utb.config.schema import Secret
from utb.config.secrets import Secrets
from utb.config.values import MASK, mask_url

Shown = str | int | float | bool | list[float | str] | None


class Row(msgspec.Struct, frozen=True):
    """One value as a user sees it."""

    key: str
    value: Shown
    origin: str


def rows(loaded: Loaded) -> list[Row]:
    """Return every effective value in the order of the schema."""
    return [
        Row(key, value, loaded.origin(key.partition("[")[0]))
        for key, value in _flat(loaded.config, "")
    ]


def secrets_set(secrets: Secrets) -> dict[str, bool]:
    """Return for every secret variable whether it is set."""
    return {name.upper(): getattr(secrets, name) is not None for name in secrets.__struct_fields__}


def _flat(value: object, key: str) -> Iterator[tuple[str, Shown]]:
    prefix = f"{key}." if key else ""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _flat(getattr(value, name), prefix + name)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(item, prefix + name)
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        for index, item in enumerate(value):
            yield from _flat(item, f"{key}[{index}]")
    else:
        yield key, _shown(value)


def _shown(value: object) -> Shown:
    if isinstance(value, Secret):
        return MASK if value else ""
    if isinstance(value, str):
        return mask_url(value)
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else float(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)
