"""Secrets and switches from the environment: the only reader of it.

A variable of the environment wins over the same variable in `.env`. Only the variables of the
user guide and `JUPITER_API_KEY` are read; texts of `.env` are taken as they stand, without
expanding `${...}`.
"""

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from dotenv.parser import parse_stream

from utb.config.check import near_miss
from utb.config.table import Secret
from utb.config.values import MASK, is_http_address
from utb.errors import ConfigProblem

VARIABLES: Final = (
    "TRADING_ENV",
    "WALLET_ADDRESS",
    "WALLET_PRIVATE_KEY_PATH",
    "HELIUS_API_KEY",
    "QUICKNODE_RPC_URL",
    "DEXSCREENER_API_KEY",
    "BIRDEYE_API_KEY",
    "JUPITER_API_KEY",
    "TELEGRAM_TOKEN",
    "CHAT_ID",
    "DATABASE_URL",
    "REDIS_URL",
    "CLICKHOUSE_URL",
    "INFISICAL_CLIENT_ID",
    "INFISICAL_CLIENT_SECRET",
)

SETTINGS: Final = {
    "TRADING_ENV": "environment.trading_env",
    "TELEGRAM_TOKEN": "telegram.token",
    "CHAT_ID": "telegram.chat_id",
}
"""Variables that stand for a key of the file, and win over it."""

SEALED: Final = frozenset({*VARIABLES, "CLICKHOUSE_URL"})
"""What a demo's processes do not inherit: its trades are nobody's."""

UNUSED: Final = ("DEXSCREENER_API_KEY", "TELEGRAM_TOKEN", "CHAT_ID", "DATABASE_URL", "REDIS_URL")
"""Variables of the guide that nothing uses: who sets one is told so."""

API_KEYS: Final = ("HELIUS_API_KEY", "DEXSCREENER_API_KEY", "BIRDEYE_API_KEY", "JUPITER_API_KEY")
"""Variables that hold a key as it is sent."""

ENV_FILE: Final = Path(".env")

_SAMPLES: Final = ("your_", "your-quicknode-url", "/path/to/your/", "//username:password@")
"""What the guide writes where a user's own value belongs: as good as nothing."""


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment holds beside the settings; None = unset. Its repr shows no value."""

    wallet_address: Secret | None = None
    wallet_private_key_path: Secret | None = None
    helius_api_key: Secret | None = None
    quicknode_rpc_url: Secret | None = None
    dexscreener_api_key: Secret | None = None
    birdeye_api_key: Secret | None = None
    jupiter_api_key: Secret | None = None
    database_url: Secret | None = None
    redis_url: Secret | None = None
    clickhouse_url: Secret | None = None


class Variable(msgspec.Struct, frozen=True):
    """One variable that is set."""

    text: Secret
    origin: str
    """`environment`, or the file's name."""
    line: int | None


class Variables(msgspec.Struct, frozen=True, kw_only=True):
    """The guide's variables as they are set, and what is wrong with them."""

    values: dict[str, Variable]
    problems: tuple[ConfigProblem, ...] = ()
    notes: tuple[str, ...] = ()

    def secrets(self) -> Secrets:
        """Return the secrets among them."""
        fields = Secrets.__struct_fields__
        return Secrets(
            **{
                name.lower(): variable.text
                for name, variable in self.values.items()
                if name.lower() in fields
            }
        )


NO_VARIABLES: Final = Variables(values={})


