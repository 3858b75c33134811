"""The chain's half of a server, put together: endpoints, slots, controls, addresses."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from picows import WSListener, WSUpgradeResponse, WSUpgradeResponseWithListener

from utb.domain.chain import USDC_MINT, WRAPPED_SOL_MINT
from utb.ports.clock import Clock
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.controls import Controls
from utb.simnet.rpc.driver import Driver
from utb.simnet.rpc.faults import RPC_ENDPOINTS, Kind
from utb.simnet.rpc.front import Front
from utb.simnet.rpc.routes import RPC, ChainRoutes
from utb.simnet.server.http import Answer, Request

SLOT_MS: Final = 400
"""Milliseconds between slots where nobody says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainServed:
    """A chain and how it is served."""

    chain: Chain
    slot_ms: int = SLOT_MS
    """0: slots come only when they are asked for at the controls."""


class ChainHalf:
    """Everything of the chain behind the two ports of a server."""

    def __init__(self, served: ChainServed, clock: Clock) -> None:
        """Put it together.

        Raises:
            UsageError: If the slot rate is out of its range.
        """
        self.front = Front(served.chain)
        self._before_slot: Callable[[], None] | None = None
        self.driver = Driver(self.front, clock, served.slot_ms, self._before)
        self._routes = ChainRoutes(self.front, Controls(self.front, self.driver), clock)

    def before_slots(self, call: Callable[[], None]) -> None:
        """Let something be called before each slot."""
        self._before_slot = call

    def start(self) -> None:
        """Let slots come."""
        self.driver.start()

    def stop(self) -> None:
        """Let no more slots come, and end every connection."""
        self.driver.stop()
        self.front.close_all()

    def answer(self, asked: Request) -> Answer | Awaitable[Answer] | None:
        """Answer a request; None: it is not the chain's."""
        return self._routes.answer(asked)

    def upgrade(self, path: str) -> WSListener | WSUpgradeResponseWithListener | None:
        """Return who listens on a new WebSocket; None: no endpoint is there."""
        name = path[len(RPC) :].strip("/") if path.startswith(RPC) else ""
        if name not in RPC_ENDPOINTS:
            return None
        board = self.front.board
        for kind, status in ((Kind.BLACKOUT, 503), (Kind.TOO_MANY, 429), (Kind.BROKEN, 500)):
            fault = board.strike(name, kind, ("connect",))
            if fault is not None:
                wait = {"Retry-After": f"{fault.value:g}"} if kind is Kind.TOO_MANY else {}
                return _refusal(status, wait)
        made = self.front.connection(name)
        return _refusal(429, {}) if made is None else made

    def addresses(self, http_at: str, ws_at: str) -> dict[str, str]:
        """Return where everything is."""
        found = {"chain": f"http://{http_at}/simnet/chain"}
        for name in RPC_ENDPOINTS:
            found[f"rpc.{name}.http"] = f"http://{http_at}{RPC}{name}"
            found[f"rpc.{name}.ws"] = f"ws://{ws_at}{RPC}{name}"
        found["jito"] = f"http://{http_at}/jito"
        found["helius_sender"] = f"http://{http_at}/helius"
        found["api.jupiter.base_url"] = f"http://{http_at}/jupiter/swap/v2"
        return found

    def fund(
        self, wallet: str, *, sol_lamports: int, usdc_raw: int, wrapped_lamports: int = 0
    ) -> tuple[str, ...]:
        """Give a wallet what it trades with; it is there once these have landed.

        Args:
            wallet: Its address.
            sol_lamports: SOL, lamports; 0: none.
            usdc_raw: USDC, base units; its token account is opened, also for 0.
            wrapped_lamports: wrapped SOL, lamports; its token account is opened, also for 0.

        Returns:
            The signatures.
        """
        chain = self.front.chain
        signatures = [chain.airdrop(wallet, sol_lamports)] if sol_lamports else []
        signatures.append(chain.airdrop_tokens(wallet, USDC_MINT, usdc_raw))
        signatures.append(chain.airdrop_tokens(wallet, WRAPPED_SOL_MINT, wrapped_lamports))
        return tuple(signatures)

    def _before(self) -> None:
        if self._before_slot is not None:
            self._before_slot()


def _refusal(status: int, headers: dict[str, str]) -> WSUpgradeResponseWithListener:
    body = b'{"error":"refused"}'
    told = {"Content-Type": "application/json", **headers}
    response = WSUpgradeResponse.create_error_response(status, body, told)
    return WSUpgradeResponseWithListener(response, None)
