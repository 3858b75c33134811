"""Static files of the package, kept in memory."""

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

import msgspec

FILES_MAX: Final = 200
FILE_BYTES_MAX: Final = 8 * 1024 * 1024
TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "ico": "image/x-icon",
    "js": "text/javascript",
    "json": "application/json",
    "map": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
"""Media types by ending; texts get their character set when they are answered."""


class File(msgspec.Struct, frozen=True):
    """One file."""

    body: bytes
    media_type: str
    etag: str


def load(package: str, folder: str = "") -> dict[str, File]:
    """Return the files below a folder of a package by relative path; absent = empty.

    Only the endings of `TYPES` are served, so that no source is.
    """
    root = resources.files(package)
    if folder:
        root = root / folder
    found: dict[str, File] = {}
    if root.is_dir():
        _walk(root, "", found)
    return found


def _walk(folder: Traversable, prefix: str, found: dict[str, File]) -> None:
    for entry in folder.iterdir():
        if len(found) >= FILES_MAX:
            return
        name = f"{prefix}{entry.name}"
        kind = TYPES.get(entry.name.rpartition(".")[2])
        if entry.is_dir() and not entry.name.startswith(("_", ".")):
            _walk(entry, f"{name}/", found)
        elif entry.is_file() and kind is not None:
            body = entry.read_bytes()
            if len(body) <= FILE_BYTES_MAX:
                digest = hashlib.sha256(body).hexdigest()[:32]
                found[name] = File(body, kind, f'"{digest}"')
