"""Asks the aggregator for a swap; every failure is a text that says why there is none."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Protocol, TypeVar

import msgspec

from utb.adapters.jupiter.answers import (
    TABLE_ADDRESSES_MAX,
    TABLES_MAX,
    Build,
    Instructions,
    Quote,
    Refusal,
    WireInstruction,
    amount,
    route_words,
)
from utb.adapters.jupiter.flavour import Flavour, advice
from utb.adapters.jupiter.judge import Asked, judge, raised
from utb.adapters.net.http import Body, Failure
from utb.domain.amounts import price_of
from utb.routing.quotes import Offer

Found = TypeVar("Found")

PRICE_IMPACT_MAX: Final = 0.5
"""A quote that says it moves the price further is not used at all."""

_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = frozenset({404, 405, 410})


class Http(Protocol):
    """How it is asked; `adapters.net.http.HttpClient` is one."""

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Body | Failure:
        """Ask with GET, when the budget allows it."""
        ...

    async def post(self, path: str, body: bytes) -> Body | Failure:
        """Ask with POST, when the budget allows it."""
        ...


class SwapRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One swap that is wanted."""

    input_mint: str
    asked: Asked
    base_is_input: bool
    """A sale: the input is the base."""
    base_decimals: int
    quote_decimals: int


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """A swap that was judged: its offer and what to compile."""

    offer: Offer
    instruction: WireInstruction
    judged_accounts: tuple[str, ...]
    tables: tuple[tuple[str, tuple[str, ...]], ...]
    """Lookup tables for accounts that need no judgement."""
    quoted_ns: int

    def offer_at(self, now_ns: int) -> Offer:
        """Return the offer with its present age."""
        return msgspec.structs.replace(self.offer, age_ms=(now_ns - self.quoted_ns) / 1e6)


class JupiterClient:
    """The aggregator at one address, in one form of its API."""

    def __init__(self, http: Http, flavour: Flavour, elapsed_ns: Callable[[], int]) -> None:
        """Ask nothing yet.

        Args:
            http: Requests within the source's budget; its headers may hold the key.
            flavour: Form of the API at its address.
            elapsed_ns: A clock that nobody sets, for the ages of quotes.
        """
        self._http = http
        self._flavour = flavour
        self._elapsed_ns = elapsed_ns

    async def swap(self, request: SwapRequest) -> Swap | str:
        """Return a swap for an exact input, or why there is none."""
        started_ns = self._elapsed_ns()
        if self._flavour is Flavour.BUILD:
            built = await self._build(request)
        else:
            built = await self._two_steps(request)
        if isinstance(built, str):
            return built
        return _judged(built, request, started_ns)

    async def probe(self, input_mint: str, output_mint: str, wallet: str) -> str:
        """Ask for a small quote; return nothing when it answers as it should, else a sentence."""
        query = {"inputMint": input_mint, "outputMint": output_mint, "amount": "1000000"}
        path = "/quote"
        if self._flavour is Flavour.BUILD:
            path, query = "/build", query | {"taker": wallet}
        answer = await self._http.get(path, query)
        found = self._read(answer, Quote)
        return found if isinstance(found, str) else ""

    async def _build(self, request: SwapRequest) -> Build | str:
        query = _query(request) | {
            "taker": request.asked.wallet,
            "wrapAndUnwrapSol": "false",
            "destinationTokenAccount": request.asked.destination,
        }
        return self._read(await self._http.get("/build", query), Build)

    async def _two_steps(self, request: SwapRequest) -> Build | str:
        answer = await self._http.get("/quote", _query(request))
        quote = self._read(answer, Quote)
        if isinstance(quote, str) or isinstance(answer, Failure):
            return str(quote)
        # Passed back as it came: fields unknown here are part of it.
        body = msgspec.json.encode(
            {
                "userPublicKey": request.asked.wallet,
                "quoteResponse": msgspec.Raw(answer.payload),
                "wrapAndUnwrapSol": False,
                "destinationTokenAccount": request.asked.destination,
            }
        )
        given = self._read(await self._http.post("/swap-instructions", body), Instructions)
        if isinstance(given, str):
            return given
        fields = {name: getattr(quote, name) for name in Quote.__struct_fields__}
        return Build(**fields, swap_instruction=given.swap_instruction)

    def _read(self, answer: Body | Failure, kind: type[Found]) -> Found | str:
        if isinstance(answer, Failure):
            return self._why(answer)
        try:
            return msgspec.json.decode(answer.payload, type=kind)
        except (msgspec.DecodeError, RecursionError) as error:
            reason = str(error)[:200]
            return f"its answer is no {kind.__name__.lower()} ({reason}); {advice(self._flavour)}"

    def _why(self, failure: Failure) -> str:
        if failure.status == _BAD_REQUEST and (code := _refusal_code(failure.sentence)):
            return f"it refuses: {code}"
        if failure.status in _NOT_FOUND or failure.unreached:
            return f"{failure.sentence}; {advice(self._flavour)}"
        return failure.sentence


