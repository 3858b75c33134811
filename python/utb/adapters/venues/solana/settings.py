"""The configuration in the form the venue computes with."""

import msgspec

from utb.config.schema import Config
from utb.domain.amounts import raw_nearest
from utb.domain.chain import Program
from utb.domain.market import Instrument
from utb.engine.chain import key_bytes
from utb.orderlife.life import Rules
from utb.routing.fees import FeeRules
from utb.routing.quotes import Limits

SLIPPAGE_BPS_MAX = 5_000
"""No attempt accepts more, whatever its steps add up to."""


class PoolPlace(msgspec.Struct, frozen=True, kw_only=True):
    """One configured pool."""

    program: Program
    address: str
    key: bytes

    @classmethod
    def of(cls, text: str) -> "PoolPlace":
        """Read `program:address`.

        Raises:
            UsageError: If the address is not base58 of 32 bytes.
        """
        program, _, address = text.partition(":")
        return cls(program=Program(program), address=address, key=key_bytes(address))


class VenueSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of orders, routes, fees and checks."""

    limits: Limits
    rules: Rules
    fees: FeeRules
    aggregator: str
    aggregator_accounts_max: int
    foreign_tables: bool
    """Whether the signer takes lookup tables that it does not know."""
    exit_slippage_step_bps: int
    exit_reprice_slots: int
    compute_margin_percent: int
    round_trip_loss_bps_max: int
    mint_check_ns: int
    mint_risks_allowed: tuple[str, ...]
    sandwich_check_enabled: bool
    pools: tuple[tuple[PoolPlace, ...], ...]
    """By instrument."""

    @classmethod
    def of(
        cls, config: Config, instruments: tuple[Instrument, ...], *, endpoints: int
    ) -> "VenueSettings":
        """Return the venue's settings.

        Args:
            config: Checked.
            instruments: Of it, in order.
            endpoints: RPC endpoints there are.

        Raises:
            UsageError: If a pool's address is not base58 of 32 bytes.
        """
        routing, execution = config.routing, config.execution
        decimals = instruments[0].quote_decimals
        return cls(
            limits=Limits(
                pool_age_slots_max=routing.pool_age_slots_max,
                offer_age_ms_max=routing.aggregator_age_ms_max,
                legs_max=routing.legs_max,
                split_gain_bps_min=routing.split_gain_bps_min,
                protected_from_quote_raw=raw_nearest(routing.protected_from_usdc, decimals),
            ),
            rules=Rules(endpoints=endpoints, exit_attempts_max=execution.exit_attempts_max),
            fees=FeeRules(
                price_default=execution.compute_unit_price,
                price_min=0,
                step_percent=execution.exit_fee_step_percent,
            ),
            aggregator=routing.aggregator,
            aggregator_accounts_max=routing.aggregator_accounts_max,
            foreign_tables=config.signer.foreign_tables,
            exit_slippage_step_bps=execution.exit_slippage_step_bps,
            exit_reprice_slots=execution.exit_reprice_slots,
            compute_margin_percent=routing.compute_margin_percent,
            round_trip_loss_bps_max=routing.round_trip_loss_bps_max,
            mint_check_ns=routing.mint_check_seconds * 1_000_000_000,
            mint_risks_allowed=routing.mint_risks_allowed,
            sandwich_check_enabled=routing.sandwich_check_enabled,
            pools=tuple(
                tuple(PoolPlace.of(text) for text in item.pools) for item in config.instruments
            ),
        )
