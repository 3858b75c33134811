"""Live trading on this machine: a stand-in with a chain, a signer and `utb trade`, from outside.

What the processes hold is read as anybody can: the journal's file, and the chain over JSON-RPC.
"""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
from standfiles import trade_few, write_key

from utb.adapters.chain.announced import Announced, Announcements
from utb.adapters.chain.wallet import TOKEN_PROGRAMS, guard_address
from utb.adapters.seam.client import SeamClient, socket_path
from utb.bootstrap.addresses import free_port
from utb.bootstrap.chainstand import ChainOptions
from utb.bootstrap.livedemo import FOLDER, prepare
from utb.bootstrap.options import RunOptions
from utb.bootstrap.processes import SimnetPorts
from utb.bootstrap.simnet import SimnetOptions
from utb.config.load import defaults
from utb.config.secrets import sealed_environment
from utb.domain import commands as cmd
from utb.domain.chain import WRAPPED_SOL_MINT
from utb.domain.names import OrderStatus, Side
from utb.domain.records import Flow, OrderState, Record
from utb.domain.signing import SOCKET_NAME
from utb.errors import TransientError
from utb.ledger.book import Book
from utb.storage.journal import FILE_NAME
from utb.storage.readers import read_instruments, read_records

READY_S: Final = 60.0
SEED: Final = 7
SLOT_MS: Final = 20
LOOK_S: Final = 0.02
FIRST_PORT: Final = 20_181
ASK_TIMEOUT_S: Final = 10.0
ACCOUNTS_MAX: Final = 100
"""Of one question."""
SIGNATURES_MAX: Final = 1_000
"""Of one answer."""


class Late(AssertionError):  # noqa: N818 - what happened
    """Something did not happen in time."""


def wait_for(question: Callable[[], Any], what: str, seconds: float = READY_S) -> Any:
    """Return the answer as soon as it is yes.

    Raises:
        Late: If it does not come to that in time.
    """
    deadline_s = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > deadline_s:
            raise Late(f"{what}: not within {seconds:g} s")
        time.sleep(LOOK_S)
    return answer


