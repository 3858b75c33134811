"""Controls of the chain for tests and demos: faults, forks, limits, and what was done."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from utb.errors import UsageError
from utb.simnet.chain.types import ChainError
from utb.simnet.rpc.driver import Driver
from utb.simnet.rpc.errors import RpcError
from utb.simnet.rpc.faults import ENDPOINTS, FaultRequest
from utb.simnet.rpc.front import Front
from utb.simnet.rpc.limits import Limit
from utb.simnet.rpc.params import key_of
from utb.simnet.server.http import Request, Response

PATH: Final = "/simnet/chain"
SLOTS_MAX: Final = 10_000


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a control takes."""


class _Fork(_Body, frozen=True, kw_only=True):
    depth: int
    drop: str | list[str] = "none"
    """Whose transactions vanish: none, all, or some signatures'; others land again."""
    delay_slots: int = 0


class _Hold(_Body, frozen=True, kw_only=True):
    confirmed: bool = False
    finalized: bool = False


class _Slots(_Body, frozen=True, kw_only=True):
    count: int = 1


class _Rent(_Body, frozen=True, kw_only=True):
    lamports_per_byte: int


class _Price(_Body, frozen=True, kw_only=True):
    symbol: str
    price: float


class _Tokens(_Body, frozen=True, kw_only=True):
    owner: str
    mint: str
    amount_raw: int


class _Limit(_Body, frozen=True, kw_only=True):
    endpoint: str
    requests: int | None
    """None: no limit any more."""
    window_s: float = 1.0


class _Loss(_Body, frozen=True, kw_only=True):
    rate: float


_Act = Callable[[bytes], Any]
_T = TypeVar("_T", bound=msgspec.Struct)


class Controls:
    """Answers everything below `/simnet/chain`."""

    def __init__(self, front: Front, driver: Driver) -> None:
        self._front = front
        self._driver = driver
        self.limits: dict[str, Limit] = {}
        """Rate limits by endpoint."""
        self._posts: dict[str, _Act] = {
            "faults": self._fault,
            "fork": self._fork,
            "hold": self._hold,
            "slots": self._slots,
            "rent": self._rent,
            "price": self._price,
            "tokens": self._tokens,
            "limits": self._limit,
            "loss": self._loss,
        }

    def answer(self, asked: Request) -> Response:
        """Answer one request."""
        name = asked.path[len(PATH) :].strip("/")
        try:
            if asked.method == "POST" and name in self._posts:
                return _told(200, self._posts[name](asked.body))
        except msgspec.MsgspecError as error:
            return _told(400, {"error": f"body: {error}"})
        except (UsageError, ChainError, RpcError) as error:
            return _told(400, {"error": str(error)})
        if asked.method == "DELETE" and name == "faults":
            self._front.board.end_all()
        elif asked.method != "GET" or name not in {"", "faults"}:
            return _told(404, {"error": f"no such control: {asked.method} {name[:100]}"})
        return _told(200, self._front.board.faults if name else self.state())

    def state(self) -> dict[str, Any]:
        """Return where the chain is, and what was asked of it and done."""
        front, chain = self._front, self._front.chain
        return {
            "slot": chain.slot,
            "block_height": chain.block_height,
            "confirmed_slot": chain.confirmed_slot,
            "finalized_slot": chain.finalized_slot,
            "finalized_block_height": chain.finalized_block_height,
            "genesis_hash": chain.genesis_hash,
            "slot_ms": self._driver.slot_ms,
            "slots_late": self._driver.late,
            "transactions": front.past.transactions,
            "sends": dict(front.sends.counts),
            "called": {name: dict(node.called) for name, node in front.nodes.items()},
            "connections": front.listeners(),
            "limited": {name: one.refused for name, one in self.limits.items()},
            "faults": front.board.faults,
            "markets": chain.markets,
        }

    def _fault(self, body: bytes) -> Any:
        made = self._front.board.add(_read(body, FaultRequest), self._front.chain.slot)
        self._front.black_out()
        return made

    def _fork(self, body: bytes) -> Any:
        asked = _read(body, _Fork)
        if isinstance(asked.drop, str) and asked.drop not in {"none", "all"}:
            raise UsageError("drop", asked.drop, "none, all or a list of signatures")
        gone = asked.drop

        def drop(signature: str) -> bool:
            return gone == "all" or (isinstance(gone, list) and signature in gone)

        return self._front.chain.fork(asked.depth, drop=drop, delay_slots=asked.delay_slots)

    def _hold(self, body: bytes) -> Any:
        asked = _read(body, _Hold)
        self._front.chain.hold_commitment(confirmed=asked.confirmed, finalized=asked.finalized)
        return self.state()

    def _slots(self, body: bytes) -> Any:
        asked = _read(body, _Slots)
        if not 1 <= asked.count <= SLOTS_MAX:
            raise UsageError("count", str(asked.count), f"1 to {SLOTS_MAX}")
        self._driver.step(asked.count)
        return {"slot": self._front.chain.slot}

    def _rent(self, body: bytes) -> Any:
        asked = _read(body, _Rent)
        if not 1 <= asked.lamports_per_byte <= 1_000_000:  # noqa: PLR2004 - far above any rent
            raise UsageError("lamports_per_byte", str(asked.lamports_per_byte), "1 to 1000000")
        self._front.chain.set_rent(asked.lamports_per_byte)
        return {"minimum_of_165": self._front.chain.minimum_balance(165)}

    def _price(self, body: bytes) -> Any:
        asked = _read(body, _Price)
        self._front.chain.set_price(asked.symbol, asked.price)
        return {"symbol": asked.symbol, "price": asked.price}

    def _tokens(self, body: bytes) -> Any:
        asked = _read(body, _Tokens)
        if not 1 <= asked.amount_raw < 2**64:
            raise UsageError("amount_raw", str(asked.amount_raw), "1 to 2^64 - 1")
        signature = self._front.chain.airdrop_tokens(
            key_of(asked.owner), key_of(asked.mint), asked.amount_raw
        )
        return {"signature": signature}

    def _limit(self, body: bytes) -> Any:
        asked = _read(body, _Limit)
        if asked.endpoint not in ENDPOINTS:
            raise UsageError("endpoint", asked.endpoint, f"one of {', '.join(ENDPOINTS)}")
        if asked.requests is None:
            self.limits.pop(asked.endpoint, None)
        else:
            self.limits[asked.endpoint] = Limit(asked.requests, asked.window_s)
        return {"limited": sorted(self.limits)}

    def _loss(self, body: bytes) -> Any:
        self._front.chain.loss_rate = _read(body, _Loss).rate
        return {"rate": self._front.chain.loss_rate}


def _read(body: bytes, kind: type[_T]) -> _T:
    return msgspec.json.decode(body, type=kind)


def _told(status: int, value: Any) -> Response:
    return Response(status, msgspec.json.encode(value))
