"""The OpenAPI document: made from the routes, with the errors, keys and examples of all of them."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from utb.api.controls.schemas import EXAMPLE as DONE
from utb.api.errors import Code, ErrorAnswer, ErrorDetail
from utb.api.health.schemas import DOWN_EXAMPLE
from utb.api.health.schemas import EXAMPLE as HEALTHY
from utb.api.market.schemas import BARS_EXAMPLE, INSTRUMENTS_EXAMPLE
from utb.api.orders.schemas import ALERTS_EXAMPLE, ORDERS_EXAMPLE, REFUSALS_EXAMPLE
from utb.api.paths import needs, open_to_all
from utb.api.performance.schemas import EXAMPLE as PERFORMANCE
from utb.api.positions.schemas import EXAMPLE as POSITIONS
from utb.api.risk.schemas import LIMITS_EXAMPLE, RISK_EXAMPLE
from utb.api.status.schemas import STATUS_EXAMPLE, SUMMARY_EXAMPLE
from utb.api.trades.schemas import ANSWER_EXAMPLE, TRADES_EXAMPLE

_EXAMPLES: Final = {
    type(example).__name__: msgspec.to_builtins(example)
    for example in (
        STATUS_EXAMPLE,
        SUMMARY_EXAMPLE,
        POSITIONS,
        TRADES_EXAMPLE,
        ANSWER_EXAMPLE,
        PERFORMANCE,
        RISK_EXAMPLE,
        LIMITS_EXAMPLE,
        ORDERS_EXAMPLE,
        REFUSALS_EXAMPLE,
        ALERTS_EXAMPLE,
        INSTRUMENTS_EXAMPLE,
        BARS_EXAMPLE,
        HEALTHY,
        DONE,
    )
}
_BODIES: Final = {
    "TradeBody": {
        "symbol": "SOL-USDC",
        "side": "BUY",
        "size": 50.0,
        "order_type": "MARKET",
        "strategy": "manual",
    },
    "CloseBody": {"fraction": 0.5},
}

_READING: Final = {
    400: (Code.INVALID_PARAMETER, "A parameter is wrong."),
    401: (Code.UNAUTHORIZED, "No key, or not a valid one."),
    403: (Code.FORBIDDEN, "The key's scopes, the Host or the Origin do not allow it."),
    414: (Code.PAYLOAD_TOO_LARGE, "The address is too long."),
    429: (Code.API_RATE_LIMIT, "Too many requests; `Retry-After` says when to come again."),
    431: (Code.PAYLOAD_TOO_LARGE, "The headers are too long."),
    500: (Code.SYSTEM_ERROR, "Internal error."),
}
_WRITING: Final = {
    409: (Code.CONFLICT, "The bot's state, or the market (MARKET_CLOSED), does not allow it."),
    413: (Code.PAYLOAD_TOO_LARGE, "The body is too long."),
    415: (Code.INVALID_PARAMETER, "The body is not JSON."),
    422: (Code.RISK_LIMIT_EXCEEDED, "The risk gate (or the balance) does not allow it."),
    503: (Code.SYSTEM_ERROR, "The trading process does not answer."),
}
_MISSING: Final = {404: (Code.NOT_FOUND, "There is no such thing.")}

_DETAILS: Final[dict[Code, dict[str, Any]]] = {
    Code.INVALID_PARAMETER: {"field": "size", "value": "invalid", "expected": "number > 0"},
    Code.RISK_LIMIT_EXCEEDED: {
        "code": "PORTFOLIO_HEAT",
        "limit": 0.8,
        "value": 0.76,
        "order_value": 0.91,
    },
}

_PROPERTIES: Final[dict[str, dict[str, Any]]] = {
    "TradeBody": {
        "size": {"type": "number", "exclusiveMinimum": 0},
        "order_type": {"type": "string", "enum": ["MARKET"]},
        "strategy": {"type": "string", "enum": ["manual"]},
        "client_order_id": {"type": ["string", "null"], "minLength": 1, "maxLength": 64},
        "stop": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "target": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
    "CloseBody": {
        "fraction": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1}
    },
}
"""What the generated schemas cannot know: sizes are read as decimal text, so that none is lost."""

DESCRIPTION: Final = """\
Money is in quote units (USDC), sizes in base units, ratios are fractions, times ISO 8601 with Z
(market time: simulated in a simulated run), unknown is null.

