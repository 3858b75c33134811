"""A type of the schema in words: `number > 0 and <= 1`."""

from typing import Literal, get_args, get_origin

from msgspec import inspect


def expected(hint: object) -> str:
    """Return what a value of this type must be."""
    closed = choices(hint)
    if closed:
        return "one of " + ", ".join(f'"{value}"' for value in closed)
    return _words(inspect.type_info(hint))


def choices(hint: object) -> tuple[str, ...]:
    """Return the allowed texts of a closed set in the order of the schema, or nothing."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    for part in get_args(hint):
        if get_origin(part) is Literal:
            return get_args(part)
    return ()


def _words(info: inspect.Type) -> str:
    if isinstance(info, inspect.Metadata):
        described = (info.extra_json_schema or {}).get("description")
        return str(described) if described else _words(info.type)
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, (inspect.IntType, inspect.FloatType)):
        return _bounded(info)
    if isinstance(info, inspect.LiteralType):
        return " or ".join(f'"{value}"' for value in info.values)
    if isinstance(info, inspect.VarTupleType):
        return f"a list of {_length(info)}, each {_words(info.item_type)}"
    return "text"


def _length(info: inspect.VarTupleType) -> str:
    low, high = info.min_length or 0, info.max_length
    if low == high:
        return f"{low} items"
    return f"{low} to {high} items" if low else f"at most {high} items"


def _bounded(info: inspect.IntType | inspect.FloatType) -> str:
    noun = "integer" if isinstance(info, inspect.IntType) else "number"
    bounds = ((">", info.gt), (">=", info.ge), ("<", info.lt), ("<=", info.le))
    words = [f"{sign} {bound:,}".removesuffix(".0") for sign, bound in bounds if bound is not None]
    return f"{noun} {' and '.join(words)}".rstrip()
