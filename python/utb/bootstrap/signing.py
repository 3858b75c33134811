"""`utb sign`: the signer's process put together, and the policy of a configuration."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Final

import msgspec
import structlog
import uvloop

from utb.adapters.chain.tips import TIP_ACCOUNTS
from utb.adapters.clocks import SystemClock
from utb.bootstrap.loglines import log_lines
from utb.config.load import Loaded
from utb.config.schema import Config
from utb.domain.chain import WRAPPED_SOL_MINT, Program
from utb.domain.signing import SOCKET_NAME
from utb.engine.signer import (
    CoreSigner,
    PinnedTable,
    SignerLimits,
    SignerPolicy,
    open_signer,
)
from utb.errors import UsageError
from utb.signing.hardening import keep_memory_private
from utb.signing.passphrase import wipe
from utb.signing.server import SignerServer, listening
from utb.storage.lock import StateLock

log = structlog.get_logger()

USDC_RAW: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
RECORD_DIR: Final = "signer"
HALT_FILE: Final = "halted"
_OWNER_ONLY: Final = 0o700


class SignOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says; the passphrase is wiped after use."""

    state_dir: Path
    key: Path
    passphrase: bytearray | None
    """None: the key file is a plain one."""


def policy_of(config: Config) -> SignerPolicy:
    """Return what a configuration lets be signed."""
    signer = config.signer
    mints = (*(quote.mint for quote in config.quotes.values()), WRAPPED_SOL_MINT)
    return SignerPolicy(
        programs=tuple(Program(name) for name in signer.programs),
        usdc_mint=config.quotes["USDC"].mint,
        mints=tuple(dict.fromkeys((*mints, *(it.base_mint for it in config.instruments)))),
        tables=tuple(
            PinnedTable(address=table.address, addresses=table.addresses) for table in signer.tables
        ),
        tip_accounts=(*sorted(TIP_ACCOUNTS), *signer.tip_accounts),
        limits=SignerLimits(
            sol_usdc_raw_min=_raw(signer.sol_usdc_min),
            sol_usdc_raw_max=_raw(signer.sol_usdc_max),
            transaction_usdc_raw_max=_raw(signer.transaction_usdc_max),
            minute_usdc_raw_max=_raw(signer.minute_usdc_max),
            day_usdc_raw_max=_raw(signer.day_usdc_max),
            transactions_per_minute_max=signer.transactions_per_minute_max,
            fee_lamports_max=config.execution.max_fee_lamports,
            tip_lamports_max=signer.tip_lamports_max,
            guard_lamports_max=signer.guard_lamports_max,
            exit_attempts_max=config.execution.exit_attempts_max,
            slippage_bps_max=signer.slippage_bps_max,
            foreign_tables=signer.foreign_tables,
        ),
    )


def socket_path(config: Config, state_dir: Path) -> Path:
    """Return where the signer listens."""
    if config.signer.socket:
        return Path(config.signer.socket)
    return state_dir / "run" / SOCKET_NAME


def record_dir(state_dir: Path) -> Path:
    """Return the directory of the signer's record, made if it is not there.

    Raises:
        UsageError: It cannot be made.
    """
    directory = state_dir / RECORD_DIR
    try:
        directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    except OSError as error:
        expected = f"a directory that can be written ({error.strerror})"
        raise UsageError("--state", str(state_dir), expected) from error
    return directory


def set_halt(state_dir: Path, *, on: bool) -> bool:
    """Switch the halt on or off; only who may write the record's directory can. Was it changed?"""
    switch = record_dir(state_dir) / HALT_FILE
    before = switch.exists()
    if on:
        switch.touch(mode=0o600)
    else:
        switch.unlink(missing_ok=True)
    return before is not on


def sign(loaded: Loaded, options: SignOptions) -> signal.Signals | None:
    """Serve signatures until a signal, and return it when the record is on the disk.

    Raises:
        RefusedError: The process's memory cannot be made private.
        UsageError: The key, the record or the socket is not safe or not free.
    """
    log_lines(loaded.config, "sign")
    keep_memory_private()
    with StateLock(options.state_dir, "sign"):
        core = _opened(loaded.config, options)
        try:
            return uvloop.run(_serve(loaded.config, options.state_dir, core))
        finally:
            core.close()


def _opened(config: Config, options: SignOptions) -> CoreSigner:
    try:
        core = open_signer(
            options.key,
            options.passphrase,
            policy_of(config),
            directory=record_dir(options.state_dir),
            uid=os.geteuid(),
            now_s=now_s(),
        )
    finally:
        wipe(options.passphrase)
    if core.unencrypted:
        log.warning(
            "key_not_encrypted",
            advice="whoever reads the file has the wallet: `utb wallet import` encrypts it",
        )
    return core


async def _serve(config: Config, state_dir: Path, core: CoreSigner) -> signal.Signals | None:
    until = asyncio.Event()
    told: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        told.append(number)
        until.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop, number)
    allowed = {os.geteuid(), *config.signer.allowed_uids}
    server = SignerServer(core, allowed, now_s)
    path = socket_path(config, state_dir)
    with listening(path, others=len(allowed) > 1) as listener:
        log.info("signing", wallet=core.public_key, socket=str(path), halted=core.halted)
        await server.serve(listener, until)
    log.info("stopped")
    return told[0] if told else None


def now_s() -> int:
    """Return Unix time."""
    return SystemClock().now_ns() // NS_PER_S


def _raw(usdc: float) -> int:
    return round(usdc * USDC_RAW)
