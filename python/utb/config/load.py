"""Files and environment -> one checked `Config`, or every problem at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from utb.config import rules, secrets, settings, template
from utb.config.check import MISSING, Checker, Given, near_miss, to_secret, type_of
from utb.config.describe import choices, expected
from utb.config.document import MAX_BYTES, ListNode, TableNode, parse, plain
from utb.config.limits import LIMITS, OLDER_NAMES, Limit
from utb.config.schema import Config, Pool, Quote, Secret
from utb.config.secrets import NO_VARIABLES, SETTINGS, Secrets, Variables
from utb.config.table import Table, fields_of
from utb.config.values import MASK, render
from utb.errors import ConfigError, ConfigProblem, InvariantError

DEFAULT_PATH: Final = Path("config/trading.toml")
TEMPLATE_ORIGIN: Final = "template"
LISTS: Final = ("instruments", "server.keys", "rpc.endpoints", "signer.tables")
"""Lists of tables."""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration and how it came about."""

    config: Config
    secrets: Secrets
    origins: dict[str, str]
    """Where each value that is not the template's came from, by dotted key."""
    notes: tuple[str, ...]
    """What a user should know: stricter values that applied, sample texts taken as unset, what is
    set and not used."""

    def origin(self, key: str) -> str:
        """Return where the value of a key came from."""
        return self.origins.get(key, TEMPLATE_ORIGIN)


def load(path: Path | None = None, texts: Sequence[str] = ()) -> Config:
    """Return the configuration of a file, `.env`, the environment and the command line.

    Args:
        path: The file; None = `config/trading.toml` if it exists, else the template's values.
        texts: Settings `KEY=VALUE`, which win over everything else.

    Raises:
        ConfigError: With every problem of the file, the environment and the settings.
    """
    return resolve(path, secrets.read(), texts).config


def defaults() -> Config:
    """Return the template's configuration, without file and environment."""
    return _resolve(_Source("", None), NO_VARIABLES).config


def parse_text(text: str, file: str = "text") -> Config:
    """Return the configuration of a text, without the environment.

    Raises:
        ConfigError: With every problem of the text.
    """
    return _resolve(_Source(file, text), NO_VARIABLES).config


def resolve(path: Path | None, variables: Variables, texts: Sequence[str] = ()) -> Loaded:
    """Return the configuration of a file, of variables already read and of settings `KEY=VALUE`.

    Raises:
        ConfigError: With every problem of the file, the variables and the settings.
    """
    return _resolve(_read(path), variables, texts)


class _Source(msgspec.Struct, frozen=True):
    file: str
    text: str | None
    problem: ConfigProblem | None = None


def _read(path: Path | None) -> _Source:
    file = DEFAULT_PATH if path is None else path
    wanted = "a readable file"
    try:
        if path is None and not file.exists():
            return _Source(str(file), None)
        if file.stat().st_size <= MAX_BYTES:
            return _Source(str(file), file.read_text(encoding="utf-8"))
        wanted = f"at most {MAX_BYTES:,} bytes"
    except UnicodeDecodeError:
        wanted = "UTF-8 text"
    except FileNotFoundError:
        wanted = "a file that exists"
    except (OSError, ValueError) as error:
        wanted = f"a readable file ({type(error).__name__})"
    problem = ConfigProblem(file=str(file), key="", value="", expected=wanted)
    return _Source(str(file), None, problem)


def _resolve(source: _Source, variables: Variables, texts: Sequence[str] = ()) -> Loaded:
    building = _Building(source.file)
    if source.problem is not None:
        building.problems.append(source.problem)
    if source.text is not None:
        building.read_file(source.text)
    building.read_variables(variables)
    building.problems.extend(variables.problems)
    building.read_settings(settings.read(texts))
    building.complete("paper.pools", Pool, building.tree["paper"]["pools"]["default"])
    building.complete("quotes", Quote, {})
    building.apply_limits()
    building.apply_rules()
    if building.problems:
        raise ConfigError(tuple(sorted(building.problems, key=_place)))
    try:
        config = msgspec.convert(building.tree, type=Config, dec_hook=to_secret)
    except msgspec.ValidationError as error:
        # Every value was checked alone, so the schema and the checks contradict each other.
        raise InvariantError(f"checked configuration does not build: {error}") from error
    return Loaded(
        config=config,
        secrets=variables.secrets(),
        origins=building.origins,
        notes=(*building.notes, *variables.notes, *building.unused(variables)),
    )


def _place(problem: ConfigProblem) -> tuple[str, int, str]:
    return problem.file, problem.line or 0, problem.key


