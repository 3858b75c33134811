"""What a live stand-in is started with: a plain key file, few instruments."""

import json
from pathlib import Path
from typing import Final

import tomlkit
from solders.keypair import Keypair

from utb.bootstrap.livedemo import KEY_FILE

SYMBOLS: Final = ("SOL-USDC", "JTO-USDC")
"""What is traded: one whose mint is cash, one whose is not."""


def write_key(folder: Path, seed: bytes) -> None:
    """Write a plain key file, as Solana's own tools do."""
    folder.mkdir(mode=0o700)
    file = folder / KEY_FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(list(bytes(Keypair.from_seed(seed)))))


def trade_few(config: Path) -> None:
    """Keep the instruments that the tests trade, with prices that have a history.

    An entry is taken at any hour: the stand's market goes by the clock, and while it is calm a
    target may not be worth its costs.
    """
    document = tomlkit.parse(config.read_text())
    tables = {str(table["symbol"]): table for table in document["instruments"]}
    kept = tomlkit.aot()
    for symbol in SYMBOLS:
        tables[symbol]["primary"] = "birdeye"
        kept.append(tables[symbol])
    document["instruments"] = kept
    document.setdefault("risk", tomlkit.table())["min_target_costs"] = 0.0
    config.write_text(tomlkit.dumps(document))
