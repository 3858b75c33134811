"""The signer in the trading process: for paper trading, the demo and tests."""

from collections.abc import Callable

from utb.engine.signer import CoreSigner
from utb.ports.chain import NotSigned, SignClaim, Signed


class InProcessSigner:
    """Signs at once, by the same code and policy as the process."""

    def __init__(self, signer: CoreSigner, now_s: Callable[[], int]) -> None:
        """Sign with `signer`; `now_s` is Unix time."""
        self._signer = signer
        self._now_s = now_s

    @property
    def public_key(self) -> str:
        """Return the wallet's address."""
        return self._signer.public_key

    def sign(
        self, message: bytes, claim: SignClaim, done: Callable[[Signed | NotSigned], None]
    ) -> None:
        """Sign, and call `done` before returning."""
        done(self._signer.sign(message, claim, self._now_s()))
