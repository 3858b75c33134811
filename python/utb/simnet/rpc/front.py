"""The chain's endpoints together: who is called, who listens, and what each slot brings them."""

from collections import deque
from typing import Any, Final

from utb.domain.chain import Commitment
from utb.simnet.chain.types import ChainError, SlotEvents
from utb.simnet.chain.world import Chain
from utb.simnet.rpc import heads, holdings, landed, relay, request, sending
from utb.simnet.rpc.connection import CONNECTIONS_MAX, RpcConnection
from utb.simnet.rpc.errors import RpcError
from utb.simnet.rpc.faults import CHAIN, RPC_ENDPOINTS, Board, Kind
from utb.simnet.rpc.node import Method, Node
from utb.simnet.rpc.params import Params
from utb.simnet.rpc.past import MOMENTS_MAX, Past
from utb.simnet.rpc.sends import Sends
from utb.simnet.rpc.subscriptions import Slot

METHODS: Final[dict[str, Method]] = {
    **heads.METHODS,
    **holdings.METHODS,
    **landed.METHODS,
    **sending.METHODS,
    **relay.METHODS,
}
"""Of every endpoint, by name."""


class Front:
    """Endpoints over one chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.board = Board()
        self.past = Past(chain)
        self.sends = Sends(chain, self.board)
        self.nodes = {
            name: Node(name, chain, self.past, self.board, self.sends) for name in RPC_ENDPOINTS
        }
        self._connections: dict[str, set[RpcConnection]] = {name: set() for name in RPC_ENDPOINTS}
        self._slots: deque[_Brought] = deque(maxlen=MOMENTS_MAX)
        self._told: dict[str, int] = dict.fromkeys(RPC_ENDPOINTS, chain.slot)

    def answer(self, name: str, asked: request.Request) -> bytes:
        """Answer the calls of a request to an endpoint."""
        node = self.nodes[name]

        def handle(method: str, params: Params) -> Any:
            return node.handle(METHODS, method, params)

        return request.answer(asked, told_by_chain(handle))

    def connection(self, name: str) -> RpcConnection | None:
        """Return a listener for a new WebSocket of an endpoint; None: it takes no more."""
        connections = self._connections[name]
        full = len(connections) >= CONNECTIONS_MAX
        return None if full else RpcConnection(self.nodes[name], connections)

    def tick(self, unix_time_s: int | None = None) -> SlotEvents:
        """Make one slot and tell everybody.

        Args:
            unix_time_s: The slot's time; None: the last one's plus the chain's slot time.
        """
        self._fork()
        self.sends.flush(self.chain.slot + 1)
        events = self.chain.tick(unix_time_s=unix_time_s)
        self.past.keep(events)
        self.board.move(events.slot)
        self._slots.append(_Brought(events, self._accounts(events), self._landed(events)))
        self.black_out()
        for name in RPC_ENDPOINTS:
            self._bring(name)
        return events

    def listeners(self) -> dict[str, int]:
        """Return how many WebSockets each endpoint has."""
        return {name: len(connections) for name, connections in self._connections.items()}

    def black_out(self) -> None:
        """End the WebSockets of endpoints that are gone."""
        for name in RPC_ENDPOINTS:
            if self.board.acting(name, Kind.BLACKOUT) is not None:
                self.close(name)

    def close(self, name: str) -> int:
        """End every WebSocket of an endpoint and return how many there were."""
        leaving = list(self._connections[name])
        for connection in leaving:
            connection.close()
        self._connections[name].clear()
        return len(leaving)

    def close_all(self) -> None:
        """End every WebSocket."""
        for name in RPC_ENDPOINTS:
            self.close(name)

    def _fork(self) -> None:
        """Let faults of the chain replace its last slots, as far as they are not finalized."""
        for kind in (Kind.FORK, Kind.FORK_DROP):
            most = self.chain.replaceable_slots
            fault = self.board.strike(CHAIN, kind) if most else None
            if fault is not None:
                drop = _every if kind is Kind.FORK_DROP else None
                self.chain.fork(min(fault.whole, most), drop=drop)

    def _bring(self, name: str) -> None:
        """Tell an endpoint's listeners of the slots that it has reached."""
        node = self.nodes[name]
        lag = node.lag
        reached = self.past.ago(lag).slots[Commitment.PROCESSED]
        brought = [one for one in self._slots if self._told[name] < one.events.slot <= reached]
        if brought:
            self._told[name] = reached
        for one in brought:
            slot = Slot(one.events, node.view, one.accounts, one.landed)
            for connection in list(self._connections[name]):
                connection.bring(slot)

    def _accounts(self, events: SlotEvents) -> dict[Commitment, tuple[str, ...]]:
        confirmed = self._changed(events.confirmed)
        back = [one for one in events.rollbacks if one.slots]
        # Where confirmed slots were replaced, what they had told is taken back as well.
        for rollback in back:
            confirmed.update(dict.fromkeys(rollback.accounts))
        return {
            Commitment.PROCESSED: events.accounts,
            Commitment.CONFIRMED: tuple(confirmed),
            Commitment.FINALIZED: tuple(self._changed(events.finalized)),
        }

    def _changed(self, slots: tuple[int, ...]) -> dict[str, None]:
        return dict.fromkeys(key for slot in slots for key in self.past.changed.get(slot, ()))

    def _landed(self, events: SlotEvents) -> dict[Commitment, tuple[str, ...]]:
        return {
            Commitment.PROCESSED: events.landed,
            Commitment.CONFIRMED: self._signatures(events.confirmed),
            Commitment.FINALIZED: self._signatures(events.finalized),
        }

    def _signatures(self, slots: tuple[int, ...]) -> tuple[str, ...]:
        blocks = [self.chain.block(slot) for slot in slots]
        return tuple(one for block in blocks if block is not None for one in block.signatures)


def _every(_signature: str) -> bool:
    return True


def told_by_chain(handle: request.Handle) -> request.Handle:
    """Return a handler whose refusals of the chain are told as errors of JSON-RPC."""

    def handled(method: str, params: Params) -> Any:
        try:
            return handle(method, params)
        except ChainError as error:
            raise RpcError(error.code, error.message, error.data) from error

    return handled


class _Brought:
    """A slot's news, before it is seen from an endpoint."""

    def __init__(
        self,
        events: SlotEvents,
        accounts: dict[Commitment, tuple[str, ...]],
        signatures: dict[Commitment, tuple[str, ...]],
    ) -> None:
        self.events = events
        self.accounts = accounts
        self.landed = signatures
