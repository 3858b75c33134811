"""A client of the API: `UltimateTradingBotClient`, and its twin for asyncio.

    with UltimateTradingBotClient(api_key="...") as client:
        client.get_status()["status"]
        client.place_trade("SOL-USDC", "BUY", "0.5")

An answer is the API's JSON as Python values. An error answer is an `ApiError` with the API's code,
message and details; a server that is not reached is a `ConnectionFailed`.
"""

from utb.client.aio import AsyncUltimateTradingBotClient
from utb.client.sync import UltimateTradingBotClient
from utb.client.wire import ApiError, ConnectionFailed

__all__ = [
    "ApiError",
    "AsyncUltimateTradingBotClient",
    "ConnectionFailed",
    "UltimateTradingBotClient",
]
