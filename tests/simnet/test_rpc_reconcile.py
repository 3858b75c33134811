"""`utb reconcile` on the simulated chain: a journal on one side, a wallet on the other."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rpc_stand import OTHER, SOL, WALLET, ChainStand, chain_served, mint_planted, sending, signed
from simnet_stand import run, world_of
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN_PROGRAM_ID
from solders.token.associated import get_associated_token_address

from utb.adapters.chain.reconcile import RENT
from utb.bootstrap.bookside import OPENING_SLOT
from utb.cli import main
from utb.domain.chain import WRAPPED_SOL_MINT
from utb.domain.orders import FlowCause
from utb.domain.records import CashMoved, Flow, Record
from utb.storage.journal import SqliteJournal

KEY = str(WALLET.pubkey())
WSOL = Pubkey.from_string(WRAPPED_SOL_MINT)
USDC_RAW = 5_000 * 10**6
TOKEN_RENT = 2 * (165 + 128) * 6_960
"""Lamports that keep the accounts of USDC and wSOL: 165 bytes each, and 128 for their heads."""
SETTINGS = """
[rpc]
genesis_hash = "{genesis}"
heights_seconds = 0.1
timeout_seconds = 1.0
requests_per_second = 1000
history_per_second = 1000
{endpoints}
"""


@dataclass
class Asked:
    """The command, its configuration and its journal."""

    stand: ChainStand
    home: Path
    journal: SqliteJournal

    async def told(self, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict]:  # type: ignore[type-arg]
        """Run the command in a thread while the chain is served here; return code and answer."""
        code = await asyncio.to_thread(main, self.arguments(*more, "--json"))
        return code, json.loads(capsys.readouterr().out)

    def arguments(self, *more: str) -> Sequence[str]:
        config, state = self.home / "live.toml", self.home / "state"
        return ["reconcile", "--config", str(config), "--state", str(state), *more]

    def record(self, *records: Record) -> None:
        self.journal.append(records)
        self.journal.sync()


@asynccontextmanager
async def asked(
    home: Path, monkeypatch: pytest.MonkeyPatch, names: str = "abc"
) -> AsyncIterator[Asked]:
    """Serve a funded wallet whose account was opened with what it holds."""
    monkeypatch.setenv("WALLET_ADDRESS", KEY)
    async with chain_served(slot_ms=0) as stand:
        stand.half.fund(KEY, sol_lamports=2 * SOL, usdc_raw=USDC_RAW)
        stand.ticks(40)
        endpoints = "".join(
            f'[[rpc.endpoints]]\nname = "{name}"\nurl = "{stand.at[f"rpc.{name}.http"]}"\n'
            f'ws_url = "{stand.at[f"rpc.{name}.ws"]}"\n'
            for name in names
        )
        genesis = stand.chain.genesis_hash
        text = SETTINGS.format(genesis=genesis, endpoints=endpoints)
        (home / "live.toml").write_text(text)
        journal = SqliteJournal(
            home / "state",
            options_digest="live",
            wall_ns=lambda: 1,
            instruments=world_of(hours=8).instruments,
        )
        journal.note(OPENING_SLOT, str(stand.chain.finalized_slot))
        made = Asked(stand, home, journal)
        made.record(
            CashMoved(ts_ns=1, quote_raw=USDC_RAW, lamports=2 * SOL + TOKEN_RENT, cause="opening"),
            Flow(ts_ns=1, cause=FlowCause.RENT, lamports=-TOKEN_RENT, reason="opening"),
        )
        try:
            yield made
        finally:
            journal.close()


def rows(found: dict) -> dict[str, dict]:  # type: ignore[type-arg]
    return {row["symbol"] or row["asset"]: row for row in found["assets"]}


def test_equal_beside_the_journals_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with asked(tmp_path, monkeypatch) as bot:
            code, found = await bot.told(capsys)
            assert (code, found["equal"], found["unknown"], found["words"]) == (0, True, [], [])
            assert (found["wallet"], found["seq"]) == (KEY, 2)
            assert found["slot"] == bot.stand.chain.finalized_slot
            usdc, rent = rows(found)["USDC"], rows(found)[RENT]
            assert usdc["chain_raw"] == usdc["book_raw"] == USDC_RAW
            assert rent["chain_raw"] == rent["book_raw"] == TOKEN_RENT
            assert await asyncio.to_thread(main, bot.arguments()) == 0
            assert "5000.000000" in capsys.readouterr().out

    run(scenario())


def test_a_stranger_with_the_key_is_found_with_the_lamport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with asked(tmp_path, monkeypatch) as bot:
            stolen = signed(bot.stand, sending(SOL // 2, OTHER.pubkey()))
            bot.stand.chain.submit(bytes(stolen))
            bot.stand.ticks(40)
            code, found = await bot.told(capsys)
            assert (code, found["equal"]) == (1, False)
            assert found["unknown"] == [str(stolen.signatures[0])]
            assert rows(found)["SOL"]["difference_raw"] == -(SOL // 2) - 5_000
            assert rows(found)["SOL"]["serious"]
            assert [row["serious"] for row in found["assets"]].count(True) == 1
            assert len(found["words"]) == 2

    run(scenario())


def test_rent_whose_way_back_is_not_booked_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a bot leaves it that is killed between sending and booking; it closed the empty wSOL."""
    closing = Instruction(
        TOKEN_PROGRAM_ID,
        b"\x09",
        [
            AccountMeta(
                get_associated_token_address(WALLET.pubkey(), WSOL),
                is_signer=False,
                is_writable=True,
            ),
            AccountMeta(WALLET.pubkey(), is_signer=False, is_writable=True),
            AccountMeta(WALLET.pubkey(), is_signer=True, is_writable=False),
        ],
    )

    async def scenario() -> None:
        async with asked(tmp_path, monkeypatch) as bot:
            sent = signed(bot.stand, closing)
            signature = str(sent.signatures[0])
            cause = FlowCause.HOUSEKEEPING_FEE
            bot.record(Flow(ts_ns=2, cause=cause, lamports=0, signature=signature, reason="rent"))
            code, found = await bot.told(capsys)
            assert (code, found["equal"]) == (0, True)
            assert "has not landed yet" in found["words"][0]
            bot.stand.chain.submit(bytes(sent))
            bot.stand.ticks(40)
            code, found = await bot.told(capsys)
            assert (code, found["equal"], found["unknown"]) == (0, True, [])
            [words] = found["words"]
            assert f"transaction {signature} (rent) landed in slot" in words
            back = TOKEN_RENT // 2
            for asset, difference in (("SOL", back - 5_000), (RENT, -back)):
                row = rows(found)[asset]
                assert (row["difference_raw"], row["moving"]) == (difference, True)
                assert not row["serious"]
            bot.record(
                Flow(ts_ns=3, cause=FlowCause.RENT, lamports=back, signature=signature),
                Flow(ts_ns=3, cause=cause, lamports=-5_000, signature=signature),
            )
            code, found = await bot.told(capsys)
            assert (code, found["equal"], found["words"]) == (0, True, [])

    run(scenario())


