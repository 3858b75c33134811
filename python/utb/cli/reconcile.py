"""`utb reconcile`."""

import os
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from utb.bootstrap.reconciling import Asset, Reconciled, reconcile
from utb.cli.common import Stateful, write_json, write_line
from utb.cli.journal import journal_of
from utb.cli.wallet import whole
from utb.config import secrets
from utb.config.load import resolve
from utb.config.secrets import Secrets
from utb.engine.signer import keystore_show
from utb.errors import UsageError

_DEFAULT: Final = Stateful()
DIFFERENT: Final = 1


def reconcile_command(*, address: str | None = None, common: Stateful = _DEFAULT) -> int:
    """Compare what the chain says the wallet holds with what the journal says it should.

    At one finalized slot, asset by asset, also beside the running bot; mints of orders on their way
    are shown and not compared. Exit code 0: nothing is missing and every transaction since the
    account's opening is on record. 1: something differs. 2 and 3: nothing could be compared.

    For example: utb reconcile --state state

    Args:
        address: Wallet; default WALLET_ADDRESS.
        common: Options of every command.
    """
    variables = secrets.read()
    loaded = resolve(common.config, variables, common.settings)
    path = journal_of(common.state)
    found = reconcile(loaded, variables.secrets(), path, _wallet(address, variables.secrets()))
    if common.json:
        write_json(found)
    else:
        _show(found)
    return 0 if found.equal else DIFFERENT


def _wallet(given: str | None, known: Secrets) -> str:
    """Return the address that is given, named by the environment, or of the key file."""
    if given is not None:
        return given
    if known.wallet_address:
        return known.wallet_address.reveal()
    if known.wallet_private_key_path:
        return keystore_show(Path(known.wallet_private_key_path.reveal()), os.geteuid())[1]
    raise UsageError("--address", "not given", "a wallet's address, or WALLET_ADDRESS")


def _show(found: Reconciled) -> None:
    write_line(
        f"{found.wallet} at finalized slot {found.slot} of {found.endpoint}, "
        f"journal to record {found.seq}"
    )
    table = Table(box=None, pad_edge=False)
    table.add_column("asset", overflow="fold")
    for title in ("chain", "book", "difference"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("")
    for one in found.assets:
        table.add_row(
            one.symbol or one.asset,
            _amount(one, one.chain_raw),
            _amount(one, one.book_raw),
            _amount(one, one.difference_raw) if one.difference_raw else "0",
            _note(one),
        )
    Console(width=160).print(table)
    for words in found.words:
        write_line(words)
    write_line("equal" if found.equal else "different")


def _note(one: Asset) -> str:
    if one.moving:
        return "on its way"
    if one.serious:
        return "DIFFERS"
    return "came in, not ours to sell" if one.difference_raw else ""


def _amount(one: Asset, raw: int) -> str:
    """Return an amount in whole units, or in base units where the digits are unknown."""
    if one.decimals is None:
        return f"{raw} raw"
    sign = "-" if raw < 0 else ""
    return sign + whole(abs(raw), one.decimals)