class Stand:
    """A folder with everything that a wallet's live trading needs, and its processes."""

    def __init__(
        self,
        folder: Path,
        *,
        slot_ms: int = SLOT_MS,
        first_port: int = FIRST_PORT,
        seed: bytes | None = None,
    ) -> None:
        """Make wallet and configuration; nothing runs yet.

        Args:
            folder: Of everything.
            slot_ms: Of the chain.
            first_port: The first one to try.
            seed: Of the wallet's key, so that a test can sign with it; None: a drawn one.
        """
        self.folder = folder
        self.state = folder / "state"
        http = free_port(first_port)
        self.ports = SimnetPorts(http=http, ws=free_port(first_port, [http]))
        options = SimnetOptions(
            state_dir=self.state,
            http_port=self.ports.http,
            ws_port=self.ports.ws,
            wall=True,
            run=RunOptions(seed=SEED),
        )
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if seed is not None:
            write_key(self.state / FOLDER, seed)
        self.live = prepare(
            defaults(), None, self.state, self.ports, options, ChainOptions(slot_ms=slot_ms)
        )
        trade_few(self.live.config)
        self.environment = sealed_environment({**self.live.environment, "BIRDEYE_API_KEY": "test"})
        self.wallet = self.live.wallet
        self.processes: list[subprocess.Popen[bytes]] = []
        self._numbers = itertools.count(1)
        self._rpc = httpx.Client(timeout=ASK_TIMEOUT_S)

    # Processes

    def command(self, name: str, *more: str) -> list[str]:
        """Return the words of a process's command line, without the interpreter."""
        chosen = [part for text in self.ports.settings() for part in ("--set", text)]
        base = [name, "--state", str(self.state), "--config", str(self.live.config)]
        return [*base, *chosen, *more]

    def start(
        self,
        name: str,
        *more: str,
        through: Sequence[str] = ("-m", "utb"),
        before: Callable[[], None] | None = None,
        wrapped: Sequence[str] = (),
    ) -> "subprocess.Popen[bytes]":
        """Start a process; what it says is in `NAME.log` of the folder.

        Args:
            name: Of the command.
            more: Its arguments.
            through: What the interpreter runs.
            before: Called in the new process before it begins.
            wrapped: What runs the interpreter.
        """
        command = [*wrapped, sys.executable, *through, *self.command(name, *more)]
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                preexec_fn=before,  # noqa: PLW1509 - no threads here
            )
        self.processes.append(process)
        return process

    def log(self, name: str) -> Path:
        """Return the file of what a process said."""
        return self.folder / f"{name}.log"

    def start_world(self) -> None:
        """Start the stand-in, and return when it answers."""
        ports = ("--http-port", str(self.ports.http), "--ws-port", str(self.ports.ws))
        self.start("simnet", "--wall", "--seed", str(SEED), *self.live.simnet, *ports)
        wait_for(self._answers, "the stand-in")

    def start_signer(self, **how: Any) -> "subprocess.Popen[bytes]":
        """Start the signer, and return when it listens."""
        socket = self.state / "run" / SOCKET_NAME
        socket.unlink(missing_ok=True)
        process = self.start("sign", **how)
        wait_for(lambda: socket.is_socket() or process.poll() is not None, "the signer")
        return process

    def start_trade(self, **how: Any) -> "subprocess.Popen[bytes]":
        """Start trading, without waiting."""
        socket_path(self.state).unlink(missing_ok=True)
        return self.start("trade", **how)

    def refusal(
        self,
        *more: str,
        config: Path | None = None,
        state: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Return the exit code and the words of `utb trade` that does not start.

        Args:
            more: Arguments.
            config: Instead of the stand's.
            state: Instead of the stand's.
            variables: Beside those of the stand.
        """
        command = self.command("trade", *more)
        command[command.index("--state") + 1] = str(state or self.state)
        command[command.index("--config") + 1] = str(config or self.live.config)
        done = subprocess.run(
            [sys.executable, "-m", "utb", *command],
            capture_output=True,
            text=True,
            env={**self.environment, **(variables or {})},
            cwd=self.folder,
            timeout=READY_S,
            check=False,
        )
        return done.returncode, done.stderr

    def stop(self) -> None:
        """End everything, at once."""
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()
        self.processes.clear()
        self._rpc.close()

    # Commands

    def give(self, command: cmd.Command) -> cmd.Answer | None:
        """Give a command; None: nobody answered."""
        return asyncio.run(self._give(command))

    def buy(self, instrument: int, size_base_raw: int) -> cmd.Answer | None:
        """Ask for an entry."""
        return self.give(
            cmd.Trade(
                command_id=self.command_id(),
                issued_by="test",
                instrument=instrument,
                side=Side.BUY,
                size_base_raw=size_base_raw,
            )
        )

    def sell(self, position_id: int, fraction: float = 1.0) -> cmd.Answer | None:
        """Ask for an exit."""
        command_id = self.command_id()
        return self.give(
            cmd.ClosePosition(
                command_id=command_id, issued_by="test", position_id=position_id, fraction=fraction
            )
        )

    def command_id(self) -> str:
        """Return an id that no command had."""
        return f"t{os.getpid()}-{next(self._numbers)}"

    async def _give(self, command: cmd.Command) -> cmd.Answer | None:
        path = socket_path(self.state)
        try:
            async with await SeamClient.open(
                path, reader="test", lane=False, records=False
            ) as seam:
                return await seam.give(command)
        except TransientError:
            return None

    # The journal

    def records(self) -> list[Record]:
        """Return what the journal's file holds."""
        path = self.state / FILE_NAME
        return [record for _, _, record in read_records(path, 0)] if path.exists() else []

    def announced(self) -> tuple[Announced, ...]:
        """Return the housekeeping that the journal has announced and not closed."""
        known = Announcements()
        for record in self.records():
            if isinstance(record, Flow):
                known.learn(record)
        return known.open

    def book(self) -> Book:
        """Return what the journal's records come to."""
        book = Book(read_instruments(self.state / FILE_NAME))
        for record in self.records():
            book.apply(record)
        return book

    def settled_book(self, seconds: float = READY_S) -> Book:
        """Return the book once nothing is on its way or unsettled."""

        def settled() -> Book | None:
            book = self.book()
            return None if book.pending or book.provisional else book

        found: Book = wait_for(settled, "the end of every order", seconds)
        return found

    # The chain

    def rpc(self, method: str, *params: Any) -> Any:
        """Return what the chain answers."""
        url = f"http://127.0.0.1:{self.ports.http}/rpc/a"
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._rpc.post(url, json=body).json()
        assert "result" in answer, (method, answer)
        return answer["result"]

    def landed(self) -> dict[str, bool]:
        """Return the signatures of the wallet's transactions, and whether each did what it said."""
        found: dict[str, bool] = {}
        before: dict[str, str] = {}
        while True:
            rows = self.rpc(
                "getSignaturesForAddress", self.wallet, {"limit": SIGNATURES_MAX, **before}
            )
            found |= {row["signature"]: row["err"] is None for row in rows}
            if len(rows) < SIGNATURES_MAX:
                return found
            before = {"before": rows[-1]["signature"]}

    def differences(self, book: Book) -> list[str]:
        """Return how a settled book and the chain differ."""
        problems = []
        lamports = self.rpc("getBalance", self.wallet, {"commitment": "finalized"})["value"]
        if lamports != book.sol_lamports:
            problems.append(f"{lamports} lamports, the ledger has {book.sol_lamports}")
        instruments = read_instruments(self.state / FILE_NAME)
        expected = Counter({instruments[0].quote_mint: book.cash_quote_raw})
        for position in book.positions.values():
            expected[instruments[position.instrument].base_mint] += position.base_raw
        held, rent = self._tokens()
        if +held != +expected:
            problems.append(f"tokens {dict(+held)}, the ledger has {dict(+expected)}")
        rent += self._guards()
        if rent != book.rent_lamports:
            problems.append(f"{rent} lamports of rent, the ledger has {book.rent_lamports}")
        return problems

    def _tokens(self) -> tuple[Counter[str], int]:
        held: Counter[str] = Counter()
        rent = 0
        options = {"encoding": "jsonParsed", "commitment": "finalized"}
        for program in TOKEN_PROGRAMS:
            found = self.rpc(
                "getTokenAccountsByOwner", self.wallet, {"programId": program}, options
            )["value"]
            for one in found:
                info = one["account"]["data"]["parsed"]["info"]
                amount = int(info["tokenAmount"]["amount"])
                held[info["mint"]] += amount
                rent += one["account"]["lamports"]
                if info["mint"] == WRAPPED_SOL_MINT:
                    rent -= amount
        return held, rent

    def _guards(self) -> int:
        """Return the lamports in guard accounts that exist."""
        seeds = {
            record.intent_id
            for record in self.records()
            if isinstance(record, OrderState) and record.attempt is not None
        }
        keys = [guard_address(self.wallet, seed) for seed in sorted(seeds)]
        total = 0
        for begin in range(0, len(keys), ACCOUNTS_MAX):
            batch = keys[begin : begin + ACCOUNTS_MAX]
            found = self.rpc("getMultipleAccounts", batch, {"commitment": "finalized"})
            total += sum(one["lamports"] for one in found["value"] if one is not None)
        return total

    def twice(self) -> list[str]:
        """Return what landed or was signed more often than it may."""
        signatures: dict[str, str] = {}
        sides: dict[str, Side] = {}
        attempts: Counter[str] = Counter()
        flows = set()
        for record in self.records():
            if isinstance(record, OrderState):
                if record.intent is not None:
                    sides[record.intent_id] = record.intent.side
                if record.attempt is not None:
                    signatures[record.attempt.signature] = record.intent_id
                    attempts[record.intent_id] += record.status is OrderStatus.SIGNED
            elif (signature := getattr(record, "signature", "")) != "":
                flows.add(signature)
        landed = self.landed()
        done = Counter(signatures[s] for s, good in landed.items() if good and s in signatures)
        problems = [f"{intent} landed {count} times" for intent, count in done.items() if count > 1]
        problems += [
            f"entry {intent} was signed {count} times"
            for intent, count in attempts.items()
            if count > 1 and sides[intent] is Side.BUY
        ]
        return problems

    def _answers(self) -> bool:
        try:
            return bool(self.rpc("getHealth"))
        except httpx.HTTPError:
            return False


def accepted(answer: cmd.Answer | None) -> bool:
    """Return whether a command was taken."""
    return isinstance(answer, cmd.Accepted)