`as_of` is the market time of what an answer knows, `age_s` how many seconds ago the trading
process spoke: when it is gone, reads go on with the last state and commands answer 503.

Every error has one form: `{"error": {"code", "message", "details"}}`. Commands take an
`Idempotency-Key`: the same one again is answered, not repeated.

`/ws` sends what is new on the channels trades, positions, performance, alerts and market.
"""


def document(handlers: Sequence[ControllerRouterHandler], version: str) -> bytes:
    """Return the document as JSON."""
    app = Litestar(
        route_handlers=list(handlers),
        dependencies={"world": Provide(object, sync_to_thread=False)},
        openapi_config=OpenAPIConfig(
            title="Ultimate Trading Bot",
            version=version.rpartition("-")[2],
            description=DESCRIPTION,
            use_handler_docstrings=True,
        ),
    )
    made = app.openapi_schema.to_schema()
    made["components"].setdefault("securitySchemes", {})["ApiKey"] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
    }
    made["components"]["schemas"]["ErrorAnswer"] = _error_schema()
    for name, fields in _PROPERTIES.items():
        for field, more in fields.items():
            known = made["components"]["schemas"][name]["properties"][field]
            made["components"]["schemas"][name]["properties"][field] = {
                **{key: value for key, value in known.items() if key in {"description", "default"}},
                **more,
            }
    made["servers"] = [{"url": "/"}]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            if isinstance(operation, dict) and "responses" in operation:
                _complete(path, method.upper(), operation)
    return msgspec.json.encode(made, enc_hook=str)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    scope = needs(method, path)
    is_read = method == "GET"
    errors = dict(_READING) if is_read else {**_READING, **_WRITING}
    if "{" in path:
        errors |= _MISSING
    operation["operationId"] = _operation_id(path, method)
    operation["security"] = [{}] if open_to_all(path) else [{}, {"ApiKey": []}]
    operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`."
    responses = {
        status: response
        for status, response in operation["responses"].items()
        if int(status) < 400  # noqa: PLR2004 - errors are all ours
    }
    for response in responses.values():
        _give_example(response.get("content", {}), _EXAMPLES)
    _give_example(operation.get("requestBody", {}).get("content", {}), _BODIES)
    for status, (code, text) in errors.items():
        responses[str(status)] = {
            "description": text,
            "content": {"application/json": _error(code)},
        }
    if path.endswith("/health"):
        healthy = responses["200"]["content"]["application/json"]
        down = {**healthy, "example": msgspec.to_builtins(DOWN_EXAMPLE)}
        responses["503"] = {"description": "Down.", "content": {"application/json": down}}
    if path == "/metrics":
        text_type = {"text/plain": {"schema": {"type": "string"}}}
        responses["200"] = {"description": "Prometheus' text format.", "content": text_type}
    operation["responses"] = responses
    body = operation.get("requestBody")
    if body is not None and "CloseBody" in str(body):
        body["required"] = False
        media = body["content"]["application/json"]
        media["schema"] = {"$ref": "#/components/schemas/CloseBody"}
    if not is_read:
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 64},
                "description": "The same key again is answered, not repeated.",
            }
        )


def _operation_id(path: str, method: str) -> str:
    parts = [part.strip("{}").replace(":str", "") for part in path.strip("/").split("/")]
    return "_".join([method.lower(), *parts])


def _give_example(content: dict[str, Any], examples: dict[str, Any]) -> None:
    for media in content.values():
        reference = str(media.get("schema", {}))
        for name, example in examples.items():
            if f"_{name}'" in reference or f"/{name}'" in reference:
                media["example"] = example


def _error(code: Code) -> dict[str, Any]:
    detail = ErrorDetail(code=code, message="What is wrong", details=_DETAILS.get(code, {}))
    example = msgspec.to_builtins(ErrorAnswer(error=detail))
    return {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "example": example}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "details"],
                "properties": {
                    "code": {"type": "string", "enum": [code.value for code in Code]},
                    "message": {"type": "string"},
                    "details": {"type": "object"},
                },
            }
        },
    }
