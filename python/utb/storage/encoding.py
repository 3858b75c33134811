"""Canonical bytes of a record, and the hash over a journal."""

import hashlib
from collections.abc import Callable, Iterable

import msgspec

from utb.domain.records import FeedState, OperatorState, Record

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """Return the record's MessagePack map: its tag, then its fields in declared order."""
    return _encoder.encode(record)


def decode_record(payload: bytes) -> Record:
    """Return the record of `encode_record`'s bytes.

    Raises:
        msgspec.DecodeError: If the bytes are no record.
    """
    return _decoder.decode(payload)


def is_hashed(record: Record) -> bool:
    """Return whether a record belongs to `journal_hash`: feed and start/stop records do not."""
    # By exact type: `isinstance` of a struct takes five times as long when it says no
    if type(record) is OperatorState:
        return not record.lifecycle
    return type(record) is not FeedState


class JournalHash:
    """SHA-256 over the canonical bytes of every hashed record, in order."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.add: Callable[[bytes], None] = self._digest.update
        """Add one record's canonical bytes; MessagePack maps mark their own ends."""

    def hexdigest(self) -> str:
        """Return the hash so far."""
        return self._digest.hexdigest()


def hash_records(records: Iterable[Record]) -> str:
    """Return the `journal_hash` of a whole sequence of records."""
    total = JournalHash()
    for record in records:
        if is_hashed(record):
            total.add(encode_record(record))
    return total.hexdigest()
