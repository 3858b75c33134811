"""Intent ids."""

import hashlib
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from utb.node.intents import entry_intent_id, exit_intent_id, intent_id


def test_intent_id_is_the_first_eight_bytes_of_blake2b() -> None:
    """The parts with their lengths, written out by hand."""
    text = b"\x00\x00\x00\x01a" + b"\x00\x00\x00\x0212"
    assert intent_id("a", 12) == hashlib.blake2b(text, digest_size=8).hexdigest()
    assert len(intent_id("a", 12)) == 16


@given(st.lists(st.text(max_size=4), max_size=4), st.lists(st.text(max_size=4), max_size=4))
def test_intent_id_tells_identities_apart(one: list[str], other: list[str]) -> None:
    assert (intent_id(*one) == intent_id(*other)) == (one == other)


def test_exit_attempts_and_epochs_are_different_intents() -> None:
    entries, epochs, attempts = ("aa", "bb"), range(3), range(4)
    every = product(entries, epochs, attempts)
    ids = {exit_intent_id(entry, "STOP", epoch, attempt) for entry, epoch, attempt in every}
    assert len(ids) == 24


def test_entry_of_the_same_decision_is_the_same_intent() -> None:
    assert entry_intent_id(5, 1, "BUY", 2) == entry_intent_id(5, 1, "BUY", 2)
    assert entry_intent_id(5, 1, "BUY", 2) != entry_intent_id(6, 1, "BUY", 2)
