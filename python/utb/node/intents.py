"""Intent ids: functions of what was decided, so that the same decision is the same intent."""

import hashlib

INTENT_HEX_DIGITS = 16


def intent_id(*identity: str | int | None) -> str:
    """Return the 16 hex digits that name an intent.

    The first 8 bytes of BLAKE2b over the parts of the decision's identity, each with its length,
    so that no two different identities run together to the same text.
    """
    texts = [str(part).encode() for part in identity]
    framed = b"".join([len(text).to_bytes(4, "big") + text for text in texts])
    return hashlib.blake2b(framed, digest_size=INTENT_HEX_DIGITS // 2).hexdigest()


def entry_intent_id(ts_ns: int, instrument: int, side: str, lead: int) -> str:
    """Return the id of an ensemble decision's order."""
    return intent_id("decision", ts_ns, instrument, side, lead)


def exit_intent_id(entry: str, reason: str, epoch: int, attempt: int) -> str:
    """Return the id of one attempt to reduce the position of an entry's intent.

    Positions are numbered anew in another state directory, their entries are not: an id that came
    again would find the guard account of the first one on the chain. The epoch counts the
    position's exits that came to an end, the attempt those tried within it.
    """
    return intent_id("exit", entry, reason, epoch, attempt)


def command_intent_id(command_id: str) -> str:
    """Return the id of a manual entry."""
    return intent_id("command", command_id)
