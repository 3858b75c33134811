"""What the configuration asks to trade on: paper, live, or a refusal."""

from utb.config.schema import Config
from utb.config.secrets import Secrets
from utb.domain.names import TradingMode
from utb.errors import LiveCause


def resolve_mode(config: Config, secrets: Secrets) -> TradingMode | LiveCause:
    """Return the mode, or why live trading does not start.

    Both switches off: paper. One on: refused. Both on: refused without a wallet or an RPC
    endpoint, and, in this version, with them too. Only `utb.bootstrap` calls this.
    """
    live = (config.environment.trading_env == "live", config.environment.execution_mode == "live")
    if not any(live):
        return TradingMode.PAPER
    if not all(live):
        return LiveCause.ONE_SWITCH
    if not (secrets.wallet_address and secrets.wallet_private_key_path):
        return LiveCause.NO_WALLET
    if not (secrets.quicknode_rpc_url or secrets.helius_api_key):
        return LiveCause.NO_RPC
    return LiveCause.NOT_AVAILABLE
