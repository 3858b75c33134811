"""Signatures of both libraries against solders, over everything that may be signed."""

from typing import get_args

import pytest
from legal_corpus import LEGAL, Legal
from wallet_world import NOW_S, POLICY, WALLET_KEY

from utb.engine.signer import Library, seeded_signer
from utb.ports.chain import Signed


@pytest.mark.parametrize("legal", LEGAL, ids=lambda legal: legal.name)
def test_libraries_sign_alike(legal: Legal) -> None:
    expected = Signed(bytes(WALLET_KEY.sign_message(legal.message)))
    for library in get_args(Library):
        signer = seeded_signer(bytes(range(32)), POLICY, library=library)
        assert signer.sign(legal.message, legal.claim, NOW_S) == expected
