"""Key files of the wallet, and what the chain says it holds."""

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec
from solana.exceptions import SolanaRpcException
from solana.rpc.async_api import AsyncClient
from solana.rpc.core import RPCException
from solana.rpc.models import TokenAccountOpts
from solders.pubkey import Pubkey

from utb.adapters.rpc.place import RpcPlace, places, redactor
from utb.config.load import Loaded
from utb.config.secrets import Secrets
from utb.engine.signer import keystore_show
from utb.errors import TransientError, UsageError

TOKEN_PROGRAMS: Final = (
    "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
    "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
)
"""SPL Token and Token-2022."""
TIMEOUT_S: Final = 10.0


class TokenHolding(msgspec.Struct, frozen=True, kw_only=True):
    """One token account."""

    mint: str
    account: str
    amount_raw: int
    decimals: int


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What a wallet holds at a finalized slot."""

    wallet: str
    slot: int
    lamports: int
    tokens: tuple[TokenHolding, ...]


def key_file(given: Path | None, secrets: Secrets) -> tuple[Path, bool]:
    """Return the key file and whether it is encrypted.

    Raises:
        UsageError: None is named, it is not safe, or it is not WALLET_ADDRESS's.
    """
    path = given
    if path is None and secrets.wallet_private_key_path:
        path = Path(secrets.wallet_private_key_path.reveal())
    if path is None:
        raise UsageError("--key", "not given", "a key file, or WALLET_PRIVATE_KEY_PATH")
    encrypted, address = keystore_show(path, os.geteuid())
    named = secrets.wallet_address
    if given is None and named and named.reveal() != address:
        raise UsageError("WALLET_ADDRESS", named.reveal(), f"{address}, the address of the key")
    return path, encrypted


def holdings(loaded: Loaded, secrets: Secrets, wallet: str) -> Holdings:
    """Ask the first endpoint that answers what a wallet holds.

    Raises:
        UsageError: No endpoint is configured, or the address is none.
        TransientError: None of them answers.
    """
    found = places(loaded.config, secrets)
    if not found:
        raise UsageError(
            "endpoints", "none", "QUICKNODE_RPC_URL, HELIUS_API_KEY or [[rpc.endpoints]]"
        )
    try:
        key = Pubkey.from_string(wallet)
    except ValueError as error:
        raise UsageError("wallet", wallet, "an address: base58 of 32 bytes") from error
    redact = redactor(found)
    reasons = []
    for place in found:
        try:
            return asyncio.run(_ask(place, key))
        except (SolanaRpcException, RPCException, OSError, TimeoutError) as error:
            reasons.append(f"{place.name}: {redact.clean(str(error)) or type(error).__name__}")
    raise TransientError("rpc", "; ".join(reasons))


async def _ask(place: RpcPlace, wallet: Pubkey) -> Holdings:
    query = "&".join(f"{name}={text}" for name, text in place.revealed_query().items())
    http = place.http
    url = f"{http.scheme}://{http.authority}{http.path}" + (f"?{query}" if query else "")
    client = AsyncClient(url, timeout=TIMEOUT_S, http2=False)
    try:
        balance = await client.get_balance(wallet)
        tokens: list[TokenHolding] = []
        for program in TOKEN_PROGRAMS:
            options = TokenAccountOpts(program_id=Pubkey.from_string(program))
            answer = await client.get_token_accounts_by_owner_json_parsed(wallet, options)
            tokens += [_holding(str(it.pubkey), it.account.data.parsed) for it in answer.value]
    finally:
        await client.close()
    return Holdings(
        wallet=str(wallet),
        slot=balance.context.slot,
        lamports=balance.value,
        tokens=tuple(sorted(tokens, key=lambda it: (it.mint, it.account))),
    )


def _holding(account: str, parsed: object) -> TokenHolding:
    info = msgspec.convert(parsed, _Parsed).info
    return TokenHolding(
        mint=info.mint,
        account=account,
        amount_raw=int(info.tokenAmount.amount),
        decimals=info.tokenAmount.decimals,
    )


class _Amount(msgspec.Struct):
    amount: str
    decimals: int


class _Info(msgspec.Struct):
    mint: str
    tokenAmount: _Amount  # noqa: N815 - the wire's name


class _Parsed(msgspec.Struct):
    info: _Info
