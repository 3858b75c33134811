"""An HTTP/1.1 answer, put together from what a socket brings; bounded."""

from typing import Final

import msgspec

HEAD_BYTES_MAX: Final = 16 * 1024
BODY_BYTES_MAX: Final = 64 * 1024

_END: Final = b"\r\n\r\n"
_LENGTH_DIGITS_MAX: Final = 8
_STATUS_PARTS: Final = 2


class Reply(msgspec.Struct, frozen=True):
    """A whole answer."""

    status: int
    body: bytes
    retry_after_s: float | None
    closing: bool
    """Whether the other side closes the connection after it."""


class BadReply(ValueError):  # noqa: N818 - an answer, not an error of ours
    """Not an answer, or too long; the text says which."""


class ReplyReader:
    """Reads one answer after another from a stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def begun(self) -> bool:
        """Return whether part of an answer is there."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> Reply | None:
        """Take bytes; return an answer when it is whole.

        Raises:
            BadReply: If this is no answer, or one beyond the limits.
        """
        self._buffer += data
        end = self._buffer.find(_END)
        if end < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadReply("the head of the answer does not end")
            return None
        status, headers = _head(bytes(self._buffer[:end]))
        if status in {204, 304}:
            body, used = b"", 0
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            found = _chunked(self._buffer, end + len(_END))
            if found is None:
                self._bound()
                return None
            body, used = found
        else:
            length = headers.get("content-length", "0")
            if not length.isdecimal() or len(length) > _LENGTH_DIGITS_MAX:
                raise BadReply("the answer has no readable length")
            used = int(length)
            if used > BODY_BYTES_MAX:
                raise BadReply(f"the answer is longer than {BODY_BYTES_MAX:,} bytes")
            body = bytes(self._buffer[end + len(_END) : end + len(_END) + used])
            if len(body) < used:
                return None
        del self._buffer[: end + len(_END) + used]
        wait = headers.get("retry-after", "")
        return Reply(
            status=status,
            body=body,
            retry_after_s=float(wait[:9]) if wait.isdecimal() and wait.isascii() else None,
            closing=headers.get("connection", "").lower() == "close",
        )

    def _bound(self) -> None:
        if len(self._buffer) > HEAD_BYTES_MAX + 2 * BODY_BYTES_MAX:
            raise BadReply(f"the answer is longer than {BODY_BYTES_MAX:,} bytes")


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise BadReply("the answer is not HTTP")
    headers = {}
    for line in lines:
        name, _, text = line.partition(":")
        headers[name.strip().lower()] = text.strip()
    return int(status), headers


def _chunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    """Return the body and how many bytes it takes; None: it is not whole yet."""
    body, at = bytearray(), start
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            return None
        try:
            size = int(bytes(buffer[at:line_end]).partition(b";")[0], 16)
        except ValueError:
            raise BadReply("a part of the answer has no readable length") from None
        if size < 0 or len(body) + size > BODY_BYTES_MAX:
            raise BadReply(f"the answer is longer than {BODY_BYTES_MAX:,} bytes")
        begin = line_end + 2
        if len(buffer) < begin + size + 2:
            return None
        body += buffer[begin : begin + size]
        at = begin + size + 2
        if size == 0:
            return bytes(body), at - start
