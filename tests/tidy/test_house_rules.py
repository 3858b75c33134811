"""House rules that no linter knows; each names the rule and the place that breaks it."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tree import ROOT, sources, text, tracked

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
ROOT_ENTRIES_MAX = 22
RECIPE_LINES_MAX = 3
PYTHON = sources(".py")
PRODUCT = sources(".py", under="python/utb/")
CODE = sources(".py", ".rs", ".ts", ".tsx")

ALLOWED_CRATES = {
    "types": set(),
    "feeds": {"types"},
    "signals": {"types"},
    "solana": {"types"},
    "core": {"types", "feeds", "signals", "solana"},
    "py": {"types", "core", "signals", "solana"},
}
"""The crate table of docs/architecture.md."""


def ids(paths: tuple[Path, ...]) -> list[str]:
    return [str(path) for path in paths]


@pytest.mark.parametrize("path", CODE, ids=ids(CODE))
def test_source_file_is_at_most_400_lines(path: Path) -> None:
    assert text(path).count("\n") <= FILE_LINES_MAX


@pytest.mark.parametrize("path", PYTHON, ids=ids(PYTHON))
def test_function_is_at_most_70_lines(path: Path) -> None:
    functions = (
        node
        for node in ast.walk(ast.parse(text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = [
        f"{f.name} at line {f.lineno}"
        for f in functions
        if (f.end_lineno or f.lineno) - f.lineno >= FUNCTION_LINES_MAX
    ]
    assert not long


def test_core_has_one_door() -> None:
    """Only `utb.engine` imports the extension; everything else goes through it."""
    door = re.compile(
        r"^\s*(from utb import _core|from utb\._core|import utb\._core)", re.MULTILINE
    )
    importers = [str(path) for path in PRODUCT if door.search(text(path))]
    assert [p for p in importers if not p.startswith("python/utb/engine/")] == []


def test_mode_is_read_in_one_place() -> None:
    callers = [
        str(path)
        for path in PRODUCT
        if "resolve_mode(" in text(path) and not str(path).startswith("python/utb/config/")
    ]
    assert callers == ["python/utb/bootstrap/__init__.py"]


def test_approval_is_made_in_the_gate_only() -> None:
    makers = [str(path) for path in PRODUCT if re.search(r"\bRiskApproved\(", text(path))]
    makers = [p for p in makers if p != "python/utb/domain/orders.py"]
    assert makers == ["python/utb/risk/gate.py"]


@pytest.mark.parametrize("path", sources(".py", under="python/utb/ledger/"), ids=str)
def test_ledger_holds_no_float(path: Path) -> None:
    """A float must never reach the ledger: no float literal, call, annotation or division."""
    tree = ast.parse(text(path))
    found = [
        f"line {node.lineno}"
        for node in ast.walk(tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
    ]
    assert not found


def test_crates_depend_only_downward() -> None:
    for name, allowed in ALLOWED_CRATES.items():
        manifest = ROOT / "rust" / name / "Cargo.toml"
        if not manifest.exists():
            continue
        dependencies = tomllib.loads(manifest.read_text())["dependencies"]
        own = {d.removeprefix("utb-") for d in dependencies if d.startswith("utb-")}
        assert own <= allowed, f"rust/{name} depends on {own - allowed}"


def test_every_configuration_key_is_documented() -> None:
    template = tomllib.loads(text(Path("config/trading_template.toml")))
    page = text(Path("docs/configuration.md"))
    missing = [key for key in sorted(set(_leaf_keys(template))) if f"`{key}`" not in page]
    assert not missing


def _leaf_keys(table: object) -> Iterator[str]:
    if isinstance(table, dict):
        for key, value in table.items():
            if isinstance(value, dict) or (
                isinstance(value, list) and value and isinstance(value[0], dict)
            ):
                yield from _leaf_keys(value)
            else:
                yield key
    elif isinstance(table, list):
        for item in table:
            yield from _leaf_keys(item)


def test_root_has_few_entries() -> None:
    entries = {path.parts[0] for path in tracked()}
    assert len(entries) <= ROOT_ENTRIES_MAX, sorted(entries)


def test_recipes_are_short() -> None:
    lines = 0
    for number, line in enumerate(text(Path("Justfile")).splitlines(), start=1):
        lines = lines + 1 if line.startswith("    ") else 0
        assert lines <= RECIPE_LINES_MAX, f"Justfile:{number}: longer recipes become a script"


def test_lock_with_download_hosts_is_not_tracked() -> None:
    assert Path("uv.lock") not in tracked()


@pytest.mark.parametrize("path", CODE, ids=ids(CODE))
def test_open_work_carries_an_issue_number(path: Path) -> None:
    marks = re.findall(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\(#\d+\))", text(path))
    assert not marks


@pytest.mark.parametrize("path", PRODUCT, ids=ids(PRODUCT))
def test_errors_are_not_swallowed(path: Path) -> None:
    """A bare or catch-all handler hides the fault it was not written for."""
    for node in ast.walk(ast.parse(text(path))):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
            )
            assert not broad, f"line {node.lineno}"
            empty = all(isinstance(s, ast.Pass) for s in node.body)
            assert not empty, f"line {node.lineno}: the handler does nothing"


FOREIGN = re.compile(
    r"/(?:root|home)/[a-z.]|/work/|\b\d{8,10}:[A-Za-z0-9_-]{35}\b"
    r"|pythonhosted\."
    r"org|registry\.npm"
    r"js|static\.crates\."
    r"io|deb\.deb"
    r"ian"
)
TEXTS = tuple(
    path
    for path in tracked()
    if path.suffix in {".py", ".rs", ".toml", ".md", ".sh", ".json", ".pyi", ".yml", ".html", ""}
    and path.name != "test_house_rules.py"
)


@pytest.mark.parametrize("path", TEXTS, ids=ids(TEXTS))
def test_no_machine_paths_hosts_or_tokens(path: Path) -> None:
    assert not FOREIGN.findall(text(path))


DOCS = sources(".md")


@pytest.mark.parametrize("path", DOCS, ids=ids(DOCS))
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", text(path))
    missing = [t for t in targets if not (ROOT / path.parent / t).exists()]
    assert not missing
