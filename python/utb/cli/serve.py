"""`utb serve`."""

import signal
from pathlib import Path
from typing import Final

from utb.bootstrap.serve import ServeOptions, serve
from utb.cli.common import Stateful, write_note
from utb.config import secrets
from utb.config.load import resolve

_DEFAULT: Final = Stateful()
INTERRUPTED: Final = 130
STATE: Final = Path("state")


def serve_command(
    *, host: str | None = None, port: int | None = None, common: Stateful = _DEFAULT
) -> int:
    """Serve the API and the dashboard over what the trading process tells.

    Args:
        host: Address; default server.host.
        port: Port, 0 for any free one; default server.port.
        common: Options of every command.
    """
    loaded = resolve(common.config, secrets.read(), common.settings)
    for note in loaded.notes:
        write_note(f"note: {note}")
    options = ServeOptions(state_dir=common.state or STATE, host=host, port=port)
    return INTERRUPTED if serve(loaded, options) is signal.SIGINT else 0
