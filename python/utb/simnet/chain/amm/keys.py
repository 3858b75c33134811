"""Addresses of the AMM programs and what is fixed about them."""

from functools import lru_cache
from typing import Final

from solders.pubkey import Pubkey

RAYDIUM_AMM: Final = Pubkey.from_string("675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8")
RAYDIUM_CPMM: Final = Pubkey.from_string("CPMMoo8L3F4NbTegBCKVNunggL7H1ZpdTHKxQB5qKP1C")
PUMPSWAP: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
PUMP: Final = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
PUMP_FEES: Final = Pubkey.from_string("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ")
WHIRLPOOL: Final = Pubkey.from_string("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc")
WHIRLPOOLS_CONFIG: Final = Pubkey.from_string("2LecshUwdy9xi7meFgHtFJQNSKk4KdTrcpvaB56dP2NQ")
JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")

ANCHOR_CONSTRAINT_HAS_ONE: Final = 2001
ANCHOR_CONSTRAINT_RAW: Final = 2003
ANCHOR_CONSTRAINT_SEEDS: Final = 2006
ANCHOR_CONSTRAINT_ASSOCIATED: Final = 2009
ANCHOR_CONSTRAINT_ADDRESS: Final = 2012
ANCHOR_TOKEN_MINT: Final = 2014
ANCHOR_WRONG_OWNER: Final = 3007
"""Errors of the Anchor framework that every Anchor program shares."""


@lru_cache(maxsize=65_536)
def pda(program: Pubkey, *seeds: bytes) -> Pubkey:
    """Return a program's derived address."""
    return Pubkey.find_program_address(list(seeds), program)[0]


@lru_cache(maxsize=65_536)
def signer_seeds(program: Pubkey, *seeds: bytes) -> tuple[bytes, ...]:
    """Return the seeds of a derived address with its bump, as its program signs with them."""
    return (*seeds, bytes((Pubkey.find_program_address(list(seeds), program)[1],)))


RAYDIUM_AMM_AUTHORITY: Final = pda(RAYDIUM_AMM, b"amm authority")
RAYDIUM_CPMM_AUTHORITY: Final = pda(RAYDIUM_CPMM, b"vault_and_lp_mint_auth_seed")
PUMPSWAP_EVENT_AUTHORITY: Final = pda(PUMPSWAP, b"__event_authority")
JUPITER_EVENT_AUTHORITY: Final = pda(JUPITER, b"__event_authority")
