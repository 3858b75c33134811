"""`utb keys new`."""

from typing import Annotated, Final, Literal

from cyclopts import App, Parameter

from utb.api.keys import new_key
from utb.cli.common import Common, write_json, write_line, write_note
from utb.config.server_tables import ServerKey
from utb.domain.times import parse_iso
from utb.errors import UsageError

app: Final = App(name="keys", help="Make keys for the API.")

_DEFAULT: Final = Common()


@app.command
def new(
    name: str,
    *,
    scopes: Annotated[
        tuple[Literal["read", "trade", "admin"], ...],
        Parameter(consume_multiple=True, negative=""),
    ] = ("read",),
    expires: str | None = None,
    common: Common = _DEFAULT,
) -> int:
    """Make a key, show it once, and print the lines for the configuration.

    read looks, trade trades and stops, admin resumes and resets. Only the key's hash is kept, so a
    lost key is replaced by a new one; to revoke one, delete its lines and start again.

    For example: utb keys new laptop --scopes read trade --expires 2027-01-31

    Args:
        name: Name of the key, for logs.
        scopes: What it may do.
        expires: The first day (UTC) it is no longer valid.
        common: Options of every command.
    """
    key, digest = new_key()
    entry = _entry(name, digest, scopes, expires)
    lines = ["[[server.keys]]", f'id = "{entry.id}"', f'sha256 = "{entry.sha256}"']
    listed = ", ".join(f'"{scope}"' for scope in entry.scopes)
    lines.append(f"scopes = [{listed}]")
    if entry.expires is not None:
        lines.append(f'expires = "{entry.expires}"')
    if common.json:
        write_json({"key": key, "toml": "\n".join(lines)})
        return 0
    write_note("The key is shown once; keep it where only its user reads it:")
    write_line(key)
    write_note("\nPut these lines into config/trading.toml and start `utb serve` again:")
    write_line("\n".join(lines))
    return 0


def _entry(
    name: str, digest: str, scopes: tuple[Literal["read", "trade", "admin"], ...], day: str | None
) -> ServerKey:
    if not 1 <= len(name) <= 32 or not name.replace("-", "").replace("_", "").isalnum():  # noqa: PLR2004
        raise UsageError("NAME", name, "up to 32 letters, digits, - and _")
    if not name.isascii():
        raise UsageError("NAME", name, "plain letters")
    if not scopes:
        raise UsageError("--scopes", "empty", "some of read, trade, admin")
    if day is not None:
        try:
            parse_iso(day)
        except ValueError:
            raise UsageError("--expires", day, "a day, for example 2027-01-31") from None
        if len(day) != len("2027-01-31"):
            raise UsageError("--expires", day, "a day, for example 2027-01-31")
    return ServerKey(id=name, sha256=digest, scopes=tuple(dict.fromkeys(scopes)), expires=day)
