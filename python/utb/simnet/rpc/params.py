"""Parameters of a call, read with the words a node has for what is wrong."""

import base64
import binascii
from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet import base58
from utb.simnet.rpc.errors import RpcError, invalid_params

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
U64_MAX: Final = 2**64 - 1
_COMMITMENTS: Final = {
    **{one.value: one for one in Commitment},
    # Names of the first years, which clients still send.
    "recent": Commitment.PROCESSED,
    "single": Commitment.CONFIRMED,
    "singleGossip": Commitment.CONFIRMED,
    "root": Commitment.FINALIZED,
    "max": Commitment.FINALIZED,
}


class Options:
    """The object of options that is a call's last parameter."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def get(self, name: str) -> Any:
        """Return a value as it came; None where it did not."""
        return self._values.get(name)

    def commitment(
        self, default: Commitment = Commitment.FINALIZED, *, name: str = "commitment"
    ) -> Commitment:
        """Return the commitment that is asked for.

        Raises:
            RpcError: If it is none.
        """
        told = self._values.get(name)
        if told is None:
            return default
        found = _COMMITMENTS.get(told) if isinstance(told, str) else None
        if found is None:
            expected = "`processed`, `confirmed` or `finalized`"
            raise invalid_params(f"Invalid params: unknown {name} `{told}`, expected {expected}")
        return found

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth.

        Raises:
            RpcError: If it is none.
        """
        told = self._values.get(name)
        if told is None:
            return default
        if not isinstance(told, bool):
            raise invalid_params(f"Invalid params: invalid type for {name}, expected a boolean")
        return told

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Return a number from 0 to 2^64 - 1, or the default.

        Raises:
            RpcError: If it is none.
        """
        told = self._values.get(name)
        return default if told is None else _integer(told, name)

    def choice(self, name: str, default: str, *known: str) -> str:
        """Return one of some words.

        Raises:
            RpcError: If it is none of them.
        """
        told = self._values.get(name)
        if told is None:
            return default
        if told not in known:
            expected = ", ".join(f"`{one}`" for one in known)
            words = f"Invalid params: unknown variant `{told}`, expected one of {expected}"
            raise invalid_params(words)
        return str(told)

    def object(self, name: str) -> "Options | None":
        """Return an object within, or None.

        Raises:
            RpcError: If it is none.
        """
        told = self._values.get(name)
        if told is None:
            return None
        if not isinstance(told, dict):
            raise invalid_params(f"Invalid params: invalid type for {name}, expected an object")
        return Options(told)


class Params:
    """The parameters of one call, by place."""

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def at(self, index: int) -> Any:
        """Return a parameter as it came; None where there is none."""
        return self._values[index] if index < len(self._values) else None

    def key(self, index: int) -> str:
        """Return an address.

        Raises:
            RpcError: If it is none.
        """
        return key_of(self._needed(index))

    def signature(self, index: int) -> str:
        """Return a signature.

        Raises:
            RpcError: If it is none.
        """
        return signature_of(self._needed(index))

    def text(self, index: int) -> str:
        """Return a text.

        Raises:
            RpcError: If it is none.
        """
        told = self._needed(index)
        if not isinstance(told, str):
            raise invalid_params("Invalid params: invalid type: expected a string")
        return told

    def integer(self, index: int) -> int:
        """Return a number from 0 to 2^64 - 1.

        Raises:
            RpcError: If it is none.
        """
        return _integer(self._needed(index), "parameter")

    def several(self, index: int, most: int) -> list[Any]:
        """Return a list of at most so many.

        Raises:
            RpcError: If it is none, or longer.
        """
        told = self._needed(index)
        if not isinstance(told, list):
            raise invalid_params("Invalid params: invalid type: expected a sequence")
        if len(told) > most:
            raise invalid_params(f"Too many inputs provided; max {most}")
        return told

    def options(self, index: int) -> Options:
        """Return the options at a place; empty where there are none.

        Raises:
            RpcError: If there is something else.
        """
        told = self.at(index)
        if told is None:
            return Options({})
        # A bare commitment stood here before there were options.
        if isinstance(told, str) and told in _COMMITMENTS:
            return Options({"commitment": told})
        if not isinstance(told, dict):
            raise invalid_params("Invalid params: invalid type: expected an object of options")
        return Options(told)

    def _needed(self, index: int) -> Any:
        told = self.at(index)
        if told is None:
            raise invalid_params(f"`params` should have at least {index + 1} argument(s)")
        return told


def key_of(told: Any) -> str:
    """Return the address a text is.

    Raises:
        RpcError: If it is none.
    """
    return _sized(told, KEY_BYTES)


def signature_of(told: Any) -> str:
    """Return the signature a text is.

    Raises:
        RpcError: If it is none.
    """
    return _sized(told, SIGNATURE_BYTES)


def wire_bytes(told: str, encoding: str, *, most: int) -> bytes:
    """Return the bytes of a transaction or message as it is sent.

    Args:
        told: The text.
        encoding: base58 or base64.
        most: Longest that is taken, bytes.

    Raises:
        RpcError: If the text is not in the encoding, or too long.
    """
    # Sizes of the longest in each, as a node names them.
    longest = 1683 if encoding == "base58" else 1644
    what = f"{encoding} encoded solana_transaction::versioned::VersionedTransaction"
    if len(told) > longest:
        raise invalid_params(
            f"{what} too large: {len(told)} bytes (max: encoded/raw {longest}/{most})"
        )
    try:
        raw = base58.decode(told) if encoding == "base58" else base64.b64decode(told, validate=True)
    except (ValueError, binascii.Error) as error:
        raise invalid_params(f"invalid {encoding} encoding: {error}") from error
    if len(raw) > most:
        raise invalid_params(f"decoded {what} too large: {len(raw)} bytes (max: {most} bytes)")
    return raw


def _sized(told: Any, length: int) -> str:
    # A letter is more than 0.73 bytes: longer texts are not worth the decoding.
    if not isinstance(told, str) or len(told) > length * 2:
        raise invalid_params("Invalid param: WrongSize")
    try:
        size = len(base58.decode(told))
    except ValueError as error:
        raise invalid_params("Invalid param: Invalid") from error
    if size != length:
        raise invalid_params("Invalid param: WrongSize")
    return told


def _integer(told: Any, name: str) -> int:
    if not isinstance(told, int) or isinstance(told, bool) or not 0 <= told <= U64_MAX:
        raise RpcError(-32602, f"Invalid params: invalid value for {name}: {told}, expected u64")
    return told
