"""What the house rules look at: the files git tracks or would track."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked() -> tuple[Path, ...]:
    """Return every file that git tracks or does not ignore, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return tuple(Path(name) for name in listed if (ROOT / name).is_file())


def sources(*suffixes: str, under: str = "") -> tuple[Path, ...]:
    """Return tracked files with one of the endings below a folder."""
    return tuple(
        path for path in tracked() if path.suffix in suffixes and str(path).startswith(under)
    )


def text(path: Path) -> str:
    """Return a tracked file's text."""
    return (ROOT / path).read_text(encoding="utf-8")
