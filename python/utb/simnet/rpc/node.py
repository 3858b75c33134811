"""One JSON-RPC endpoint: a node's view, its faults, and which method is answered by what."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from utb.domain.chain import Commitment
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.errors import method_not_found, unhealthy
from utb.simnet.rpc.faults import Board, Kind
from utb.simnet.rpc.params import Options, Params
from utb.simnet.rpc.past import Past
from utb.simnet.rpc.sends import Sends
from utb.simnet.rpc.view import View


class Node:
    """A node over the chain, one of several."""

    def __init__(self, name: str, chain: Chain, past: Past, board: Board, sends: Sends) -> None:
        self.name = name
        self.chain = chain
        self.past = past
        self.board = board
        self.sends = sends
        self.called: Counter[str] = Counter()
        """Calls by method."""

    @property
    def lag(self) -> int:
        """Return how many slots it is behind."""
        fault = self.board.acting(self.name, Kind.LAG)
        return 0 if fault is None else fault.whole

    @property
    def view(self) -> View:
        """Return what it sees of the chain now."""
        return View(self.chain, self.past, self.lag)

    def view_of_signatures(self, method: str) -> View | None:
        """Return what it tells of signatures; None: that it knows none."""
        if self.board.strike(self.name, Kind.LIE_NULL, (method,)) is not None:
            return None
        old = self.board.strike(self.name, Kind.LIE_OLD, (method,))
        return self.view if old is None else View(self.chain, self.past, self.lag + old.whole)

    def height(self, commitment: Commitment, method: str) -> int:
        """Return the block height that it tells."""
        lie = self.board.strike(self.name, Kind.LIE_HEIGHT, (method,))
        true = self.view.height(commitment)
        return true if lie is None else max(0, true + lie.whole)

    def view_at(self, options: Options) -> tuple[View, Commitment]:
        """Return what it sees and at which commitment a call asks for it.

        Raises:
            RpcError: If there is no such commitment, or it is not where the call demands.
        """
        view, commitment = self.view, options.commitment()
        view.reach(options, commitment)
        return view, commitment

    def handle(self, methods: "dict[str, Method]", method: str, params: Params) -> Any:
        """Answer one call.

        Raises:
            RpcError, ChainError: What it is answered with in place of a result.
        """
        found = methods.get(method)
        self.called[method if found else "unknown"] += 1
        if found is None:
            raise method_not_found()
        sick = self.board.strike(self.name, Kind.UNHEALTHY, (method,))
        if sick is not None:
            raise unhealthy(sick.whole)
        return found(self, params)


Method = Callable[[Node, Params], Any]
