"""One endpoint: questions over HTTP, answers understood, its record kept."""

from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, get_origin

import msgspec

from utb.adapters.net.backoff import Backoff
from utb.adapters.net.http import Body, Failure, HttpClient, HttpWiring
from utb.adapters.rpc.answers import NO_DATA, Bad, EpochValue, Good, InContext, Problem
from utb.adapters.rpc.calls import Call
from utb.adapters.rpc.gauge import Gauge
from utb.adapters.rpc.place import RpcPlace
from utb.adapters.rpc.purse import Purse
from utb.adapters.rpc.wiring import RpcWiring
from utb.domain.chain import Commitment

T = TypeVar("T")

CONNECTIONS_MAX: Final = 16
"""Of one endpoint: a slow history search must not hold up the statuses."""

UNHEALTHY: Final = -32005
BEHIND: Final = -32016
_TRANSIENT: Final = frozenset({UNHEALTHY, BEHIND, -32004, -32014, -32603, 429})
"""Node unhealthy, context slot not reached, block not available, status not available, internal
error, and what some providers send for a rate limit."""
_DENIED: Final = frozenset({"http_401", "http_403"})
_SHORT_REST: Final = 1.0


class _Envelope(msgspec.Struct, Generic[T]):
    """JSON-RPC's answer; a missing result is not null."""

    id: int | str | None = None
    result: T | msgspec.UnsetType = msgspec.UNSET
    error: Problem | None = None


@lru_cache(256)
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_Envelope[shape])


class RpcEndpoint:
    """One endpoint's HTTP side."""

    def __init__(self, place: RpcPlace, number: int, wiring: RpcWiring) -> None:
        """Connect to nothing yet; `number` gives it draws of its own."""
        self.place = place
        self.name = place.name
        self._wiring = wiring
        settings = wiring.settings
        rests = Backoff(settings.rest_seconds, settings.rest_seconds_max, wiring.draws(number))
        self.gauge = Gauge(wiring.elapsed_ns, rests, settings.failures_max)
        self.purse = Purse(
            per_second=place.requests_per_second,
            history_per_second=settings.history_per_second,
            reserve=settings.exit_reserve,
            timer=wiring.timer,
            elapsed_ns=wiring.elapsed_ns,
        )
        self._http = HttpClient(
            place.http,
            HttpWiring(
                clock=wiring.clock,
                timer=wiring.timer,
                stopwatch_ns=wiring.stopwatch_ns,
                budget=self.purse.whole,
                redactor=wiring.redactor,
                timeout_s=settings.timeout_seconds,
                connections_max=CONNECTIONS_MAX,
            ),
        )
        self._query = place.revealed_query()
        self._last_id = 0
        self.genesis_known = False

    @property
    def requests(self) -> int:
        """Return how many requests were sent."""
        return self._http.requests

    @property
    def held(self) -> bool:
        """Return whether it asked to be left alone for some time."""
        return self._http.held_seconds() > 0

    async def ask(self, call: Call[T]) -> Good[T] | Bad:
        """Ask once; the caller has the purse's grant already."""
        gauge, wiring = self.gauge, self._wiring
        # Before the question: a null is only as good as the height known when it was asked.
        height, slot = gauge.finalized_height, gauge.finalized_slot
        self._last_id += 1
        number = self._last_id
        body = msgspec.json.encode(
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": call.params}
        )
        gauge.asked()
        started_ns = wiring.stopwatch_ns()
        try:
            outcome = await self._http.post_granted("", body, self._query)
        finally:
            gauge.left()
        if isinstance(outcome, Failure):
            return self._failed(outcome)
        found = self._understood(outcome, call, number)
        if isinstance(found, Bad):
            return found
        gauge.answered(wiring.stopwatch_ns() - started_ns)
        if get_origin(call.shape) is InContext:
            return Good(
                endpoint=self.name,
                value=found.value,
                slot=found.context.slot,
                finalized_height=height,
                finalized_slot=slot,
            )
        return Good(endpoint=self.name, value=found, finalized_height=height, finalized_slot=slot)

    def learn(self, epoch: EpochValue, commitment: Commitment) -> None:
        """Take where the endpoint is."""
        if commitment is Commitment.FINALIZED:
            self.gauge.learn_finalized(epoch.absolute_slot, epoch.block_height)
        else:
            self.gauge.learn_slot(epoch.absolute_slot)
            self.gauge.learn_heights(epoch.block_height)

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close()

    # Leaves

    def _failed(self, failure: Failure) -> Bad:
        settings = self._wiring.settings
        rest_s: float | None = None
        if failure.reason in _DENIED:
            rest_s = settings.rest_seconds_max
        elif failure.reason == "http_429":
            rest_s = failure.retry_after_s or _SHORT_REST
        self.gauge.failed(failure.sentence, rest_s)
        # Another endpoint may well answer what this one refuses or garbles.
        return self._bad(failure.reason, failure.sentence, transient=True)

    def _understood(self, body: Body, call: Call[T], number: int) -> Any:
        """Return the result, or why there is none."""
        try:
            envelope = _decoder(call.shape).decode(body.payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            # msgspec's texts name fields and types, no values of ours.
            said = self._wiring.redactor.clean(str(error))
            return self._garbled(f"{call.method} is not understood: {said}")
        if envelope.error is not None:
            return self._problem(envelope.error, call)
        if envelope.id != number:
            return self._garbled(f"the answer to {call.method} has another question's id")
        if envelope.result is msgspec.UNSET:
            return self._garbled(f"the answer to {call.method} has neither result nor error")
        return envelope.result

    def _garbled(self, what: str) -> Bad:
        sentence = f"{self.name}: {what}"
        self.gauge.failed(sentence)
        return self._bad("not_understood", sentence, transient=True)

    def _problem(self, problem: Problem, call: Call[T]) -> Bad:
        text = self._wiring.redactor.clean(problem.message)
        sentence = f"{self.name} refuses {call.method}: {text} ({problem.code})"
        transient = problem.code in _TRANSIENT
        if problem.code in {UNHEALTHY, 429}:
            self.gauge.failed(sentence)
        data = b"" if problem.data == NO_DATA else bytes(problem.data)
        return self._bad(
            f"rpc_{problem.code}", sentence, transient=transient, code=problem.code, data=data
        )

    def _bad(
        self,
        reason: str,
        sentence: str,
        *,
        transient: bool,
        code: int | None = None,
        data: bytes = b"",
    ) -> Bad:
        return Bad(
            endpoint=self.name,
            reason=reason,
            sentence=sentence,
            transient=transient,
            code=code,
            data=data,
        )
