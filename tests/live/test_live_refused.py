"""Live trading does not start where something is missing or wrong: a sentence and an exit code.

The real command against a stand-in's chain. The tests build on one another: first nothing runs,
then the signer, then a session is opened and killed.
"""

import signal
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
import tomlkit
from realprocs import Stand, wait_for
from solders.hash import Hash
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction

from utb.adapters.seam.client import socket_path
from utb.domain.records import CashMoved

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("live_refused")]

SEED = bytes(range(32))
OTHER = Keypair.from_seed(bytes(range(1, 33)))
GENESIS = str(Hash(bytes(range(32))))


def changed(stand: Stand, tmp_path: Path, change: Callable[[tomlkit.TOMLDocument], None]) -> Path:
    """Return the stand's configuration with something else in it."""
    document = tomlkit.parse(stand.live.config.read_text())
    change(document)
    path = tmp_path / "changed.toml"
    path.write_text(tomlkit.dumps(document))
    return path


def send(stand: Stand, lamports: int) -> None:
    """Take SOL out of the wallet, as whoever has its key can."""
    key = Keypair.from_seed(SEED)
    told = stand.rpc("getLatestBlockhash", {"commitment": "finalized"})["value"]["blockhash"]
    order = transfer(
        TransferParams(from_pubkey=key.pubkey(), to_pubkey=OTHER.pubkey(), lamports=lamports)
    )
    blockhash = Hash.from_string(told)
    signed = Transaction.new_signed_with_payer([order], key.pubkey(), [key], blockhash)
    signature = stand.rpc("sendTransaction", encoded(bytes(signed)), {"encoding": "base64"})

    def final() -> bool:
        found = stand.rpc("getSignatureStatuses", [signature])["value"][0]
        return bool(found) and found["confirmationStatus"] == "finalized"

    wait_for(final, "the transfer")


def encoded(raw: bytes) -> str:
    """Return bytes as the RPC takes them."""
    return b64encode(raw).decode()


@pytest.mark.parametrize("switch", ["trading_env=paper", "execution_mode=simulation"])
def test_one_switch_is_10(stand: Stand, switch: str) -> None:
    code, words = stand.refusal("--set", f"environment.{switch}")
    assert code == 10
    assert "live trading refused: only one of the two switches is on live" in words


def test_key_that_others_can_read_is_11(stand: Stand) -> None:
    key = Path(stand.environment["WALLET_PRIVATE_KEY_PATH"])
    key.chmod(0o644)
    try:
        code, words = stand.refusal()
    finally:
        key.chmod(0o600)
    assert code == 11
    assert str(key) in words
    assert "live trading refused: there is no wallet whose key is safe to use" in words


def test_no_wallet_is_11(stand: Stand) -> None:
    code, words = stand.refusal(variables={"WALLET_ADDRESS": ""})
    assert code == 11
    assert "WALLET_ADDRESS" in words


def test_address_of_another_wallet_is_11(stand: Stand) -> None:
    other = str(OTHER.pubkey())
    code, words = stand.refusal(variables={"WALLET_ADDRESS": other})
    assert code == 11
    assert f"WALLET_ADDRESS is {other}, the key file is that of {stand.wallet}" in words


def test_signer_that_does_not_answer_is_11(stand: Stand, tmp_path: Path) -> None:
    code, words = stand.refusal(state=tmp_path)
    assert code == 11
    assert "the signer does not answer" in words


def test_no_endpoint_is_12(stand: Stand, tmp_path: Path) -> None:
    def without(document: tomlkit.TOMLDocument) -> None:
        del document["rpc"]["endpoints"]

    code, words = stand.refusal(config=changed(stand, tmp_path, without))
    assert code == 12
    assert "live trading refused: no RPC endpoint answers: none is configured" in words


@pytest.fixture(scope="module")
def signed(stand: Stand) -> Stand:
    """Return the stand with its signer at work."""
    stand.start_signer()
    return stand


@pytest.fixture(scope="module")
def opened(signed: Stand) -> Stand:
    """Return the stand with an account on record, and nobody who trades it."""
    trade = signed.start_trade()
    wait_for(lambda: any(isinstance(one, CashMoved) for one in signed.records()), "opening", 100)
    trade.send_signal(signal.SIGKILL)
    trade.wait()
    return signed


def test_endpoints_that_do_not_answer_are_12(signed: Stand, tmp_path: Path) -> None:
    stand = signed

    def deaf(document: tomlkit.TOMLDocument) -> None:
        for endpoint in document["rpc"]["endpoints"]:
            endpoint["url"] = "http://127.0.0.1:9/rpc"
            endpoint["ws_url"] = "ws://127.0.0.1:9/rpc"

    code, words = stand.refusal(config=changed(stand, tmp_path, deaf))
    assert code == 12
    assert "live trading refused: no RPC endpoint answers: a: " in words


def test_foreign_genesis_is_13(signed: Stand) -> None:
    code, words = signed.refusal("--set", f"rpc.genesis_hash={GENESIS}")
    assert code == 13, words
    assert "live trading refused: an RPC endpoint is of another chain" in words
    assert f"expected {GENESIS}" in words


def test_second_instance_of_a_wallet_is_15(signed: Stand, tmp_path: Path) -> None:
    stand = signed
    trade = stand.start_trade()
    wait_for(socket_path(stand.state).exists, "a session that trades", 100)
    socket = f"signer.socket={stand.state / 'run' / 'sign.sock'}"
    for state in (stand.state, tmp_path):
        code, words = stand.refusal("--set", socket, state=state)
        assert code == 15
        assert f"{stand.wallet} is traded by process {trade.pid}" in words
    trade.send_signal(signal.SIGKILL)
    trade.wait()


def test_wallet_that_lacks_something_is_14(opened: Stand) -> None:
    stand = opened
    send(stand, 1_000_000)
    code, words = stand.refusal()
    assert code == 14, words
    assert "the wallet holds less than the journal says, and nothing explains it" in words
    assert "See `utb reconcile`" in words
    assert not socket_path(stand.state).exists() or code
