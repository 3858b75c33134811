"""Check the dashboard's source, and that a fresh build equals the committed page.

Needs node and npm; without them it says so and succeeds, because the page that users get is
committed. `--require` makes their absence a failure.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "dashboard"
BUILT = ROOT / "python" / "utb" / "web"


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def differences(fresh: Path) -> list[str]:
    """Return what differs, one line each."""
    here, there = files(fresh), files(BUILT)
    found = [f"{path}: not committed" for path in sorted(here - there)]
    found += [f"{path}: no longer built" for path in sorted(there - here)]
    found += [
        f"{path}: differs"
        for path in sorted(here & there)
        if not filecmp.cmp(fresh / path, BUILT / path, shallow=False)
    ]
    return found


def main() -> int:
    npm = shutil.which("npm")
    if npm is None:
        print("npm is not here: the dashboard was not checked")
        return int("--require" in sys.argv)
    for step in (["ci"], ["run", "typecheck"], ["test"]):
        subprocess.run([npm, "--prefix", str(SOURCE), *step], check=True)
    with tempfile.TemporaryDirectory() as fresh:
        build = [npm, "--prefix", str(SOURCE), "exec", "--", "vite", "build"]
        subprocess.run([*build, str(SOURCE), "--outDir", fresh], check=True)
        found = differences(Path(fresh))
    for line in found:
        print(line)
    if found:
        print("the committed page is not what its source builds: run `just dashboard`")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
