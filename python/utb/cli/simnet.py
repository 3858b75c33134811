"""`utb simnet`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from utb import bootstrap
from utb.bootstrap.chainstand import ChainOptions, funding
from utb.bootstrap.loglines import log_lines
from utb.bootstrap.simnet import SimnetOptions, run_simnet
from utb.cli.common import Stateful, write_json, write_line
from utb.errors import UsageError


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Chained:
    """Options of the chain beside the market."""

    chain: Annotated[bool, Parameter(help="Serve a chain too.", negative="")] = False
    chain_seed: Annotated[int, Parameter(help="Seed of its keys and blockhashes.")] = 7
    slot_ms: Annotated[
        int, Parameter(help="Milliseconds between its slots; 0 = they come when asked for.")
    ] = ChainOptions().slot_ms
    rent: Annotated[int, Parameter(help="Its rent, lamports per byte.")] = (
        ChainOptions().rent_lamports_per_byte
    )
    fund: Annotated[
        tuple[str, ...],
        Parameter(
            help="What wallets begin with, `WALLET=SOL,USDC` in whole units; several may follow.",
            consume_multiple=True,
            negative="",
            show_default=False,
        ),
    ] = ()

    def options(self) -> ChainOptions | None:
        """Return what chain to serve; None: none.

        Raises:
            UsageError: If a wallet is given something where there is no chain.
        """
        if not self.chain:
            if self.fund:
                raise UsageError("--fund", " ".join(self.fund), "--chain with it")
            return None
        return ChainOptions(
            seed=self.chain_seed,
            slot_ms=self.slot_ms,
            rent_lamports_per_byte=self.rent,
            fund=tuple(funding(one) for one in self.fund),
        )


_DEFAULT: Final = Stateful()
_NO_CHAIN: Final = Chained()
_PORT_MAX: Final = 65_535


def simnet(
    *,
    http_port: int = 8181,
    ws_port: int = 8182,
    seed: int | None = None,
    hours: int | None = None,
    speed: float | None = None,
    prices: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    context: Path | None = None,
    wall: Annotated[bool, Parameter(negative="")] = False,
    require_keys: Annotated[bool, Parameter(negative="")] = False,
    chain: Chained = _NO_CHAIN,
    common: Stateful = _DEFAULT,
) -> int:
    """Stand in for DexScreener, Birdeye and Helius on this machine, and for Solana, offline.

    A bot that joins `/clock` drives it in lock step: the market moves on when the bot has taken
    what it was sent. With --wall it runs with the wall clock instead, for any client. Faults are
    asked for at /faults. Addresses are printed, and written to run/simnet.json of the state
    directory.

    With --chain there is a chain too, whose pools follow the market: JSON-RPC and WebSockets at
    /rpc/a, /rpc/b and /rpc/c, Jito, Helius Sender and Jupiter; its faults are asked for at
    /simnet/chain/faults.

    For example: utb simnet --seed 7 --hours 240 --http-port 8181 --ws-port 8182

    Then: curl -X POST localhost:8181/faults -d '{"source":"birdeye","kind":"cut","seconds":120}'

    Args:
        http_port: Port of DexScreener's and Birdeye's REST and of /faults; 0 = any free one.
        ws_port: Port of the WebSockets; 0 = any free one.
        seed: Seed of the generated market; default paper.seed.
        hours: Simulated hours; default three weeks (a year with --wall), or the whole recording.
        speed: Simulated seconds per second; default as fast as the bot takes them.
        prices: Recorded bars, parquet or CSV, `PATH` or `SYMBOL=PATH`; several may follow.
        context: Recorded context, JSON lines.
        wall: The market's present is the wall clock's.
        require_keys: Demand BIRDEYE_API_KEY and HELIUS_API_KEY of the environment from clients.
    """
    for name, port in (("--http-port", http_port), ("--ws-port", ws_port)):
        if not 0 <= port <= _PORT_MAX:
            raise UsageError(name, str(port), f"0 to {_PORT_MAX}")
    for name, value in (("--hours", hours), ("--speed", speed)):
        if value is not None and not value > 0:
            raise UsageError(name, str(value), "a number > 0")
    if wall and speed is not None:
        raise UsageError("--speed", str(speed), "nothing with --wall: the wall clock has one speed")
    config, _ = bootstrap.load_config(common.config, common.settings)
    log_lines(config, "simnet")
    options = SimnetOptions(
        state_dir=common.state or Path("state"),
        http_port=http_port,
        ws_port=ws_port,
        speed=speed,
        wall=wall,
        require_keys=require_keys,
        chain=chain.options(),
        run=bootstrap.RunOptions(seed=seed, hours=hours, prices=prices, context=context),
    )
    return run_simnet(config, options, write_json if common.json else _write_lines)


def _write_lines(addresses: dict[str, str]) -> None:
    for name, address in addresses.items():
        write_line(f"{name} = {address}")
