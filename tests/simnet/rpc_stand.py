"""A chain that is served for a test, on real sockets, with or without slots of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from simnet_stand import world_of
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from utb.adapters.clocks import SystemClock
from utb.simnet.chain.amm.spec import specs_of
from utb.simnet.chain.settings import ChainSettings
from utb.simnet.chain.types import ChainAccount
from utb.simnet.chain.world import Chain
from utb.simnet.rpc.accounts import TOKEN_PROGRAM
from utb.simnet.rpc.half import ChainHalf, ChainServed
from utb.simnet.server.app import Server, ServerOptions

SOL = 10**9
WALLET = Keypair.from_seed(bytes(range(32)))
OTHER = Keypair.from_seed(bytes(range(1, 33)))


@dataclass
class ChainStand:
    """A chain behind two ports, and a client of it."""

    at: dict[str, str]
    server: Server
    http: httpx.AsyncClient

    @property
    def half(self) -> ChainHalf:
        assert self.server.chain is not None
        return self.server.chain

    @property
    def chain(self) -> Chain:
        return self.half.front.chain

    def ticks(self, count: int = 1) -> None:
        self.half.driver.step(count)

    async def call(self, method: str, *params: Any, at: str = "a") -> Any:
        """Call a method; return its result, or its error as `{"code": ...}`."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        told = (await self.http.post(self.at[f"rpc.{at}.http"], json=body)).json()
        assert told["id"] == 1
        return told["error"] if "error" in told else told["result"]

    async def control(self, name: str, **body: Any) -> Any:
        told = await self.http.post(f"{self.at['chain']}/{name}", json=body)
        assert told.status_code == 200, told.text
        return told.json()

    async def fault(self, kind: str, *, endpoint: str = "a", **body: Any) -> Any:
        return await self.control("faults", endpoint=endpoint, kind=kind, **body)

    def funded(self, key: Keypair = WALLET, lamports: int = SOL) -> None:
        self.chain.airdrop(str(key.pubkey()), lamports)
        self.ticks(34)


@asynccontextmanager
async def chain_served(
    *, slot_ms: int = 0, markets: bool = False, **settings: Any
) -> AsyncIterator[ChainStand]:
    world = world_of(hours=8)
    specs = specs_of(world.instruments) if markets else ()
    served = ChainServed(chain=Chain(ChainSettings(**settings), specs), slot_ms=slot_ms)
    options = ServerOptions(http_port=0, ws_port=0, chain=served)
    server = Server(world, options, SystemClock())
    at = await server.start()
    async with httpx.AsyncClient() as client:
        try:
            yield ChainStand(at, server, client)
        finally:
            await server.stop()


def signed(
    stand: ChainStand, *instructions: Instruction, key: Keypair = WALLET, blockhash: str = ""
) -> VersionedTransaction:
    """Return a signed transaction over the newest confirmed blockhash."""
    fresh = blockhash or stand.chain.latest_blockhash().blockhash
    message = MessageV0.try_compile(key.pubkey(), instructions, [], Hash.from_string(fresh))
    return VersionedTransaction(message, [key])


def sending(lamports: int, to: Pubkey, key: Keypair = WALLET) -> Instruction:
    return transfer(TransferParams(from_pubkey=key.pubkey(), to_pubkey=to, lamports=lamports))


def mint_planted(stand: ChainStand, decimals: int = 6, supply_raw: int = 0) -> str:
    """Put a mint there whose authority is the faucet; return its address."""
    authority = bytes(Pubkey.from_string(stand.chain.faucet))
    head = b"\x01\0\0\0" + authority + supply_raw.to_bytes(8, "little")
    data = head + bytes((decimals, 1)) + bytes(36)
    key = str(Keypair.from_seed(bytes([9] * 32)).pubkey())
    stand.chain.plant(key, ChainAccount(1_461_600, TOKEN_PROGRAM, data))
    return key
