"""Instruments of the configuration as the domain's values."""

from decimal import Decimal

from utb.config.schema import Config
from utb.domain.clock import Account
from utb.domain.market import Instrument


def instruments(config: Config) -> tuple[Instrument, ...]:
    """Return the instruments in the file's order; the position is the index in the core."""
    found = []
    for index, item in enumerate(config.instruments):
        quote = config.quotes[item.symbol.partition("-")[2]]
        # Of the decimal text, so that 10.1 USDC is 10,100,000 and not one less.
        minimum = Decimal(str(config.execution.min_order_usdc)) * 10**quote.decimals
        found.append(
            Instrument(
                index=index,
                symbol=item.symbol,
                base_mint=item.base_mint,
                quote_mint=quote.mint,
                base_decimals=item.base_decimals,
                quote_decimals=quote.decimals,
                primary=item.primary,
                liquid=item.liquid,
                min_order_quote_raw=int(minimum.to_integral_value()),
            )
        )
    return tuple(found)


def accounts(config: Config) -> tuple[Account, ...]:
    """Return the pool accounts that the file names, with their instruments' indices."""
    return tuple(
        Account(address, index, role)
        for index, item in enumerate(config.instruments)
        for role in ("base_vault", "quote_vault", "pool")
        if (address := getattr(item, role)) is not None
    )
