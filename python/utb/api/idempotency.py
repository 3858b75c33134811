"""`Idempotency-Key`: the same request twice is one command."""

from collections import OrderedDict
from typing import Any, Final

from litestar import Request

from utb.api.errors import ApiError, Code, invalid

KEY_CHARS_MAX: Final = 64
REQUESTS_KEPT: Final = 1_024


def key_of(request: Request[Any, Any, Any]) -> str | None:
    """Return the request's idempotency key.

    Raises:
        ApiError: If it is empty or too long.
    """
    key = request.headers.get("idempotency-key")
    if key is not None and not 1 <= len(key) <= KEY_CHARS_MAX:
        raise invalid("Idempotency-Key", key, f"1 to {KEY_CHARS_MAX} characters")
    return key


class Requests:
    """Remembers what each command id was asked for, and which position that meant."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._positions: dict[str, int | None] = {}

    def check(self, command_id: str, body: bytes) -> None:
        """Remember a request.

        Raises:
            ApiError: If the id came before with another body.
        """
        before = self._bodies.setdefault(command_id, body)
        if before != body:
            message = "This idempotency key was used for another request"
            raise ApiError(Code.CONFLICT, message, {"field": "Idempotency-Key"})
        while len(self._bodies) > REQUESTS_KEPT:
            oldest, _ = self._bodies.popitem(last=False)
            self._positions.pop(oldest, None)

    def position(self, command_id: str, found: int | None) -> int | None:
        """Return the position a command is about: of a repeat the one it was about at first.

        Args:
            command_id: The command; one that was not checked is new.
            found: Id of the position its words mean now, None if there is none.
        """
        if command_id not in self._bodies:
            return found
        return self._positions.setdefault(command_id, found)
