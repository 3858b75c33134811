"""A demo that trades live on the stand-in's chain: a throwaway wallet, and a configuration for it.

Everything is as in live trading, the signer's process included; only the addresses lead to this
machine. The wallet, its passphrase and the configuration lie in the demo's state directory.
"""

import os
import secrets as draws
from pathlib import Path
from typing import Any, Final

import msgspec
import tomlkit

from utb.bootstrap import addresses
from utb.bootstrap.chainstand import ChainOptions, Funding, make_chain
from utb.bootstrap.processes import SimnetPorts
from utb.bootstrap.simnet import SimnetOptions, build_world
from utb.config.schema import Config
from utb.domain.market import Instrument
from utb.engine.signer import keystore_new, keystore_show
from utb.simnet.chain.types import Market
from utb.simnet.rpc.faults import RPC_ENDPOINTS
from utb.simnet.server.world import Keys

FOLDER: Final = "wallet"
KEY_FILE: Final = "key.json"
PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105 - the name of a file
CONFIG_FILE: Final = "live.toml"
SLOT_MS: Final = 20
"""Milliseconds of a demo's slot: twenty times as fast as the real ones, so that a demo ends."""
SOL: Final = 3
USDC: Final = 100_000
LAMPORTS_PER_SOL: Final = 10**9
USDC_RAW: Final = 10**6


class LiveDemo(msgspec.Struct, frozen=True, kw_only=True):
    """What the processes of a live demo are started with."""

    config: Path
    simnet: tuple[str, ...]
    """More arguments of simnet."""
    environment: dict[str, str]
    """Variables of the wallet."""
    wallet: str


def prepare(
    config: Config,
    given: Path | None,
    state_dir: Path,
    ports: SimnetPorts,
    market: SimnetOptions,
    chain: ChainOptions,
) -> LiveDemo:
    """Make the wallet and the configuration; those of a run that is continued are kept.

    Args:
        config: The user's.
        given: The user's file, on which the new one is built; None: on the defaults.
        state_dir: Of the demo.
        ports: Where the stand-in listens.
        market: What it trades.
        chain: Of the stand-in.
    """
    folder = state_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = _wallet(folder)
    world = build_world(config, market, Keys())
    served = make_chain(world, chain)
    document = tomlkit.parse(given.read_text()) if given is not None else tomlkit.document()
    _fill(document, folder, ports, served.chain.genesis_hash)
    document["instruments"] = _instruments(world.instruments, served.chain.markets)
    path = folder / CONFIG_FILE
    path.write_text(tomlkit.dumps(document))
    return LiveDemo(
        config=path,
        simnet=(
            "--chain",
            *("--chain-seed", str(chain.seed)),
            *("--slot-ms", str(chain.slot_ms)),
            *("--rent", str(chain.rent_lamports_per_byte)),
            *("--fund", f"{address}={SOL},{USDC}"),
        ),
        environment={
            "WALLET_ADDRESS": address,
            "WALLET_PRIVATE_KEY_PATH": str(folder / KEY_FILE),
        },
        wallet=address,
    )


def funded(address: str) -> Funding:
    """Return what a demo's wallet begins with."""
    return Funding(wallet=address, sol_lamports=SOL * LAMPORTS_PER_SOL, usdc_raw=USDC * USDC_RAW)


def _wallet(folder: Path) -> str:
    key, passphrase = folder / KEY_FILE, folder / PASSPHRASE_FILE
    if key.exists():
        return keystore_show(key, os.geteuid())[1]
    text = draws.token_hex(16)
    descriptor = os.open(passphrase, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
    return keystore_new(key, bytearray(text.encode()), os.geteuid())


def _fill(document: Any, folder: Path, ports: SimnetPorts, genesis_hash: str) -> None:
    base = f"http://{addresses.LOOPBACK}:{ports.http}"
    _set(document, ("environment", "trading_env"), "live")
    _set(document, ("environment", "execution_mode"), "live")
    _set(document, ("rpc", "genesis_hash"), genesis_hash)
    # The key is for prices; the endpoint it would open is not on this machine
    _set(document, ("rpc", "helius_enabled"), value=False)
    _set(document, ("rpc", "requests_per_second"), 1_000)
    _set(document, ("rpc", "history_per_second"), 500)
    _set(document, ("rpc", "status_ms"), 100)
    _set(document, ("rpc", "blockhash_seconds"), 0.25)
    _set(document, ("rpc", "heights_seconds"), 0.2)
    _set(document, ("signer", "passphrase_file"), str(folder / PASSPHRASE_FILE))
    _set(document, ("signer", "transactions_per_minute_max"), 6_000)
    _set(document, ("signer", "minute_usdc_max"), 100_000_000.0)
    _set(document, ("signer", "day_usdc_max"), 1_000_000_000.0)
    _set(document, ("signer", "transaction_usdc_max"), 10_000_000.0)
    _set(document, ("signer", "sol_usdc_max"), 10_000.0)
    _set(document, ("senders", "jito", "url"), f"{base}/jito")
    _set(document, ("senders", "jito", "tip_floor_url"), f"{base}/jito/api/v1/bundles/tip_floor")
    _set(document, ("senders", "helius", "url"), f"{base}/helius")
    _set(document, ("api", "jupiter", "base_url"), f"{base}/jupiter/swap/v2")
    _set(document, ("api", "jupiter", "rate_limit"), 6_000)
    _set(document, ("node", "wallet_locks"), str(folder))
    endpoints = tomlkit.aot()
    for name in RPC_ENDPOINTS:
        table = tomlkit.table()
        table["name"] = name
        table["url"] = _rpc(ports, name)
        table["ws_url"] = f"ws://{addresses.LOOPBACK}:{ports.ws}/rpc/{name}"
        endpoints.append(table)
    document["rpc"]["endpoints"] = endpoints


def _rpc(ports: SimnetPorts, name: str) -> str:
    return f"http://{addresses.LOOPBACK}:{ports.http}/rpc/{name}"


def _set(document: Any, path: tuple[str, ...], value: Any) -> None:
    table = document
    for name in path[:-1]:
        if name not in table:
            table[name] = tomlkit.table()
        table = table[name]
    table[path[-1]] = value


def _instruments(instruments: tuple[Instrument, ...], markets: tuple[Market, ...]) -> Any:
    pools = {
        market.symbol: [f"{pool.program}:{pool.pool}" for pool in market.pools]
        for market in markets
    }
    tables = tomlkit.aot()
    for one in instruments:
        table = tomlkit.table()
        table["symbol"] = one.symbol
        table["base_mint"] = one.base_mint
        table["base_decimals"] = one.base_decimals
        # Where its prices come from is the stand-in's to say
        table["primary"] = "dexscreener"
        table["liquid"] = one.liquid
        table["pools"] = pools[one.symbol]
        tables.append(table)
    return tables
