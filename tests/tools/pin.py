"""Rewrite `[tool.uv] constraint-dependencies` with the exact versions that resolve today.

A lock file would record download hosts, so the versions stand in pyproject.toml instead.
"""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def pin_of(package: dict[str, Any]) -> str:
    """Return a package's version, with the Python versions it is for where there are several."""
    markers = " or ".join(f"({marker})" for marker in package.get("resolution-markers", ()))
    pin = f"{package['name']}=={package['version']}"
    return f"{pin} ; {markers}" if markers else pin


def main() -> None:
    """Resolve afresh and write the versions back."""
    project = ROOT / "pyproject.toml"
    text = project.read_text()
    pattern = re.compile(r"constraint-dependencies = \[.*?\]\n", re.DOTALL)
    project.write_text(pattern.sub("constraint-dependencies = []\n", text))
    subprocess.run(["uv", "lock", "--upgrade"], cwd=ROOT, check=True)
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    pins = sorted(pin_of(package) for package in packages if package["name"] != "utb")
    lines = "".join(f'    "{pin}",\n' for pin in pins)
    project.write_text(pattern.sub(f"constraint-dependencies = [\n{lines}]\n", text))


if __name__ == "__main__":
    main()
