"""Builds the program's bytes from its source; `python -m utb.simnet.chain.program.build`."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from utb.simnet.chain.program.elf import link

COMPILER: Final = "clang-14"
"""Debian's; another version gives other bytes that do the same."""
FLAGS: Final = ("-target", "bpf", "-mcpu=v2", "-O2", "-Wall", "-Werror", "-c")
_HERE: Final = Path(__file__).parent
SOURCE: Final = _HERE / "venue.c"
BUILT: Final = _HERE / "venue.elf"


def build() -> bytes:
    """Compile and link the source; return the program file.

    Raises:
        FileNotFoundError: If the compiler is not installed.
        subprocess.CalledProcessError: If it refuses the source.
    """
    with TemporaryDirectory() as place:
        compiled = Path(place) / "venue.o"
        # From its own directory, so that no path of this machine gets into the object.
        subprocess.run(  # noqa: S603 - fixed arguments
            [COMPILER, *FLAGS, SOURCE.name, "-o", str(compiled)], cwd=_HERE, check=True
        )
        return link(compiled.read_bytes())


def program() -> bytes:
    """Return the program file that was built before."""
    return BUILT.read_bytes()


if __name__ == "__main__":
    BUILT.write_bytes(build())