def read(env_file: Path = ENV_FILE, environ: Mapping[str, str] | None = None) -> Variables:
    """Read `.env`, if it is there, and the environment.

    Args:
        env_file: The file of variables; absent = empty.
        environ: Replaces the process's environment.
    """
    present = os.environ if environ is None else environ
    values, problems, notes = _from_file(env_file)
    for name in VARIABLES:
        if present.get(name):
            values[name] = Variable(Secret(present[name]), "environment", None)
    for name in [name for name, variable in values.items() if is_sample(variable.text.reveal())]:
        notes.append(f"{name} holds the guide's sample text: taken as unset")
        del values[name]
    notes += [unused(name) for name in UNUSED if name in values]
    problems += _unusable(values)
    if "INFISICAL_CLIENT_ID" in values and "INFISICAL_CLIENT_SECRET" in values:
        problems.append(_no_infisical(values["INFISICAL_CLIENT_ID"]))
    return Variables(values=values, problems=tuple(problems), notes=tuple(notes))


def sealed_environment(
    given: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return an environment for processes that must not reach a user's accounts.

    Without the guide's variables and the address of a ClickHouse server, and with `given`; search
    paths are absolute, so that it holds in any directory.

    Args:
        given: Variables to set.
        environ: Replaces the process's environment.
    """
    present = os.environ if environ is None else environ
    sealed = {name: text for name, text in present.items() if name not in SEALED}
    paths = sealed.get("PYTHONPATH", "")
    if paths:
        sealed["PYTHONPATH"] = os.pathsep.join(map(os.path.abspath, paths.split(os.pathsep)))
    return sealed | dict(given)


def is_sample(text: str) -> bool:
    """Return whether a text is what the guide writes in place of a user's own value."""
    lower = text.lower()
    return any(lower.startswith(mark) if mark.endswith("_") else mark in lower for mark in _SAMPLES)


def unused(name: str) -> str:
    """Return the note on a setting that nothing uses."""
    return f"{name} is set; this version does not use it"


def _unusable(values: Mapping[str, Variable]) -> list[ConfigProblem]:
    """Return what is wrong with the texts themselves; none of them is shown."""
    expected = dict.fromkeys(API_KEYS, "a key: visible ASCII characters without spaces")
    wrong = [name for name in API_KEYS if name in values and not _is_key(values[name])]
    url = values.get("QUICKNODE_RPC_URL")
    if url is not None and not is_http_address(url.text.reveal()):
        expected["QUICKNODE_RPC_URL"] = "an address https://HOST/..."
        wrong.append("QUICKNODE_RPC_URL")
    return [
        ConfigProblem(
            file=values[name].origin,
            line=values[name].line,
            key=name,
            value=MASK,
            expected=expected[name],
        )
        for name in wrong
    ]


def _is_key(variable: Variable) -> bool:
    text = variable.text.reveal()
    return text.isascii() and text.isprintable() and " " not in text


def _from_file(path: Path) -> tuple[dict[str, Variable], list[ConfigProblem], list[str]]:
    values: dict[str, Variable] = {}
    problems: list[ConfigProblem] = []
    notes: list[str] = []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return values, problems, notes
    except (OSError, UnicodeDecodeError):
        problem = ConfigProblem(file=str(path), key="", value="", expected="a readable UTF-8 file")
        return values, [problem], notes
    for binding in parse_stream(io.StringIO(text)):
        # A statement's text begins with the blank lines and comments before it.
        blank = len(binding.original.string) - len(binding.original.string.lstrip())
        line = binding.original.line + binding.original.string[:blank].count("\n")
        if binding.error:
            problems.append(
                ConfigProblem(file=str(path), line=line, key="", value="", expected="NAME=value")
            )
        elif binding.key in VARIABLES and binding.value:
            values[binding.key] = Variable(Secret(binding.value), str(path), line)
        elif binding.key and binding.key not in VARIABLES:
            near = near_miss(binding.key, VARIABLES)
            if near:
                notes.append(f"{path}:{line}: {binding.key} is not a variable we read ({near})")
    return values, problems, notes


def _no_infisical(variable: Variable) -> ConfigProblem:
    return ConfigProblem(
        file=variable.origin,
        line=variable.line,
        key="INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET",
        value="***",
        expected="both to be unset",
        hint=(
            'reading secrets from Infisical needs the extra "infisical", which this version does '
            "not have; put them into .env"
        ),
    )
