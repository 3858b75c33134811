"""Tables `[signer]` and `[[signer.tables]]`: who may have what signed."""

from typing import Annotated, Literal

from msgspec import Meta

from utb.config.ranges import Bps, Lamports, Mint, PerMinute, Positive
from utb.config.table import Table

Path = Annotated[str, Meta(max_length=4_096, description="a path; empty: the default")]
UserId = Annotated[int, Meta(ge=0, le=2**32 - 2)]
ProgramName = Literal["raydium_amm", "raydium_cpmm", "pumpswap", "whirlpool", "jupiter"]


class SignerTable(Table, frozen=True):
    """One `[[signer.tables]]` table: a lookup table whose contents the signer knows."""

    address: Mint
    addresses: Annotated[tuple[Mint, ...], Meta(min_length=1, max_length=256)]


class SignerConfig(Table, frozen=True):
    """The signer: where it listens, whom it answers, and what it signs.

    The caps hold for entries, exits and housekeeping each.
    """

    socket: Path
    passphrase_file: Path
    allowed_uids: Annotated[tuple[UserId, ...], Meta(max_length=16)]
    request_timeout_ms: Annotated[int, Meta(ge=10, le=60_000)]
    programs: Annotated[tuple[ProgramName, ...], Meta(min_length=1, max_length=5)]
    sol_usdc_min: Positive
    sol_usdc_max: Positive
    transaction_usdc_max: Positive
    minute_usdc_max: Positive
    day_usdc_max: Positive
    transactions_per_minute_max: PerMinute
    tip_lamports_max: Lamports
    guard_lamports_max: Lamports
    slippage_bps_max: Bps
    tip_accounts: Annotated[tuple[Mint, ...], Meta(max_length=64)]
    foreign_tables: bool
    tables: tuple[SignerTable, ...] = ()