def test_what_came_in_and_is_no_cash_is_told_and_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def scenario() -> None:
        async with asked(tmp_path, monkeypatch) as bot:
            mint = mint_planted(bot.stand)
            await bot.stand.control("tokens", owner=KEY, mint=mint, amount_raw=77)
            bot.stand.ticks(40)
            code, found = await bot.told(capsys)
            row = rows(found)[mint]
            assert (row["chain_raw"], row["book_raw"], row["serious"]) == (77, 0, False)
            assert any(mint in words for words in found["words"])
            assert (code, found["equal"]) == (0, True)

    run(scenario())


@pytest.mark.parametrize(
    ("broken", "code", "words"),
    [
        ("wallet", 2, "WALLET_ADDRESS"),
        ("address", 2, "base58"),
        ("journal", 2, "a bot has traded in"),
        ("paper", 2, "traded live"),
        ("rpc", 2, "QUICKNODE_RPC_URL"),
        ("silent", 3, "no RPC endpoint answers"),
    ],
)
def test_what_is_missing_is_said(
    broken: str,
    code: int,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scenario() -> None:
        names = "" if broken == "rpc" else "a"
        async with asked(tmp_path, monkeypatch, names) as bot:
            arguments = [*bot.arguments()]
            if broken == "wallet":
                monkeypatch.delenv("WALLET_ADDRESS")
            elif broken == "address":
                arguments += ["--address", "0OIl"]
            elif broken == "journal":
                arguments[arguments.index("--state") + 1] = str(tmp_path / "nowhere")
            elif broken == "paper":
                SqliteJournal(
                    tmp_path / "p",
                    options_digest="",
                    wall_ns=lambda: 1,
                    instruments=world_of(hours=8).instruments,
                ).close()
                arguments[arguments.index("--state") + 1] = str(tmp_path / "p")
            elif broken == "silent":
                monkeypatch.setattr("utb.bootstrap.reconciling.ANSWER_S", 1.0)
                await bot.stand.fault("blackout")
            assert await asyncio.to_thread(main, arguments) == code
            assert words in capsys.readouterr().err

    run(scenario())
