"""What the configuration asks to trade on: paper, live, or a refusal."""

from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain.names import TradingMode
from utb.errors import LiveCause, LiveRefused


def resolve_mode(config: Config, secrets: Secrets) -> TradingMode:
    """Return the mode. Only `utb.bootstrap` calls this.

    Both switches off: paper. Both on: live, if a wallet and an RPC endpoint are named.

    Raises:
        LiveRefused: If one switch is on, or both without a wallet or an RPC endpoint.
    """
    environment = config.environment
    switches = (
        f'environment.trading_env = "{environment.trading_env}", '
        f'environment.execution_mode = "{environment.execution_mode}"'
    )
    live = (environment.trading_env == "live", environment.execution_mode == "live")
    if not any(live):
        return TradingMode.PAPER
    if not all(live):
        words = f'{switches}; for live trading set both to "live", for paper "paper" and'
        raise LiveRefused(LiveCause.ONE_SWITCH, f'{words} "simulation"')
    if not (secrets.wallet_address and secrets.wallet_private_key_path):
        words = "WALLET_ADDRESS and WALLET_PRIVATE_KEY_PATH must both be set (`utb wallet new`)"
        raise LiveRefused(LiveCause.NO_KEY, words)
    if not (secrets.quicknode_rpc_url or secrets.helius_api_key or config.rpc.endpoints):
        words = "none is configured: QUICKNODE_RPC_URL, HELIUS_API_KEY or [[rpc.endpoints]]"
        raise LiveRefused(LiveCause.NO_RPC, words)
    return TradingMode.LIVE