def _query(request: SwapRequest) -> dict[str, str]:
    asked = request.asked
    return {
        "inputMint": request.input_mint,
        "outputMint": asked.output_mint,
        "amount": str(asked.amount_in_raw),
        "slippageBps": str(asked.slippage_bps),
        "maxAccounts": str(asked.accounts_max),
    }


def _wrong_quote(built: Build, request: SwapRequest) -> str:
    """Return what is wrong with the quote, or nothing."""
    asked = request.asked
    if (built.input_mint, built.output_mint) != (request.input_mint, asked.output_mint):
        return "its quote is for another pair"
    if built.swap_mode != "ExactIn" or amount(built.in_amount) != asked.amount_in_raw:
        return f"its quote is not for exactly {asked.amount_in_raw} in"
    if not amount(built.out_amount):
        return "its quote gives nothing"
    impact = _impact(built)
    if impact is None or impact > PRICE_IMPACT_MAX:
        return f"its price impact {built.price_impact_pct} is not below {PRICE_IMPACT_MAX}"
    if built.platform_fee is not None and built.platform_fee.fee_bps:
        return f"its quote takes a platform fee of {built.platform_fee.fee_bps} bps, expected none"
    return ""


def _judged(built: Build, request: SwapRequest, started_ns: int) -> Swap | str:
    asked = request.asked
    wrong = _wrong_quote(built, request)
    if wrong:
        return wrong
    impact = _impact(built) or 0.0
    instruction = built.swap_instruction
    verdict = judge(instruction, asked)
    if not isinstance(verdict, str) and verdict.min_out_raw < asked.min_out_raw:
        instruction = raised(instruction, verdict, asked.min_out_raw)
        verdict = judge(instruction, asked)
    if isinstance(verdict, str):
        return verdict
    # Of two words for the same thing, the one that promises less.
    out_raw = min(amount(built.out_amount) or 0, verdict.quoted_out_raw)
    offer = Offer(
        words=route_words(built),
        amount_in_raw=asked.amount_in_raw,
        out_raw=out_raw,
        fee_raw=_fees_raw(built, request.input_mint),
        slot=max(built.context_slot, 0),
        mid_price=_mid_price(request, out_raw, impact),
        age_ms=0.0,
        min_out_raw=verdict.min_out_raw,
    )
    return Swap(
        offer=offer,
        instruction=instruction,
        judged_accounts=verdict.judged_accounts,
        tables=_tables(built, verdict.judged_accounts),
        quoted_ns=started_ns,
    )


def _impact(quote: Quote) -> float | None:
    """Return the price impact as a fraction, 0 when it names none; None when it is no number."""
    try:
        impact = abs(float(quote.price_impact_pct or 0.0))
    except ValueError:
        return None
    return impact if math.isfinite(impact) else None


def _fees_raw(quote: Quote, input_mint: str) -> int:
    """Return the pool fees it names in the input's own mint; the rest is unknown."""
    infos = [hop.swap_info for hop in quote.route_plan if hop.swap_info.fee_mint == input_mint]
    return sum(amount(info.fee_amount) or 0 for info in infos)


def _mid_price(request: SwapRequest, out_raw: int, impact: float) -> float:
    """Return quote per base before the swap: what it gives, its impact taken back."""
    asked = request.asked
    amounts = (
        (asked.amount_in_raw, out_raw)
        if request.base_is_input
        else (
            out_raw,
            asked.amount_in_raw,
        )
    )
    price = price_of(*amounts, request.base_decimals, request.quote_decimals)
    return price / (1.0 - impact) if request.base_is_input else price * (1.0 - impact)


def _tables(
    built: Build, judged_accounts: tuple[str, ...]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the tables with the judged accounts struck out: those stand in the message itself."""
    tables = built.addresses_by_lookup_table_address or {}
    sound = {key: table for key, table in tables.items() if len(table) <= TABLE_ADDRESSES_MAX}
    return tuple(
        (key, tuple("" if address in judged_accounts else address for address in table))
        for key, table in list(sound.items())[:TABLES_MAX]
    )


def _refusal_code(sentence: str) -> str:
    """Return the aggregator's own error code from a failure's sentence, or nothing."""
    start = sentence.find("{")
    if start < 0:
        return ""
    try:
        refusal = msgspec.json.decode(sentence[start:], type=Refusal)
    except msgspec.DecodeError:
        return ""
    return refusal.error_code or refusal.error[:120]
