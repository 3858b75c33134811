"""Live trading needs everything; anything less is refused with its own exit code."""

import pytest

from utb.config.load import parse_text
from utb.config.mode import resolve_mode
from utb.config.schema import Secret
from utb.config.secrets import Secrets
from utb.domain.names import TradingMode
from utb.errors import LiveCause, LiveRefused

WALLET = Secrets(wallet_address=Secret("a"), wallet_private_key_path=Secret("b"))
ADDRESS = Secrets(wallet_address=Secret("a"), helius_api_key=Secret("k"))
QUICKNODE = Secrets(
    wallet_address=Secret("a"), wallet_private_key_path=Secret("b"), quicknode_rpc_url=Secret("u")
)
HELIUS = Secrets(
    wallet_address=Secret("a"), wallet_private_key_path=Secret("b"), helius_api_key=Secret("k")
)


@pytest.mark.parametrize(
    ("trading_env", "execution_mode", "secrets", "expected"),
    [
        ("paper", "simulation", Secrets(), TradingMode.PAPER),
        ("paper", "simulation", QUICKNODE, TradingMode.PAPER),
        ("live", "simulation", QUICKNODE, LiveCause.ONE_SWITCH),
        ("paper", "live", QUICKNODE, LiveCause.ONE_SWITCH),
        ("live", "live", Secrets(), LiveCause.NO_KEY),
        ("live", "live", ADDRESS, LiveCause.NO_KEY),
        ("live", "live", WALLET, LiveCause.NO_RPC),
        ("live", "live", QUICKNODE, TradingMode.LIVE),
        ("live", "live", HELIUS, TradingMode.LIVE),
    ],
)
def test_mode_follows_both_switches_the_wallet_and_the_rpc(
    trading_env: str, execution_mode: str, secrets: Secrets, expected: object
) -> None:
    config = parse_text(
        f'[environment]\ntrading_env = "{trading_env}"\nexecution_mode = "{execution_mode}"'
    )
    if isinstance(expected, TradingMode):
        assert resolve_mode(config, secrets) is expected
        return
    with pytest.raises(LiveRefused) as refused:
        resolve_mode(config, secrets)
    assert refused.value.cause is expected


def test_each_cause_has_its_own_exit_code_between_10_and_15() -> None:
    assert [cause.exit_code for cause in LiveCause] == [10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize("cause", list(LiveCause))
def test_refusal_is_a_sentence_with_its_cause_and_what_was_found(cause: LiveCause) -> None:
    refused = LiveRefused(cause, "this was found")
    assert refused.exit_code == cause.exit_code
    assert str(refused) == f"live trading refused: {cause.reason}: this was found"
