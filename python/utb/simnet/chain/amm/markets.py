"""The AMM world: its markets, what its programs do with a transaction, and its prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from solders.instruction import Instruction
from solders.litesvm import LiteSVM
from solders.pubkey import Pubkey

from utb.errors import UsageError
from utb.simnet.chain import jupiter
from utb.simnet.chain.accounts import Accounts
from utb.simnet.chain.amm import (
    instructions,
    keys,
    pumpswap,
    raydium_amm,
    raydium_cpmm,
    whirlpool,
)
from utb.simnet.chain.amm.build import Builder
from utb.simnet.chain.amm.calls import Call, Refused, View
from utb.simnet.chain.amm.instructions import SwapOrder
from utb.simnet.chain.amm.repeg import Arbitrageur
from utb.simnet.chain.amm.spec import MarketSpec
from utb.simnet.chain.program.build import program
from utb.simnet.chain.program.script import Script, planted
from utb.simnet.chain.types import Market, PoolAddress
from utb.simnet.chain.wire import Incoming, Resolved
from utb.simnet.profiles import key_of


class Venue(Protocol):
    """A module of an AMM."""

    UNITS: int

    def plan(self, call: Call, view: View) -> Script:
        """Return what the program does with a swap, or raise Refused."""
        ...

    def script_key(self, call: Call) -> Pubkey | None:
        """Return the account that a script for an instruction goes into."""
        ...


VENUES: Final[dict[Pubkey, Venue]] = {
    keys.RAYDIUM_AMM: raydium_amm,
    keys.RAYDIUM_CPMM: raydium_cpmm,
    keys.PUMPSWAP: pumpswap,
    keys.WHIRLPOOL: whirlpool,
}
PRICE_FACTOR_MAX: Final = 1_000
"""How far a price may go from where its market began."""
_SCRIPT_KEYS: Final = frozenset(
    {
        keys.RAYDIUM_AMM_AUTHORITY,
        keys.RAYDIUM_CPMM_AUTHORITY,
        keys.PUMPSWAP_EVENT_AUTHORITY,
        keys.JUPITER_EVENT_AUTHORITY,
    }
)
_QUOTER: Final = Pubkey(key_of("quoter"))
"""Whose accounts quotes are made for; it has none."""
_PROGRAMS: Final = frozenset({*VENUES, keys.JUPITER})


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTerms:
    """What a client asks the aggregator for."""

    user: str
    input_mint: str
    in_amount_raw: int
    quoted_out_raw: int
    slippage_bps: int
    platform_fee_bps: int = 0


class AmmWorld:
    """Pools of every market at the four AMMs, and the programs that trade with them."""

    def __init__(
        self, svm: LiteSVM, accounts: Accounts, authority: Pubkey, specs: Sequence[MarketSpec]
    ) -> None:
        self._svm = svm
        self._accounts = accounts
        self._arbitrageur = Arbitrageur(accounts)
        code = program()
        for address in (*_PROGRAMS, keys.PUMP_FEES):
            svm.add_program(address, code)
        self._specs = {spec.symbol: spec for spec in specs}
        if len(self._specs) != len(specs):
            raise UsageError("markets", str([spec.symbol for spec in specs]), "different symbols")
        builder = Builder(svm, accounts, authority)
        builder.base()
        self._built = {
            spec.symbol: builder.market(number, spec) for number, spec in enumerate(specs)
        }
        builder.finish()
        self._program_of = {
            spec.symbol: str(builder.program_of(Pubkey.from_string(spec.base_mint)))
            for spec in specs
        }
        self._prices = {spec.symbol: spec.price for spec in specs}
        self._pegged = dict(self._prices)

    @property
    def markets(self) -> tuple[Market, ...]:
        """Return the markets at the prices that were set last."""
        return tuple(
            Market(
                symbol=symbol,
                base_mint=spec.base_mint,
                base_decimals=spec.base_decimals,
                base_program=self._program_of[symbol],
                price=self._prices[symbol],
                pools=tuple(one.address for one in self._built[symbol]),
            )
            for symbol, spec in self._specs.items()
        )

    def pool(self, address: str) -> PoolAddress:
        """Return a pool of this world.

        Raises:
            UsageError: If there is none at that address.
        """
        for built in self._built.values():
            for one in built:
                if str(one.pool) == address:
                    return one.address
        raise UsageError("pool", address, "a pool of this world")

    def set_price(self, symbol: str, price: float) -> None:
        """Let the pools of a market follow to a price in the next slot."""
        spec = self._specs.get(symbol)
        if spec is None:
            raise UsageError("symbol", symbol, f"one of {', '.join(self._specs)}")
        spec.raw_price(price)
        low, high = spec.price / PRICE_FACTOR_MAX, spec.price * PRICE_FACTOR_MAX
        if not low <= price <= high:
            raise UsageError("price", str(price), f"{low:g} to {high:g}: what tokens there are for")
        self._prices[symbol] = price

    def repeg(self) -> None:
        """Bring pools to prices that changed since the slot before."""
        for symbol, price in self._prices.items():
            if self._pegged.get(symbol) != price:
                self._pegged[symbol] = price
                raw = self._specs[symbol].raw_price(price)
                self._arbitrageur.move(self._built[symbol], raw)

    def forked(self) -> None:
        """Let every pool be brought to its price again: its state went back."""
        self._pegged.clear()

    def swap(self, order: SwapOrder) -> Instruction:
        """Return the instruction of a swap, with the accounts its pool takes at present."""
        return instructions.swap(order, self._accounts)

    def quote(self, place: PoolAddress, input_mint: str, amount_in_raw: int) -> int:
        """Return what an exact input gives at present, transfer fees taken off.

        Raises:
            Refused: If the pool would refuse it.
        """
        order = SwapOrder(
            place=place,
            user=_QUOTER,
            input_mint=Pubkey.from_string(input_mint),
            amount_in_raw=amount_in_raw,
        )
        made = self.swap(order)
        call = Call(made.program_id, tuple(one.pubkey for one in made.accounts), bytes(made.data))
        return VENUES[made.program_id].plan(call, self.view()).received_raw

    def route(self, order: RouteTerms, splits: Sequence[tuple[PoolAddress, int]]) -> Instruction:
        """Return the aggregator's instruction over one or several (pool, percent)."""
        user = Pubkey.from_string(order.user)
        input_mint = Pubkey.from_string(order.input_mint)
        swaps = []
        for place, percent in splits:
            share = order.in_amount_raw * percent // 100
            one = SwapOrder(place=place, user=user, input_mint=input_mint, amount_in_raw=share)
            swaps.append((self.swap(one), percent))
            output_mint = one.output_mint
        source, program_id = instructions.token_account(self._accounts, user, input_mint)
        destination, _ = instructions.token_account(self._accounts, user, output_mint)
        terms = jupiter.RouteOrder(
            user=user,
            source=source,
            destination=destination,
            destination_mint=output_mint,
            token_program=program_id,
            in_amount_raw=order.in_amount_raw,
            quoted_out_raw=order.quoted_out_raw,
            slippage_bps=order.slippage_bps,
            platform_fee_bps=order.platform_fee_bps,
        )
        return jupiter.route(terms, swaps)

    def view(self) -> View:
        """Return the present state."""
        clock = self._svm.get_clock()
        return View(self._accounts, clock.epoch, clock.unix_timestamp)

    def scripts(self, incoming: Incoming, resolved: Resolved) -> dict[Pubkey, bytes]:
        """Return the data to plant before a transaction runs, by script account.

        Instructions are quoted one after the other, each on the state the ones before it leave.
        The first that the program would refuse ends it: nothing runs after it.
        """
        message = incoming.message
        static = resolved.keys[: resolved.static_count]
        if _PROGRAMS.isdisjoint(static):
            return {}
        scripts: dict[Pubkey, list[Script]] = {}
        view = self.view()
        for compiled in message.instructions:
            called = static[compiled.program_id_index]
            if called not in _PROGRAMS:
                continue
            if any(index >= len(resolved.keys) for index in compiled.accounts):
                return {}
            accounts = tuple(resolved.keys[index] for index in compiled.accounts)
            writable = tuple(resolved.writable[index] for index in compiled.accounts)
            call = Call(called, accounts, bytes(compiled.data), writable)
            if not self._plan(call, view, scripts):
                break
        return {key: planted(found) for key, found in scripts.items() if self._may_hold(key)}

    def _plan(self, call: Call, view: View, scripts: dict[Pubkey, list[Script]]) -> bool:
        """Add the scripts of one instruction; return whether it succeeds."""
        try:
            if call.program == keys.JUPITER:
                return _plan_route(call, view, scripts)
            _add(scripts, call, VENUES[call.program].plan(call, view))
        except Refused as refused:
            _add(scripts, call, _failure(call, refused))
            return False
        return True

    def _may_hold(self, key: Pubkey) -> bool:
        """Return whether a script may lie there: nowhere that somebody has an account."""
        return key in _SCRIPT_KEYS or self._accounts.get(key) is None


def _plan_route(call: Call, view: View, scripts: dict[Pubkey, list[Script]]) -> bool:
    """Add the scripts of a route and of the swaps it calls."""
    route = jupiter.Route(call, view)
    succeeds = True
    for leg in route.legs():
        try:
            script = VENUES[leg.program].plan(leg, view)
        except Refused as refused:
            # The swap itself fails, from within the route's call of it.
            _add(scripts, leg, _failure(leg, refused))
            succeeds = False
            break
        _add(scripts, leg, script)
        route.did(leg, script)
    _add(scripts, call, route.script())
    return succeeds and not route.falls_short


def _add(scripts: dict[Pubkey, list[Script]], call: Call, script: Script) -> None:
    if call.program == keys.JUPITER:
        place: Pubkey | None = jupiter.script_key(call)
    else:
        place = VENUES[call.program].script_key(call)
    if place is not None:
        scripts.setdefault(place, []).append(script)


def _failure(call: Call, refused: Refused) -> Script:
    script = Script(call.program, (0, call.keys[0]))
    script.burn(jupiter.UNITS if call.program == keys.JUPITER else VENUES[call.program].UNITS)
    script.log(f"Error: {refused.words}")
    script.fail(refused.code)
    return script
