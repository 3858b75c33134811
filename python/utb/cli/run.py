"""`utb run`."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from utb import bootstrap
from utb.bootstrap.processes import Place, Plan
from utb.cli import supervised
from utb.cli.common import Stateful, write_json, write_note
from utb.cli.news import Newsroom
from utb.cli.watch import Watch, follow
from utb.domain.signing import SOCKET_NAME
from utb.errors import UsageError
from utb.serving.addresses import PORT_MAX

DEFAULT_STATE: Final = Path("state")
_DEFAULT: Final = Stateful()


def run(
    *,
    port: int | None = None,
    serve: Annotated[bool, Parameter(negative="--no-serve", show_default=False)] = True,
    analytics: Annotated[bool, Parameter(negative="--no-analytics", show_default=False)] = True,
    common: Stateful = _DEFAULT,
) -> int:
    """Trade with live prices: trade, serve and analytics under one supervisor.

    On paper, or in live trading (both switches of [environment]) with the wallet, which a signer
    in a process of its own holds.

    What falls is restarted; Ctrl-C or SIGTERM stops everything in order. Each process has its log
    in STATE/log. With --json, every event is one JSON object on a line of stdout.

    For example: utb run --state ./state --port 8080

    Args:
        port: Of the dashboard and the API; default server.port.
        serve: Have the dashboard and the API.
        analytics: Keep every figure in ClickHouse.
    """
    if port is not None and not 0 <= port <= PORT_MAX:
        raise UsageError("--port", str(port), f"0 to {PORT_MAX}")
    loaded = bootstrap.load(common.config, common.settings)
    for note in loaded.notes:
        write_note(f"note: {note}")
    server, store = loaded.config.server, loaded.config.analytics
    wanted = Place(server.port if port is None else port, server.host)
    own_store = loaded.secrets.clickhouse_url is not None
    kept = Place(store.port, store.host)
    plan = Plan(
        state_dir=(common.state or DEFAULT_STATE).absolute(),
        config=None if common.config is None else common.config.absolute(),
        settings=common.settings,
        serve=supervised.required("--port", wanted) if serve else None,
        analytics=_store(kept, own=own_store) if analytics else None,
        clickhouse_server=own_store and analytics,
        sign=_own_signer(loaded, common),
    )
    say = _as_json if common.json else _as_text
    for name, link in supervised.links(plan):
        say(Link(name=name, address=link), f"{name}: {link}")
    say(
        Link(name="state", address=str(plan.state_dir)),
        f"state and logs: {plan.state_dir}; stop with Ctrl-C",
    )
    newsroom = Newsroom()

    def on_news(watch: Watch) -> None:
        if watch.pulse is not None:
            for news in newsroom.take(watch.pulse):
                say(news, news.sentence)

    return supervised.supervise(
        plan,
        lambda event: say(event, event.sentence),
        [follow(plan.state_dir, Watch(), on_news, reader="run", records=False)],
    )


def _own_signer(loaded: bootstrap.Loaded, common: Stateful) -> Path | None:
    """Return the socket of the signer to start in live trading; None: none is wanted.

    With `signer.socket` somebody else runs it, as a user of its own.

    Raises:
        UsageError: If its passphrase could only be asked for at a terminal it does not have.
    """
    signer, key = loaded.config.signer, loaded.secrets.wallet_private_key_path
    if not loaded.is_live or signer.socket:
        return None
    if key is not None and not signer.passphrase_file:
        from utb.engine.signer import keystore_show  # noqa: PLC0415 - the core, in live only

        encrypted, _ = keystore_show(Path(key.reveal()), os.geteuid())
        if encrypted:
            expected = "a file of the passphrase; or run `utb sign` yourself and set signer.socket"
            raise UsageError("signer.passphrase_file", "not set", expected)
    return (common.state or DEFAULT_STATE).absolute() / "run" / SOCKET_NAME


def _store(place: Place, *, own: bool) -> Place:
    """Return where the store listens; with a server of the user's it listens nowhere."""
    return place if own else supervised.required("analytics.port", place)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is."""

    name: str
    address: str


def _as_text(_: msgspec.Struct, sentence: str) -> None:
    write_note(sentence)


def _as_json(value: msgspec.Struct, _: str) -> None:
    write_json(value)
    sys.stdout.flush()
