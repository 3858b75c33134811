"""The page `docs/configuration.md`, made from the template and the schema.

`python -m utb.config.reference > docs/configuration.md`; a test compares the two.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any, Final, get_args, get_origin

import msgspec

from utb.config import rules, template
from utb.config.describe import expected
from utb.config.limits import LIMITS
from utb.config.load import LISTS
from utb.config.schema import Config, InstrumentConfig, RpcEndpoint, ServerKey, SignerTable
from utb.config.table import Table, fields_of
from utb.config.values import render
from utb.errors import LiveCause

VARIABLES: Final = {
    "TRADING_ENV": "replaces `environment.trading_env`",
    "WALLET_ADDRESS": "the wallet's public key (live trading)",
    "WALLET_PRIVATE_KEY_PATH": "file of the wallet's key (live trading)",
    "HELIUS_API_KEY": "key of Helius",
    "QUICKNODE_RPC_URL": "address of a Solana RPC endpoint, its key included",
    "DEXSCREENER_API_KEY": "not used by this version: DexScreener answers without a key",
    "BIRDEYE_API_KEY": "key of Birdeye",
    "JUPITER_API_KEY": "key of Jupiter; it answers without one, more slowly",
    "TELEGRAM_TOKEN": "replaces `telegram.token`, which this version does not use",
    "CHAT_ID": "replaces `telegram.chat_id`, which this version does not use",
    "DATABASE_URL": "not used by this version, which keeps its state in SQLite",
    "REDIS_URL": "not used by this version: its processes need no Redis",
    "CLICKHOUSE_URL": "ClickHouse server or cluster in place of the embedded store",
    "INFISICAL_CLIENT_ID": "refused together with the next: see below",
    "INFISICAL_CLIENT_SECRET": "refused together with the one before",
}

_INTRO: Final = """\
# Configuration

Made from the template and the schema by `python -m utb.config.reference`; edit those.

`cp config/trading_template.toml config/trading.toml`, change what you want, delete what you do
not: a key that is absent has the template's value. `utb config check` names every mistake at once
with file, line, key, value, what was expected and a near miss, and exits with 2; `utb config show`
prints the effective values and where each came from.

The file may repeat a table, as the user guide does with `[risk]` and `[risk.adjustments]`: its
keys are merged. A key given twice with different values is an error that names both lines. A file
that has `[[instruments]]` replaces the template's list; every other table is merged key by key. A
pool `[paper.pools.<symbol>]` takes what it does not name from `[paper.pools.default]`.

