"""`utb wallet` and `utb sign`'s other commands, as a person calls them."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from wallet_world import COIN, MY_COIN, WALLET, WALLET_KEY

from utb.cli import main
from utb.cli.wallet import whole

PASSPHRASE = "correct horse battery"  # noqa: S105 - of files that the tests make


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    for name in ("WALLET_ADDRESS", "WALLET_PRIVATE_KEY_PATH", "QUICKNODE_RPC_URL"):
        monkeypatch.delenv(name, raising=False)
    written(tmp_path / "pass", PASSPHRASE + "\n")
    written(tmp_path / "id.json", msgspec.json.encode(list(bytes(WALLET_KEY))).decode())
    return tmp_path


def written(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return msgspec.json.decode(capsys.readouterr().out)


@pytest.mark.usefixtures("home")
def test_import_encrypts_and_show_needs_no_passphrase(capsys: pytest.CaptureFixture[str]) -> None:
    done = main(["wallet", "import", "id.json", "w.json", "--passphrase-file", "pass", "--json"])
    assert (done, told(capsys)["wallet"]) == (0, str(WALLET))
    assert main(["wallet", "show", "--key", "w.json", "--json"]) == 0
    assert told(capsys) == {"wallet": str(WALLET), "encrypted": True}
    assert main(["wallet", "show", "--key", "id.json", "--json"]) == 0
    assert told(capsys) == {"wallet": str(WALLET), "encrypted": False}


@pytest.mark.usefixtures("home")
def test_new_replaces_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["wallet", "new", "w.json", "--passphrase-file", "pass"]
    assert main(arguments) == 0
    before = Path("w.json").read_bytes()
    assert main(arguments) == 2
    assert "exists" in capsys.readouterr().err
    assert Path("w.json").read_bytes() == before


def test_passphrase_comes_from_a_descriptor(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    descriptor = os.open(home / "pass", os.O_RDONLY)
    arguments = ["wallet", "import", "id.json", "w.json", "--passphrase-fd", str(descriptor)]
    assert main(arguments) == 0
    assert PASSPHRASE not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("mode", "text", "expected"),
    [
        (0o644, PASSPHRASE, "chmod 600"),
        (0o600, "", "a line of 1 to 1024 bytes"),
        (0o600, "x" * 1025, "a line of 1 to 1024 bytes"),
        (0o600, "short", "at least 8"),
    ],
)
def test_unfit_passphrase_file_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], mode: int, text: str, expected: str
) -> None:
    written(home / "pass", text, mode)
    assert main(["wallet", "new", "w.json", "--passphrase-file", "pass"]) == 2
    assert expected in capsys.readouterr().err
    assert not (home / "w.json").exists()


def test_key_that_is_not_the_named_wallets_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WALLET_PRIVATE_KEY_PATH", str(home / "id.json"))
    monkeypatch.setenv("WALLET_ADDRESS", str(COIN))
    assert main(["wallet", "show"]) == 2
    assert "the address of the key" in capsys.readouterr().err


class Stub(BaseHTTPRequestHandler):
    """An endpoint that knows one wallet."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = msgspec.json.decode(body)
        value: object = 5_000_000_001
        if asked["method"] == "getTokenAccountsByOwner":
            classic = asked["params"][1]["programId"].startswith("Tokenkeg")
            value = [holding()] if classic else []
        answer = {
            "jsonrpc": "2.0",
            "id": asked["id"],
            "result": {"context": {"slot": 77}, "value": value},
        }
        data = msgspec.json.encode(answer)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def holding() -> dict[str, object]:
    amount = {"amount": "1230", "decimals": 2, "uiAmount": 12.3, "uiAmountString": "12.3"}
    info = {
        "isNative": False,
        "mint": str(COIN),
        "owner": str(WALLET),
        "state": "initialized",
        "tokenAmount": amount,
    }
    parsed = {"info": info, "type": "account"}
    data = {"program": "spl-token", "parsed": parsed, "space": 165}
    account = {
        "data": data,
        "executable": False,
        "lamports": 2_039_280,
        "owner": "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "rentEpoch": 2**64 - 1,
        "space": 165,
    }
    return {"pubkey": str(MY_COIN), "account": account}


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_balance_is_what_the_chain_says(
    home: Path, endpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f'[[rpc.endpoints]]\nname = "stub"\nurl = "{endpoint}"\n'
    written(home / "trading.toml", text)
    arguments = ["wallet", "balance", "--key", "id.json", "--config", "trading.toml"]
    assert main([*arguments, "--json"]) == 0
    found = told(capsys)
    assert (found["wallet"], found["slot"], found["lamports"]) == (str(WALLET), 77, 5_000_000_001)
    (token,) = found["tokens"]
    assert (token["mint"], token["amount_raw"], token["decimals"]) == (str(COIN), 1230, 2)
    assert main(arguments) == 0
    assert "12.30" in capsys.readouterr().out


@pytest.mark.usefixtures("home")
def test_balance_without_endpoint_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wallet", "balance", "--address", str(WALLET)]) == 2
    assert "QUICKNODE_RPC_URL" in capsys.readouterr().err


def test_base_units_are_written_out_exactly() -> None:
    assert [whole(5, 9), whole(10**18 + 1, 9), whole(7, 0)] == [
        "0.000000005",
        "1000000000.000000001",
        "7",
    ]


@pytest.mark.usefixtures("home")
def test_halt_and_resume_are_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "halt", "--state", "state", "--json"]) == 0
    assert told(capsys) == {"halted": True, "changed": True}
    assert Path("state/signer/halted").exists()
    assert main(["sign", "halt", "--state", "state", "--json"]) == 0
    assert told(capsys) == {"halted": True, "changed": False}
    assert main(["sign", "resume", "--state", "state", "--json"]) == 0
    assert told(capsys) == {"halted": False, "changed": True}
    assert not Path("state/signer/halted").exists()
