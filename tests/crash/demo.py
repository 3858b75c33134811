"""A demo over sockets as its own processes, seen from outside: files, process ids, HTTP."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from utb.bootstrap.addresses import free_port
from utb.domain.records import FillBooked
from utb.storage.journal import FILE_NAME
from utb.storage.lock import holder
from utb.storage.readers import read_records
from utb.storage.schema import open_read_only

STOP_S = 60.0
ASK_TIMEOUT_S = 10.0


class Died(Exception):  # noqa: N818 - what happened to the demo
    """The demo did not do what it must."""


class Summary(msgspec.Struct, frozen=True):
    """What a sweep needs of a demo's JSON object."""

    journal_hash: str
    finished: bool


class Demo:
    """`utb demo --keep` on a state directory in a folder."""

    def __init__(self, folder: Path, *, seed: int, hours: int) -> None:
        """Describe it; `hours` of simulated time."""
        self.state = folder / "state"
        self._output = folder / "output"
        self._errors = folder / "errors"
        self._port = free_port(8080)
        self._command = [
            *(sys.executable, "-m", "utb", "demo", "--headless", "--json", "--keep"),
            *("--seed", str(seed), "--hours", str(hours)),
            *("--state", str(self.state), "--port", str(self._port)),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or let it go on."""
        with self._output.open("wb") as output, self._errors.open("ab") as errors:
            self._process = subprocess.Popen(self._command, stdout=output, stderr=errors)

    def died(self) -> None:
        """Take note that the supervisor was killed."""
        assert self._process is not None
        self._process.wait(timeout=STOP_S)

    def end(self) -> None:
        """End it, however it is."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> list[str]:
        """Ask it to stop; return what is wrong about how it does."""
        process = self._process
        if process is None:
            return []
        ended_before = process.poll() is not None
        process.send_signal(number)
        try:
            code = process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return [f"the demo did not stop in {STOP_S:g} s"]
        if ended_before or code != 0:
            return [f"the demo ended with {code}: {self.complaints()}"]
        left = [name for name in ("trade", "serve", "analytics", "simnet") if self.pid(name)]
        return [f"{name} is left" for name in left]

    def complaints(self) -> str:
        """Return what it said beside where everything is and how far it came."""
        usual = ("dashboard: ", "API: ", "ClickHouse: ", "logs: ", "continuing ", "port ")
        lines = self._errors.read_text().splitlines()
        return "\n".join(line for line in lines if not line.startswith(usual))[-2000:]

    def keep_logs(self, folder: Path) -> str:
        """Copy what the processes logged; return a sentence about it."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(self.state / "log", folder, dirs_exist_ok=True)
        shutil.copyfile(self._errors, folder / "demo.log")
        return f"logs are in {folder}"

    # Processes and files

    def pid(self, name: str) -> int | None:
        """Return the id of one of its processes, or None while there is none."""
        return holder(self.state, name) or None

    def rows(self) -> int:
        """Return how many records its journal's file holds."""
        path = self.state / FILE_NAME
        if not path.exists():
            return 0
        database = open_read_only(path)
        try:
            return int(database.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()[0])
        finally:
            database.close()

    def wait_for_rows(self, count: int, seconds: float) -> None:
        """Return when the journal's file holds so many records.

        Raises:
            Died: If it does not come to that in time.
        """
        self._wait(lambda: self.rows() >= count, seconds, f"{count} records in the journal")

    def fills(self) -> list[tuple[int, str]]:
        """Return (sequence, intent id) of every fill in its journal's file."""
        rows = read_records(self.state / FILE_NAME, 0)
        return [(seq, r.fill.intent_id) for seq, _, r in rows if isinstance(r, FillBooked)]

    # What it says

    def wait_for_result(self, seconds: float) -> None:
        """Return when the run is over.

        Raises:
            Died: If it is not over in time.
        """
        self._wait(lambda: self._output.read_bytes().endswith(b"\n"), seconds, "the end of the run")

    def result(self, seconds: float = 600.0) -> Summary:
        """Return the outcome, waiting for it."""
        self.wait_for_result(seconds)
        return msgspec.json.decode(self._output.read_bytes(), type=Summary)

    def ask(self, path: str) -> Any:
        """Return what serve answers.

        Raises:
            Died: If it does not.
        """
        url = f"http://127.0.0.1:{self._port}{path}"
        try:
            return httpx.get(url, timeout=ASK_TIMEOUT_S).raise_for_status().json()
        except httpx.HTTPError as error:
            raise Died(f"serve: {path}: {error!r}") from error

    def query(self, sql: str) -> list[list[Any]]:
        """Return the rows that ClickHouse answers.

        Raises:
            Died: If it does not.
        """
        text = f"{sql} FORMAT JSONCompact"
        try:
            answer = httpx.post(self.link("ClickHouse"), content=text, timeout=ASK_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise Died(f"ClickHouse: {error!r}") from error
        if answer.status_code != httpx.codes.OK:
            raise Died(f"ClickHouse: {sql}: {answer.status_code} {answer.text}")
        rows: list[list[Any]] = answer.json()["data"]
        return rows

    def settled_rows(self) -> int:
        """Return how many records ClickHouse holds, when it holds the journal's last."""
        last = self.rows()
        self._wait(lambda: self._held() >= last, STOP_S, f"record {last} in ClickHouse")
        return int(self.query("SELECT count() FROM utb.events")[0][0])

    def _held(self) -> int:
        return int(self.query("SELECT max(seq) FROM utb.events")[0][0])

    def link(self, name: str) -> str:
        """Return an address that the demo said, the last one of its name."""
        lines = self._errors.read_text().splitlines()
        return next(line for line in reversed(lines) if line.startswith(f"{name}: ")).split()[-1]

    def _wait(self, question: Any, seconds: float, what: str) -> None:
        deadline_s = time.monotonic() + seconds
        while not question():
            assert self._process is not None
            if self._process.poll() is not None:
                code = self._process.returncode
                raise Died(f"the demo ended with {code}: {self.complaints()}")
            if time.monotonic() > deadline_s:
                raise Died(f"{what}: not within {seconds:g} s")
            time.sleep(0.01)