It is paper trading unless both switches of `[environment]` are on live (see
[live trading](#live-trading)). `[telegram]` and the variables of Telegram, PostgreSQL and Redis are
read and nothing uses them yet: `utb config check`, `utb run` and `utb trade` say so of those that
are set. DexScreener needs no key; without `BIRDEYE_API_KEY` or `HELIUS_API_KEY` that source is off,
and the instruments that name it get their bars from DexScreener. A key is sent over https and wss
only, except to this machine.
"""

_LIMITS: Final = """\
## Limits with several names

A limit that stands in two tables or under two names applies at its stricter value; names that are
absent take no part. `utb config check` and `utb config show` say where two values differ.

| names | the stricter is |
|---|---|
"""

_ENVIRONMENT: Final = """\
## Environment

Read from the environment and from `.env` in the working directory (`cp .env.example .env`); the
environment wins. Texts of `.env` are taken as they stand, without expanding `${...}`. The guide's
sample texts (`your_...`) count as unset. No value is ever printed. Infisical is not built: with
both of its variables set, every command that reads the configuration refuses and says so.

| variable | meaning |
|---|---|
"""

_LIVE: Final = """\
## Live trading

Neither of `environment.trading_env` and `environment.execution_mode` on live: paper. Both on live:
live trading, with real money. It is refused, with a sentence and an exit code of its own, where
something is missing or wrong:

| exit code | cause |
|---|---|
"""

_RULES: Final = """\
## Rules between values

"""

_LISTED: Final[dict[str, type[Table]]] = {
    "instruments": InstrumentConfig,
    "server.keys": ServerKey,
    "rpc.endpoints": RpcEndpoint,
    "signer.tables": SignerTable,
}
"""What each of `LISTS` holds."""

_UNSAID: Final = {
    "instruments.timeframe": "replaces `strategies.timeframe` for this one",
    "instruments.pool": "account of its pool, for `helius`: fees owed are taken off the vaults",
    "instruments.base_vault": "token account of the pool's base side, for `helius`",
    "instruments.quote_vault": "token account of the pool's quote side, for `helius`",
    "instruments.pools": "pools its orders may go to, as `program:address`",
    "server.keys.id": "name of the key, for logs and limits",
    "server.keys.sha256": "hash of the key, as `utb keys new` prints it",
    "server.keys.scopes": "what it may do: look, trade and stop, resume and reset",
    "server.keys.expires": "the first day (UTC) it is no longer valid",
    "rpc.endpoints.name": "for logs, alarms and the names of its sender",
    "rpc.endpoints.url": "address of its JSON-RPC; one with a secret belongs in .env",
    "rpc.endpoints.ws_url": "address of its WebSocket; absent: the same as `url`, over ws(s)",
    "rpc.endpoints.requests_per_second": "replaces `rpc.requests_per_second` for this one",
    "signer.tables.address": "address of the lookup table",
    "signer.tables.addresses": "all its entries, in order",
}
"""Meanings of keys that the template does not have."""

_HEADER: Final = re.compile(r"\[+([^\]]+)\]+")
_ASSIGNMENT: Final = re.compile(r'([a-z_0-9]+) = (?:"[^"]*"|\[.*\]|[^"#]*?)\s+# (.*)')


def page() -> str:
    """Return the whole page."""
    meanings = template_comments()
    parts = [_INTRO, *_sections(Config, "", meanings)]
    parts.append(_LIMITS + "".join(f"{row}\n" for row in _limit_rows()))
    parts.append(_RULES + "".join(f"- {line}\n" for line in _rule_lines()))
    rows = "".join(f"| `{name}` | {meaning} |\n" for name, meaning in VARIABLES.items())
    parts.append(_ENVIRONMENT + rows)
    causes = "".join(f"| {cause.exit_code} | {cause.reason} |\n" for cause in LiveCause)
    parts.append(_LIVE + causes)
    return "\n".join(parts)


def template_comments() -> dict[str, str]:
    """Return what the template says beside each key, by dotted key; of lists, the first table."""
    comments: dict[str, str] = {}
    table = ""
    for line in template.text().splitlines():
        if header := _HEADER.match(line):
            table = header.group(1)
        elif assignment := _ASSIGNMENT.match(line):
            comments.setdefault(f"{table}.{assignment.group(1)}", assignment.group(2))
    return comments


def _sections(cls: type[Table], key: str, meanings: dict[str, str]) -> Iterator[str]:
    rows = []
    tables = []
    for name, hint in fields_of(cls).items():
        dotted = f"{key}.{name}" if key else name
        if isinstance(hint, type) and issubclass(hint, Table):
            tables.append((hint, dotted))
        elif get_origin(hint) is dict:
            tables.append((get_args(hint)[1], f"{dotted}.{_first_name(dotted)}"))
        elif get_origin(hint) is tuple:
            tables.append((get_args(hint)[0], dotted))
        else:
            rows.append(_row(dotted, hint, meanings))
    if rows:
        heading = f"[[{key}]]" if cls in _LISTED.values() else f"[{key}]"
        table = "| key | meaning | allowed | default |\n|---|---|---|---|\n"
        yield f"## `{heading}`\n\n{cls.__doc__}\n\n{table}{''.join(rows)}"
    for sub, dotted in tables:
        yield from _sections(sub, dotted, meanings)


def _row(key: str, hint: Any, meanings: dict[str, str]) -> str:
    name = key.rpartition(".")[2]
    meaning = meanings[key] if key in meanings else _UNSAID[key]
    cells = (f"`{name}`", meaning, expected(hint), _default(key))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(key: str) -> str:
    table, _, name = key.rpartition(".")
    if table in LISTS:
        fields = {field.name: field for field in msgspec.structs.fields(_LISTED[table])}
        field = fields[name]
        if field.required:
            return "required"
        return "absent" if field.default is None else f"`{render(field.default)}`"
    return f"`{render(rules.value_at(template.values(), key))}`"


def _first_name(key: str) -> str:
    return str(next(iter(rules.value_at(template.values(), key))))


def _limit_rows() -> Iterator[str]:
    for limit in LIMITS:
        names = ", ".join(f"`{name}`" for name in limit.names)
        yield f"| {names} | {limit.stricter} |"


def _rule_lines() -> Iterator[str]:
    yield "The eight weights of `[strategies]` sum to 1 (tolerance 0.000001)."
    for rule in rules.RULES:
        yield f"`{rule.keys[0]}`: {rule.expected}."
    yield "Every instrument: its own symbol, a quote with a table `[quotes.<name>]`, another base."


if __name__ == "__main__":
    sys.stdout.write(page())
