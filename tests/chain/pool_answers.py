"""Questions to a pool of endpoints, and answers as they are expected."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop
from node_stand import CANARY, FAST, Node, pool_of

from utb.adapters.rpc.answers import Bad, Good
from utb.adapters.rpc.pool import RpcPool

T = TypeVar("T")


def with_nodes(work: Callable[[RpcPool], Awaitable[T]], *nodes: Node, text: str = FAST) -> T:
    async def run() -> T:
        async with pool_of(*nodes, text=text) as pool:
            return await work(pool)

    return uvloop.run(run())


def good(answer: Good[T] | Bad) -> Good[T]:
    assert isinstance(answer, Good), answer
    return answer


def bad(answer: Good[T] | Bad) -> Bad:
    assert isinstance(answer, Bad), answer
    assert CANARY not in repr(answer)
    return answer
