"""The signer of the core: its policy's configuration, key files, and signing itself.

The key enters the core once and never comes out; Python holds passphrases only, in buffers that
it wipes. Amounts are USDC raw (six decimals) or lamports.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from utb import _core
from utb.domain.chain import Program
from utb.engine.refusals import usage_error
from utb.ports.chain import NotSigned, SignClaim, Signed

Library = Literal["aws_lc", "dalek"]
"""Which library signs; their signatures are equal."""


class PinnedTable(msgspec.Struct, frozen=True, kw_only=True):
    """A lookup table whose contents the signer knows."""

    address: str
    addresses: tuple[str, ...]


class SignerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the policy; the caps hold for entries, exits and housekeeping each."""

    sol_usdc_raw_min: int
    """SOL that arrives counts this much."""
    sol_usdc_raw_max: int
    """SOL that leaves counts this much."""
    transaction_usdc_raw_max: int
    minute_usdc_raw_max: int
    day_usdc_raw_max: int
    transactions_per_minute_max: int
    fee_lamports_max: int
    """Base fee, priority fee and tip."""
    tip_lamports_max: int
    guard_lamports_max: int
    exit_attempts_max: int
    slippage_bps_max: int
    """Of the aggregator's instruction."""
    foreign_tables: bool
    """Whether tables that are not pinned may serve accounts that no rule judges."""


class SignerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What may be signed."""

    programs: tuple[Program, ...]
    usdc_mint: str
    mints: tuple[str, ...]
    """Mints that are traded, so that their accounts are known."""
    tables: tuple[PinnedTable, ...]
    tip_accounts: tuple[str, ...]
    limits: SignerLimits


class RefusalCode(msgspec.Struct, frozen=True):
    """A code of the policy's refusals."""

    name: str
    words: str
    is_rule: bool
    """False: the form of what was asked, which no test switches off."""


_ENCODE: Final = msgspec.json.Encoder().encode
_DEFINITIVE: Final = True


class CoreSigner:
    """Key, policy and record in one; not thread-safe."""

    def __init__(self, core: _core.Signer) -> None:
        """Wrap the core's signer; made by `throwaway_signer`, `seeded_signer`, `open_signer`."""
        self._core = core

    @property
    def public_key(self) -> str:
        """Return the wallet's address."""
        return self._core.address()

    @property
    def unencrypted(self) -> bool:
        """Return whether the key came from a plain file."""
        return self._core.plain

    @property
    def halted(self) -> bool:
        """Return whether the halt switch is on: only exits are signed."""
        return self._core.halted()

    def sign(self, message: bytes, claim: SignClaim, now_s: int) -> Signed | NotSigned:
        """Sign a message, or say why not; `now_s` is Unix time.

        What was signed before as the same bytes gets the same signature.
        """
        answer = self._core.sign(message, _ENCODE(claim), now_s)
        if isinstance(answer, bytes):
            return Signed(answer)
        code, text = answer
        return NotSigned(code=code, message=text, definitive=_DEFINITIVE)

    def halt(self) -> None:
        """Switch the halt on.

        Raises:
            UsageError: The switch cannot be made; it is on in memory all the same.
        """
        try:
            self._core.halt()
        except ValueError as error:
            raise usage_error(error) from error

    def reserve_ahead(self) -> None:
        """Write what the next signatures will need, so that they need not wait for the disk.

        Raises:
            UsageError: It cannot be written.
        """
        try:
            self._core.reserve_ahead()
        except ValueError as error:
            raise usage_error(error) from error

    def reserved(self) -> None:
        """Take into use what was reserved ahead: a flusher brought it to the disk."""
        self._core.reserved()

    def doubt(self) -> None:
        """Sign only exits from now on: the disk failed to take what was written.

        The next start counts everything that was reserved as used.
        """
        self._core.doubt()

    def flusher(self) -> Callable[[], None]:
        """Return what brings the record to the disk, and waits for it: for a thread of its own.

        It raises `UsageError` where the disk refuses.
        """
        flusher = self._core.flusher()

        def flush() -> None:
            try:
                flusher.sync()
            except ValueError as error:
                raise usage_error(error) from error

        return flush

    def close(self) -> None:
        """End the record, so that nothing reserved counts at the next start.

        Raises:
            UsageError: The disk refuses.
        """
        try:
            self._core.close()
        except ValueError as error:
            raise usage_error(error) from error