class _Building:
    """A tree that starts as the template's and takes a file's and the environment's values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.tree: dict[str, Any] = template.values()
        for older in OLDER_NAMES:
            table, _, name = older.rpartition(".")
            rules.value_at(self.tree, table).pop(name, None)
        self.problems: list[ConfigProblem] = []
        self.notes: list[str] = []
        self.origins: dict[str, str] = {}
        self.given: dict[str, Given] = {}
        self.lines: dict[str, int] = {}
        self.set_keys: frozenset[str] = frozenset()
        """Keys and tables that the command line names."""
        self.invalid: frozenset[str] = frozenset()

    def read_file(self, text: str) -> None:
        document = parse(text, self.file)
        checker = Checker(self.file)
        checker.check(document.root)
        self.problems += [*document.problems, *checker.problems]
        self.given, self.lines = checker.given, checker.lines
        self.invalid = frozenset(problem.key for problem in self.problems)
        self.take_lists(document.root, "")
        self.drop_samples()
        for key, given in self.given.items():
            if key not in OLDER_NAMES and "[" not in key:
                _set(self.tree, key, given.value)
                self.origins[key] = f"{self.file}:{given.line}"

    def take_lists(self, node: TableNode, prefix: str) -> None:
        """Take lists of tables whole: they replace the template's."""
        for name, item in node.items.items():
            if isinstance(item, TableNode):
                self.take_lists(item, f"{prefix}{name}.")
            elif isinstance(item, ListNode) and prefix + name in LISTS:
                _set(self.tree, prefix + name, plain(item))
                self.origins[prefix + name] = f"{self.file}:{item.line}"

    def drop_samples(self) -> None:
        for key in secrets.SETTINGS.values():
            text = self.given[key].value if key in self.given else None
            text = text.reveal() if isinstance(text, Secret) else text
            if isinstance(text, str) and secrets.is_sample(text):
                self.notes.append(f"{key} holds the guide's sample text: taken as unset")
                del self.given[key]

    def complete(self, key: str, cls: type[Table], base: dict[str, Any]) -> None:
        """Fill named tables from a base; what is missing even there is a problem."""
        tables = rules.value_at(self.tree, key)
        prefix = f"{key}."
        named = (*self.lines, *sorted(self.set_keys))
        touched = [known.removeprefix(prefix) for known in named if known.startswith(prefix)]
        for name in dict.fromkeys(known.partition(".")[0] for known in touched):
            table = tables.setdefault(name, {})
            for field, hint in fields_of(cls).items():
                dotted = f"{prefix}{name}.{field}"
                if field not in table and field in base:
                    table[field] = base[field]
                elif field not in table and dotted not in self.invalid:
                    self.problem(dotted, prefix + name, "", expected(hint), MISSING)

    def read_variables(self, variables: Variables) -> None:
        for name, key in SETTINGS.items():
            variable = variables.values.get(name)
            if variable is None:
                continue
            hint = type_of(key)
            text = variable.text.reveal()
            try:
                value = msgspec.convert(text, type=hint, dec_hook=to_secret)
            except msgspec.ValidationError:
                shown = MASK if hint is Secret else render(text)
                self.problems.append(
                    ConfigProblem(
                        file=variable.origin,
                        line=variable.line,
                        key=name,
                        value=shown,
                        expected=expected(hint),
                        hint=near_miss(text, choices(hint)),
                    )
                )
                continue
            _set(self.tree, key, value)
            self.origins[key] = f"{variable.origin} {name}"

    def unused(self, variables: Variables) -> list[str]:
        """Return a note on each key that is set and not used; variables have theirs."""
        return [
            secrets.unused(key)
            for name, key in SETTINGS.items()
            if name in secrets.UNUSED
            and name not in variables.values
            and rules.value_at(self.tree, key) not in ("", Secret(""))
        ]

    def read_settings(self, given: settings.Settings) -> None:
        self.problems += given.problems
        self.invalid |= {problem.key for problem in given.problems}
        self.set_keys = given.keys
        for key, value in given.given.items():
            self.given[key] = value
            if key not in OLDER_NAMES:
                _set(self.tree, key, value.value)
                self.origins[key] = settings.ORIGIN

    def place(self, key: str) -> str:
        """Return where a given value stands."""
        if key in self.set_keys:
            return settings.ORIGIN
        return f"{self.file}:{self.given[key].line}"

    def apply_limits(self) -> None:
        for limit in LIMITS:
            values = {
                name: value
                for name in limit.names
                if name in self.given and isinstance(value := self.given[name].value, float)
            }
            if values:
                self.apply_limit(limit, values)

    def apply_limit(self, limit: Limit, values: dict[str, float]) -> None:
        strictest = limit.strictest(values)
        for key in limit.keys:
            _set(self.tree, key, values[strictest])
            self.origins[key] = self.place(strictest)
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{name} = {value:.10g}" for name, value in values.items())
            self.notes.append(f"{listed}: the stricter {values[strictest]:.10g} applies")

    def apply_rules(self) -> None:
        if "" in self.invalid:
            # A statement without a readable key: no value of the file is sure.
            return
        invalid = self.invalid | {OLDER_NAMES[key] for key in self.invalid if key in OLDER_NAMES}
        found = rules.broken(self.tree, invalid)
        if not any(key.startswith(("instruments", "quotes")) for key in invalid):
            found += rules.broken_instruments(self.tree)
        if not any(key.startswith("server.keys") for key in invalid):
            found += rules.broken_keys(self.tree)
        if not any(key.startswith("rpc.endpoints") for key in invalid):
            found += rules.broken_endpoints(self.tree)
        for rule in found:
            # The line of the key that the file changed, preferably the named one.
            places = (key for key in rule.keys if key in self.set_keys or key in self.lines)
            key = next(places, rule.key)
            self.problem(rule.key, key, rule.value, rule.expected)

    def problem(self, key: str, at: str, value: str, wanted: str, hint: str = "") -> None:
        on_line = at in self.set_keys
        line = None if on_line else self.lines.get(at)
        file = settings.ORIGIN if on_line else self.file
        self.problems.append(
            ConfigProblem(file=file, line=line, key=key, value=value, expected=wanted, hint=hint)
        )


def _set(tree: dict[str, Any], key: str, value: object) -> None:
    *tables, last = key.split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
    tree[last] = value
