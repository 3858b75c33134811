"""What the venue is put together from."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from utb.adapters.jupiter.client import Swap, SwapRequest
from utb.adapters.jupiter.judge import Asked
from utb.adapters.venues.solana.attempts import Attempts
from utb.adapters.venues.solana.flight import Flight
from utb.adapters.venues.solana.gate import MintGate
from utb.adapters.venues.solana.parts import ChainReadings, SenderSet, Watcher
from utb.adapters.venues.solana.settings import VenueSettings
from utb.adapters.venues.solana.wallet import WalletAccounts
from utb.domain.market import Instrument
from utb.orderlife.actions import Filled
from utb.orderlife.events import FillRead
from utb.ports.chain import Signer, VenueSink

ACCOUNTS_MIN: Final = 8
"""Fewer make no route."""


class Aggregator(Protocol):
    """Who gives swaps beside our own pools; `adapters.jupiter.client.JupiterClient` is one."""

    async def swap(self, request: SwapRequest) -> Swap | str:
        """Return a swap, or why there is none."""
        ...


class Fills(Protocol):
    """Who reads what landed; `settling.Settling` is one."""

    async def read(self, flight: Flight, signature: str, *, finalized: bool) -> FillRead | str:
        """Return what a transaction brought; a text says why it is not known yet."""
        ...


class VenueWiring(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's parts."""

    instruments: tuple[Instrument, ...]
    settings: VenueSettings
    now_ns: Callable[[], int]
    """Of the market: stamps what is reported."""
    elapsed_ns: Callable[[], int]
    """Nobody sets it: ages of quotes and answers."""
    sink: VenueSink
    signer: Signer
    chain: ChainReadings
    senders: SenderSet
    watcher: Watcher
    wallet: WalletAccounts
    attempts: Attempts
    gate: MintGate
    fills: Fills
    jupiter: Aggregator | None
    on_alarm: Callable[[str], None]
    """Takes a sentence that a person must read."""
    after_fill: Callable[[Flight, Filled], None]
    """Looks at a fill afterwards, off the hot path."""


def accounts_steps(most: int) -> tuple[int, ...]:
    """Return how many accounts to ask the aggregator for, one after the other, until it fits."""
    return tuple(dict.fromkeys((most, max(ACCOUNTS_MIN, most * 2 // 3), ACCOUNTS_MIN)))


def swap_request(
    wiring: VenueWiring, flight: Flight, fee_step: int, accounts_max: int
) -> SwapRequest | str:
    """Return what to ask the aggregator for an order; a text says why it cannot be asked."""
    input_mint, output_mint = flight.mints
    source, destination = wiring.wallet.own(input_mint), wiring.wallet.own(output_mint)
    if source is None or destination is None:
        return "the wallet's token accounts are not known yet"
    instrument = flight.instrument
    return SwapRequest(
        input_mint=input_mint,
        asked=Asked(
            wallet=wiring.wallet.wallet,
            source=source.address,
            destination=destination.address,
            output_mint=output_mint,
            amount_in_raw=flight.intent.amount_in_raw,
            slippage_bps=wiring.attempts.slippage_bps(flight, fee_step),
            accounts_max=accounts_max,
            min_out_raw=wiring.attempts.min_out_raw(flight, fee_step),
        ),
        base_is_input=input_mint == instrument.base_mint,
        base_decimals=instrument.base_decimals,
        quote_decimals=instrument.quote_decimals,
    )