def throwaway_signer(policy: SignerPolicy) -> CoreSigner:
    """Return a signer with a new key that no file holds.

    Raises:
        UsageError: A field of the policy is not usable.
    """
    try:
        return CoreSigner(_core.Signer.generate(_ENCODE(policy)))
    except ValueError as error:
        raise usage_error(error) from error


def seeded_signer(seed: bytes, policy: SignerPolicy, *, library: Library = "aws_lc") -> CoreSigner:
    """Return a signer of a known key with a record in memory, for the stand-in chain and tests.

    Raises:
        UsageError: Not 32 bytes, or a field of the policy is not usable.
    """
    try:
        return CoreSigner(_core.Signer.from_seed(seed, _ENCODE(policy), library))
    except ValueError as error:
        raise usage_error(error) from error


def open_signer(  # noqa: PLR0913 - a file, what opens it, a policy, a place and its time
    path: Path,
    passphrase: bytearray | None,
    policy: SignerPolicy,
    *,
    directory: Path,
    uid: int,
    now_s: int,
    library: Library = "aws_lc",
) -> CoreSigner:
    """Open a key file and the record in `directory`; takes about a second for a keystore.

    Raises:
        UsageError: A file or directory is not safe, the passphrase is wrong, another signer holds
            the record, or a field of the policy is not usable.
    """
    try:
        core = _core.Signer.open(path, passphrase, _ENCODE(policy), directory, uid, now_s, library)
    except ValueError as error:
        raise usage_error(error) from error
    return CoreSigner(core)


def keystore_new(path: Path, passphrase: bytearray, uid: int) -> str:
    """Make a key and its encrypted file; return the address.

    Raises:
        UsageError: The passphrase is too short, the place is not safe, or the file exists.
    """
    try:
        return _core.keystore_new(path, passphrase, uid)
    except ValueError as error:
        raise usage_error(error) from error


def keystore_import(source: Path, path: Path, passphrase: bytearray, uid: int) -> str:
    """Encrypt a plain Solana key file into a new one; return the address.

    Raises:
        UsageError: As `keystore_new`, or the source is not safe or of another form.
    """
    try:
        return _core.keystore_import(source, path, passphrase, uid)
    except ValueError as error:
        raise usage_error(error) from error


def keystore_show(path: Path, uid: int) -> tuple[bool, str]:
    """Return whether a key file is encrypted, and its address.

    Raises:
        UsageError: The file is not safe or of no known form.
    """
    try:
        return _core.keystore_show(path, uid)
    except ValueError as error:
        raise usage_error(error) from error


def refusal_codes() -> tuple[RefusalCode, ...]:
    """Return every code a refusal can have."""
    return tuple(RefusalCode(*code) for code in _core.refusal_codes())


class Asked(msgspec.Struct, frozen=True):
    """One question to the policy."""

    message: bytes
    claim: SignClaim
    now_s: int


def policy_probe(
    wallet: bytes,
    policy: SignerPolicy,
    asked: Sequence[Asked],
    *,
    off: Sequence[str] = (),
    halted: bool = False,
) -> tuple[NotSigned | None, ...]:
    """Judge messages one after the other as a signer of `wallet` would; None: it would sign.

    There is no key here; `off` names rules that are switched off, to show that each is needed.

    Raises:
        UsageError: A field of the policy is not usable, or a rule is unknown.
    """
    questions = [(it.message, _ENCODE(it.claim), it.now_s) for it in asked]
    try:
        answers = _core.policy_probe(wallet, _ENCODE(policy), questions, list(off), halted)
    except ValueError as error:
        raise usage_error(error) from error
    return tuple(
        None if it is None else NotSigned(code=it[0], message=it[1], definitive=_DEFINITIVE)
        for it in answers
    )
