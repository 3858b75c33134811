"""The environment: who wins, what counts as unset, and that no value ever shows."""

import copy
import pickle
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from utb.cli import main
from utb.config import secrets
from utb.config.load import Loaded, parse_text, resolve
from utb.config.schema import Secret
from utb.errors import ConfigError, RefusedError

CANARY = "canary7Q2mZp9"
"""No part of it is a word of the program: if it shows up anywhere, a secret leaked."""

EMPTY = Path("no.toml")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory and an environment without our variables."""
    monkeypatch.chdir(tmp_path)
    for name in secrets.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").mkdir()
    return tmp_path


def resolved(home: Path, environ: dict[str, str] | None = None) -> Loaded:
    return resolve(None, secrets.read(home / ".env", environ or {}))


def test_environment_wins_over_env_file_and_both_over_the_toml_file(home: Path) -> None:
    (home / "config/trading.toml").write_text('[telegram]\ntoken = "a"\nchat_id = "1"\n')
    (home / ".env").write_text("TELEGRAM_TOKEN=b\nCHAT_ID=2\n")
    loaded = resolved(home, {"TELEGRAM_TOKEN": "c"})
    assert loaded.config.telegram.token.reveal() == "c"
    assert loaded.origin("telegram.token") == "environment TELEGRAM_TOKEN"
    assert loaded.config.telegram.chat_id == "2"
    assert loaded.origin("telegram.chat_id").endswith(".env CHAT_ID")


def test_trading_env_variable_replaces_the_setting(home: Path) -> None:
    assert resolved(home, {"TRADING_ENV": "live"}).config.environment.trading_env == "live"


def test_trading_env_variable_of_no_such_name_is_named_with_its_line(home: Path) -> None:
    (home / ".env").write_text("# mode\n\nTRADING_ENV=papr\n")
    with pytest.raises(ConfigError) as caught:
        resolved(home)
    (problem,) = caught.value.problems
    assert (problem.line, problem.key, problem.value) == (3, "TRADING_ENV", '"papr"')
    assert problem.hint == 'did you mean "paper"?'


def test_problems_of_file_and_environment_come_together(home: Path) -> None:
    (home / "config/trading.toml").write_text("[risk]\nmax_drawdown = 2.0\n")
    (home / ".env").write_text("=\nHELIUS_API_KEY=k\n")
    with pytest.raises(ConfigError) as caught:
        resolved(home, {"TRADING_ENV": "x"})
    places = [(Path(p.file).name, p.line, p.key) for p in caught.value.problems]
    assert sorted(places, key=str) == [
        (".env", 1, ""),
        ("environment", None, "TRADING_ENV"),
        ("trading.toml", 2, "risk.max_drawdown"),
    ]


def test_example_file_sets_nothing_but_paper(home: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    (home / ".env").write_text(example.read_text())
    loaded = resolved(home)
    assert loaded.secrets == secrets.Secrets()
    assert loaded.config.environment.trading_env == "paper"
    names = {line.partition("=")[0] for line in example.read_text().splitlines() if "=" in line}
    assert names == set(secrets.VARIABLES)


def test_guide_samples_are_unset(home: Path) -> None:
    """The guide's own `.env`, Infisical's two variables included, must not be taken at its word."""
    (home / ".env").write_text(
        "WALLET_ADDRESS=your_solana_wallet_address\n"
        "WALLET_PRIVATE_KEY_PATH=/path/to/your/private_key.json\n"
        "HELIUS_API_KEY=your_helius_api_key_here\n"
        "QUICKNODE_RPC_URL=https://your-quicknode-url.solana-mainnet.quiknode.pro/your-key/\n"
        "DATABASE_URL=postgresql://username:password@localhost:5432/mojorust_db\n"
        "INFISICAL_CLIENT_ID=your_infisical_client_id\n"
        "INFISICAL_CLIENT_SECRET=your_infisical_client_secret\n"
    )
    loaded = resolved(home)
    assert loaded.secrets == secrets.Secrets()
    assert len(loaded.notes) == 7


def supervised(_: object, __: object, beside: Sequence[Coroutine[Any, Any, None]]) -> int:
    for one in beside:
        one.close()
    return 0


def test_what_is_set_and_not_used_is_noted(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "config/trading.toml").write_text('[telegram]\nchat_id = "1"\n')
    (home / ".env").write_text("REDIS_URL=redis://localhost:6379\nTELEGRAM_TOKEN=\n")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://me:{CANARY}@localhost/db")
    notes = [
        f"{name} is set; this version does not use it"
        for name in ("DATABASE_URL", "REDIS_URL", "telegram.chat_id")
    ]
    assert main(["config", "check"]) == 0
    output = capsys.readouterr()
    assert output.err.splitlines() == [f"note: {note}" for note in notes]
    assert CANARY not in output.out + output.err
    monkeypatch.setattr("utb.cli.supervised.supervise", supervised)
    assert main(["run", "--no-serve", "--no-analytics", "--state", "state"]) == 0
    assert capsys.readouterr().err.splitlines()[:3] == [f"note: {note}" for note in notes]


def test_trade_notes_what_it_does_not_use_in_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ended(*_: object) -> None:
        raise RefusedError("enough")

    monkeypatch.setattr("utb.cli.trade.trade_live", ended)
    (home / ".env").write_text("CHAT_ID=1\n")
    assert main(["trade"]) == 3
    first, *_ = capsys.readouterr().err.splitlines()
    assert msgspec.json.decode(first)["note"] == "CHAT_ID is set; this version does not use it"


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("QUICKNODE_RPC_URL", CANARY, "an address https://HOST/..."),
        ("QUICKNODE_RPC_URL", f"ftp://{CANARY}/", "an address https://HOST/..."),
        ("QUICKNODE_RPC_URL", f"https://host:x/{CANARY}", "an address https://HOST/..."),
        ("QUICKNODE_RPC_URL", f"https://host/ {CANARY}", "an address https://HOST/..."),
        ("HELIUS_API_KEY", f"{CANARY} b", "a key: visible ASCII characters without spaces"),
        ("BIRDEYE_API_KEY", f"{CANARY}\n", "a key: visible ASCII characters without spaces"),
        ("JUPITER_API_KEY", f"{CANARY}\u00e9", "a key: visible ASCII characters without spaces"),
    ],
)
def test_text_that_is_no_key_or_address_is_a_problem(
    home: Path, name: str, text: str, wanted: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        resolved(home, {name: text})
    assert str(caught.value) == f"environment: {name} = ***: expected {wanted}"
    (home / ".env").write_text(f'\n{name}="{text}"\n')
    with pytest.raises(ConfigError, match=rf"\.env:2: {name} = \*\*\*: expected") as caught:
        resolved(home)
    assert CANARY not in str(caught.value)


def test_infisical_variables_together_are_refused(home: Path) -> None:
    with pytest.raises(ConfigError, match="this version does not have"):
        resolved(home, {"INFISICAL_CLIENT_ID": CANARY, "INFISICAL_CLIENT_SECRET": CANARY})
    assert resolved(home, {"INFISICAL_CLIENT_ID": CANARY}).config


def test_misspelt_variable_of_the_env_file_is_noted(home: Path) -> None:
    (home / ".env").write_text("\nTELEGRAM_TOKN=abc\n")
    (note,) = resolved(home).notes
    assert note.endswith(
        '.env:2: TELEGRAM_TOKN is not a variable we read (did you mean "TELEGRAM_TOKEN"?)'
    )


def test_env_file_that_is_not_text_is_a_problem(home: Path) -> None:
    (home / ".env").write_bytes(b"A=\xff\xfe")
    with pytest.raises(ConfigError, match="a readable UTF-8 file"):
        resolved(home)


def full(home: Path) -> dict[str, str]:
    (home / "config/trading.toml").write_text(f'[telegram]\ntoken = "{CANARY}"\n')
    names = set(secrets.VARIABLES) - {"TRADING_ENV", "CHAT_ID", "INFISICAL_CLIENT_SECRET"}
    url = f"https://rpc.example.org/{CANARY}/"
    return dict.fromkeys(names, CANARY) | {"QUICKNODE_RPC_URL": url}


def test_secrets_are_in_no_representation(home: Path) -> None:
    loaded = resolved(home, full(home))
    assert loaded.secrets.helius_api_key == Secret(CANARY)
    assert loaded.config.telegram.token == Secret(CANARY)
    variables = secrets.read(home / ".env", full(home))
    for value in (loaded, loaded.secrets, loaded.config.telegram.token, variables):
        assert CANARY not in repr(value) + str(value) + f"{value}"


def test_secret_is_neither_encoded_nor_pickled(home: Path) -> None:
    token = resolved(home, full(home)).config.telegram.token
    with pytest.raises(TypeError):
        msgspec.json.encode(token)
    with pytest.raises(TypeError):
        pickle.dumps(token)
    with pytest.raises(TypeError):
        copy.deepcopy(token)


@pytest.mark.parametrize("command", [["show"], ["show", "--json"], ["check"], ["check", "--json"]])
def test_secrets_are_in_no_output(
    home: Path,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in full(home).items():
        monkeypatch.setenv(name, value)
    assert main(["config", *command]) == 0
    output = capsys.readouterr()
    assert output.out
    assert CANARY not in output.out + output.err


@pytest.mark.parametrize(
    "text",
    [
        f'[telegram]\ntoken = ["{CANARY}"]',
        f'[telegram]\ntokn = "{CANARY}"',
        f'[telegram]\nbot = "12345:{CANARY}"',
        f'[api.helius]\nkey = "{CANARY}"',
        f'HELIUS_API_KEY = "{CANARY}"',
        f'[telegram]\ntoken = "a{CANARY}"\ntoken = "b{CANARY}"',
        f'[api.helius]\nbase_url = "wss://example.org/?api-key={CANARY}"',
        f'[api.helius]\nbase_url = "https://example.org/?api-key={CANARY}"',
        f'[api.helius]\nbase_url = "ftp://me:{CANARY}@example.org/"',
        f'[telegram]\ntoken = "{CANARY}',
        f"[telegram]\ntoken = {CANARY}",
        f'telegram = "{CANARY}"',
        f'[[telegram]]\ntoken = "{CANARY}"',
    ],
)
def test_secrets_are_in_no_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_text(text)
    assert CANARY not in str(caught.value) + repr(caught.value.problems)
