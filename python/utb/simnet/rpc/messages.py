"""Messages of transactions: legacy ones and version 0."""

from solders.message import Message, MessageV0
from solders.transaction import VersionedTransaction

AnyMessage = Message | MessageV0


def message_of(raw: bytes) -> AnyMessage:
    """Return the message of a transaction, signed or not.

    Raises:
        ValueError: If it is none, or of another version.
    """
    message = VersionedTransaction.from_bytes(raw).message
    if not isinstance(message, Message | MessageV0):
        raise ValueError("transaction version is not supported, expected 0 or legacy")  # noqa: TRY004 - of bytes
    return message


def writable(message: AnyMessage, index: int) -> bool:
    """Return whether a message may write to one of its static accounts."""
    header, count = message.header, len(message.account_keys)
    signers = header.num_required_signatures
    if index < signers:
        return index < signers - header.num_readonly_signed_accounts
    return index < count - header.num_readonly_unsigned_accounts
