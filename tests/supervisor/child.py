"""A small process for the supervisor's tests.

Usage: python child.py FOLDER NAME BEHAVIOUR. It writes its id to FOLDER/NAME.pid when it is up;
what happens is added to FOLDER/order.txt.

waits      until SIGTERM, then ends with 0
ignores    SIGTERM
says CODE  writes a log line and a sentence, and ends with that code
result     writes an object to its standard output and ends with 0
"""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    folder, name, behaviour, *rest = sys.argv[1:]

    def note(what: str) -> None:
        with (Path(folder) / "order.txt").open("a") as file:
            file.write(f"{name} {what}\n")

    def stop(*_: object) -> None:
        note("stopped")
        sys.exit(0)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "ignores" else stop)
    note("started")
    fresh = Path(folder) / f"{name}.new"
    fresh.write_text(str(os.getpid()))
    fresh.replace(Path(folder) / f"{name}.pid")
    if behaviour == "says":
        sys.stderr.write('{"level": "info"}\nfirst line\nrisk is 3, expected less\n')
        return int(rest[0])
    if behaviour == "result":
        sys.stdout.write('{"schema": 1}\n')
        return 0
    while True:
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
