"""`utb config check` and `utb config show`."""

from typing import Final

from cyclopts import App

from utb.cli.common import Common, write_json, write_line, write_note
from utb.config import secrets
from utb.config.load import DEFAULT_PATH, Loaded, resolve
from utb.config.show import Row, rows, secrets_set
from utb.config.values import render
from utb.errors import ConfigError

app: Final = App(name="config", help="Check and show the configuration.")

_DEFAULT: Final = Common()


@app.command
def check(*, common: Common = _DEFAULT) -> int:
    """Check the configuration file, .env and the environment; every mistake is named.

    Exit code 0 if all is right, else 2.

    For example: utb config check --config config/trading.toml
    """
    try:
        loaded = _load(common)
    except ConfigError as error:
        if not common.json:
            raise
        write_json({"valid": False, "problems": error.problems, "notes": []})
        return error.exit_code
    if common.json:
        write_json({"valid": True, "problems": [], "notes": loaded.notes})
        return 0
    for note in loaded.notes:
        write_note(f"note: {note}")
    write_line(f"{_name(common)}: valid")
    return 0


@app.command
def show(*, common: Common = _DEFAULT) -> int:
    """Show every effective value and where it came from; secrets are masked.

    Where a limit stands in two tables or under two names, the stricter value is shown.

    For example: utb config show --json
    """
    loaded = _load(common)
    if common.json:
        write_json(
            {
                "values": {
                    row.key: {"value": row.value, "origin": row.origin} for row in rows(loaded)
                },
                "secrets": secrets_set(loaded.secrets),
                "notes": loaded.notes,
            }
        )
        return 0
    shown = rows(loaded)
    width = max(len(_assignment(row)) for row in shown if len(row.key) < 60)  # noqa: PLR2004
    for row in shown:
        write_line(f"{_assignment(row):<{width}}  # {row.origin}")
    for name, is_set in secrets_set(loaded.secrets).items():
        write_line(f"# {name}: {'set' if is_set else 'not set'}")
    for note in loaded.notes:
        write_line(f"# note: {note}")
    return 0


def _load(common: Common) -> Loaded:
    return resolve(common.config, secrets.read(), common.settings)


def _name(common: Common) -> str:
    if common.config is not None:
        return str(common.config)
    return str(DEFAULT_PATH) if DEFAULT_PATH.exists() else "the template's values"


def _assignment(row: Row) -> str:
    value = '""' if row.value is None else render(row.value)
    return f"{row.key} = {value}"
