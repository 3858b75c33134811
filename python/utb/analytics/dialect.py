"""ClickHouse's HTTP dialect: what a request asks for, and how answers and errors look."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from lz4.frame import LZ4FrameDecompressor

from utb.analytics.guard import DeniedError, check_first_word

BODY_BYTES_MAX: Final = 1024 * 1024
PARAMETERS_MAX: Final = 256
ACCESS_DENIED: Final = 497
AUTHENTICATION_FAILED: Final = 516
NOT_IMPLEMENTED: Final = 48
INCORRECT_DATA: Final = 117
_HEAD_BYTES: Final = 256
_GZIP_WINDOW: Final = 32 + zlib.MAX_WBITS
"""zlib's way to say: a gzip or zlib header, whichever is there."""

_NAMES: Final = {
    36: "BAD_ARGUMENTS",
    48: "NOT_IMPLEMENTED",
    62: "SYNTAX_ERROR",
    117: "INCORRECT_DATA",
    164: "READONLY",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    396: "TOO_MANY_ROWS_OR_BYTES",
    497: "ACCESS_DENIED",
    516: "AUTHENTICATION_FAILED",
    552: "QUERY_IS_TOO_LARGE",
}
_STATUS: Final = {
    **dict.fromkeys((36, 41, 43, 53, 62, 70, 72, 117, 386, 457, 560), 400),
    **dict.fromkeys((46, 47, 50, 56, 60, 63, 81, 115), 404),
    48: 501,
    159: 408,
    202: 503,
    497: 403,
    516: 401,
    552: 413,
}
"""ClickHouse's own statuses by exception code; 500 for the others, READONLY included.

Source: `exceptionCodeToHTTPStatus` of ClickHouse.
"""
_TYPES: Final = {
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "TabSeparatedWithNames": "text/tab-separated-values; charset=UTF-8; header=present",
    "TSVWithNames": "text/tab-separated-values; charset=UTF-8; header=present",
    "TabSeparatedWithNamesAndTypes": "text/tab-separated-values; charset=UTF-8; header=present",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "CSVWithNamesAndTypes": "text/csv; charset=UTF-8; header=present",
    "XML": "application/xml; charset=UTF-8",
    "Native": "application/octet-stream",
    "RowBinary": "application/octet-stream",
    "RowBinaryWithNamesAndTypes": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a query."""

    query: str
    parameters: dict[str, str]
    format: str
    """Where the query names none."""
    database: str | None
    query_id: str
    gzip: bool
    """Whether the answer may be compressed."""


def asked(query_string: bytes, headers: Mapping[str, str], body: bytes) -> Asked:
    """Return what a request asks for; settings among its parameters are left out.

    Args:
        query_string: Of the URL, as sent.
        headers: By lower-case name.
        body: As sent.

    Raises:
        DeniedError: If it cannot be read.
    """
    try:
        pairs = parse_qsl(
            query_string.decode(),
            keep_blank_values=True,
            max_num_fields=PARAMETERS_MAX,
            errors="strict",
        )
        url = dict(pairs)
        data = plain(body, headers.get("content-encoding", ""))
        # An INSERT is refused as what it is, not for the data that follow it
        check_first_word(url.get("query") or data[:_HEAD_BYTES].decode("latin-1"))
        text = data.decode()
    except (UnicodeDecodeError, ValueError) as error:
        raise DeniedError(
            INCORRECT_DATA, f"UTF-8, and at most {PARAMETERS_MAX} parameters, are expected"
        ) from error
    if headers.get("content-type", "").startswith("multipart/"):
        raise DeniedError(NOT_IMPLEMENTED, "the query goes into the URL or the body, not a form")
    prefix = "param_"
    accepted = headers.get("accept-encoding", "").lower()
    return Asked(
        query="\n".join(part for part in (url.get("query", ""), text) if part),
        parameters={
            name.removeprefix(prefix): value
            for name, value in url.items()
            if name.startswith(prefix)
        },
        format=headers.get("x-clickhouse-format") or url.get("default_format") or "TabSeparated",
        database=url.get("database") or headers.get("x-clickhouse-database"),
        query_id=url.get("query_id", ""),
        gzip="gzip" in accepted and url.get("enable_http_compression", "0") == "1",
    )


def plain(body: bytes, encoding: str) -> bytes:
    """Return a request's body without its compression.

    Raises:
        DeniedError: If it is compressed in another way, damaged or too long.
    """
    if encoding in {"", "identity"} or not body:
        return body
    if encoding not in {"gzip", "deflate", "lz4"}:
        raise DeniedError(
            NOT_IMPLEMENTED, f"a body in {encoding[:20]!r}; gzip, deflate and lz4 are read"
        )
    # Both stop at the length given, whatever a few bytes claim to unfold to
    stream: Any = LZ4FrameDecompressor() if encoding == "lz4" else zlib.decompressobj(_GZIP_WINDOW)
    try:
        text: bytes = stream.decompress(body, BODY_BYTES_MAX)
    except (zlib.error, RuntimeError) as error:
        raise DeniedError(INCORRECT_DATA, "the body is not compressed as it says") from error
    if not stream.eof:
        raise DeniedError(INCORRECT_DATA, f"a body cut short or above {BODY_BYTES_MAX} bytes")
    return text


def key_of(headers: Mapping[str, str]) -> str | None:
    """Return the key a request shows: in a header of its own, or as basic or bearer auth."""
    if key := headers.get("x-clickhouse-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def status_of(code: int) -> int:
    """Return the HTTP status of an exception code."""
    return _STATUS.get(code, 500)


def error_text(code: int, message: str) -> str:
    """Return an error of ours as the engine would say it."""
    return f"Code: {code}. DB::Exception: {message}. ({_NAMES.get(code, 'ERROR')})\n"


def content_type(format_: str) -> str:
    """Return the media type of a format."""
    if format_ in _TYPES:
        return _TYPES[format_]
    kind = "application/json" if format_.startswith("JSON") else "text/plain"
    return f"{kind}; charset=UTF-8"
