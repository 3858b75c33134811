"""Jupiter's API: v2 `/build`, and the quotes and swaps of v2, v1 and v6."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

import msgspec

from utb.domain.chain import COMPUTE_UNITS_MAX, VALIDITY_BLOCKS, Commitment, Program
from utb.ports.clock import Clock
from utb.simnet import base58
from utb.simnet.chain.amm import keys
from utb.simnet.rpc import jupiter_build
from utb.simnet.rpc.errors import RpcError
from utb.simnet.rpc.faults import JUPITER, Kind
from utb.simnet.rpc.front import Front
from utb.simnet.rpc.jupiter_build import FOREIGNER, Built, Terms
from utb.simnet.rpc.jupiter_route import (
    LABELS,
    SLIPPAGE_BPS,
    Asked,
    JupiterError,
    Quoted,
    along,
    find,
)
from utb.simnet.rpc.jupiter_tables import Table, Tables
from utb.simnet.rpc.params import U64_MAX, key_of
from utb.simnet.rpc.quoting import Quotes
from utb.simnet.server.http import Request, Response

_BASES: Final = ("/jupiter/swap/v2/", "/jupiter/swap/v1/", "/jupiter/v6/")
_V2: Final = _BASES[0]
_BPS: Final = 10_000
_ACCOUNTS_MAX: Final = 64
_EXPIRY_MAX: Final = 300
_SECOND_NS: Final = 1_000_000_000
_PERCENTILES: Final = {"medium": 2_500, "high": 5_000, "veryHigh": 7_500}
_PROGRAMS: Final = {
    Program.RAYDIUM_AMM.value: keys.RAYDIUM_AMM,
    Program.RAYDIUM_CPMM.value: keys.RAYDIUM_CPMM,
    Program.PUMPSWAP.value: keys.PUMPSWAP,
    Program.WHIRLPOOL.value: keys.WHIRLPOOL,
}
_U64_DIGITS: Final = 20


class Jupiter:
    """The aggregator; everything it tells is of the newest state."""

    def __init__(self, front: Front, clock: Clock) -> None:
        self._front = front
        self._clock = clock
        self._quotes = Quotes(front.chain)
        self._tables = Tables(front.chain, self._quotes)
        self._gets: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "quote": self._quote,
            "program-id-to-label": self._labels,
        }
        self._posts: dict[str, Callable[[dict[str, Any]], Any]] = {
            "swap": self._swap,
            "swap-instructions": self._instructions,
        }

    def answer(self, asked: Request) -> Response:
        """Answer one request."""
        base = next((one for one in _BASES if asked.path.startswith(one)), None)
        name = "" if base is None else asked.path[len(base) :].strip("/")
        try:
            if asked.method == "GET" and base == _V2 and name == "build":
                return _told(200, self._build(asked.query))
            if asked.method == "GET" and name in self._gets:
                return _told(200, self._gets[name](asked.query))
            if asked.method == "POST" and name in self._posts:
                return _told(200, self._posts[name](_body(asked.body)))
        except JupiterError as error:
            told = {"error": error.words}
            return _told(400, told if error.code is None else {**told, "errorCode": error.code})
        except RpcError as error:
            return _told(400, {"error": error.message})
        return _told(404, {"error": "Not Found"})

    # Calls

    def _quote(self, query: Mapping[str, str]) -> dict[str, Any]:
        begun = perf_counter()
        quoted = self._found(_asked(query, str(FOREIGNER)))
        return quoted.told(perf_counter() - begun)

    def _labels(self, _query: Mapping[str, str]) -> dict[str, str]:
        return {str(program): LABELS[name] for name, program in _PROGRAMS.items()}

    def _build(self, query: Mapping[str, str]) -> dict[str, Any]:
        taker = key_of(query.get("taker"))
        quoted = self._found(_asked(query, taker))
        payer = key_of(query["payer"]) if "payer" in query else taker
        destination = query.get("destinationTokenAccount")
        terms = self._terms(
            user=taker,
            payer=payer,
            wrap=_flag(query.get("wrapAndUnwrapSol"), default=True),
            destination=None if destination is None else key_of(destination),
        )
        made = jupiter_build.build(self._quotes, quoted, terms)
        tip_lamports = _whole(query, "tipAmount", 0, U64_MAX)
        price = self._price(query.get("computeUnitPricePercentile"), made)
        return {
            **{name: value for name, value in quoted.told(0.0).items() if name != "timeTaken"},
            "computeBudgetInstructions": [
                jupiter_build.told(one) for one in jupiter_build.budget(None, price)
            ],
            **_parts(made),
            "tipInstruction": (
                jupiter_build.told(jupiter_build.tip(payer, tip_lamports)) if tip_lamports else None
            ),
            "addressesByLookupTableAddress": self._by_table(quoted.asked),
            "blockhashWithMetadata": self._blockhash(
                _whole(query, "blockhashSlotsToExpiry", VALIDITY_BLOCKS, _EXPIRY_MAX)
            ),
        }

    def _by_table(self, asked: Asked) -> dict[str, list[str]] | None:
        table = self._tables.of(asked.input_mint, asked.output_mint)
        return {table.key: list(table.addresses)} if table.addresses else None

    def _instructions(self, body: dict[str, Any]) -> dict[str, Any]:
        made, _, table = self._of_body(body)
        limit, price = _budget_of(body)
        return {
            **_parts(made),
            "computeBudgetInstructions": [
                jupiter_build.told(one) for one in jupiter_build.budget(limit, price)
            ],
            "addressLookupTableAddresses": [table.key] if table.addresses else [],
        }

    def _swap(self, body: dict[str, Any]) -> dict[str, Any]:
        made, terms, table = self._of_body(body)
        limit, price = _budget_of(body)
        instructions = [*jupiter_build.budget(limit, price), *made.setup, made.swap]
        instructions += [] if made.cleanup is None else [made.cleanup]
        latest = self._front.chain.latest_blockhash(Commitment.CONFIRMED)
        raw = jupiter_build.unsigned(terms.payer, instructions, latest.blockhash, table)
        return {
            "swapTransaction": b64encode(raw).decode(),
            "lastValidBlockHeight": latest.last_valid_block_height,
            "prioritizationFeeLamports": -(-(price or 0) * limit // 1_000_000),
        }

    # Parts

    def _found(self, asked: Asked) -> Quoted:
        if self._front.board.strike(JUPITER, Kind.NO_ROUTES) is not None:
            raise JupiterError("No routes found", "NO_ROUTES_FOUND")
        return find(self._quotes, asked, self._front.chain.slot)

    def _of_body(self, body: dict[str, Any]) -> tuple[Built, Terms, Table]:
        """Return the instructions of a quote that comes back, at the terms it had."""
        told = body.get("quoteResponse")
        if not isinstance(told, dict):
            raise JupiterError("quoteResponse is missing")
        user = key_of(body.get("userPublicKey"))
        texts = {
            "inputMint": told.get("inputMint"),
            "outputMint": told.get("outputMint"),
            "amount": told.get("inAmount"),
            "slippageBps": told.get("slippageBps", SLIPPAGE_BPS),
        }
        asked = _asked({name: str(value) for name, value in texts.items()}, user)
        quoted = along(self._quotes, asked, _plan(told), self._front.chain.slot)
        destination = body.get("destinationTokenAccount")
        terms = self._terms(
            user=user,
            payer=key_of(body["payer"]) if body.get("payer") else user,
            wrap=body.get("wrapAndUnwrapSol", True) is not False,
            destination=None if destination is None else key_of(destination),
        )
        # The least output is the quote's, whatever the pools would give by now.
        told_raw = _number(told, "outAmount")
        made = jupiter_build.build(self._quotes, quoted, terms, told_raw)
        return made, terms, self._tables.of(asked.input_mint, asked.output_mint)

    def _terms(self, *, user: str, payer: str, wrap: bool, destination: str | None) -> Terms:
        board = self._front.board
        fee = board.strike(JUPITER, Kind.PLATFORM_FEE)
        foreign = board.strike(JUPITER, Kind.FOREIGN_DESTINATION)
        worse = board.strike(JUPITER, Kind.WORSE_TAIL)
        return Terms(
            user=user,
            payer=payer,
            wrap=wrap,
            destination=destination,
            platform_fee_bps=0 if fee is None else min(fee.whole, 255),
            foreign=foreign is not None,
            worse_bps=0 if worse is None else worse.whole,
        )

    def _price(self, told: str | None, made: Built) -> int:
        """Return the compute-unit price at a percentile of what was paid for these accounts."""
        share = _PERCENTILES.get(told or "medium")
        if share is None:
            share = _whole(
                {"computeUnitPricePercentile": told or ""}, "computeUnitPricePercentile", 0, _BPS
            )
        written = tuple(str(meta.pubkey) for meta in made.swap.accounts if meta.is_writable)
        return self._front.past.prices.percentile(written, share / _BPS)

    def _blockhash(self, blocks: int) -> dict[str, Any]:
        latest = self._front.chain.latest_blockhash(Commitment.CONFIRMED)
        seconds, nanos = divmod(self._clock.now_ns(), _SECOND_NS)
        return {
            "blockhash": list(base58.decode(latest.blockhash)),
            "lastValidBlockHeight": latest.last_valid_block_height
            - VALIDITY_BLOCKS
            + min(blocks, VALIDITY_BLOCKS),
            "fetchedAt": {"secs_since_epoch": seconds, "nanos_since_epoch": nanos},
        }


def _parts(made: Built) -> dict[str, Any]:
    cleanup = None if made.cleanup is None else jupiter_build.told(made.cleanup)
    return {
        "setupInstructions": [jupiter_build.told(one) for one in made.setup],
        "swapInstruction": jupiter_build.told(made.swap),
        "cleanupInstruction": cleanup,
        "otherInstructions": [],
    }


def _asked(query: Mapping[str, str], user: str) -> Asked:
    """Read what a quote is asked for.

    Raises:
        JupiterError, RpcError: If something is missing or wrong.
    """
    if query.get("swapMode", "ExactIn") != "ExactIn":
        raise JupiterError("swapMode: only ExactIn is served", "NO_ROUTES_FOUND")
    dexes, excluded = (_labels_of(query, name) for name in ("dexes", "excludeDexes"))
    amount = _whole(query, "amount", None, U64_MAX)
    if amount == 0:
        raise JupiterError("amount is 0, expected 1 or more")
    input_mint, output_mint = (key_of(query.get(name)) for name in ("inputMint", "outputMint"))
    if input_mint == output_mint:
        raise JupiterError(
            "Input and output mints are not allowed to be equal", "CIRCULAR_ARBITRAGE_IS_DISABLED"
        )
    slippage = query.get("slippageBps")
    return Asked(
        input_mint=input_mint,
        output_mint=output_mint,
        amount_raw=amount,
        slippage_bps=SLIPPAGE_BPS
        if slippage == "rtse"
        else _whole(query, "slippageBps", SLIPPAGE_BPS, _BPS),
        user=user,
        dexes=dexes,
        excluded=excluded,
        accounts_max=_whole(query, "maxAccounts", _ACCOUNTS_MAX, _ACCOUNTS_MAX),
        direct=_flag(query.get("onlyDirectRoutes"), default=False),
    )


def _labels_of(query: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(one for one in query.get(name, "").split(",") if one)


def _plan(told: dict[str, Any]) -> list[tuple[str, int]]:
    plan = told.get("routePlan")
    found = []
    for step in plan if isinstance(plan, list) else []:
        info = step.get("swapInfo") if isinstance(step, dict) else None
        if not isinstance(info, dict):
            raise JupiterError("quoteResponse.routePlan: a step has no swapInfo")
        percent = step.get("percent")
        if percent is None:
            percent = _number(step, "bps") // 100
        found.append((key_of(info.get("ammKey")), percent))
    return found


def _budget_of(body: dict[str, Any]) -> tuple[int, int | None]:
    """Return the compute-unit limit and price that a swap is asked with."""
    price = body.get("computeUnitPriceMicroLamports")
    fee = body.get("prioritizationFeeLamports")
    if price is None and isinstance(fee, int):
        price = fee * 1_000_000 // COMPUTE_UNITS_MAX
    if price is not None and not (isinstance(price, int) and 0 <= price <= U64_MAX):
        raise JupiterError(f"computeUnitPriceMicroLamports is {price}, expected a u64")
    return COMPUTE_UNITS_MAX, price


def _number(values: dict[str, Any], name: str) -> int:
    told = values.get(name)
    if isinstance(told, bool) or not isinstance(told, int | str):
        raise JupiterError(f"{name} is missing")
    return _whole({name: str(told)}, name, None, U64_MAX)


def _whole(query: Mapping[str, str], name: str, default: int | None, most: int) -> int:
    told = query.get(name)
    if told is None and default is not None:
        return default
    if (
        told is None
        or not (told.isascii() and told.isdigit())
        or len(told) > _U64_DIGITS
        or int(told) > most
    ):
        raise JupiterError(f"{name} is {str(told)[:40]}, expected a whole number from 0 to {most}")
    return int(told)


def _flag(told: str | None, *, default: bool) -> bool:
    return default if told is None else told.lower() == "true"


def _body(raw: bytes) -> dict[str, Any]:
    try:
        told = msgspec.json.decode(raw)
    except msgspec.MsgspecError as error:
        raise JupiterError(f"body is not JSON: {error}") from error
    if not isinstance(told, dict):
        raise JupiterError("body is no object")
    return told


def _told(status: int, value: Any) -> Response:
    return Response(status, msgspec.json.encode(value))
